"""Notes and chord changes as they would be transcribed. Times are seconds, pitches MIDI numbers."""

from dataclasses import dataclass

import numpy as np

from clavilux.catalogue import PITCH_CLASSES
from clavilux.curves import CONTROL_RATE, Curve, Events
from clavilux.features.harmony.melody import PitchTrack
from clavilux.features.spectrum.peaks import peaks

__all__ = ["MIN_NOTE_CONFIDENCE", "Note", "chord_changes", "find_notes", "note_name"]

MIN_NOTE_CONFIDENCE = 0.5
"""Confidence from which the voice is more likely sounding than silent."""
MIN_CHORD_CHANGE = 0.3
"""Strength from which a maximum of chord change is a change of chord."""
MIN_NOTE_SECONDS = 0.06


@dataclass(frozen=True)
class Note:
    """A note from ``start`` to ``end`` s, with its MIDI number, 69 for A4, and its strength from 0 to 1."""

    start: float
    end: float
    pitch: int
    strength: float

    @property
    def name(self) -> str:
        """The name, such as 'A4'."""
        return note_name(self.pitch)


def note_name(pitch: float) -> str:
    """Return the name of the note nearest to a MIDI number.

    >>> note_name(69), note_name(60.3)
    ('A4', 'C4')
    """
    octave, note = divmod(round(pitch), 12)
    return f"{PITCH_CLASSES[note]}{octave - 1}"


def find_notes(track: PitchTrack) -> tuple[Note, ...]:
    """Transcribe a pitch track: a note from each onset until the next, or until the voice is silent.

    >>> steady = Curve(np.ones(100))
    >>> [note] = find_notes(PitchTrack(Curve(np.full(100, 69.2)), steady, steady, Events(np.array([0.5]))))
    >>> note.name, note.start, note.end
    ('A4', 0.5, 1.0)
    """
    confidence, pitch = track.confidence.values[:, 0], track.pitch.values[:, 0]
    edges = np.append(track.onsets.times, len(pitch) / CONTROL_RATE)
    notes = []
    for start, following, strength in zip(edges, edges[1:], track.onsets.strengths, strict=False):
        first, last = round(float(start) * CONTROL_RATE), round(float(following) * CONTROL_RATE)
        silent = np.flatnonzero(confidence[first + 1 : last] < MIN_NOTE_CONFIDENCE)
        last = first + 1 + int(silent[0]) if len(silent) else last
        if last - first >= MIN_NOTE_SECONDS * CONTROL_RATE:
            median = int(np.clip(np.round(np.median(pitch[first:last])), 0, 127))
            end = min(float(following), last / CONTROL_RATE)
            notes.append(Note(float(start), end, median, float(strength)))
    return tuple(notes)


def chord_changes(change: Curve) -> Events:
    """Find the times at which the chord changes, from the curve of chord change (T, 1).

    >>> chord_changes(Curve(np.array([0, 0.2, 0, 0.5, 0.9, 0.1]))).times.tolist()
    [0.04]
    """
    strength = change.values[:, 0]
    places = peaks(strength)
    places = places[strength[places] > MIN_CHORD_CHANGE]
    return Events(places / CONTROL_RATE, np.minimum(strength[places], 1))
