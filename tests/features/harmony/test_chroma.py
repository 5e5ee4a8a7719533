"""Repeated notes, CENS and chord changes against librosa, synthetic loops and a composed song."""

import librosa
import mir_eval
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clavilux.features.harmony.chroma import cens, chord_change, repeated
from clavilux.features.spectrum.peaks import peaks

VIEWS = (repeated, cens, chord_change)
chromas = arrays(np.float32, st.tuples(st.integers(1, 60), st.just(12)), elements=st.floats(0, 1, width=32))


@pytest.mark.parametrize("view", VIEWS)
@given(chroma=chromas)
def test_any_chroma_has_a_finite_result(view, chroma):
    before = chroma.copy()
    result = view(chroma)
    assert len(result) == len(chroma)
    assert np.isfinite(result).all()
    assert -1e-6 <= result.min() <= result.max() <= 1 + 1e-6
    assert np.array_equal(chroma, before)


@given(chromas)
def test_repeated_chroma_never_exceeds_the_original(chroma):
    assert np.all(repeated(chroma) <= chroma)


def _loop():
    """Return four chords played sixteen times, without and with one passing note in each round."""
    chords = np.zeros((4, 12), np.float32)
    for chord, notes in zip(chords, ([0, 4, 7], [9, 0, 4], [5, 9, 0], [7, 11, 2]), strict=True):
        chord[notes] = 1 / 3
    clean = np.tile(np.repeat(chords, 45, axis=0), (16, 1))
    rng = np.random.default_rng(0)
    passing = np.zeros_like(clean)
    for first in range(0, len(clean), 180):
        start = first + rng.integers(160)
        passing[start : start + 20, rng.choice([1, 3, 6, 8, 10])] = 0.4
    return clean, clean + passing


def test_passing_notes_are_removed_and_chords_stay():
    clean, played = _loop()
    kept = repeated(played)
    passing = played > clean
    assert kept[passing].mean() < 0.1 * played[passing].mean()
    assert np.median(kept[clean > 0]) > 0.95 / 3


def test_repeated_agrees_with_librosa():
    _, played = _loop()
    theirs = np.minimum(played.T, librosa.decompose.nn_filter(played.T, aggregate=np.median, metric="cosine"))
    assert np.corrcoef(repeated(played).ravel(), theirs.T.ravel())[0, 1] > 0.97


def test_cens_agrees_with_librosa(song):
    chroma = song.chroma("harmonic").values[::2]
    theirs = librosa.feature.chroma_cens(C=chroma.T.copy(), bins_per_octave=12, n_octaves=1).T
    loud = chroma.sum(axis=1) > 0.05
    assert cens(chroma)[30:-150] == pytest.approx(theirs[30:-150], abs=1e-4)
    assert loud[30:-150].all()


def test_changes_are_where_chords_change(composed, song):
    seconds = 512 / 22050
    times = np.arange(int(song.duration / seconds)) * seconds
    change = chord_change(song.chroma("harmonic").at(times))
    found = peaks(change)
    found = found[change[found] > 0.4]
    starts = np.array([chord.start for chord in composed.chords[1:]])
    assert mir_eval.onset.f_measure(starts, found * seconds, window=0.2)[0] > 0.85


def test_one_chord_never_changes():
    noise = np.random.default_rng(0).uniform(0, 0.1, (400, 12)).astype(np.float32)
    assert chord_change(noise + np.eye(12, dtype=np.float32)[0]).max() < 0.1
    assert chord_change(np.zeros((400, 12), np.float32)).max() == 0
