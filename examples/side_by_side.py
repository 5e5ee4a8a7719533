"""Two videos of the same length beside each other, without and with, for the other examples.

python examples/side_by_side.py LEFT.mp4 RIGHT.mp4 BOTH.mp4
"""

import sys
from collections.abc import Iterator

import av
import numpy as np


def frames(path: str) -> Iterator[np.ndarray]:
    """Read a video's frames, RGB."""
    with av.open(path) as file:
        for frame in file.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def join(left: str, right: str, target: str) -> str:
    """Write two videos beside each other, without sound."""
    with av.open(left) as file:
        video = file.streams.video[0]
        rate, width, height = video.average_rate, video.width, video.height
    with av.open(target, "w") as file:
        stream = file.add_stream("libx264", rate=rate, options={"crf": "16"})
        stream.width, stream.height, stream.pix_fmt = 2 * width, height, "yuv420p"
        for pair in zip(frames(left), frames(right), strict=True):
            both = np.hstack(pair)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(both, format="rgb24")))
        file.mux(stream.encode())
    return target


if __name__ == "__main__" and len(sys.argv) == 4:
    print(join(*sys.argv[1:]))
