"""Notes of a MIDI file as events, in seconds: the file's changes of tempo are respected."""

import io
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
from mido.midifiles.meta import KeySignatureError

from clavilux.arrays import F64
from clavilux.curves import Events
from clavilux.errors import FileError
from clavilux.features.corrections import MAX_SONG_SECONDS
from clavilux.files import read_small

__all__ = ["read_midi"]

MAX_BYTES = 2_000_000
"""More than any song has; a file is read message by message."""
MAX_VELOCITY = 127
DEFAULT_TEMPO = 500_000
"""Microseconds a beat until a file says otherwise: 120 bpm."""
DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    struct.error,
    KeySignatureError,
)
"""What reading a damaged file may raise."""


@dataclass(frozen=True)
class _Message:
    tick: int
    message: "mido.Message | mido.MetaMessage"


def read_midi(path: Path, *, track: int | None = None, note: int | None = None) -> Events:
    """Read the beginnings of notes, as strong as their velocity.

    Args:
        path: a MIDI file of one song, type 0 or 1.
        track: the notes of this track alone, counted from 1.
        note: the notes of this number alone, 60 = middle C, 36 = a kick drum of General MIDI.

    Raises:
        FileError: it cannot be read, is of another kind, or has no such track.
    """
    tracks, ticks_per_beat = _tracks(path)
    if track is not None and track > len(tracks):
        raise FileError(
            f"The MIDI file '{path}' has no track {track}",
            where=str(path),
            value=track,
            hint=f"it has {len(tracks)}",
        )
    chosen = [each for place, each in enumerate(tracks, 1) if track in (None, place)]
    notes = [
        found
        for found in (each for messages in chosen for each in messages)
        if found.message.type == "note_on"
        and found.message.velocity > 0
        and note in (None, found.message.note)
    ]
    notes.sort(key=lambda found: found.tick)
    last = max((messages[-1].tick for messages in tracks if messages), default=0)
    if last > 2**53:
        raise _error(path, "it is damaged")
    changes = (each for messages in tracks for each in messages if each.message.type == "set_tempo")
    times = _seconds([found.tick for found in notes], changes, ticks_per_beat)
    if len(times) and times[-1] >= MAX_SONG_SECONDS:
        raise _error(path, f"a note at {times[-1]:.3g} s is not within a song")
    return Events(times, [found.message.velocity / MAX_VELOCITY for found in notes])


def _tracks(path: Path) -> tuple[list[list[_Message]], int]:
    """Return the messages of every track with their ticks from the start, and the ticks of a beat."""
    content = read_small(path, "MIDI file", MAX_BYTES)
    if not content.startswith(b"MThd"):
        raise _error(path, "it is no MIDI file")
    try:
        file = mido.MidiFile(file=io.BytesIO(content), clip=True)
        if file.type == 2:
            raise _error(path, "it holds several songs (type 2)")
        if file.ticks_per_beat <= 0:
            raise _error(path, "it counts frames of a video instead of beats")
        return [_with_ticks(track) for track in file.tracks], int(file.ticks_per_beat)
    except DAMAGE:
        raise _error(path, "it is damaged") from None


def _with_ticks(messages: Iterable["mido.Message | mido.MetaMessage"]) -> list[_Message]:
    tick, found = 0, []
    for message in messages:
        tick += message.time
        found.append(_Message(tick, message))
    return found


def _seconds(ticks: list[int], changes: Iterable[_Message], ticks_per_beat: int) -> F64:
    """Return the times (N,) s of ticks, given the changes of tempo."""
    tempi = sorted(((each.tick, each.message.tempo) for each in changes), key=lambda change: change[0])
    starts, beats = np.array([(0, DEFAULT_TEMPO), *tempi], np.float64).T  # ticks, microseconds a beat
    tick_seconds = beats * 1e-6 / ticks_per_beat
    begun = np.concatenate([[0.0], np.cumsum(np.diff(starts) * tick_seconds[:-1])])
    at = np.asarray(ticks, np.float64)
    place = np.searchsorted(starts, at, side="right") - 1
    return np.asarray(begun[place] + (at - starts[place]) * tick_seconds[place])


def _error(path: Path, why: str) -> FileError:
    return FileError(
        f"The MIDI file '{path}' cannot be read: {why}",
        where=str(path),
        hint="export it again as type 0 or 1",
    )
