"""Notes and chord changes as they would be written down. Times are seconds."""

from dataclasses import dataclass

import numpy as np

from clavilux.curves import CONTROL_RATE, Curve, Events
from clavilux.features.harmony.key import PITCH_CLASSES
from clavilux.features.harmony.melody import PitchTrack
from clavilux.features.spectrum.peaks import peaks

__all__ = ["HEARD", "Note", "chord_changes", "find_notes", "note_name"]

HEARD = 0.5
"""Confidence below which the voice is more likely silent."""
CLEAR_CHANGE = 0.3
"""Chord change strength above which one chord gives way to another."""
SHORTEST = 0.06
"""Seconds of a note, at least."""


@dataclass(frozen=True)
class Note:
    """A note from ``start`` to ``end`` s: its MIDI number, 69 for A4, and how loud it is, 0 to 1."""

    start: float
    end: float
    pitch: int
    strength: float

    @property
    def name(self) -> str:
        """Such as 'A4'."""
        return note_name(self.pitch)


def note_name(pitch: float) -> str:
    """Name the note nearest to a MIDI number.

    >>> note_name(69), note_name(60.3)
    ('A4', 'C4')
    """
    octave, note = divmod(round(pitch), 12)
    return f"{PITCH_CLASSES[note]}{octave - 1}"


def find_notes(line: PitchTrack) -> tuple[Note, ...]:
    """Write down a line: a note from each onset until the next, or until it is no longer heard.

    >>> steady = Curve(np.ones(100))
    >>> [note] = find_notes(PitchTrack(Curve(np.full(100, 69.2)), steady, steady, Events(np.array([0.5]))))
    >>> note.name, note.start, note.end
    ('A4', 0.5, 1.0)
    """
    confidence, pitch = line.confidence.values[:, 0], line.pitch.values[:, 0]
    edges = np.append(line.onsets.times, len(pitch) / CONTROL_RATE)
    notes = []
    for start, following, strength in zip(edges, edges[1:], line.onsets.strengths, strict=False):
        first, last = round(float(start) * CONTROL_RATE), round(float(following) * CONTROL_RATE)
        faint = np.flatnonzero(confidence[first + 1 : last] < HEARD)
        last = first + 1 + int(faint[0]) if len(faint) else last
        if last - first >= SHORTEST * CONTROL_RATE:
            middle = int(np.clip(np.round(np.median(pitch[first:last])), 0, 127))
            end = min(float(following), last / CONTROL_RATE)
            notes.append(Note(float(start), end, middle, float(strength)))
    return tuple(notes)


def chord_changes(change: Curve) -> Events:
    """Find where one chord gives way to another, in how much the chords change, (T, 1).

    >>> chord_changes(Curve(np.array([0, 0.2, 0, 0.5, 0.9, 0.1]))).times.tolist()
    [0.04]
    """
    strength = change.values[:, 0]
    places = peaks(strength)
    places = places[strength[places] > CLEAR_CHANGE]
    return Events(places / CONTROL_RATE, np.minimum(strength[places], 1))
