"""Harmonic-percussive separation: equal to librosa's, exact in blocks, correct on ideal lines."""

import librosa
import numpy as np
import pytest

from clavilux.features.spectrum.hpss import HALO, hpss, hpss_masks


@pytest.fixture(scope="module")
def spectrogram():
    """Two seconds of a chord with clicks in noise, (T, F)."""
    rng = np.random.default_rng(3)
    time = np.arange(2 * 22050) / 22050
    samples = sum(np.sin(2 * np.pi * hz * time) for hz in (220, 277, 330)) * 0.2
    samples[::5000] += 1
    samples += 0.02 * rng.standard_normal(len(samples))
    return np.abs(librosa.stft(samples.astype(np.float32))).T.copy()


@pytest.mark.parametrize("margins", [(1.0, 1.0), (16.0, 8.0), (2.0, 8.0)])
@pytest.mark.parametrize("frames", [1, 5, 40, 87])
def test_equals_librosa(spectrogram, margins, frames):
    piece = spectrogram[:frames]
    ours = hpss(piece, harmonic_margin=margins[0], percussive_margin=margins[1])
    harmonic, percussive = librosa.decompose.hpss(piece.T, margin=margins)
    assert np.abs(ours.harmonic - harmonic.T).max() < 1e-4 * piece.max()
    assert np.abs(ours.percussive - percussive.T).max() < 1e-4 * piece.max()


def test_a_block_with_its_halo_equals_the_whole(spectrogram):
    whole = hpss_masks(spectrogram)
    block = hpss_masks(spectrogram[30 - HALO : 50 + HALO])
    assert np.array_equal(block.harmonic[HALO:-HALO], whole.harmonic[30:50])
    assert np.array_equal(block.percussive[HALO:-HALO], whole.percussive[30:50])


def test_less_than_the_halo_is_not_enough(spectrogram):
    whole = hpss_masks(spectrogram)
    block = hpss_masks(spectrogram[30 - HALO + 3 : 50])
    assert not np.array_equal(block.harmonic[HALO - 3 :], whole.harmonic[30:50])


def test_margins_of_one_assign_everything_and_wider_ones_leave_a_rest(spectrogram):
    even = hpss_masks(spectrogram, harmonic_margin=1, percussive_margin=1)
    assert np.allclose(even.harmonic + even.percussive, 1, atol=1e-6)
    strict = hpss_masks(spectrogram, harmonic_margin=4, percussive_margin=4)
    assert (strict.harmonic + strict.percussive).max() <= 1 + 1e-6
    assert (strict.harmonic + strict.percussive).mean() < 0.6


def test_a_tone_is_harmonic_and_a_click_percussive():
    lines = np.zeros((80, 80), np.float32)
    lines[:, 20] = 1
    lines[50, :] = 1
    parts = hpss(lines)
    assert parts.harmonic[:, 20].sum() == pytest.approx(79, abs=1)
    assert parts.percussive[50].sum() == pytest.approx(79, abs=1)
    assert parts.harmonic[50, 60] == parts.percussive[10, 20] == 0


def test_silence_stays_silent_and_tiny_numbers_stay_finite():
    assert not np.any(hpss(np.zeros((4, 9), np.float32)).harmonic)
    tiny = hpss(np.full((40, 40), 1e-30, np.float32))
    assert np.isfinite(tiny.harmonic).all()
    assert np.isfinite(tiny.percussive).all()


def test_the_spectrogram_is_not_changed(spectrogram):
    before = spectrogram.copy()
    hpss(spectrogram)
    assert np.array_equal(before, spectrogram)
