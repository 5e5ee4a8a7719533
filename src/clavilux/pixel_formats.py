"""Pixel formats: how the samples of an image lie in one array, and which sizes an image can have.

A planar YUV image is one array (rows, W): its luma plane, then the Cb and the Cr plane, all samples without
gaps, cut into rows as long as the image is wide. Samples of 8 bits are uint8; deeper ones are int16, which
holds them and which every engine supports. The values are BT.709's in limited range. An RGB image is
(H, W, 3) uint8. Sizes are (width, height) in pixels; shapes are array shapes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from clavilux.errors import SettingError, suggest

__all__ = [
    "LAYOUTS",
    "MAX_SIDE",
    "MIN_VIDEO_SIDE",
    "Layout",
    "PixelFormat",
    "Samples",
    "check_size",
    "frame_format",
    "preview_size",
]

PixelFormat = Literal["yuv420p", "yuv420p10", "yuv422p10", "yuv444p", "yuv444p10", "rgb24"]

Samples = NDArray[np.uint8] | NDArray[np.int16]
"""Samples of images, of 8 bits or deeper."""

MAX_SIDE = 8192
"""Largest width and height of an image, px: the largest that every encoder in the table accepts."""

MIN_VIDEO_SIDE = 16
"""Least width and height of a video, px."""


@dataclass(frozen=True)
class Layout:
    """A planar YUV format.

    Attributes:
        bits: depth of a sample.
        across: columns of luma for each of chroma.
        down: rows of luma for each of chroma.
    """

    bits: int
    across: int
    down: int

    @property
    def dtype(self) -> np.dtype[np.uint8] | np.dtype[np.int16]:
        """Type of a sample."""
        return np.dtype(np.uint8) if self.bits == 8 else np.dtype(np.int16)

    def shape(self, size: tuple[int, int]) -> tuple[int, int]:
        """Shape of the array of an image of this width and height.

        >>> LAYOUTS["yuv420p"].shape((64, 36)), LAYOUTS["yuv422p10"].shape((64, 36))
        ((54, 64), (72, 64))
        """
        width, height = size
        return height + 2 * height // (self.across * self.down), width

    def height(self, rows: int) -> int:
        """Height of the image whose array has this many rows.

        >>> LAYOUTS["yuv420p"].height(54)
        36
        """
        return rows * self.across * self.down // (self.across * self.down + 2)


LAYOUTS: Mapping[str, Layout] = {
    "yuv420p": Layout(8, 2, 2),
    "yuv420p10": Layout(10, 2, 2),
    "yuv422p10": Layout(10, 2, 1),
    "yuv444p": Layout(8, 1, 1),
    "yuv444p10": Layout(10, 1, 1),
}
"""The planar formats that programs draw, by name."""


def frame_format(size: tuple[int, int], pixels: PixelFormat) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type of the array of one image.

    >>> frame_format((64, 36), "yuv420p"), frame_format((64, 36), "rgb24")
    (((54, 64), dtype('uint8')), ((36, 64, 3), dtype('uint8')))
    """
    layout = LAYOUTS.get(pixels)
    return (layout.shape(size), layout.dtype) if layout else ((*size[::-1], 3), np.dtype(np.uint8))


def check_size(size: tuple[int, int], pixels: PixelFormat = "yuv420p", *, min_side: int = 1) -> None:
    """Check that an image of this size and pixel format can be made.

    Args:
        size: width and height, px.
        pixels: the pixel format; all but 'rgb24' are for video and need even sides.
        min_side: least width and height, px.

    Raises:
        SettingError: no such format, or a size that is out of range or odd.

    >>> check_size((1280, 720))
    >>> check_size((33, 17), "rgb24")
    """
    width, height = size
    shown = f"{width}x{height}"
    if pixels not in get_args(PixelFormat):
        hint = suggest(str(pixels), get_args(PixelFormat), otherwise="it is {}")
        raise SettingError(f"There is no pixel format '{pixels}'", where="pixels", value=pixels, hint=hint)
    if not all(min_side <= side <= MAX_SIDE for side in size):
        hint = f"each side goes from {min_side} to {MAX_SIDE} pixels"
        what = f"The size {shown} is out of range"
        raise SettingError(what, where="size", value=size, hint=hint, remedy="size")
    if pixels != "rgb24" and (width % 2 or height % 2):
        even = f"{width + width % 2}x{height + height % 2}"
        what, hint = f"The size {shown} is odd", f"video needs even sides, such as {even}"
        raise SettingError(what, where="size", value=size, hint=hint, remedy="size")


def preview_size(size: tuple[int, int], height: int) -> tuple[int, int]:
    """Return a size of the same shape and about this height: even, and no larger than the size itself.

    Args:
        size: width and height, px.
        height: of the preview, px.

    >>> preview_size((1280, 720), 144), preview_size((720, 1280), 256), preview_size((64, 36), 144)
    ((256, 144), (144, 256), (64, 36))
    """
    scale = min(1.0, height / size[1])
    wide, high = (max(MIN_VIDEO_SIDE, 2 * round(side * scale / 2)) for side in size)
    return wide, high
