"""The energy of each section relative to the loudest, and a division of the song into calm and full sections.

Times are seconds. A song is measured against its own loud parts, so a quiet master has the same result as a
loud one.
"""

from dataclasses import dataclass

import numpy as np
import scipy

from clavilux.arrays import F32, F64, I64, Bools
from clavilux.curves import Sections
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.peaks import SILENCE, peak_ceiling
from clavilux.features.spectrum.spectra import HOP, RATE, mel_centres, pieces

__all__ = ["energies_of", "rms_sections"]

ENERGY_RANGE_DB = 12.0
"""A section this far below the loudest one has energy 0."""


@dataclass(frozen=True)
class FullnessModel:
    """When a section counts as full rather than calm.

    Attributes:
        low_hz, high_hz: kick, bass and the body of chords, which a breakdown drops.
        average_seconds: of the moving average; also the shortest section.
        full_above, calm_below: hysteresis thresholds, shares of full strength.
        ceiling_percentile: of the local maxima that is full strength.
    """

    low_hz: float = 30.0
    high_hz: float = 500.0
    average_seconds: float = 4.0
    full_above: float = 0.7
    calm_below: float = 0.5
    ceiling_percentile: float = 90.0


FULLNESS = FullnessModel()


def energies_of(rms: F32, bounds: F64) -> F64:
    """Compute the energy of each section from its level: 1 for the loudest, 0 from 12 dB below it.

    Args:
        rms: amplitude of the song per frame, (T,).
        bounds: of the sections, s, increasing, (N + 1,).

    Returns:
        float64 (N,) in [0, 1]; all 1 in silence.

    >>> loud_then_soft = np.repeat([1.0, 0.5], 100).astype(np.float32)
    >>> energies_of(loud_then_soft, np.array([0, 100, 200]) * 512 / 22050).round(2).tolist()
    [1.0, 0.5]
    """
    frames = np.clip(np.round(bounds * RATE / HOP).astype(int), 0, len(rms))
    sums = np.concatenate(([0.0], np.cumsum(np.square(rms, dtype=np.float64))))
    power = np.diff(sums[frames]) / np.maximum(np.diff(frames), 1)  # (N,), the mean of each section
    loudest = power.max()
    if loudest < SILENCE**2:
        return np.ones(len(power))
    # E = clip(1 + 10 log10(P / P_max) / 12, 0, 1)
    level_db = 10 * np.log10(np.maximum(power / loudest, 1e-12))
    return np.asarray(np.clip(1 + level_db / ENERGY_RANGE_DB, 0, 1))


def rms_sections(analysis: Analysis, duration: float) -> Sections:
    """Divide a song of ``duration`` s into 'calm' and 'full' sections by its level between 30 and 500 Hz.

    The level is averaged over 4 s and measured against its own peaks. It must rise above 0.7 of them to be
    full and fall below 0.5 to be calm again; no section but the whole song is shorter than 4 s.

    >>> level = np.repeat([0.1, 1.0], 430).astype(np.float32)
    >>> analysis = Analysis({"mix": np.tile(level[:, None], 96)}, {"mix": level}, np.zeros((860, 252)))
    >>> rms_sections(analysis, 20.0).labels
    ('calm', 'full')
    """
    bounds, full = _runs(_hysteresis(_moving_level(analysis)))
    times = bounds * HOP / RATE
    while len(full) > 1 and np.diff(times).min() < FULLNESS.average_seconds:
        shortest = int(np.diff(times).argmin())
        full[shortest] = not full[shortest]  # joins it with its neighbours
        bounds, full = _runs(np.repeat(full, np.diff(bounds)))
        times = bounds * HOP / RATE
    times = np.concatenate((times[:-1], [duration]))
    labels = tuple("full" if state else "calm" for state in full)
    return Sections(times, labels, energies_of(analysis.rms["mix"], times))


def _moving_level(analysis: Analysis) -> F64:
    """Compute the moving average of the band's level, (T,), 1 at full strength; 0 in silence."""
    centres = mel_centres()
    band = (FULLNESS.low_hz <= centres) & (centres <= FULLNESS.high_hz)
    power = np.concatenate([np.square(mel).mean(axis=1) for mel in pieces(analysis.mel["mix"][:, band])])
    frames = round(FULLNESS.average_seconds * RATE / HOP)
    averaged = scipy.ndimage.uniform_filter1d(np.sqrt(power, dtype=np.float64), frames, mode="nearest")
    ceiling = peak_ceiling(averaged, FULLNESS.ceiling_percentile) or float(averaged.max())
    return np.asarray(averaged / ceiling if ceiling > SILENCE else np.zeros_like(averaged))


def _hysteresis(level: F64) -> Bools:
    """Return whether each frame is full; between the thresholds the last state holds, at first the next."""
    decided = np.flatnonzero((level > FULLNESS.full_above) | (level < FULLNESS.calm_below))
    if not len(decided):
        return np.ones(len(level), bool)
    latest = np.searchsorted(decided, np.arange(len(level)), side="right") - 1
    return np.asarray(level[decided[np.maximum(latest, 0)]] > FULLNESS.full_above)


def _runs(states: Bools) -> tuple[I64, Bools]:
    """Find the runs of equal states: their bounds (N + 1,) and states (N,)."""
    bounds = np.concatenate(([0], np.flatnonzero(np.diff(states)) + 1, [len(states)]))
    return bounds, states[bounds[:-1]]
