"""Loudness against the tables of BS.1770-4, the cases of EBU Tech 3341, and pyloudnorm."""

import numpy as np
import pyloudnorm
import pytest
from scipy.ndimage import uniform_filter1d
from scipy.signal import freqz_sos

from clavilux.audio.sound import Audio
from clavilux.features.level.bands import band_power
from clavilux.features.level.loudness import Loudness, k_weighting, measure_loudness, stem_loudness
from clavilux.features.spectrum.analysis import STEMS, analyse
from clavilux.features.spectrum.spectra import bin_frequencies


def _sines(*parts, rate=48000, channels=2):
    """1 kHz on all channels: (dBFS, seconds) one after the other."""
    return np.stack([np.concatenate([_sine(*part, rate) for part in parts])] * channels)


def _sine(decibels, seconds, rate=48000):
    return 10 ** (decibels / 20) * np.sin(2 * np.pi * 1000 * np.arange(round(seconds * rate)) / rate)


def _lufs(samples, rate=48000):
    return measure_loudness(Audio.from_samples(samples, rate)).lufs


def test_filters_are_those_of_the_standard():
    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1, -1.69065929318241, 0.73248077421585]
    low_cut = [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621]
    assert k_weighting(48000) == pytest.approx(np.array([shelf, low_cut]), abs=1e-8)


@pytest.mark.parametrize("rate", [22050, 44100, 96000, 192000])
def test_filters_are_the_same_at_any_rate(rate):
    hz = np.geomspace(20, 3000, 50)
    ours, standard = (np.abs(freqz_sos(k_weighting(r), hz, fs=r)[1]) for r in (rate, 48000))
    assert 20 * np.log10(ours / standard) == pytest.approx(np.zeros(50), abs=0.15)


@pytest.mark.parametrize(
    "parts",
    [
        [(-23, 20)],
        [(-36, 10), (-23, 60), (-36, 10)],
        [(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)],
        [(-26, 20), (-20, 20.1), (-26, 20)],
    ],
)
def test_ebu_cases(parts):
    assert _lufs(_sines(*parts)) == pytest.approx(-23, abs=0.1)


def test_ebu_case_of_five_channels():
    left, centre, behind = _sine(-28, 20), _sine(-24, 20), _sine(-30, 20)
    assert _lufs(np.stack([left, left, centre, behind, behind])) == pytest.approx(-23, abs=0.1)


def test_the_low_frequency_channel_does_not_count():
    front, sub = _sine(-20, 2), _sine(-3, 2)
    silent = 0 * front
    assert _lufs(np.stack([front, front, silent, sub, silent, silent])) == pytest.approx(-20, abs=0.1)


def test_a_song_agrees_with_pyloudnorm(composed):
    audio = composed.audio
    theirs = pyloudnorm.Meter(audio.rate).integrated_loudness(audio.read(0, audio.samples).T.astype(float))
    assert measure_loudness(audio).lufs == pytest.approx(theirs, abs=0.1)


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
def test_momentary_loudness_is_that_around_the_moment(rate):
    samples = np.concatenate([np.zeros(3 * rate), _sine(-20, 0.4, rate), np.zeros(3 * rate)])
    momentary = measure_loudness(Audio.from_samples(samples, rate)).momentary
    assert len(momentary) == 65
    assert momentary.argmax() == 32
    assert momentary.max() == pytest.approx(-23, abs=0.3)
    assert momentary[[28, 36]].max() < -60


@pytest.mark.parametrize("samples", [1, 100, 2400, 14400, 30000])
@pytest.mark.parametrize("amplitude", [0, 1e-9, 1])
def test_short_or_silent(samples, amplitude):
    noise = amplitude * np.random.default_rng(0).standard_normal(samples)
    loudness = measure_loudness(Audio.from_samples(noise, 48000))
    assert np.isfinite(loudness.momentary).all()
    assert -70 <= loudness.momentary.min() <= loudness.momentary.max() < 10
    assert (loudness.lufs == -70) or amplitude == 1


def test_a_loudness_is_restored_from_its_arrays():
    loudness = measure_loudness(Audio.from_samples(_sine(-20, 1), 48000))
    again = Loudness.of(loudness.arrays())
    assert again.lufs == loudness.lufs
    assert np.array_equal(again.momentary, loudness.momentary)


@pytest.fixture(scope="module")
def analysis(mono):
    return analyse(mono)


@pytest.fixture(scope="module")
def momentary(mono):
    return measure_loudness(Audio.from_samples(mono, 22050)).momentary


def test_mel_bands_give_the_k_weighted_power(analysis, momentary):
    gains = np.abs(freqz_sos(k_weighting(22050), bin_frequencies(), fs=22050)[1]) ** 2
    power = uniform_filter1d(band_power(analysis, "mix", gains), 17, mode="constant")
    ours = -0.691 + 10 * np.log10(np.maximum(power, 1e-7))
    exact = np.interp(np.arange(len(ours)) * 512 / 22050, np.arange(len(momentary)) / 10, momentary)
    loud = exact > exact.max() - 20
    assert abs(np.mean((ours - exact)[loud])) < 1
    assert np.std((ours - exact)[loud]) < 1


def test_stems_are_as_loud_as_their_share(analysis, momentary):
    mix = stem_loudness(analysis, "mix", momentary)
    exact = np.interp(np.arange(len(mix)) * 512 / 22050, np.arange(len(momentary)) / 10, momentary)
    assert mix == pytest.approx(exact, abs=1e-3)
    for stem in STEMS:
        loudness = stem_loudness(analysis, stem, momentary)
        assert np.all(loudness >= -70)
        assert np.all(loudness <= mix)
    assert np.median(mix - stem_loudness(analysis, "drums", momentary)) < 20
