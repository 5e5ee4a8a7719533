"""From events to curves, and how curves fall: attack at once, exponential release.

A fall is written as the time in which a value falls to a tenth; in beats it follows the song's tempo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clavilux.arrays import F64
from clavilux.curves import CONTROL_RATE, Events, clock
from clavilux.signals.table import number, op

if TYPE_CHECKING:
    from clavilux.features.song import Song

__all__: list[str] = []

FALL = {"seconds": number(None, 0, 600, "seconds"), "beats": number(None, 0, 1024, "beats")}


@op("signal", "events", sampling="max", needs="song", params=FALL)
def decay(song: Song, hits: Events, *, seconds: float | None, beats: float | None) -> F64:
    """Jump to each event's strength, then fall to a tenth of it within the given time; (T, 1) in [0, 1]."""
    ticks = clock(song.duration)
    impulses = np.zeros(len(ticks))
    places = np.clip(np.round(hits.times * CONTROL_RATE).astype(np.int64), 0, len(ticks) - 1)
    np.maximum.at(impulses, places, hits.strengths)
    return fall(impulses[:, None], _elapsed(song, ticks, seconds, beats))


@op("signal", "signal", sampling="max", needs="song", params=FALL)
def release(song: Song, curve: F64, *, seconds: float | None, beats: float | None) -> F64:
    """Rise at once with the curve, then fall no faster than to a tenth within the given time."""
    return fall(curve, _elapsed(song, clock(song.duration), seconds, beats))


def _elapsed(song: Song, ticks: F64, seconds: float | None, beats: float | None) -> F64:
    """Return the time passed at each tick, (T,), in units of the given fall time."""
    if beats is not None:
        return song.grid.beat_at(ticks) / max(beats, 1e-6)
    return ticks / max(seconds or 0.0, 1e-6)


def fall(curve: F64, elapsed: F64) -> F64:
    """Hold every value of a curve (T, C) and decrease it to a tenth per unit of time; the highest wins.

    >>> fall(np.array([[1.0], [0.0], [0.0]]), np.array([0.0, 0.5, 1.0])).round(3).ravel().tolist()
    [1.0, 0.316, 0.1]
    """
    # y_t = max over s <= t of x_s 10^-(e_t - e_s) = exp(max_s (ln x_s + k e_s) - k e_t), k = ln 10:
    # one running maximum, no loop, any tempo curve.
    rate = np.log(10.0) * elapsed[:, None]
    with np.errstate(divide="ignore"):
        level = np.log(np.maximum(curve, 0.0))
    return np.asarray(np.exp(np.maximum.accumulate(level + rate, axis=0) - rate))
