"""Pixel formats: how the samples of a picture lie in one array.

A planar YUV picture is one array (rows, W): its luma plane, then the blue and the red chroma plane, all
samples without gaps, cut into rows as long as the picture is wide. Samples of 8 bits are uint8, deeper ones
int16, which holds them and which every engine knows. The values are BT.709's in limited range. An RGB picture
is (H, W, 3) uint8.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["LAYOUTS", "Layout", "PixelFormat", "Samples"]

PixelFormat = Literal["yuv420p", "yuv420p10", "yuv422p10", "yuv444p", "yuv444p10", "rgb24"]

Samples = NDArray[np.uint8] | NDArray[np.int16]
"""Samples of pictures, of 8 bits or deeper."""


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
        """Shape of the array of a picture of this width and height.

        >>> LAYOUTS["yuv420p"].shape((64, 36)), LAYOUTS["yuv422p10"].shape((64, 36))
        ((54, 64), (72, 64))
        """
        width, height = size
        return height + 2 * height // (self.across * self.down), width

    def height(self, rows: int) -> int:
        """Height of the picture whose array has this many rows.

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
