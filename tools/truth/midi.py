"""A score: notes in beats, what controls them, the tempo, the metre; read from MIDI files.

Beats are quarter notes from the beginning. Channels are 0 to 15; channel 9 plays drums. Roles say what a note
is for: drums, bass, chords or melody.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import mido
import numpy as np
from numpy.typing import ArrayLike, NDArray

from truth import ROLES

__all__ = ["DRUMS", "NOTE", "ROLES", "Control", "Score", "Tempo", "notes_of", "read_midi"]

DRUMS = 9
"""The channel of the drums."""

NOTE = np.dtype(
    [("start", "f8"), ("end", "f8"), ("pitch", "i2"), ("velocity", "i2"), ("channel", "i2"), ("role", "i2")]
)
BASS_PROGRAMS = range(32, 40)
BASS_NAMES, MELODY_NAMES = ("bass", "walk"), ("melody", "solo", "lead")
MAX_BASS_PITCH, MAX_BASS_PROGRAM_PITCH = 50, 55
"""A track named bass is one when its median pitch is below the former, one with a bass program below the
latter: in mma's files, tracks named bass also play guitars, and chord tracks bass programs."""


@dataclass(frozen=True)
class Control:
    """A message that is no note: `kind` program, control or pitch_bend; `number` is the controller's."""

    beat: float
    channel: int
    kind: str
    value: int
    number: int = 0


@dataclass(frozen=True, eq=False)
class Tempo:
    """Beats per minute from each of `beats` (K,) on, the first of which is 0."""

    beats: NDArray[np.float64]
    bpm: NDArray[np.float64]

    @classmethod
    def steady(cls, bpm: float) -> Self:
        """One tempo throughout."""
        return cls(np.zeros(1), np.array([bpm]))

    def seconds_at(self, beats: ArrayLike) -> NDArray[np.float64]:
        """Convert beats (N,) to seconds.

        >>> Tempo(np.array([0.0, 4.0]), np.array([60.0, 120.0])).seconds_at([2.0, 6.0]).tolist()
        [2.0, 5.0]
        """
        beats = np.asarray(beats, np.float64)
        reached = np.concatenate([[0.0], np.cumsum(np.diff(self.beats) * 60 / self.bpm[:-1])])
        part = np.clip(np.searchsorted(self.beats, beats, side="right") - 1, 0, None)
        return np.asarray(reached[part] + (beats - self.beats[part]) * 60 / self.bpm[part])


@dataclass(frozen=True, eq=False)
class Score:
    """Music as it is written.

    Attributes:
        notes: NOTE (N,), sorted by start.
        controls: sorted by beat.
        tempo: how beats become seconds.
        beats_per_bar: of the first time signature.
        beats: how long it is.
    """

    notes: NDArray[np.void]
    controls: tuple[Control, ...]
    tempo: Tempo
    beats_per_bar: int
    beats: float

    def seconds(self) -> NDArray[np.void]:
        """Return the notes with start and end in seconds."""
        notes = self.notes.copy()
        for name in ("start", "end"):
            notes[name] = self.tempo.seconds_at(notes[name])
        return notes

    def with_notes(self, *groups: NDArray[np.void]) -> Self:
        """Return it with these notes instead of its own."""
        notes = np.concatenate([*groups, np.zeros(0, NOTE)])
        return replace(self, notes=notes[np.argsort(notes["start"], kind="stable")])

    def role(self, name: str) -> NDArray[np.void]:
        """Return the notes of one role."""
        return self.notes[self.notes["role"] == ROLES.index(name)]

    def free_channels(self) -> Iterator[int]:
        """Return the channels that play nothing, except that of the drums."""
        used = set(self.notes["channel"].tolist()) | {DRUMS}
        return iter(sorted(set(range(16)) - used))


def notes_of(rows: list[tuple[float, float, int, int]], channel: int, role: str) -> NDArray[np.void]:
    """Make notes of (start, end, pitch, velocity)."""
    return np.array([(*row, channel, ROLES.index(role)) for row in rows], NOTE)


def read_midi(path: Path | str) -> Score:
    """Read a MIDI file; a note's role follows from its channel, its track's name and its program."""
    file = mido.MidiFile(path)
    reader = _Reader(file.ticks_per_beat)
    for track in file.tracks:
        reader.read(track)
    notes = np.array(reader.notes, NOTE)
    bars = [numerator * 4 / denominator for _, numerator, denominator in sorted(reader.metres)]
    return Score(
        notes[np.argsort(notes["start"], kind="stable")],
        tuple(sorted(reader.controls, key=lambda control: (control.beat, control.kind == "pitch_bend"))),
        _tempo(reader.tempi),
        round(bars[0]) if bars else 4,
        float(notes["end"].max(initial=0)),
    )


class _Reader:
    """Reads the messages of all tracks."""

    def __init__(self, ticks_per_beat: int) -> None:
        self.ticks_per_beat = ticks_per_beat
        self.notes: list[tuple[float, float, int, int, int, int]] = []
        self.controls: list[Control] = []
        self.tempi: list[tuple[float, float]] = []
        self.metres: list[tuple[float, int, int]] = []
        self._programs: dict[int, int] = {}

    def read(self, track: mido.MidiTrack) -> None:
        pitches = [m.note for m in track if m.type == "note_on" and m.velocity]
        middle = float(np.median(pitches)) if pitches else 0.0
        ticks = 0
        held: dict[tuple[int, int], list[tuple[float, int]]] = {}
        for message in track:
            ticks += message.time
            beat = ticks / self.ticks_per_beat
            if message.type in {"note_on", "note_off"}:
                self._note(message, beat, held, self._role(message.channel, track.name, middle))
            else:
                self._other(message, beat)

    def _note(self, message: mido.Message, beat: float, held: dict, role: str) -> None:
        waiting = held.setdefault((message.channel, message.note), [])
        if message.type == "note_on" and message.velocity:
            waiting.append((beat, message.velocity))
        elif waiting:
            begun, velocity = waiting.pop(0)
            number = ROLES.index(role)
            self.notes.append((begun, max(beat, begun), message.note, velocity, message.channel, number))

    def _other(self, message: mido.Message, beat: float) -> None:
        match message.type:
            case "program_change":
                self._programs[message.channel] = message.program
                self.controls.append(Control(beat, message.channel, "program", message.program))
            case "control_change":
                control = Control(beat, message.channel, "control", message.value, message.control)
                self.controls.append(control)
            case "pitchwheel":
                self.controls.append(Control(beat, message.channel, "pitch_bend", message.pitch + 8192))
            case "set_tempo":
                self.tempi.append((beat, 60e6 / message.tempo))
            case "time_signature":
                self.metres.append((beat, message.numerator, message.denominator))

    def _role(self, channel: int, name: str, middle: float) -> str:
        if channel == DRUMS:
            return "drums"
        named = name.lower().startswith(BASS_NAMES) and middle < MAX_BASS_PITCH
        if named or (self._programs.get(channel, 0) in BASS_PROGRAMS and middle < MAX_BASS_PROGRAM_PITCH):
            return "bass"
        return "melody" if name.lower().startswith(MELODY_NAMES) else "chords"


def _tempo(changes: list[tuple[float, float]]) -> Tempo:
    """Make the tempo: the last of several changes on a beat counts; before the first it is 120."""
    tempi = {0.0: 120.0} | dict(sorted(changes, key=lambda pair: pair[0]))
    return Tempo(np.array(list(tempi)), np.array(list(tempi.values())))
