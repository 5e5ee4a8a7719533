"""Change the light of drawn frames by the cells of a coarse grid, in linear light.

Where a cell shall be darker, its pixels are blended towards black, where brighter, towards white, each of
red, green and blue by itself; between the centres of cells the amount is interpolated. The mean of a cell
then changes from the one to the other, detail stays, and nothing leaves the range.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clavilux.arrays import F32
from clavilux.colour import bt709, srgb_to_linear
from clavilux.pixel_formats import LAYOUTS, Layout, Samples

__all__ = ["relight"]

LEAST = np.float32(1e-6)
CODES = 4096
"""Steps of the tables between code values and linear light."""
TO_LINEAR = srgb_to_linear(np.arange(CODES) / (CODES - 1)).astype(np.float32)
ROOTS = (np.arange(CODES) / (CODES - 1)) ** 2
"""Linear light at even steps of its square root, where the way back has no steep end."""
TO_CODE = np.interp(ROOTS, TO_LINEAR, np.arange(CODES) / (CODES - 1)).astype(np.float32)


def relight(samples: Samples, pixels: str, before: F32, after: F32) -> Samples:
    """Change frames so that the mean light of each cell is another.

    Args:
        samples: planar Y'CbCr frames, (N, rows, W).
        pixels: their format, as a video has it.
        before: linear RGB of their cells, (N, gh, gw, 3).
        after: what it shall be.

    >>> grey = np.full((1, 54, 64), 128, np.uint8)
    >>> cells = np.full((1, 4, 4, 3), 0.2159, np.float32)
    >>> bool((relight(grey, "yuv420p", cells, cells / 2)[0, :36] < 100).all())
    True
    """
    layout = LAYOUTS[pixels]
    made = [_relit_planes(frame, layout, x, y) for frame, x, y in zip(samples, before, after, strict=True)]
    return np.asarray(np.stack(made), samples.dtype)  # type: ignore[return-value]


def _relit_planes(frame: Samples, layout: Layout, before: F32, after: F32) -> Samples:
    """Change a planar frame: colours at the size of its chroma, and the luma around each as it changes there.

    Where cells are as small as that, colours change at the size of the luma.
    """
    height, width = layout.height(len(frame)), frame.shape[1]
    high, wide = height // layout.down, width // layout.across
    coarse = high >= before.shape[0] and wide >= before.shape[1]
    down, across = (layout.down, layout.across) if coarse else (1, 1)
    more = layout.down // down, layout.across // across
    scale, matrix = np.float32(2 ** (layout.bits - 8)), bt709().astype(np.float32)
    flat = frame.reshape(-1).astype(np.float32) / scale
    luma = flat[: height * width].reshape(height // down, down, width // across, across)
    chroma = flat[height * width :].reshape(2, high, wide).repeat(more[0], 1).repeat(more[1], 2)
    codes = np.stack([_mean(luma, down, across), *chroma]) - matrix[:, 3, None, None]
    made = _mixed(matrix[:, :3], _relit(_mixed(np.linalg.inv(matrix[:, :3]), codes), before, after))
    floor, span = matrix[0, 3], matrix[0, :3].sum()
    dark = np.minimum(made[0] / np.maximum(codes[0], 1e-3), 1)
    bright = np.minimum((span - made[0]) / np.maximum(span - codes[0], 1e-3), 1)
    whole = span - (span - (luma - floor) * dark[:, None, :, None]) * bright[:, None, :, None] + floor
    small = [_mean(plane.reshape(high, more[0], wide, more[1]), *more) for plane in made[1:]]
    joined = np.concatenate([whole.ravel(), (np.stack(small) + matrix[1:, 3, None, None]).ravel()]) * scale
    return np.asarray(np.rint(joined).astype(layout.dtype).reshape(frame.shape))


def _mean(blocks: F32, down: int, across: int) -> F32:
    """Average blocks of a plane, (H, down, W, across) to (H, W)."""
    parts = [blocks[:, y, :, x] for y in range(down) for x in range(across)]
    return np.asarray(sum(parts[1:], parts[0]) / np.float32(len(parts)))


def _mixed(matrix: F32, planes: F32) -> F32:
    """Multiply three planes (3, H, W) by a matrix (3, 3)."""
    first, second, third = planes
    return np.stack([a * first + b * second + c * third for a, b, c in matrix])


def _relit(srgb: F32, before: F32, after: F32) -> F32:
    """Blend an image (3, H, W) in [0, 1] towards black and white as its cells (gh, gw, 3) ask for."""
    made = np.empty_like(srgb)
    for k, channel in enumerate(srgb):
        light = TO_LINEAR[_index(channel)]
        was, now = before[..., k], after[..., k]
        dark: F32 = np.minimum(now / np.maximum(was, LEAST), 1)
        light *= _enlarged(dark, light.shape)
        bright: F32 = np.clip((now - was) / np.maximum(1 - was, LEAST), 0, 1)
        if bright.any():
            light += _enlarged(bright, light.shape) * (1 - light)
        made[k] = TO_CODE[_index(np.sqrt(light))]
    return made


def _index(values: F32) -> NDArray[np.uint16]:
    """Return where values of [0, 1] are in a table."""
    return (np.clip(values, 0, 1) * (CODES - 1) + 0.5).astype(np.uint16)


def _enlarged(cells: F32, shape: tuple[int, ...]) -> F32:
    """Interpolate cells (gh, gw) linearly between their centres; the outer ones hold."""
    image = Image.fromarray(np.ascontiguousarray(cells, np.float32))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR))
