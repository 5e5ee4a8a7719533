"""From the network's colours to a video's pixels: resize, convert, dither, round.

Images are (B, 3, h, w) float32 in [-1, 1]; pixels are integers of 8 or 10 bits. The conversion to YUV is
linear, so it happens at the network's size, and resizing, cropping and chroma subsampling along an axis are
one matrix. Y'CbCr is that of ITU-R BT.709 in limited range, chroma sited left as H.264 assumes.
"""

import numpy as np
import torch
from torch import Tensor, nn

from clavilux.arrays import F64
from clavilux.colour import bt709
from clavilux.pixel_formats import LAYOUTS, Layout, PixelFormat

__all__ = ["Pixels", "halve", "resample"]

GOLDEN_RATIO = 0.6180339887498949
"""Steps of the dither's phase from frame to frame: they fill [0, 1) as evenly as steps can."""

DITHER_PERIOD = 1024
"""Frames after which the dither repeats; keeps its phase exact in float32."""

STRETCH = 40
"""Rows or columns of the output computed at once; measured, the fastest of 40, 80 and 160."""

DTYPES = {8: torch.uint8, 10: torch.int16}
"""Type of a sample by its bits."""


def resample(size: int, target: int, scale: float) -> F64:
    """Compute the matrix that scales a line about its centre by `scale` and crops it to `target` samples.

    The kernel is Keys' cubic with a = -1/2 (Keys 1981), widened when shrinking so that nothing aliases; at
    the ends it is renormalised over the samples there are.

    Returns:
        (target, size), rows sum to 1.

    >>> resample(4, 4, 1.0).tolist() == np.eye(4).tolist()
    True
    """
    wider = max(1.0, 1 / scale)
    centres = (np.arange(target) + 0.5 - target / 2) / scale + size / 2 - 0.5
    distance = np.abs(centres[:, None] - np.arange(size)) / wider
    # Keys 1981: 3/2 d^3 - 5/2 d^2 + 1 for d < 1; -1/2 d^3 + 5/2 d^2 - 4 d + 2 for 1 <= d < 2
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    weights = np.where(distance < 1, near, np.where(distance < 2, far, 0.0))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def halve(size: int, taps: tuple[float, ...]) -> F64:
    """Compute the matrix that keeps every other sample after a filter whose middle or left tap sits on it.

    Returns:
        (size / 2, size), rows sum to 1; beyond the ends the outermost samples are repeated.

    >>> halve(4, (0.25, 0.5, 0.25)).tolist()
    [[0.75, 0.25, 0.0, 0.0], [0.0, 0.25, 0.5, 0.25]]
    """
    matrix = np.zeros((size // 2, size))
    rows = np.arange(size // 2)
    for k, tap in enumerate(taps, start=-((len(taps) - 1) // 2)):
        np.add.at(matrix, (rows, np.clip(2 * rows + k, 0, size - 1)), tap)
    return matrix


class Banded(nn.Module):
    """Multiply one axis of an image by a matrix of which all but a band about the diagonal is zero.

    A dense product would spend a hundred times the arithmetic on zeros. Stretches of the output are products
    of small dense matrices with the stretch of the input they read.

    Args:
        matrix: (target, size).
        axis: of the image, -2 for its rows or -1 for its columns.

    >>> Banded(halve(4, (0.5, 0.5)), -1)(torch.tensor([[0.0, 2.0, 4.0, 8.0]])).tolist()
    [[1.0, 6.0]]
    """

    def __init__(self, matrix: F64, axis: int) -> None:
        super().__init__()
        self.axis, self.spans = axis, list[tuple[int, int]]()
        for first in range(0, len(matrix), STRETCH):
            block = matrix[first : first + STRETCH]
            read = np.flatnonzero(block.any(axis=0))
            start, end = int(read[0]), int(read[-1]) + 1
            self.register_buffer(f"block{len(self.spans)}", _buffer(_turned(block[:, start:end], axis)))
            self.spans.append((start, end))

    def forward(self, image: Tensor) -> Tensor:
        """Return the image (..., H, W) with another number of rows or columns."""
        parts = []
        for number, (start, end) in enumerate(self.spans):
            block: Tensor = getattr(self, f"block{number}")
            part = image.narrow(self.axis, start, end - start)
            parts.append(block @ part if self.axis == -2 else part @ block)
        return torch.cat(parts, dim=self.axis)


def _turned(block: F64, axis: int) -> F64:
    return block if axis == -2 else block.T


class Pixels(nn.Module):
    """Scale an image to cover the output, crop it about the centre, and round it to integers.

    Args:
        source: height and width of the images.
        size: width and height of the output; even where chroma is subsampled.
        pixels: the pixel format.

    >>> Pixels((4, 4), (8, 6), "yuv420p")(torch.zeros(2, 3, 4, 4), torch.arange(2)).shape
    torch.Size([2, 9, 8])
    """

    def __init__(self, source: tuple[int, int], size: tuple[int, int], pixels: PixelFormat) -> None:
        super().__init__()
        (height, width), (wide, high) = source, size
        scale = max(high / height, wide / width)
        rows, columns = resample(height, high, scale), resample(width, wide, scale)
        self.layout = LAYOUTS.get(pixels)
        self.size = size
        colours = _colours(self.layout)
        self.colours, self.offsets = _buffer(colours[:, :3]), _buffer(colours[:, 3:])
        self.rows, self.columns = Banded(rows, -2), Banded(columns, -1)
        if self.layout:
            down = halve(high, (0.5, 0.5)) if self.layout.down == 2 else np.eye(high)
            across = halve(wide, (0.25, 0.5, 0.25)) if self.layout.across == 2 else np.eye(wide)
            self.chroma_rows, self.chroma_columns = Banded(down @ rows, -2), Banded(across @ columns, -1)
        self.pattern = _buffer(_gradient_noise(high, wide))

    def forward(self, image: Tensor, frame: Tensor) -> Tensor:
        """Return planar images (B, rows, W) as the layout says, or (B, H, W, 3) uint8.

        frame (B,) int64 keys the dither.
        """
        unit = image.clamp(-1, 1) * 0.5 + 0.5  # (B, 3, h, w) in [0, 1]
        batch, _, height, width = unit.shape
        planes = (self.colours @ unit.reshape(batch, 3, -1) + self.offsets).reshape(batch, 3, height, width)
        phase = (frame % DITHER_PERIOD).to(torch.float32)[:, None, None] * GOLDEN_RATIO
        if self.layout:
            return self._planar(planes, phase, self.layout)
        full = self.rows(self.columns(planes))  # (B, 3, H, W)
        dither = (self.pattern + phase)[:, None] + torch.arange(3, device=phase.device)[:, None, None] * (
            1 / 3
        )
        return _rounded(full, dither, (0, 255), torch.uint8).permute(0, 2, 3, 1).contiguous()

    def _planar(self, planes: Tensor, phase: Tensor, layout: Layout) -> Tensor:
        (wide, high), step, dtype = self.size, 1 << (layout.bits - 8), DTYPES[layout.bits]
        luma = self.rows(self.columns(planes[:, 0]))
        chroma = self.chroma_rows(self.chroma_columns(planes[:, 1:]))
        shifts = torch.arange(1, 3, device=phase.device)[:, None, None] * (1 / 3)
        pattern = self.pattern[: high // layout.down, : wide // layout.across]
        dither = (pattern + phase)[:, None] + shifts
        under = layout.shape(self.size)[0] - high
        colour = _rounded(chroma, dither, (16 * step, 240 * step), dtype)
        luma_samples = _rounded(luma, self.pattern + phase, (16 * step, 235 * step), dtype)
        return torch.cat((luma_samples, colour.reshape(planes.shape[0], under, wide)), dim=1)


def _colours(layout: Layout | None) -> F64:
    """Return the matrix from [0, 1] to the code values of a layout, or of 8-bit RGB; (3, 4)."""
    if layout is None:
        return np.column_stack([255 * np.eye(3), np.zeros(3)])
    return bt709() * 2.0 ** (layout.bits - 8)


def _rounded(values: Tensor, dither: Tensor, ends: tuple[int, int], dtype: torch.dtype) -> Tensor:
    """Round to integers with dither: floor(v + d), d uniform over [0, 1), whose mean is v."""
    spread = dither - torch.floor(dither)
    return torch.floor(values + spread).clamp(*ends).to(dtype)


def _gradient_noise(height: int, width: int) -> F64:
    """Compute interleaved gradient noise, uniform over [0, 1) in every small neighbourhood; (H, W)."""
    y, x = np.ogrid[:height, :width]
    # Jimenez 2014, "Next generation post processing in Call of Duty"
    pattern = np.asarray(0.06711056 * x + 0.00583715 * y)
    pattern %= 1  # in place: an image of 3840x2160 has 66 MB
    pattern *= 52.9829189
    pattern %= 1
    return pattern


def _buffer(matrix: F64) -> nn.Buffer:
    return nn.Buffer(torch.from_numpy(np.ascontiguousarray(matrix, np.float32)))
