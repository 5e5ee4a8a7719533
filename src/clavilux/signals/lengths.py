"""Lengths of time in seconds, beats or bars, and a song's time counted in them.

An op with a length declares three parameters, of which one is given, and makes a `Length` of them. Beats and
bars follow the song's grid, so one length lasts longer where the music is slower.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from clavilux.arrays import F64
from clavilux.curves import CONTROL_RATE, Grid
from clavilux.signals.table import Param, number

__all__ = ["Length", "length", "period", "values_at"]

SHORTEST = 1e-6
"""A length of nothing, counted in: seconds, beats or bars."""
ROUNDING = 1e-9


def length(
    *, seconds: float | None = None, beats: float | None = None, bars: float | None = None
) -> dict[str, Param]:
    """Declare the parameters of a length of time, 0 included; the one given here holds where none is."""
    return {
        "seconds": number(seconds, 0, 600, "seconds"),
        "beats": number(beats, 0, 1024, "beats"),
        "bars": number(bars, 0, 256, "bars"),
    }


def period(
    *, seconds: float | None = None, beats: float | None = None, bars: float | None = None
) -> dict[str, Param]:
    """Declare the parameters of a length of time that returns; the one given here holds where none is."""
    return {
        "seconds": number(seconds, 0.01, 3600, "seconds"),
        "beats": number(beats, 0.01, 4096, "beats"),
        "bars": number(bars, 0.01, 1024, "bars"),
    }


@dataclass(frozen=True)
class Length:
    """A length of time; one of its fields is a number.

    >>> Length(beats=2).after(Grid(np.arange(8) / 2), np.array([1.0])).tolist()
    [2.0]
    """

    seconds: float | None = None
    beats: float | None = None
    bars: float | None = None

    @property
    def none(self) -> bool:
        """Whether it lasts no time."""
        return not (self.seconds or self.beats or self.bars)

    def position(self, grid: Grid, times: F64) -> F64:
        """Count times (B,) s in this length: seconds from 0 s, beats and bars from the first of bar 1."""
        if self.bars is not None:
            return grid.bar_at(times) / max(self.bars, SHORTEST)
        if self.beats is not None:
            return (grid.beat_at(times) - grid.first_downbeat) / max(self.beats, SHORTEST)
        return times / max(self.seconds or 0.0, SHORTEST)

    def step(self, grid: Grid, times: F64) -> F64:
        """Return how many whole lengths have passed at times (B,) s: `position` rounded down."""
        return np.floor(self.position(grid, times) + ROUNDING)

    def time_of(self, grid: Grid, position: F64) -> F64:
        """Return the times (B,) s at which so many of these lengths have passed; inverse of `position`."""
        if self.bars is not None:
            return grid.time_of_bar(position * max(self.bars, SHORTEST))
        if self.beats is not None:
            return grid.time_of_beat(position * max(self.beats, SHORTEST) + grid.first_downbeat)
        return position * max(self.seconds or 0.0, SHORTEST)

    def after(self, grid: Grid, times: F64, count: float = 1) -> F64:
        """Return the times (B,) s that are this length, or `count` of it, after others."""
        if self.seconds is not None:
            return times + count * self.seconds
        return times if self.none else self.time_of(grid, self.position(grid, times) + count)

    def rises(self, grid: Grid, times: F64, moments: F64) -> Iterator[F64]:
        """Yield for each moment (M,) s a smooth rise from 0 to 1 in this length, centred on it; each (B,)."""
        position = times if self.none else self.position(grid, times)
        for at in moments if self.none else self.position(grid, moments):
            if self.none:
                yield np.asarray(position >= at, np.float64)
            else:
                x = np.clip(position - at + 0.5, 0, 1)
                yield np.asarray(x * x * (3 - 2 * x))  # smoothstep

    def filtered(self, grid: Grid, curve: F64, run: Callable[[F64, float], F64]) -> F64:
        """Filter a curve (T, C) on a clock that is even in this length's own unit.

        Args:
            grid: the song's beats and bars.
            curve: the values, 100 a second.
            run: filters values (N, C), given how many of them make up this length.
        """
        if self.seconds is not None:
            return run(curve, self.seconds * CONTROL_RATE)
        if self.none or len(curve) < 2:
            return curve
        position = self.position(grid, np.arange(len(curve)) / CONTROL_RATE)
        even = np.linspace(position[0], position[-1], len(curve))
        filtered = run(_interpolated(even, position, curve), 1 / (even[1] - even[0]))
        return _interpolated(position, even, filtered)


def values_at(curve: F64, times: F64) -> F64:
    """Interpolate a curve (T, C) linearly at times (B,) s; the ends hold. Returns (B, C)."""
    return _interpolated(times, np.arange(len(curve)) / CONTROL_RATE, curve)


def _interpolated(at: F64, known: F64, values: F64) -> F64:
    return np.stack([np.interp(at, known, channel) for channel in values.T], axis=1)
