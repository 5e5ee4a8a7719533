"""Change the light of drawn frames by the cells of a coarse grid, in linear light.

Where a cell shall be darker, its pixels are blended towards black, where brighter, towards white, each of
red, green and blue by itself; between the centres of cells the amount is interpolated. The mean of a cell
then changes from the one to the other, detail stays, and nothing leaves the range.
"""

import numpy as np

from clavilux.arrays import F32
from clavilux.colour import bt709, srgb_to_linear
from clavilux.pixel_formats import LAYOUTS, Layout, Samples

__all__ = ["relight"]

CODES = 4096
"""Steps of the tables between code values and linear light."""
TO_LINEAR = srgb_to_linear(np.arange(CODES) / (CODES - 1)).astype(np.float32)
ROOTS = (np.arange(CODES) / (CODES - 1)) ** 2
"""Linear light at even steps of its square root, where the way back has no steep end."""
TO_CODE = np.interp(ROOTS, TO_LINEAR, np.arange(CODES) / (CODES - 1)).astype(np.float32)


def relight(samples: Samples, pixels: str, before: F32, after: F32) -> Samples:
    """Change frames so that the mean light of each cell is another.

    Args:
        samples: frames, (N, rows, W) planar Y'CbCr, or (N, H, W, 3) of 'rgb24'.
        pixels: their format.
        before: linear RGB of their cells, (N, gh, gw, 3).
        after: what it shall be.

    >>> grey = np.full((1, 54, 64), 128, np.uint8)
    >>> cells = np.full((1, 4, 4, 3), 0.2159, np.float32)
    >>> bool((relight(grey, "yuv420p", cells, cells / 2)[0, :36] < 100).all())
    True
    """
    layout = LAYOUTS.get(pixels)
    made = [
        _relit_rgb(frame, x, y) if layout is None else _relit_planes(frame, layout, x, y)
        for frame, x, y in zip(samples, before, after, strict=True)
    ]
    return np.asarray(np.stack(made), samples.dtype)  # type: ignore[return-value]


def _relit_rgb(frame: Samples, before: F32, after: F32) -> Samples:
    made = _relit(np.asarray(frame / 255, np.float32), before, after)
    return np.asarray(np.rint(made * 255), np.uint8)


def _relit_planes(frame: Samples, layout: Layout, before: F32, after: F32) -> Samples:
    """Change a planar frame: to R'G'B' at full size and back, chroma averaged as it lay."""
    height, width = layout.height(len(frame)), frame.shape[1]
    size = height // layout.down, width // layout.across
    scale, matrix = 2 ** (layout.bits - 8), bt709()
    flat = frame.reshape(-1).astype(np.float32) / scale
    luma = flat[: height * width].reshape(height, width)
    chroma = flat[height * width :].reshape(2, *size).repeat(layout.down, 1).repeat(layout.across, 2)
    codes = np.concatenate([luma[None], chroma]) - matrix[:, 3, None, None].astype(np.float32)
    rgb = np.einsum("ck,khw->hwc", np.linalg.inv(matrix[:, :3]).astype(np.float32), codes)
    made = np.einsum("kc,hwc->khw", matrix[:, :3].astype(np.float32), _relit(rgb, before, after))
    made += matrix[:, 3, None, None].astype(np.float32)
    small = made[1:].reshape(2, size[0], layout.down, size[1], layout.across).mean(axis=(2, 4))
    whole = np.concatenate([made[0].ravel(), small.ravel()]) * scale
    made_samples: Samples = np.rint(whole).astype(layout.dtype).reshape(frame.shape)
    return made_samples


def _relit(srgb: F32, before: F32, after: F32) -> F32:
    """Blend an image (H, W, 3) in [0, 1] towards black and white as its cells ask for."""
    linear = TO_LINEAR[np.rint(np.clip(srgb, 0, 1) * (CODES - 1)).astype(np.int32)]
    shape = srgb.shape[:2]
    darker = _enlarged(np.minimum(after / np.maximum(before, 1e-6), 1), shape)
    brighter = _enlarged(np.clip((after - before) / np.maximum(1 - before, 1e-6), 0, 1), shape)
    linear *= darker
    linear += brighter * (1 - linear)
    return np.asarray(TO_CODE[np.rint(np.sqrt(np.clip(linear, 0, 1)) * (CODES - 1)).astype(np.int32)])


def _enlarged(cells: F32, shape: tuple[int, int]) -> F32:
    """Interpolate cells (gh, gw, 3) linearly between their centres; the outer ones hold."""
    for axis, side in enumerate(shape):
        count = cells.shape[axis]
        place = np.clip((np.arange(side) + 0.5) * count / side - 0.5, 0, count - 1)
        low = np.minimum(place.astype(np.int64), max(count - 2, 0))
        share = (place - low).astype(np.float32)
        share = share[:, None, None] if axis == 0 else share[None, :, None]
        high = np.minimum(low + 1, count - 1)
        cells = cells.take(low, axis) * (1 - share) + cells.take(high, axis) * share
    return np.asarray(cells, np.float32)
