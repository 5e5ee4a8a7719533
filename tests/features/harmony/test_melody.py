"""Pitch tracks of melody and bass against known tones and the notes of a composed song."""

import mir_eval
import numpy as np
import pytest

from clavilux.demo.composition import write_score
from clavilux.features.harmony.melody import BASS, MELODY, find_pitch_track
from clavilux.features.spectrum.analysis import analyse

VOICES = {"melody": MELODY, "bass": BASS}


def _note(midi, seconds, *, harmonics=6, amplitude=0.3, decay=1.0):
    """Synthesise a plucked or held note with harmonics, 22 050 Hz."""
    time = np.arange(round(seconds * 22050)) / 22050
    hz = 440 * 2 ** ((midi - 69) / 12)
    parts = [np.sin(2 * np.pi * n * hz * time) / n for n in range(1, harmonics + 1)]
    edges = np.minimum(1, np.minimum(time, time[::-1]) / 0.01)
    return (amplitude * np.sum(parts, axis=0) * np.exp(-decay * time) * edges).astype(np.float32)


def _played(midis, seconds=0.5, **kind):
    return np.concatenate([_note(midi, seconds, **kind) for midi in midis])


def _track(samples, voice, tuning=0.0):
    return find_pitch_track(analyse(samples), voice, tuning, len(samples) / 22050)


def _middles(count, seconds=0.5):
    return (np.arange(count) + 0.5) * seconds


@pytest.mark.parametrize("tuning", [0.0, 0.3, -0.4])
def test_a_melody_over_bass_and_chords(tuning):
    midis = [76, 79, 74, 72, 81, 79, 76, 84] * 2
    melody = _played(np.array(midis) + tuning)
    chords = sum(_played(np.array([a] * 8) + tuning, 1.0, amplitude=0.05) for a in (48, 52, 55))
    bass = _played(np.array([36, 41, 43, 36] * 2) + tuning, 1.0)
    for voice, truth, seconds in ((MELODY, midis, 0.5), (BASS, [36, 41, 43, 36] * 2, 1.0)):
        track = _track(melody + chords + bass, voice, tuning)
        pitch = track.pitch.at(_middles(len(truth), seconds))[:, 0]
        assert pitch == pytest.approx(np.array(truth), abs=0.15)
        assert track.confidence.at(_middles(len(truth), seconds)).min() > 0.5


@pytest.mark.parametrize("cents", [-15, -8, 0, 5, 12])
def test_pitch_is_interpolated_between_bins(tone, cents):
    track = _track(tone(440 * 2 ** (cents / 1200)), MELODY)
    assert track.pitch.at([1.0]).item() == pytest.approx(69 + cents / 100, abs=0.02)
    assert track.rms.at([1.0]).item() == pytest.approx(np.sqrt(0.5), rel=0.15)


def test_a_glide_is_followed():
    midi = np.linspace(60, 72, 3 * 22050)
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((midi - 69) / 12)) / 22050
    track = _track((0.3 * np.sin(phase) + 0.1 * np.sin(2 * phase)).astype(np.float32), MELODY)
    times = np.linspace(0.2, 2.8, 50)
    assert track.pitch.at(times)[:, 0] == pytest.approx(60 + 4 * times, abs=0.3)


def test_notes_begin_where_they_are_played():
    midis = [72, 72, 76, 76, 79, 67, 72, 74] * 2
    track = _track(_played(midis, 0.4, decay=4), MELODY)
    truth = 0.4 * np.arange(len(midis))
    assert (
        mir_eval.onset.f_measure(truth[1:], track.onsets.times[track.onsets.times > 0.1], window=0.05)[0]
        > 0.9
    )


def test_the_last_pitch_is_held_in_silence():
    samples = np.concatenate(
        [np.zeros(30000), _note(74, 0.8), np.zeros(300000), _note(69, 0.8), np.zeros(30000)]
    )
    track = _track(samples.astype(np.float32), MELODY)
    assert track.pitch.at([0.0, 0.5])[:, 0] == pytest.approx([74, 74], abs=0.4)
    assert track.pitch.at([2.5, 8.0, 14.0])[:, 0] == pytest.approx([74] * 3, abs=0.4)
    assert track.pitch.at([len(samples) / 22050])[0] == pytest.approx(69, abs=0.4)
    assert track.confidence.at([0.5, 4.0]).max() < 0.05


def test_the_result_does_not_depend_on_where_spans_begin():
    rng = np.random.default_rng(0)
    samples = _played(rng.integers(60, 85, 60), 0.3) + 0.01 * rng.standard_normal(60 * 6615).astype(
        np.float32
    )
    track, later = (
        _track(samples, MELODY),
        _track(np.concatenate([np.zeros(512 * 100, np.float32), samples]), MELODY),
    )
    times = _middles(60, 0.3)[1:-1]
    same = np.abs(track.pitch.at(times) - later.pitch.at(times + 51200 / 22050)) < 0.1
    assert same.all()


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("seconds", [1e-4, 0.03, 0.3, 2])
@pytest.mark.parametrize("kind", ["silence", "noise", "faint"])
def test_any_signal_has_a_result(voice, seconds, kind):
    noise = np.random.default_rng(0).standard_normal(max(1, round(22050 * seconds)))
    gain = {"silence": 0, "noise": 0.3, "faint": 1e-6}[kind]
    track = find_pitch_track(analyse((gain * noise).astype(np.float32)), VOICES[voice], 0.0, seconds)
    assert len(track.pitch.values) == len(track.confidence.values) == len(track.rms.values)
    assert 20 < track.pitch.values.min() <= track.pitch.values.max() < 100
    assert 0 <= track.confidence.values.min() <= track.confidence.values.max() <= 1
    if kind == "silence":
        assert track.confidence.values.max() == track.rms.values.max() == len(track.onsets) == 0


def _accuracy(track, notes, bpm):
    """Compute raw pitch and chroma accuracy, voicing recall and false alarm (Poliner et al. 2007)."""
    times = np.arange(len(track.pitch.values)) / 100
    truth = np.zeros(len(times))
    for note in notes:
        truth[round(1500 * note.step / bpm) : round(1500 * (note.step + note.steps) / bpm)] = note.pitch
    hz = (
        440
        * 2 ** ((track.pitch.values[:, 0] - 69) / 12)
        * np.where(track.confidence.values[:, 0] > 0.5, 1, -1)
    )
    truth = np.where(truth > 0, 440 * 2 ** ((truth - 69) / 12), 0)
    return mir_eval.melody.evaluate(times, truth, times, hz)


def test_melody_of_a_song(composed, song):
    track = find_pitch_track(analyse(composed.audio.mono(22050)), MELODY, song.tuning, song.duration)
    score = _accuracy(track, write_score(1, 4).melody, composed.bpm)
    assert score["Raw Pitch Accuracy"] > 0.65
    assert score["Voicing Recall"] > 0.7


def test_bass_of_a_song(composed, song):
    track = find_pitch_track(analyse(composed.audio.mono(22050)), BASS, song.tuning, song.duration)
    score = _accuracy(track, write_score(1, 4).bass, composed.bpm)
    assert score["Raw Chroma Accuracy"] > 0.88
    assert score["Voicing Recall"] > 0.85
