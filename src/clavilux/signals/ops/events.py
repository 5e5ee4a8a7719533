"""From events to events: fewer of them, later, on the grid, or those of two kinds together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clavilux.arrays import F64, Bools
from clavilux.curves import Events
from clavilux.moments import Moment
from clavilux.signals.lengths import Length, length
from clavilux.signals.table import moment, number, op, whole

if TYPE_CHECKING:
    from clavilux.features.song import Song

__all__: list[str] = []

MAX_COUNT = 1024


@op("events", "events", "events", symbol="+")
def add(first: Events, second: Events) -> Events:
    """Join the events of both; those at one time stay two."""
    times = np.concatenate([first.times, second.times])
    order = np.argsort(times, kind="stable")
    return Events(times[order], np.concatenate([first.strengths, second.strengths])[order])


@op("events", "events", params={"count": whole(..., 1, MAX_COUNT), "offset": whole(0, 0, MAX_COUNT - 1)})
def every(hits: Events, count: int, *, offset: int) -> Events:
    """Keep one of `count` events, beginning with the first, or with the one `offset` events later."""
    return Events(hits.times[offset::count], hits.strengths[offset::count])


@op("events", "events", params={"percent": number(50, 0, 100, "percent")})
def strongest(hits: Events, *, percent: float) -> Events:
    """Keep the strongest events, so many percent of all, rounded up; of equal ones the earlier."""
    count = int(np.ceil(len(hits) * percent / 100 - 1e-9))
    kept = np.zeros(len(hits), bool)
    kept[np.argsort(-hits.strengths, kind="stable")[:count]] = True
    return _where(kept, hits)


@op("events", "events", needs="song", params={"start": moment(), "end": moment("end")})
def between(song: Song, hits: Events, start: str, end: str) -> Events:
    """Keep the events between two moments of the song."""
    first, last = (
        Moment.parse(text).seconds(song.grid, song.sections, song.duration) for text in (start, end)
    )
    return _where((hits.times >= first) & (hits.times < last), hits)


@op("events", "events", needs="song", params=length())
def delay(
    song: Song, hits: Events, *, seconds: float | None, beats: float | None, bars: float | None
) -> Events:
    """Move every event later by a length; those past the end of the song are dropped."""
    times = Length(seconds, beats, bars).after(song.grid, hits.times)
    return _where(times < song.duration, Events(times, hits.strengths))


@op("events", "events", needs="song", params={"beats": number(..., 0.01, 1024, "beats")})
def quantize(song: Song, hits: Events, *, beats: float) -> Events:
    """Move every event to the nearest of every so many beats, counted from bar 1.

    Events that meet become one, as strong as the strongest; those outside of the song are dropped.
    """
    grid, lattice = song.grid, Length(beats=beats)
    steps, first = np.unique(np.round(lattice.position(grid, hits.times)), return_index=True)
    strengths = np.maximum.reduceat(hits.strengths, first) if len(hits) else hits.strengths
    return _inside(song, lattice.time_of(grid, steps), strengths)


@op("events", "events", needs="song", params=length())
def skip_close(
    song: Song, hits: Events, *, seconds: float | None, beats: float | None, bars: float | None
) -> Events:
    """Drop the events that come sooner than a length after one that is kept."""
    ends = Length(seconds, beats, bars).after(song.grid, hits.times)
    kept, free = np.zeros(len(hits), bool), -np.inf
    for place, (time, end) in enumerate(zip(hits.times.tolist(), ends.tolist(), strict=True)):
        if time >= free - 1e-9:
            kept[place], free = True, end
    return _where(kept, hits)


def _where(kept: Bools, hits: Events) -> Events:
    return Events(hits.times[kept], hits.strengths[kept])


def _inside(song: Song, times: F64, strengths: F64) -> Events:
    return _where((times >= 0) & (times < song.duration), Events(times, strengths))
