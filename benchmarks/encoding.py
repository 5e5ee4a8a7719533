"""What x264's settings cost at equal quality, by SSIM and XPSNR on moving noise: processor time and bytes.

    python benchmarks/encoding.py [--size 1280 720] [--frames 96]

The frames are drawn by the built-in silk for the built-in song, its texture moving with the drums. Each
setting encodes them at several qualities; time and size are then read off at the quality that a render has by
itself. SSIM (Wang et al. 2004) and XPSNR (Helmrich et al. 2020) are computed by FFmpeg of what is decoded.
"""

import argparse
import io
import statistics
import time
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.filter import Graph
from figures import table

from clavilux.demo.composer import compose
from clavilux.make.plan import gop_of
from clavilux.make.video import prepare_job
from clavilux.make.workspace import Workspace
from clavilux.video.codecs import CODECS
from clavilux.video.frame import to_ffmpeg

REPETITIONS = 3
FPS = Fraction(30)
PIXELS = "yuv420p"
USUAL = "as a render"
QUALITIES = (14, 16, 18, 20, 22)
SETTINGS = {
    "ultrafast": ("ultrafast", ""),
    "ultrafast, CABAC": ("ultrafast", "cabac=1"),
    "superfast, no macroblock trees": ("superfast", "mbtree=0:rc-lookahead=0"),
    USUAL: (CODECS["h264"].preset, ""),
    "veryfast": ("veryfast", ""),
    "veryfast, no B-frames": ("veryfast", "bframes=0"),
    "veryfast, subme 1": ("veryfast", "subme=1"),
    "faster": ("faster", ""),
}


@dataclass(frozen=True)
class Encoded:
    """What came of one setting at one quality: CPU ms and kB a frame, SSIM and XPSNR in dB."""

    crf: float
    cpu: float
    size: float
    ssim: float
    xpsnr: float


def encode(frames: list[av.VideoFrame], preset: str, more: str, crf: float) -> tuple[bytes, float]:
    """Encode frames; return the file and the processor time it took, s."""
    options = CODECS["h264"].options_for(gop_of(FPS))
    options["x264-params"] += f":{more}" if more else ""
    target = io.BytesIO()
    began = time.process_time()
    with av.open(target, "w", format="matroska") as container:
        stream = container.add_stream(
            "libx264", rate=FPS, options={**options, "preset": preset, "crf": f"{crf}"}
        )
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, PIXELS
        for n, frame in enumerate(frames):
            frame.pts, frame.time_base = n, 1 / FPS
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue(), time.process_time() - began


def compare(frames: list[av.VideoFrame], content: bytes, measure: str) -> float:
    """Return the mean of a measure of FFmpeg's over the frames, in dB."""
    graph = Graph()
    width, height = frames[0].width, frames[0].height
    sources = [
        graph.add_buffer(width=width, height=height, format=PIXELS, time_base=1 / FPS) for _ in range(2)
    ]
    judge, sink = graph.add(measure), graph.add("buffersink")
    for k, source in enumerate(sources):
        source.link_to(judge, 0, k)
    judge.link_to(sink)
    graph.configure()
    values = []
    with av.open(io.BytesIO(content)) as container:
        for n, (original, decoded) in enumerate(zip(frames, container.decode(video=0), strict=True)):
            decoded.pts, decoded.time_base = n, 1 / FPS
            sources[0].push(decoded)
            sources[1].push(original)
            shown = sink.pull()
            values.append(value_of(measure, dict(shown.metadata)))
    return statistics.mean(values)


def value_of(measure: str, metadata: dict[str, str]) -> float:
    if measure == "ssim":
        return -10 * np.log10(1 - float(metadata["lavfi.ssim.All"]))
    return float(metadata["lavfi.xpsnr.xpsnr.y"])


def drawn(size: tuple[int, int], count: int) -> list[av.VideoFrame]:
    """Draw frames of the loudest part of the built-in song."""
    job = prepare_job(
        compose(0).audio, size=size, fps=FPS, start=24, duration=count / FPS, workspace=Workspace()
    )
    return [to_ffmpeg(np.ascontiguousarray(each), PIXELS) for batch in job.frames() for each in batch]


def at(points: list[Encoded], ssim: float, name: str) -> float:
    """Read off what a setting costs at a quality, between the qualities that were tried."""
    ordered = sorted(points, key=lambda point: point.ssim)
    known = [point.ssim for point in ordered]
    if not known[0] <= ssim <= known[-1]:
        return float("nan")
    return float(np.interp(ssim, known, [getattr(point, name) for point in ordered]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720))
    parser.add_argument("--frames", type=int, default=96)
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=SETTINGS, metavar="NAME")
    args = parser.parse_args()
    frames = drawn(tuple(args.size), args.frames)
    found: dict[str, list[Encoded]] = {}
    for crf in QUALITIES:  # settings in turn, so that all see the same machine
        for name in dict.fromkeys([USUAL, *args.settings]):
            preset, more = SETTINGS[name]
            runs = [encode(frames, preset, more, crf) for _ in range(REPETITIONS)]
            content, cpu = runs[0][0], statistics.median(seconds for _, seconds in runs)
            each = len(frames) / 1000
            found.setdefault(name, []).append(
                Encoded(
                    crf,
                    cpu / each,
                    len(content) / each / 1e6,
                    compare(frames, content, "ssim"),
                    compare(frames, content, "xpsnr"),
                )
            )
    usual = CODECS["h264"].quality
    assert usual is not None
    wanted = found[USUAL][QUALITIES.index(int(usual.usual))].ssim
    width, height = args.size
    print(f"\n## Encoding: {width}x{height}, H.264\n")
    print(
        f"{len(frames)} frames; at an SSIM of {wanted:.2f} dB, which a render has at crf {usual.usual:g}.\n"
    )
    names = ("crf", "cpu", "size", "xpsnr")
    rows = [(name, *(at(points, wanted, each) for each in names)) for name, points in found.items()]
    print(
        table(
            ["setting", "crf", "CPU ms/frame", "kB/frame", "XPSNR, dB"],
            [
                [name, f"{crf:.1f}", f"{cpu:.1f}", f"{size:.1f}", f"{xpsnr:.2f}"]
                for name, crf, cpu, size, xpsnr in rows
            ],
        )
    )


if __name__ == "__main__":
    main()
