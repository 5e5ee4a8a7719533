"""Curves of time alone: cycles on the grid, rises between moments, and smooth chance; (T, 1) in [0, 1]."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clavilux import seeds
from clavilux.arrays import F64
from clavilux.curves import clock
from clavilux.moments import Moment
from clavilux.signals.lengths import Length, length, period
from clavilux.signals.table import choice, moment, number, op, whole

if TYPE_CHECKING:
    from clavilux.features.song import Song

__all__: list[str] = []


@op("signal", sampling="max", needs="song", params=period())
def phase(song: Song, *, seconds: float | None, beats: float | None, bars: float | None) -> F64:
    """Rise evenly from 0 to 1 within a length and start again; (T, 1), 0 on the first beat of bar 1.

    In seconds it starts with the song.
    """
    return _cycle(song, Length(seconds, beats, bars))


@op(
    "signal",
    sampling="max",
    needs="song",
    params={
        "shape": choice("sine", "triangle", "square", "saw", default="sine"),
        **period(),
        "phase": number(0, 0, 1),
    },
)
def lfo(  # the low-frequency oscillator of a synthesizer
    song: Song, *, shape: str, seconds: float | None, beats: float | None, bars: float | None, phase: float
) -> F64:
    """Oscillate between 0 and 1, once in a length and locked to bar 1; (T, 1).

    Sine, triangle and saw start at 0 and rise; the square is 1 for the first half. `phase` starts it later in
    its cycle, 0.5 half-way.
    """
    x = _cycle(song, Length(seconds, beats, bars), phase)
    match shape:
        case "sine":
            return np.asarray((1 - np.cos(2 * np.pi * x)) / 2)
        case "triangle":
            return np.asarray(1 - np.abs(2 * x - 1))
        case "square":
            return np.asarray(x < 0.5, np.float64)
    return x


@op("signal", needs="song", params={"start": moment(), "end": moment("end")})
def ramp(song: Song, start: str, end: str) -> F64:
    """Rise evenly from 0 to 1 between two moments of the song; (T, 1), 0 before and 1 after.

    Where the end is not after the start, it steps to 1 at the start.
    """
    first, last = _seconds(song, start), _seconds(song, end)
    ticks = clock(song.duration)
    if first >= last:
        return np.asarray(ticks >= first, np.float64)[:, None]
    return np.clip((ticks - first) / (last - first), 0, 1)[:, None]


@op("signal", needs="song", params={"at": moment(), **length()})
def fade(song: Song, at: str, *, seconds: float | None, beats: float | None, bars: float | None) -> F64:
    """Rise smoothly from 0 to 1 within a length centred on a moment of the song; (T, 1)."""
    moments = np.array([_seconds(song, at)])
    rise = next(Length(seconds, beats, bars).rises(song.grid, clock(song.duration), moments))
    return rise[:, None]


@op("signal", needs="song", params={**period(), "seed": whole(0, -(2**63), 2**63 - 1)})
def wander(song: Song, *, seconds: float | None, beats: float | None, bars: float | None, seed: int) -> F64:
    """Pass smoothly through random values between 0 and 1, another after each length; (T, 1).

    Another seed is another curve. In beats and bars, the values lie on the grid.
    """
    from scipy.interpolate import PchipInterpolator  # monotone between knots: it never leaves [0, 1]

    position = Length(seconds, beats, bars).position(song.grid, clock(song.duration))
    knots = np.arange(np.floor(position[0]), np.floor(position[-1]) + 3)
    values = seeds.generator(seed, "wander").random(len(knots))
    return np.clip(PchipInterpolator(knots, values)(position), 0, 1)[:, None]


def _cycle(song: Song, cycle: Length, phase: float = 0.0) -> F64:
    """Return how much of the current cycle has passed at each tick, (T, 1) in [0, 1)."""
    position = cycle.position(song.grid, clock(song.duration)) + phase
    return np.maximum(position - np.floor(position + 1e-9), 0)[:, None]  # 2.9999999999 is a new cycle


def _seconds(song: Song, text: str) -> float:
    return Moment.parse(text).seconds(song.grid, song.sections, song.duration)
