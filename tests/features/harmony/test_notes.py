"""Notes last from each onset to the next, or until the voice is silent."""

import numpy as np
import pytest

from clavilux.curves import Curve, Events
from clavilux.features.harmony.melody import PitchTrack
from clavilux.features.harmony.notes import find_notes, note_name


def track(pitch, confidence, onsets, strengths=None):
    level = Curve(np.ones(len(pitch)))
    return PitchTrack(
        Curve(np.array(pitch)),
        Curve(np.array(confidence)),
        level,
        Events(np.array(onsets), strengths),
    )


def test_a_note_lasts_to_the_next_or_to_silence():
    pitch = np.repeat([60.2, 62.0, 64.0], 100)
    confidence = np.ones(300)
    confidence[150:200] = 0.1
    notes = find_notes(track(pitch, confidence, [0.0, 1.0, 2.0], [1, 0.5, 0.25]))
    assert [(note.start, note.end, note.name) for note in notes] == [
        (0, 1, "C4"),
        (1, 1.5, "D4"),
        (2, 3, "E4"),
    ]
    assert [note.strength for note in notes] == [1, 0.5, 0.25]


def test_silence_and_very_short_stretches_are_no_notes():
    assert not find_notes(track(np.full(100, 60), np.zeros(100), [0.1, 0.5]))
    assert len(find_notes(track(np.full(100, 60), np.ones(100), [0.1, 0.12, 0.99]))) == 1
    assert not find_notes(track(np.full(100, 60), np.ones(100), []))


def test_pitches_are_valid_midi_numbers():
    high, low = (find_notes(track(np.full(50, pitch), np.ones(50), [0.0]))[0].pitch for pitch in (400, -20))
    assert (high, low) == (127, 0)


@pytest.mark.parametrize(("pitch", "name"), [(21, "A0"), (60, "C4"), (61.4, "C#4"), (108, "C8")])
def test_names_of_notes(pitch, name):
    assert note_name(pitch) == name


def test_the_melody_of_a_composed_song_is_transcribed(composed, song):
    notes = [note for note in find_notes(song.melody) if note.start > composed.melody_enters]
    assert len(notes) > 10
    assert all(0 <= note.start < note.end <= song.duration + 0.01 for note in notes)
