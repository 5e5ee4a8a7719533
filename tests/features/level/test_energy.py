"""Energies of sections, and calm against full ones."""

import numpy as np
import pytest

from clavilux.features.level.energy import energies_of, rms_sections
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.spectra import HOP, RATE


def analysis_of(levels, seconds=10.0):
    """Return the analysis of stretches of the given levels."""
    frames = round(seconds * RATE / HOP)
    rng = np.random.default_rng(0)
    level = np.repeat(levels, frames) * (1 + 0.1 * rng.random(frames * len(levels)))
    mel = np.tile(level[:, None], (1, 96))
    return Analysis(
        {"mix": mel.astype(np.float16)}, {"mix": level.astype(np.float32)}, np.zeros((len(level), 252))
    )


def test_energy_follows_the_level():
    rms = np.repeat([0.05, 0.4, 0.2, 0.0], 430).astype(np.float32)
    energies = energies_of(rms, np.arange(5) * 430 * HOP / RATE)
    assert energies == pytest.approx([0.0, 1.0, 0.4983, 0.0], abs=1e-3)
    assert energies_of(rms / 100, np.arange(5) * 430 * HOP / RATE) == pytest.approx(energies, abs=1e-4)


def test_silence_has_the_energy_of_the_loudest():
    assert energies_of(np.zeros(100, np.float32), np.array([0.0, 1.0, 2.0])).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("gain", [1.0, 0.01])
def test_calm_and_full(gain):
    found = rms_sections(analysis_of(np.array([0.05, 0.5, 0.5, 0.1, 0.6]) * gain), 50.0)
    assert found.labels == ("calm", "full", "calm", "full")
    assert found.bounds == pytest.approx([0, 10, 30, 40, 50], abs=2.0)
    assert found.energies[1] > 0.8
    assert found.energies[0] < 0.2


def test_a_short_pause_is_no_section():
    levels = [0.5] * 10 + [0.0] + [0.5] * 10
    assert rms_sections(analysis_of(levels, 2.0), 42.0).labels == ("full",)


def test_the_state_holds_between_the_thresholds():
    assert rms_sections(analysis_of([0.6, 0.36, 0.6]), 30.0).labels == ("full",)
    assert rms_sections(analysis_of([0.1, 0.36, 0.6]), 30.0).labels == ("calm", "full")


@pytest.mark.parametrize("duration", [0.01, 0.3, 3.0, 30.0])
def test_silence_is_calm(duration):
    frames = 1 + round(duration * RATE) // HOP
    analysis = Analysis({"mix": np.zeros((frames, 96))}, {"mix": np.zeros(frames)}, np.zeros((frames, 252)))
    found = rms_sections(analysis, duration)
    assert found.labels == ("calm",)
    assert found.bounds.tolist() == [0.0, duration]
