"""From events to curves, and how curves fall: attack at once, exponential release.

A fall is written as the time in which a value falls to a tenth; in beats it follows the song's tempo. Where
the envelopes of two events overlap, the higher wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clavilux.arrays import F64, I64
from clavilux.curves import CONTROL_RATE, Events, clock
from clavilux.signals.lengths import Length, length
from clavilux.signals.table import number, op, whole

if TYPE_CHECKING:
    from clavilux.features.song import Song

__all__ = ["fall", "strongest_of"]

MAX_STAGE_SECONDS = 60
"""Of the stages of an ADSR envelope."""


@op("signal", "events", sampling="max", needs="song", params=length())
def decay(song: Song, hits: Events, *, seconds: float | None, beats: float | None, bars: float | None) -> F64:
    """Jump to each event's strength, then fall to a tenth of it within the given time; (T, 1) in [0, 1]."""
    ticks = clock(song.duration)
    impulses = np.zeros(len(ticks))
    np.maximum.at(impulses, _ticks(hits.times, len(ticks) - 1), hits.strengths)
    return fall(impulses[:, None], _elapsed(song, ticks, seconds, beats, bars))


@op("signal", "events", sampling="max", needs="song", params=length())
def pulse(song: Song, hits: Events, *, seconds: float | None, beats: float | None, bars: float | None) -> F64:
    """Hold each event's strength for a length, then 0; (T, 1) in [0, 1]. It lasts 10 ms at least."""
    values = np.zeros(len(clock(song.duration)))
    first = _ticks(hits.times, len(values))
    last = _ticks(Length(seconds, beats, bars).after(song.grid, hits.times), len(values))
    spans, strengths = strongest_of(np.stack([first, np.maximum(last, first + 1)], axis=1), hits.strengths)
    for each in np.argsort(strengths, kind="stable"):  # the strongest is written last
        values[spans[each, 0] : spans[each, 1]] = strengths[each]
    return values[:, None]


@op(
    "signal",
    "events",
    sampling="max",
    needs="song",
    params={
        "attack": number(0.02, 0, MAX_STAGE_SECONDS, "seconds"),
        "decay": number(0.1, 0, MAX_STAGE_SECONDS, "seconds"),
        "sustain": number(0.5, 0, 1),
        "hold": number(0.2, 0, MAX_STAGE_SECONDS, "seconds"),
        "release": number(0.4, 0, MAX_STAGE_SECONDS, "seconds"),
    },
)
def adsr(  # noqa: PLR0913  # the stages of a synthesizer's envelope
    song: Song, hits: Events, *, attack: float, decay: float, sustain: float, hold: float, release: float
) -> F64:
    """Play a synthesizer's envelope at each event; (T, 1) in [0, 1].

    It rises to the event's strength within `attack`, falls to `sustain` of it within `decay`, stays there for
    `hold` as if a key were held, and falls to 0 within `release`, every stage on a straight line.
    """
    envelope = np.zeros(len(clock(song.duration)))
    spans, strengths = strongest_of(_ticks(hits.times, len(envelope) - 1)[:, None], hits.strengths)
    places, now = spans[:, 0], np.arange(len(envelope))
    ends = np.cumsum([0, attack, decay, hold, release])
    begun = np.searchsorted(places, now, side="right")
    sounding = begun - np.searchsorted(places, now - ends[-1] * CONTROL_RATE, side="left")  # events, (T,)
    for back in range(1, int(sounding.max()) + 1):  # the latest event, the one before it ...
        rows = np.flatnonzero(sounding >= back)
        event = begun[rows] - back
        age = (rows - places[event]) / CONTROL_RATE
        level = np.interp(age, ends, [0, 1, sustain, sustain, 0])
        envelope[rows] = np.maximum(envelope[rows], level * strengths[event])
    return envelope[:, None]


@op("signal", "events", sampling="max", needs="song", params={"of": whole(..., 1, 1024)})
def count(song: Song, hits: Events, of: int) -> F64:
    """Rise by one step at each event, from 0 over 1/of and 2/of up to (of - 1)/of, and again; (T, 1)."""
    return np.asarray(_counted(song, hits) % of / of, np.float64)[:, None]


@op("signal", "events", sampling="max", needs="song")
def toggle(song: Song, hits: Events) -> F64:
    """Switch between 0 and 1 at each event, beginning with 0; (T, 1)."""
    return np.asarray(_counted(song, hits) % 2, np.float64)[:, None]


@op("signal", "signal", sampling="max", needs="song", params=length())
def release(song: Song, curve: F64, *, seconds: float | None, beats: float | None, bars: float | None) -> F64:
    """Rise at once with the curve, then fall no faster than to a tenth within the given time."""
    return fall(curve, _elapsed(song, clock(song.duration), seconds, beats, bars))


def strongest_of(spans: I64, strengths: F64) -> tuple[I64, F64]:
    """Return every different span (N, K) once, in order, and the strength (N,) of its strongest event.

    >>> spans, strengths = strongest_of(np.array([[3], [1], [3]]), np.array([0.5, 1.0, 0.75]))
    >>> spans.ravel().tolist(), strengths.tolist()
    ([1, 3], [1.0, 0.75])
    """
    different, place = np.unique(spans, axis=0, return_inverse=True)
    strongest = np.zeros(len(different))
    np.maximum.at(strongest, place.ravel(), strengths)
    return different, strongest


def _ticks(times: F64, last: int) -> I64:
    """Return the ticks nearest to times, (N,), none after the last."""
    return np.clip(np.round(times * CONTROL_RATE), 0, last).astype(np.int64)


def _counted(song: Song, hits: Events) -> I64:
    """Return how many events there were up to each tick, (T,)."""
    ticks = np.arange(len(clock(song.duration)))
    return np.searchsorted(np.round(hits.times * CONTROL_RATE), ticks, side="right")


def _elapsed(song: Song, ticks: F64, seconds: float | None, beats: float | None, bars: float | None) -> F64:
    """Return the time passed at each tick, (T,), in units of the given fall time."""
    if bars is not None:
        return song.grid.bar_at(ticks) / max(bars, 1e-6)
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
