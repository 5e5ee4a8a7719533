"""How much of each frame is blended into its own slow light, so that a video flashes no more than is allowed.

A frame's cells x, the mean linear light in each cell of a coarse grid, are compared with their own moving
average s: where a video flashes too much, y = x + a (s - x) with an amount a from 0 to 1 that rises and
falls within half a second. Cells that do not flash have x near s and stay as they are. The amounts are
computed from the cells of all drawn frames, so a frame remains a function of the project and its number:
whoever draws it, in whatever order, blends it alike.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

import numpy as np
import scipy

from clavilux.arrays import F32, Bools
from clavilux.metrics.flashes import LIMITS, FlashLimits, FlashMeter

__all__ = ["FORESEEN", "STRICTER", "Cells", "blend", "blending", "steady_cells"]


@dataclass(frozen=True)
class BlendSpec:
    """How amounts are found.

    Attributes:
        step: by which an amount rises where a frame still flashes too much.
        ramp_seconds: within which amounts rise and fall.
        steady_seconds: length of the moving average, twice in a row, so that a change is a ramp.
        warm_seconds: of frames that a meter sees before those that it judges.
        chunk: frames that are looked at at once.
        sweeps: how often at most the video is looked at.
    """

    step: float = 0.125
    ramp_seconds: float = 0.5
    steady_seconds: float = 0.5
    warm_seconds: float = 2.0
    chunk: int = 600
    sweeps: int = 24


SPEC = BlendSpec()
STRICTER = replace(LIMITS, step=0.09, bright=0.81, red_step=0.9 * LIMITS.red_step, area=0.22)
"""Limits a tenth below those allowed: encoding, and light that varies within a cell, add a little."""
FORESEEN = replace(LIMITS, step=0.08, bright=0.83, red_step=0.8 * LIMITS.red_step, area=0.19)
"""Limits for the cells of smaller images, whose light is a little different."""


class Cells(Protocol):
    """The cells of all drawn frames."""

    def read(self, first: int, last: int) -> F32:
        """Read linear RGB of frames [first, last), (N, gh, gw, 3)."""


def blending(cells: Cells, frames: int, fps: Fraction, limits: FlashLimits = STRICTER) -> F32:
    """Find the amount of every frame, (T,); 0 throughout where nothing flashes too much.

    Some seconds are in memory at a time, whatever the length of the video.

    Args:
        cells: of the drawn frames.
        frames: their number.
        fps: frames per second.
        limits: stricter than those allowed, which are not exceeded either.
    """
    wanted = np.zeros(frames, np.float32)
    chunks = {(first, min(first + SPEC.chunk, frames)) for first in range(0, frames, SPEC.chunk)}
    todo = chunks
    for _ in range(SPEC.sweeps):
        amounts = _ramped(wanted, fps)
        raised = np.zeros(frames, bool)
        for first, last in sorted(todo):
            for n in np.flatnonzero(_failing(cells, amounts, (first, last), fps, limits)) + first:
                raised[max(0, n - round(fps)) : n + 1] = True  # all the changes that it counts
        raised &= wanted < 1
        if not raised.any():
            break
        wanted[raised] = np.minimum(wanted[raised] + SPEC.step, 1)
        near = scipy.ndimage.maximum_filter1d(raised.astype(np.uint8), 2 * _warm(fps) + 1)
        todo = {chunk for chunk in chunks if near[slice(*chunk)].any()}
    return _ramped(wanted, fps)


def steady_cells(cells: Cells, first: int, last: int, frames: int, fps: Fraction) -> tuple[F32, F32]:
    """Return the cells of frames [first, last) and their moving average, (N, gh, gw, 3) each."""
    width = max(1, round(SPEC.steady_seconds * fps))
    low, high = max(0, first - width), min(frames, last + width)
    drawn = np.asarray(cells.read(low, high), np.float32)
    steady = drawn
    for _ in range(2):
        steady = scipy.ndimage.uniform_filter1d(steady, width, axis=0, mode="nearest")
    inside = slice(first - low, last - low)
    return drawn[inside], np.asarray(steady[inside], np.float32)


def blend(drawn: F32, steady: F32, amounts: F32) -> F32:
    """Blend cells (N, gh, gw, 3) into their moving average, frame by frame: y = x + a (s - x)."""
    return np.asarray(drawn + amounts[:, None, None, None] * (steady - drawn))


def _failing(
    cells: Cells, amounts: F32, part: tuple[int, int], fps: Fraction, stricter: FlashLimits
) -> Bools:
    """Return which frames of a part still flash too much when they are blended, by either of the limits.

    By stricter ones alone flashes could run into one another, and be fewer.
    """
    first, last = part
    begin = max(0, first - _warm(fps))
    blended = blend(*steady_cells(cells, begin, last, len(amounts), fps), amounts[begin:last])
    failing = np.zeros(last - first, bool)
    for limits in (LIMITS, stricter):
        meter = FlashMeter(fps, limits)
        meter.add(blended)
        failing |= meter.found.severity[first - begin :] >= limits.area
    return failing


def _ramped(wanted: F32, fps: Fraction) -> F32:
    """Let amounts rise before they are wanted and fall after; nowhere are they below what is wanted."""
    width = 2 * round(SPEC.ramp_seconds * fps / 2) + 1
    widened = scipy.ndimage.maximum_filter1d(wanted, width, mode="nearest")
    ramped = scipy.ndimage.uniform_filter1d(widened.astype(np.float64), width, mode="nearest")
    return np.asarray(np.clip(np.maximum(ramped, wanted), 0, 1), np.float32)


def _warm(fps: Fraction) -> int:
    return round(SPEC.warm_seconds * fps)
