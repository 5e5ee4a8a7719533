"""Change the light of drawn frames by the cells of a coarse grid, in linear light.

Where a cell shall be darker, its pixels are blended towards black, where brighter, towards white, each of
red, green and blue by itself; between the centres of cells the amount is interpolated. The mean of a cell
then changes from the one to the other, detail stays, and nothing leaves the range.
"""

import functools

import numpy as np
from numpy.typing import NDArray

from clavilux.arrays import F32
from clavilux.colour import bt709, srgb_to_linear
from clavilux.pixel_formats import LAYOUTS, Layout, Samples

__all__ = ["relight"]

BAND = 48
"""Rows of chroma that are changed at once."""
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
    made = np.empty_like(samples)
    for n, (frame, was, now) in enumerate(zip(samples, before, after, strict=True)):
        made[n] = _relit_planes(frame, layout, was, now)
    return made


def _relit_planes(frame: Samples, layout: Layout, before: F32, after: F32) -> Samples:
    """Change a planar frame: colours at the size of its chroma, and the luma around each as it changes there.

    Where cells are as small as that, colours change at the size of the luma. Bands of rows are changed one
    after the other, so that what is computed stays in the processor's cache.
    """
    height, width = layout.height(len(frame)), frame.shape[1]
    high, wide = height // layout.down, width // layout.across
    coarse = high >= before.shape[0] and wide >= before.shape[1]
    down, across = (layout.down, layout.across) if coarse else (1, 1)
    more = layout.down // down, layout.across // across
    mixing = _Mixing(before, after, (high * more[0], wide * more[1]))
    flat = frame.reshape(-1)
    luma = flat[: height * width].reshape(height, width)
    chroma = flat[height * width :].reshape(2, high, wide)
    made = np.empty_like(flat)
    made_luma, made_chroma = made[: luma.size].reshape(luma.shape), made[luma.size :].reshape(chroma.shape)
    scale = np.float32(2 ** (layout.bits - 8))
    for top in range(0, high, BAND):
        band = slice(top, top + BAND)
        rows = slice(top * layout.down, (top + BAND) * layout.down)
        blocks = luma[rows].astype(np.float32).reshape(-1, down, wide * more[1], across) / scale
        colours = chroma[:, band].astype(np.float32).repeat(more[0], 1).repeat(more[1], 2) / scale
        first = top * more[0]
        whole, mixed = _relit_band(blocks, colours, mixing, slice(first, first + blocks.shape[0]))
        made_luma[rows] = np.rint(whole.reshape(-1, width) * scale)
        small = [_mean(plane.reshape(-1, more[0], wide, more[1]), *more) for plane in mixed]
        made_chroma[:, band] = np.rint(np.stack(small) * scale)
    return made.reshape(frame.shape)


def _relit_band(blocks: F32, chroma: F32, mixing: "_Mixing", rows: slice) -> tuple[F32, F32]:
    """Change rows of a frame: blocks of luma (H, down, W, across) and the chroma of each, (2, H, W)."""
    matrix = bt709().astype(np.float32)
    floor, span = matrix[0, 3], matrix[0, :3].sum()
    _, down, _, across = blocks.shape
    codes = np.stack([_mean(blocks, down, across), *chroma]) - matrix[:, 3, None, None]
    made = _mixed(matrix[:, :3], mixing(_mixed(np.linalg.inv(matrix[:, :3]), codes), rows))
    dark = np.minimum(made[0] / np.maximum(codes[0], 1e-3), 1)
    bright = np.minimum((span - made[0]) / np.maximum(span - codes[0], 1e-3), 1)
    # y' = floor + span - (span - (y - floor) dark) bright, a gain and an offset for each block
    gain = dark * bright
    offset = floor + span - span * bright - floor * gain
    gain, offset = (each.repeat(across, 1)[:, None] for each in (gain, offset))
    whole = blocks.reshape(len(gain), down, -1) * gain + offset
    return whole, made[1:] + matrix[1:, 3, None, None]


def _mean(blocks: F32, down: int, across: int) -> F32:
    """Average blocks of a plane, (H, down, W, across) to (H, W)."""
    parts = [blocks[:, y, :, x] for y in range(down) for x in range(across)]
    return np.asarray(sum(parts[1:], parts[0]) / np.float32(len(parts)))


def _mixed(matrix: F32, planes: F32) -> F32:
    """Multiply three planes (3, H, W) by a matrix (3, 3)."""
    return np.asarray((matrix @ planes.reshape(3, -1)).reshape(planes.shape))


class _Mixing:
    """Blends images towards black and white, as their cells ask for.

    Args:
        before: linear RGB of the cells, (gh, gw, 3).
        after: what it shall be.
        size: height and width of the images.
    """

    def __init__(self, before: F32, after: F32, size: tuple[int, int]) -> None:
        dark = np.minimum(after / np.maximum(before, LEAST), 1)
        bright = np.clip((after - before) / np.maximum(1 - before, LEAST), 0, 1)
        self._down = _interpolation(before.shape[0], size[0])
        across = _interpolation(before.shape[1], size[1]).T
        self._dark = [dark[..., k] @ across for k in range(3)]
        self._bright = [bright[..., k] @ across if bright[..., k].any() else None for k in range(3)]

    def __call__(self, srgb: F32, rows: slice) -> F32:
        """Blend rows of an image, (3, H, W) in [0, 1]."""
        made, down = np.empty_like(srgb), self._down[rows]
        for k, (channel, dark, bright) in enumerate(zip(srgb, self._dark, self._bright, strict=True)):
            light = TO_LINEAR[_index(channel)] * (down @ dark)
            if bright is not None:
                light += (down @ bright) * (1 - light)
            made[k] = TO_CODE[_index(np.sqrt(light))]
        return made


@functools.lru_cache(8)
def _interpolation(cells: int, side: int) -> F32:
    """Return what interpolates cells linearly between their centres, (side, cells); the outer ones hold."""
    place = np.clip((np.arange(side) + 0.5) * cells / side - 0.5, 0, cells - 1)
    weights = 1 - np.abs(place[:, None] - np.arange(cells))
    return np.asarray(np.maximum(weights, 0), np.float32)


def _index(values: F32) -> NDArray[np.uint16]:
    """Return where values of [0, 1] are in a table."""
    return (np.clip(values, 0, 1) * (CODES - 1) + 0.5).astype(np.uint16)
