"""The constant-Q transform: a sine has its amplitude at its pitch, and librosa agrees."""

import librosa
import numpy as np
import pytest

from clavilux.features.spectrum import cqt
from clavilux.features.spectrum.cqt import PitchStrengths, pitch_frequencies, pitch_strengths
from clavilux.features.spectrum.stream import SampleStream


@pytest.mark.parametrize("bin_", [0, 17, 36, 80, 135, 200, 251])
def test_a_sine_has_its_amplitude_at_its_pitch(tone, bin_):
    hz = pitch_frequencies()[bin_]
    strengths = pitch_strengths(tone(hz, seconds=3.0, amplitude=0.4))[65]
    assert abs(int(strengths.argmax()) - bin_) <= (1 if bin_ < 36 else 0)
    assert strengths[bin_] == pytest.approx(0.4, rel=0.03)
    assert strengths[np.abs(np.arange(252) - bin_) > 6].max() < 0.08


def test_a_note_begins_and_ends_on_time(tone):
    samples = np.concatenate([np.zeros(22050, np.float32), tone(440, 1.0), np.zeros(22050, np.float32)])
    strengths = pitch_strengths(samples)[:, 135]
    inside = np.flatnonzero(strengths > 0.5) * 512 / 22050
    assert inside[0] == pytest.approx(1.0, abs=0.03)
    assert inside[-1] == pytest.approx(2.0, abs=0.03)


@pytest.mark.filterwarnings("ignore")
def test_agrees_with_librosa(mono):
    theirs = np.abs(librosa.cqt(mono, bins_per_octave=36, n_bins=252, fmin=pitch_frequencies()[0])).T
    ours = pitch_strengths(mono)
    # Above 65 Hz the kernels are as long as librosa's, which scales each by the root of its length.
    theirs, ours = theirs[:, 36:] / np.sqrt(1 / pitch_frequencies()[36:]), ours[:, 36:]
    loud = ours.sum(axis=1) > 0.1 * ours.sum(axis=1).max()
    angle = (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert np.median(angle[loud]) > 0.97


@pytest.mark.parametrize("samples", [0, 1, 30, 700])
def test_any_length(samples):
    strengths = pitch_strengths(np.ones(samples, np.float32))
    assert strengths.shape == (1 + samples // 512, 252)
    assert np.isfinite(strengths).all()


def test_the_result_does_not_depend_on_the_block_size(composed, monkeypatch):
    samples = composed.audio.mono(22050)[: 512 * 700 + 33]
    monkeypatch.setattr(cqt, "to_half", np.asarray)
    monkeypatch.setattr(cqt, "STORED", np.float32)
    whole = pitch_strengths(samples)
    monkeypatch.setattr(cqt, "BLOCK_FRAMES", 100)
    blocks = pitch_strengths(SampleStream(np.array_split(samples, 9), len(samples)))
    assert whole.dtype == blocks.dtype == np.float32
    assert np.abs(whole - blocks).max() < 1e-5 * whole.max()


@pytest.mark.parametrize("size", [1, 700, 30_000])
def test_samples_may_arrive_in_pieces_of_any_size(mono, monkeypatch, size):
    samples = mono[: min(40_000, 400 * size)]
    monkeypatch.setattr(cqt, "BLOCK_FRAMES", 16)
    pitches = PitchStrengths(len(samples))
    for first in range(0, len(samples), size):
        pitches.add(samples[first : first + size])
    pitches.add(np.ones(5000, np.float32))  # past the end
    assert np.array_equal(pitches.values, pitch_strengths(samples))
