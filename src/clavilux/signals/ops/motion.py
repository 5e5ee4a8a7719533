"""How a curve follows in time: lagging, holding, delayed, on the grid, or added up.

These look back in time alone: a value depends on nothing that comes later. Where a curve begins, its first
value is taken to have been there before.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from clavilux.arrays import F64, I64
from clavilux.curves import CONTROL_RATE, clock
from clavilux.signals.lengths import Length, length, period, values_at
from clavilux.signals.ops.envelopes import fall
from clavilux.signals.table import number, op

if TYPE_CHECKING:
    from clavilux.features.song import Song

__all__: list[str] = []


@op("signal", "signal", needs="song", params=length())
def lag(song: Song, curve: F64, *, seconds: float | None, beats: float | None, bars: float | None) -> F64:
    """Follow a jump late and ever more slowly: nine tenths of it within the length."""
    return Length(seconds, beats, bars).filtered(song.grid, curve, _lagging)


@op(
    "signal",
    "signal",
    params={"attack": number(0.05, 0, 600, "seconds"), "release": number(0.5, 0, 600, "seconds")},
)
def follow(curve: F64, *, attack: float, release: float) -> F64:
    """Rise as fast as `attack` and fall as slowly as `release`, an envelope follower without jumps.

    Each is the time for nine tenths of the way. It falls towards the curve's lowest value.
    """
    # smooth, decoupled peak detector (Giannoulis et al. 2012, eq. 17): a release, then a lag
    floor = curve.min(axis=0)
    elapsed = np.arange(len(curve)) / CONTROL_RATE / max(release, 1e-6)
    return _lagging(floor + fall(curve - floor, elapsed), attack * CONTROL_RATE)


@op("signal", "signal", sampling="max", needs="song", params=length())
def hold(song: Song, curve: F64, *, seconds: float | None, beats: float | None, bars: float | None) -> F64:
    """Hold every peak for a length: the highest value since that long ago."""
    ticks = np.arange(len(curve)) / CONTROL_RATE
    since = Length(seconds, beats, bars).after(song.grid, ticks, -1)
    first = np.clip(np.ceil(since * CONTROL_RATE - 1e-6).astype(np.int64), 0, np.arange(len(curve)))
    return _maximum_since(curve, first)


@op("signal", "signal", sampling="max", needs="song", params=length())
def delay(song: Song, curve: F64, *, seconds: float | None, beats: float | None, bars: float | None) -> F64:
    """Repeat the curve later by a length; until then its first value holds."""
    ticks = clock(song.duration)
    return values_at(curve, Length(seconds, beats, bars).after(song.grid, ticks, -1))


@op("signal", "signal", sampling="max", needs="song", params=period(beats=1))
def sample_hold(
    song: Song, curve: F64, *, seconds: float | None, beats: float | None, bars: float | None
) -> F64:
    """Take the curve's value once in a length, locked to bar 1, and hold it until the next."""
    ticks, each = clock(song.duration), Length(seconds, beats, bars)
    return values_at(curve, each.time_of(song.grid, each.step(song.grid, ticks)))


@op("signal", "signal", needs="song")
def accumulate(song: Song, curve: F64) -> F64:
    """Add the curve up over time, its integral in seconds from 0 on: from a speed to the way travelled."""
    values = np.broadcast_to(curve, (len(clock(song.duration)), curve.shape[1]))  # a constant is one value
    way = np.zeros_like(values)
    np.cumsum((values[1:] + values[:-1]) / 2 / CONTROL_RATE, axis=0, out=way[1:])  # the trapezoidal rule
    return way


@op("signal", "signal")
def fold(curve: F64) -> F64:
    """Fold into the range from 0 to 1 as two mirrors do: 1.2 becomes 0.8, 2.1 becomes 0.1."""
    return np.asarray(np.abs((curve + 1) % 2 - 1))


def _lagging(curve: F64, width: float) -> F64:
    """Filter with y_t = x_t + (y_(t - 1) - x_t) a, where a^width = 1 / 10."""
    if width <= 0:
        return curve
    a = float(10 ** (-1 / width))  # SciPy's lfilter gives the same numbers, but takes a second to import
    columns = [
        list(itertools.accumulate(((1 - a) * x).tolist(), lambda y, x: x + a * y, initial=float(x[0])))[1:]
        for x in curve.T
    ]
    return np.column_stack(columns)


def _maximum_since(curve: F64, first: I64) -> F64:
    """Return the maximum of a curve (T, C) from the row `first` (T,) to each row itself."""
    # rows [i, i + 2^k) have their maximum in table k; two of these cover any range (sparse table)
    power = np.log2(np.arange(len(curve)) - first + 1).astype(np.int64)
    highest, table = curve.copy(), curve
    for k in range(1, int(power.max()) + 1):
        table = np.maximum(table[: -(1 << (k - 1))], table[1 << (k - 1) :])
        rows = np.flatnonzero(power == k)
        highest[rows] = np.maximum(table[first[rows]], table[rows + 1 - (1 << k)])
    return highest
