"""Frames of a video in small, for measuring: RGB of a few thousand pixels, averaged over areas."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from clavilux.pixel_formats import LAYOUTS, Samples
from clavilux.video.frame import to_ffmpeg
from clavilux.video.probe import damaged, open_video, video_stream

__all__ = ["SMALL_SIDE", "decode_small", "shrink", "small_size"]

SMALL_SIDE = 256
"""Longer side of a small frame, px, at most."""
GRID_SIDE = 64
"""Small sides are multiples of a grid whose longer side has so many cells."""
UNSPECIFIED = 2
"""FFmpeg's number of a colour matrix that a file does not name (ISO/IEC 23091-2)."""


def small_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return width and height of a video's small frames: of its shape, a whole number of pixels a cell.

    >>> small_size((1280, 720)), small_size((64, 36)), small_size((1080, 1920))
    ((256, 144), (64, 36), (144, 256))
    """
    longer = max(size)
    cells = [max(1, round(GRID_SIDE * side / longer)) for side in size]
    scale = max(1, min(longer, SMALL_SIDE) // GRID_SIDE)
    return cells[0] * scale, cells[1] * scale


def shrink(samples: Samples, pixels: str) -> NDArray[np.uint8]:
    """Return drawn frames in small, uint8 (N, h, w, 3) RGB.

    Args:
        samples: frames of a pixel format, (N, ...).
        pixels: the format; of RGB frames 'rgb24'.

    >>> shrink(np.full((2, 216, 256), 128, np.uint8), "yuv420p").shape
    (2, 144, 256, 3)
    """
    if pixels in LAYOUTS:
        frames = [_small(to_ffmpeg(each, pixels), "ITU709") for each in samples]
    else:
        frames = [
            _small(av.VideoFrame.from_ndarray(np.ascontiguousarray(each, np.uint8), "rgb24"), None)
            for each in samples
        ]
    return np.stack(frames)


def decode_small(path: str | Path) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames of a video in order and in small, uint8 (h, w, 3) RGB.

    Raises:
        FileError: no such file, not a video, or damaged.
    """
    path = Path(path)
    with open_video(path) as container:
        try:
            for frame in container.decode(video_stream(container, path)):
                yield _small(frame, "ITU709" if frame.colorspace == UNSPECIFIED else None)
        except av.FFmpegError as error:
            raise damaged(path) from error


def _small(frame: av.VideoFrame, matrix: str | None) -> NDArray[np.uint8]:
    width, height = small_size((frame.width, frame.height))
    shown = frame.reformat(width, height, "rgb24", src_colorspace=matrix, interpolation="AREA")
    return np.asarray(shown.to_ndarray(), np.uint8)
