"""What is measured of every frame, as frames go by: enough to compare a video with its song.

A small frame is averaged, in linear light, over a grid of about 64 by 36 cells; flashes are counted there.
What is kept of a frame is its brightness, its colours, its layout and how it differs from the frame before,
about a kilobyte, so that an hour of video takes some hundred megabytes and no more. Parts of a video that are
measured apart have their first and last small frames too, and are joined exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Self

import numpy as np
from numpy.typing import NDArray

from clavilux.arrays import F16, F32, F64, AnyArray
from clavilux.colour import LUMA, srgb_to_linear
from clavilux.metrics.flashes import Flashes, FlashMeter

__all__ = ["CHANNELS", "Trace", "TracePart", "TracePartBuilder", "Tracer", "cells_of"]

GRID_SIDE = 64
LAYOUT = (9, 16)
"""Rows and columns of the layout of a frame, of which sections are compared."""
BINS = 32
"""Bins of a histogram of one of red, green and blue."""
LEVELS = ("light", "colour", "texture", "centre")
FLOW = ("across", "down", "zoom", "turn")
CHANNELS = ("motion", *LEVELS, *FLOW)
"""What of a frame can move: all pixels; brightness; warmth; fine detail; the middle against the edge; and the
picture as a whole, across, downwards, towards the viewer, and about its centre."""

Rows = tuple[F32, F16, F16, F32]
"""Of consecutive frames: values (N, 9), histograms (N, 96), layouts (N, 9, 16, 3) and sharpness (N,)."""
NO_ROWS: Rows = (
    np.zeros((0, len(CHANNELS)), np.float32),
    np.zeros((0, 3 * BINS), np.float16),
    np.zeros((0, *LAYOUT, 3), np.float16),
    np.zeros(0, np.float32),
)

LINEAR = srgb_to_linear(np.arange(256) / 255).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Trace:
    """A video, as measures see it.

    Attributes:
        fps: frames per second.
        values: of each of `CHANNELS` in every frame, (T, 9); of motion the change itself, of the picture as
            a whole the way that it went so far, in heights of the frame.
        histograms: of red, green and blue, shares of the pixels, (T, 96).
        layouts: linear RGB of a coarse grid, (T, 9, 16, 3).
        sharpness: mean difference of neighbouring pixels' luma, 0 to 1, (T,).
        flashes: what flashes there are.
    """

    fps: Fraction
    values: F32
    histograms: F16
    layouts: F16
    sharpness: F32
    flashes: Flashes

    def __len__(self) -> int:
        return len(self.values)

    @property
    def motion(self) -> F64:
        """Mean absolute change of the pixels since the frame before, 0 to 1, (T,); 0 for the first."""
        return self.values[:, 0].astype(np.float64)

    def change(self, channel: str) -> F64:
        """Return how much a channel moves in each frame, not negative, (T,)."""
        index = CHANNELS.index(channel)
        if index == 0:
            return self.motion
        values = self.values[:, index].astype(np.float64)
        return np.abs(np.diff(values, prepend=values[:1]))


@dataclass(frozen=True, eq=False)
class TracePart:
    """Consecutive frames of a video, as measures see them; flashes are counted apart.

    Attributes:
        values: of each of `CHANNELS` in every frame, (N, 9); of motion, and of the picture as a whole, the
            change since the frame before, 0 for the first.
        histograms: as in a `Trace`, (N, 96).
        layouts: likewise, (N, 9, 16, 3).
        sharpness: likewise, (N,).
        ends: the first and the last small frame, uint8 (2, h, w, 3).
    """

    values: F32
    histograms: F16
    layouts: F16
    sharpness: F32
    ends: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def arrays(self) -> dict[str, AnyArray]:
        """Everything by name, to be kept in a file."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def is_in(cls, arrays: Mapping[str, AnyArray]) -> bool:
        """Return whether all arrays of a part are among others."""
        return all(field.name in arrays for field in fields(cls))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Return the part of which these, among others, are the arrays."""
        return cls(**{field.name: arrays[field.name] for field in fields(cls)})

    def trace(self, fps: Fraction, flashes: Flashes) -> Trace:
        """Return the trace of a video of which this is all."""
        values = self.values.copy()
        values[:, -len(FLOW) :] = np.cumsum(values[:, -len(FLOW) :], axis=0, dtype=np.float64)
        return Trace(fps, values, self.histograms, self.layouts, self.sharpness, flashes)


class TracePartBuilder:
    """Measure consecutive frames, as they come or in parts that were measured apart."""

    def __init__(self) -> None:
        self._rows: list[Rows] = [NO_ROWS]
        self._ends: list[NDArray[np.uint8]] = []  # the first and the last frame, once there is one
        self._last_grid = np.zeros((0, 0, 3), np.float32)

    def add(self, frames: NDArray[np.uint8], cells: F32) -> None:
        """Measure the next small frames, uint8 (N, h, w, 3) RGB, and their cells."""
        for frame, grid in zip(frames, cells, strict=True):
            levels, histogram, sharpness = _measured(frame, grid)
            motion, *flow = self._change(frame, grid)
            values = np.array([[motion, *levels, *flow]], np.float32)
            self._rows.append(
                (values, histogram[None], _layout(grid)[None], np.array([sharpness], np.float32))
            )
            self._follow(frame, frame, grid)

    def join(self, part: TracePart) -> None:
        """Continue with a part that was measured apart."""
        (first, last), (first_grid, last_grid) = part.ends, cells_of(part.ends)
        values = part.values.copy()
        values[0, 0], *values[0, -len(FLOW) :] = self._change(first, first_grid)
        self._rows.append((values, part.histograms, part.layouts, part.sharpness))
        self._follow(first, last, last_grid)

    @property
    def part(self) -> TracePart:
        """What was measured so far."""
        values, histograms, layouts, sharpness = map(np.concatenate, zip(*self._rows, strict=True))
        return TracePart(values, histograms, layouts, sharpness, np.array(self._ends, np.uint8))

    def _change(self, frame: NDArray[np.uint8], grid: F32) -> tuple[float, ...]:
        """Return motion and flow since the last frame; 0 for the first."""
        if not self._ends:
            return (0.0,) * (1 + len(FLOW))
        motion = float(np.abs(frame.astype(np.int16) - self._ends[1]).mean()) / 255
        return motion, *_flow(self._last_grid, grid)

    def _follow(self, first: NDArray[np.uint8], last: NDArray[np.uint8], last_grid: F32) -> None:
        """Remember the frames that the next one, or the next part, is compared with."""
        self._ends = [self._ends[0] if self._ends else first, last]
        self._last_grid = last_grid


class Tracer:
    """Measure the frames of a whole video as they come.

    >>> tracer = Tracer(Fraction(10))
    >>> tracer.add(np.zeros((5, 36, 64, 3), np.uint8))
    >>> len(tracer.trace), tracer.trace.motion.tolist()
    (5, [0.0, 0.0, 0.0, 0.0, 0.0])
    """

    def __init__(self, fps: Fraction) -> None:
        self._fps, self._meter, self._builder = fps, FlashMeter(fps), TracePartBuilder()

    def add(self, frames: NDArray[np.uint8]) -> None:
        """Measure the next small frames, uint8 (N, h, w, 3) RGB."""
        cells = cells_of(frames)
        self._meter.add(cells)
        self._builder.add(frames, cells)

    @property
    def trace(self) -> Trace:
        """What was measured so far."""
        return self._builder.part.trace(self._fps, self._meter.found)


def cells_of(frames: NDArray[np.uint8]) -> F32:
    """Average small frames in linear light over the cells of the grid of flashes.

    Args:
        frames: uint8 (N, h, w, 3) sRGB.

    Returns:
        linear RGB (N, gh, gw, 3), the longer side at most 64 cells.

    >>> cells_of(np.full((1, 144, 256, 3), 255, np.uint8)).shape
    (1, 36, 64, 3)
    """
    _, height, width, _ = frames.shape
    scale = max(1, max(height, width) // GRID_SIDE)
    return _blocks(LINEAR[frames], max(1, height // scale), max(1, width // scale))


def _blocks(images: F32, rows: int, columns: int) -> F32:
    """Average images (N, h, w, 3) over blocks, (N, rows, columns, 3); what is left over at the ends goes.

    Places of the blocks are added one after the other: bit for bit NumPy's mean, in a third of its time.
    """
    n, height, width, _ = images.shape
    high, wide = height // rows, width // columns
    cut = images[:, : rows * high, : columns * wide]
    blocks = cut.reshape(n, rows, high, columns, wide, 3)
    total = blocks[:, :, 0, :, 0].copy()
    for place in range(1, high * wide):
        total += blocks[:, :, place // wide, :, place % wide]
    return np.asarray(total / np.float32(high * wide))


def _measured(frame: NDArray[np.uint8], grid: F32) -> tuple[tuple[float, ...], F16, float]:
    """Return the levels, the histogram and the sharpness of a frame."""
    luma = frame @ np.array(LUMA) / 255  # Y' of BT.709, 0 to 1
    luminance = grid @ np.array(LUMA, np.float32)
    sharpness = float(np.abs(np.diff(luma, axis=0)).mean() + np.abs(np.diff(luma, axis=1)).mean()) / 2
    rows, columns = (slice(side // 4, side - side // 4) for side in luminance.shape)
    levels = (
        float(luminance.mean()),
        float(frame[..., 0].mean() - frame[..., 2].mean()) / 255,  # warm against cold: red less blue
        sharpness,
        float(luminance[rows, columns].mean() - luminance.mean()),
    )
    bins = frame >> 3
    counts = [np.bincount(bins[..., channel].ravel(), minlength=BINS) for channel in range(3)]
    histogram = np.concatenate(counts) / (frame.size / 3)
    return levels, histogram.astype(np.float16), sharpness


def _flow(last: F32, grid: F32) -> tuple[float, ...]:
    """Estimate how the picture moved as a whole: across, down, zoom and turn, by least squares.

    Brightness is constant along the motion, I_t + u I_x + v I_y = 0 (Horn and Schunck 1981), and the motion
    is (u, v) = (a + c x - d y, b + c y + d x) with x and y from the centre, in heights.
    """
    before, after = (np.sqrt(each @ np.array(LUMA, np.float32)) for each in (last, grid))
    if min(before.shape) < 3:
        return (0.0,) * len(FLOW)
    height, width = before.shape
    y, x = np.mgrid[:height, :width] / height - np.array([0.5, 0.5 * width / height])[:, None, None]
    i_y, i_x = (each * height for each in np.gradient((before + after) / 2))
    ways = np.stack([i_x, i_y, i_x * x + i_y * y, i_y * x - i_x * y]).reshape(len(FLOW), -1)
    normal = ways @ ways.T
    ridge = 1e-3 * np.trace(normal) / len(FLOW) + 1e-9
    way = np.linalg.solve(normal + ridge * np.eye(len(FLOW)), -ways @ (after - before).ravel())
    return tuple(float(each) for each in way)


def _layout(grid: F32) -> F16:
    """Average a grid to the layout, upright videos turned on their side."""
    turned = grid if grid.shape[1] >= grid.shape[0] else grid.swapaxes(0, 1)
    sides = turned.shape[:2]
    firsts = [np.arange(n) * side // n for side, n in zip(sides, LAYOUT, strict=True)]
    summed = np.add.reduceat(np.add.reduceat(turned, firsts[0], axis=0), firsts[1], axis=1)
    counts = [np.diff(np.append(first, side)) for first, side in zip(firsts, sides, strict=True)]
    return np.asarray(summed / np.maximum(np.outer(*counts), 1)[..., None], np.float16)
