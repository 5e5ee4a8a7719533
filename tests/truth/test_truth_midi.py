"""MIDI files become notes, and notes the truth about a song."""

import sys
from pathlib import Path

import mido
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "truth"))

from midi import ROLES, Tempo, read_midi
from truth import load_truth
from written import Written, truth_of

BEAT = 480


def track(name: str, *messages: tuple[float, str, dict[str, int]]) -> mido.MidiTrack:
    """A track of (beat, kind, fields), in order."""
    made, last = mido.MidiTrack([mido.MetaMessage("track_name", name=name)]), 0.0
    for beat, kind, fields in messages:
        message = mido.MetaMessage if kind in {"set_tempo", "time_signature"} else mido.Message
        made.append(message(kind, time=round((beat - last) * BEAT), **fields))
        last = beat
    return made


def played(channel: int, *notes: tuple[float, float, int]) -> list[tuple[float, str, dict[str, int]]]:
    """Messages of notes (start, end, pitch), in order of time, ends first."""
    messages = []
    for start, end, pitch in notes:
        key = {"channel": channel, "note": pitch}
        messages += [(start, "note_on", key | {"velocity": 100}), (end, "note_off", key)]
    return sorted(messages, key=lambda message: (message[0], message[1] == "note_on"))


@pytest.fixture(scope="module")
def score(tmp_path_factory):
    """Three bars of 3/4 at 120, from the second on at 60: drums, a bass, chords, a lead."""
    file = mido.MidiFile(ticks_per_beat=BEAT)
    metre = {"numerator": 3, "denominator": 4}
    tempi = [(beat, "set_tempo", {"tempo": mido.bpm2tempo(bpm)}) for beat, bpm in ((0, 120), (3, 60))]
    file.tracks.append(track("", (0, "time_signature", metre), *tempi))
    hits = [(0, 0.1, 36), (0, 0.1, 42), (1, 1.1, 38), (2, 2.1, 39), (2.02, 2.1, 38), (3, 3.1, 35)]
    file.tracks.append(track("Drum", *played(9, *hits)))
    bass = (0, "program_change", {"channel": 1, "program": 33})
    file.tracks.append(track("Low", bass, *played(1, (0, 3, 36), (3, 6, 43))))
    file.tracks.append(track("Chord", *played(2, *[(0, 3, pitch) for pitch in (60, 64, 67)])))
    file.tracks.append(track("Solo", *played(3, (3, 4, 69), (3.5, 4, 81), (6, 9, 72), (7, 8, 72))))
    path = tmp_path_factory.mktemp("midi") / "song.mid"
    file.save(path)
    return read_midi(path)


@pytest.fixture(scope="module")
def truth(score):
    bounds, chords = np.array([0.0, 3.0, 9.0]), np.array([0.0, 9.0])
    written = Written(score, np.arange(4) * 3.0, bounds, ("A", "B"), chords, ("C",), "C major")
    return truth_of(written, ("song", "test", "style", "font"), 9.0)


def test_a_tempo_change_moves_what_comes_after_it(score):
    assert score.tempo.seconds_at([0, 3, 9]).tolist() == [0.0, 1.5, 7.5]
    assert score.beats_per_bar == 3
    assert score.beats == 9


def test_wandering_tempo_is_continuous():
    tempo = Tempo(np.arange(8) * 4.0, np.linspace(80, 160, 8))
    beats = np.linspace(0, 40, 4001)
    steps = np.diff(tempo.seconds_at(beats)) * 60 / 0.6
    assert steps.min() >= 60 / 160 - 1e-9
    assert steps.max() <= 60 / 80 + 1e-9


def test_roles_follow_channel_program_and_name(score):
    assert {name: len(score.role(name)) for name in ROLES} == {
        "drums": 6,
        "bass": 2,
        "chords": 3,
        "melody": 4,
    }


def test_the_same_key_struck_again_ends_the_older_note_first(score):
    again = score.role("melody")[-2:]
    assert again["start"].tolist() == [6, 7]
    assert again["end"].tolist() == [8, 9]


def test_beats_and_bars_are_in_seconds(truth):
    np.testing.assert_allclose(truth.beats, [0, 0.5, 1, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5])
    np.testing.assert_allclose(truth.downbeats, [0, 1.5, 4.5])
    np.testing.assert_allclose(truth.bounds, [0, 1.5, 7.5])


def test_hits_are_sorted_by_kind(truth):
    np.testing.assert_allclose(truth.kick, [0, 1.5])
    np.testing.assert_allclose(truth.hat, [0])
    np.testing.assert_allclose(truth.hits["snare"][:, 0], [0.5, 1.01], atol=2e-3)


def test_a_clap_is_a_snare_but_not_a_second_one(truth):
    np.testing.assert_allclose(truth.snare, [0.5, 1.0])


def test_chroma_holds_what_sounds_but_no_drums(truth):
    first, second, silent = truth.chroma_at([0.2, 2.0, 8.0])
    assert np.flatnonzero(first).tolist() == [0, 4, 7]
    assert first[0] == 2 * first[4]
    assert np.flatnonzero(second).tolist() == [7, 9]
    assert not silent.any()


def test_the_bass_is_a_pitch_class_or_none(truth):
    assert truth.bass_at([0.2, 2.0, 7.0]).tolist() == [0, 7, -1]


def test_of_two_melody_notes_the_newer_sounds(truth):
    assert truth.melody_at([0.2, 1.7, 2.2]).tolist() == [0, 440, 880]


def test_a_truth_survives_the_disk(truth, tmp_path):
    truth.save(tmp_path / "song.npz")
    again = load_truth(tmp_path / "song.flac")
    assert again.labels == truth.labels
    assert (again.key, again.font, again.beats_per_bar) == (truth.key, truth.font, truth.beats_per_bar)
    np.testing.assert_array_equal(again.notes, truth.notes)
    np.testing.assert_array_equal(again.hits["kick"], truth.hits["kick"])
