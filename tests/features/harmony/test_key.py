"""Chroma, tuning and key against the truth of composed songs, known tones, and librosa."""

import librosa
import numpy as np
import pytest

from clavilux.demo.composer import compose
from clavilux.features.harmony.chroma import find_chroma
from clavilux.features.harmony.key import find_key, find_tuning
from clavilux.features.song import Song
from clavilux.features.spectrum.cqt import pitch_strengths


def _cosines(chroma, truth):
    return (chroma * truth).sum(axis=1) / (
        np.linalg.norm(chroma, axis=1) * np.linalg.norm(truth, axis=1) + 1e-9
    )


def _truth(composed, rows):
    """Return the chord on the control clock, (T, 12); none in its first and last tenth of a second."""
    times, truth = np.arange(rows) / 100, np.zeros((rows, 12))
    for chord in composed.chords:
        inside = (times > chord.start + 0.1) & (times < chord.end - 0.1)
        truth[np.ix_(inside, chord.pitches)] = 1
    return truth


@pytest.mark.parametrize("cents", [-45, -20, 0, 13, 40])
def test_tuning_is_estimated(tone, cents):
    chord = sum(tone(hz * 2 ** (cents / 1200)) for hz in (220.0, 277.1826, 329.6276, 440.0))
    assert find_tuning(pitch_strengths(chord)) == pytest.approx(cents / 100, abs=0.02)


def test_tuning_agrees_with_librosa(tone):
    chord = sum(tone(hz * 2 ** (0.3 / 12)) for hz in (261.6256, 329.6276, 391.9954))
    assert find_tuning(pitch_strengths(chord)) == pytest.approx(librosa.estimate_tuning(y=chord), abs=0.03)


def test_noise_has_no_tuning():
    noise = np.random.default_rng(0).standard_normal(22050 * 3).astype(np.float32)
    assert find_tuning(pitch_strengths(noise)) == 0


def test_a_detuned_note_keeps_its_name(tone):
    strengths = pitch_strengths(tone(440 * 2 ** (0.4 / 12)))
    chroma = find_chroma(strengths, find_tuning(strengths), 32, 5000, 1.0)
    assert chroma[40].argmax() == 9
    assert chroma[40, 9] > 0.9 * chroma[40].sum()


def test_chroma_is_similar_to_the_chords_played(composed, song):
    chroma = song.chroma("chords").values
    truth = _truth(composed, len(chroma))
    inside = truth.any(axis=1)
    right, shifted = (_cosines(chroma, np.roll(truth, by, axis=1))[inside].mean() for by in (0, 1))
    assert right > 0.78
    assert right > shifted + 0.3


def test_bass_chroma_is_the_root(composed, song):
    chroma, mix = song.chroma("bass").values, song.rms("bass").values[:, 0]
    truth = np.full(len(chroma), -1)
    for chord in composed.chords:
        truth[round(100 * chord.start) + 10 : round(100 * chord.end) - 10] = chord.pitches[0]
    audible = (truth >= 0) & (mix > 0.3 * mix.max())
    assert np.mean(chroma.argmax(axis=1)[audible] == truth[audible]) > 0.75


@pytest.mark.filterwarnings("ignore")
def test_chroma_agrees_with_librosa(song, mono):
    theirs = librosa.feature.chroma_cqt(y=mono, bins_per_octave=36, norm=None).T
    ours = song.chroma("mix").at(librosa.frames_to_time(np.arange(len(theirs))))
    loud = theirs.sum(axis=1) > 0.2 * theirs.sum(axis=1).max()
    assert np.median(_cosines(ours, theirs)[loud]) > 0.8  # librosa keeps noise and overtones


def test_one_scale_from_silence_to_loud(song):
    sums = song.chroma("harmonic").values.sum(axis=1)
    assert 0.7 < np.percentile(sums, 90) < 1.5
    assert sums[-5:].max() < 0.05
    assert song.chroma("harmonic").values.min() >= 0


@pytest.mark.parametrize("seed", [2, 3, 6])
def test_key_of_composed_songs(seed):
    composed = compose(seed, bars=4, rate=22050)
    assert Song(composed.audio).key.name == composed.key


def test_key_of_the_song(composed, song):
    assert song.key.name == composed.key
    assert song.key.confidence > 0.2


@pytest.mark.parametrize("steps", range(12))
def test_a_transposed_song_has_the_transposed_key(steps):
    major = np.array([[4, 0, 2, 0, 3, 2, 0, 3, 0, 2, 0, 1]], np.float32)
    names = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
    assert find_key(np.roll(major, steps, axis=1)).name == f"{names[steps]} major"


def test_no_notes_no_key():
    assert find_key(np.zeros((9, 12), np.float32)).confidence == 0
    assert find_key(np.ones((9, 12), np.float32)).confidence == 0
