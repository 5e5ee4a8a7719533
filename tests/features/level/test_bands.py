"""Levels of bands, and the loud level: independent of pauses, outliers and the level of the master."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavilux.features.level.bands import band_level
from clavilux.features.spectrum.analysis import STEMS, analyse
from clavilux.features.spectrum.peaks import loud_level, peak_ceiling, peaks

levels = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=50).map(lambda x: np.array(x, np.float32))


def test_pauses_do_not_matter():
    rng = np.random.default_rng(0)
    loud = rng.uniform(0.4, 0.6, 100)
    assert loud_level(np.concatenate([loud, np.zeros(5000)])) == pytest.approx(loud_level(loud))
    assert 0.45 < loud_level(loud) < 0.6


@given(levels)
def test_a_song_is_measured_against_itself(rms):
    assert loud_level(rms * np.float32(0.5)) == pytest.approx(loud_level(rms) / 2, abs=2e-5, rel=1e-3)


def test_silence_has_no_level():
    assert loud_level(np.zeros(10)) == loud_level(np.full(10, 1e-6)) == peak_ceiling(np.zeros(10)) == 0


def test_the_ceiling_depends_on_peaks_not_on_values():
    hits = np.zeros(10_000)
    hits[::500] = 0.8
    hits[777] = 50
    assert peak_ceiling(hits) == pytest.approx(0.8)
    assert np.percentile(hits, 95) == 0


@given(levels)
def test_peaks_are_local_maxima(values):
    for index in peaks(values):
        near = values[max(0, index - 1) : index + 2]
        assert values[index] == near.max() > 0


@pytest.fixture(scope="module")
def analysis(mono):
    return analyse(mono)


@pytest.mark.parametrize(("low_hz", "high_hz"), [(30, 150), (200, 5000), (5000, 11025)])
def test_bands_of_a_song_have_their_level(mono, analysis, low_hz, high_hz):
    spectrum = np.fft.rfft(mono)
    hz = np.fft.rfftfreq(len(mono), 1 / 22050)
    band = np.fft.irfft(np.where((hz >= low_hz) & (hz <= high_hz), spectrum, 0), len(mono))
    ours = band_level(analysis, "mix", low_hz, high_hz)
    assert np.sqrt(np.mean(ours**2)) == pytest.approx(np.sqrt(np.mean(band**2)), rel=0.2)


@pytest.mark.parametrize("stem", STEMS)
def test_all_bands_together_are_the_stem(analysis, stem):
    assert band_level(analysis, stem) == pytest.approx(analysis.rms[stem], rel=1e-4, abs=1e-7)


def test_a_tone_is_in_its_band(tone):
    analysis = analyse(tone(100))
    assert band_level(analysis, "mix", 60, 150)[40] == pytest.approx(np.sqrt(0.5), rel=0.1)
    assert band_level(analysis, "mix", 300, 5000)[40] < 0.02
    assert band_level(analysis, "bass", 300, 5000).max() == 0
