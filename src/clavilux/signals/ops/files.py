"""Curves and events that another program wrote to a file beside the song; times are the song's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clavilux.annotations.midi_file import read_midi
from clavilux.annotations.series import read_curve, read_events
from clavilux.arrays import F64
from clavilux.curves import Events, clock
from clavilux.signals.table import file, op, text, whole

if TYPE_CHECKING:
    from clavilux.features.song import Song

__all__: list[str] = []

MAX_TRACK = 1000


@op("signal", needs="song", params={"path": file(), "column": text("")})
def curve(song: Song, path: str, *, column: str) -> F64:
    """Follow a curve from a file, rows of a time and a value; (T, 1), linear between them, the ends hold.

    `column` names the values' column; without it they are the first that is not the time.

    Raises:
        FileError: the file cannot be read; names the line.
    """
    series = read_curve(Path(path), column)
    return np.interp(clock(song.duration), series.times, series.values)[:, None]


@op("events", needs="song", params={"path": file()})
def events(song: Song, path: str) -> Events:
    """Take events from a file, rows of a time and, if there is one, a strength from 0 to 1.

    Labels of other programs are read too. Events past the end of the song are dropped.

    Raises:
        FileError: the file cannot be read; names the line.
    """
    return _within(song, read_events(Path(path)))


@op(
    "events",
    needs="song",
    params={"path": file(), "track": whole(None, 1, MAX_TRACK), "note": whole(None, 0, 127)},
)
def midi(song: Song, path: str, *, track: int | None, note: int | None) -> Events:
    """Take the beginnings of the notes in a MIDI file as events, as strong as their velocity.

    Of all tracks and notes, or of one track, counted from 1, or one note number, 36 for most kick drums.

    Raises:
        FileError: the file cannot be read, or has no such track.
    """
    return _within(song, read_midi(Path(path), track=track, note=note))


def _within(song: Song, found: Events) -> Events:
    inside = found.times < song.duration
    return Events(found.times[inside], found.strengths[inside])
