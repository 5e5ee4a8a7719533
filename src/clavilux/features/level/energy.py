"""How loud each part of a song is among the others, and where the song is calm and where full.

Times are seconds. What was heard is measured against the song's own loud parts, so a quiet master gives the
same as a loud one.
"""

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from clavilux.curves import Sections
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.peaks import SILENCE, peak_ceiling
from clavilux.features.spectrum.spectra import HOP, RATE, mel_centres, pieces

__all__ = ["energies_of", "rms_sections"]

Floats = NDArray[np.float64]

QUIETER_DB = 12.0
"""What lies this far below the loudest part has no energy at all."""
BAND_HZ = (30.0, 500.0)
"""Kick, bass and the body of chords: what is missing where a song holds its breath."""
AVERAGED = 4.0
"""Seconds of the moving average, and the shortest part."""
UP, DOWN = 0.7, 0.5
"""Share of full strength above which a song becomes full, and below which it becomes calm."""
CEILING = 90.0
"""Percentile of the local maxima that is full strength."""


def energies_of(rms: NDArray[np.float32], bounds: Floats) -> Floats:
    """Rate each part between neighbouring bounds (N + 1,) s by its level: 1 the loudest, 0 from -12 dB on.

    Args:
        rms: amplitude of the song per frame, (T,).
        bounds: s, increasing.

    >>> loud_then_soft = np.repeat([1.0, 0.5], 100).astype(np.float32)
    >>> energies_of(loud_then_soft, np.array([0, 100, 200]) * 512 / 22050).round(2).tolist()
    [1.0, 0.5]
    """
    frames = np.clip(np.round(bounds * RATE / HOP).astype(int), 0, len(rms))
    sums = np.concatenate(([0.0], np.cumsum(np.square(rms, dtype=np.float64))))
    power = np.diff(sums[frames]) / np.maximum(np.diff(frames), 1)
    loudest = power.max()
    if loudest < SILENCE**2:
        return np.ones(len(power))
    level = 10 * np.log10(np.maximum(power / loudest, 1e-12))
    return np.asarray(np.clip(1 + level / QUIETER_DB, 0, 1))


def rms_sections(analysis: Analysis, duration: float) -> Sections:
    """Part a song of ``duration`` s into 'calm' and 'full' by how much sounds between 30 and 500 Hz.

    The level is averaged over 4 s and measured against its own peaks; it must rise above 0.7 of them to be
    full and fall below 0.5 to be calm again, and no part but the whole song is shorter than 4 s.

    >>> level = np.repeat([0.1, 1.0], 430).astype(np.float32)
    >>> heard = Analysis({"mix": np.tile(level[:, None], 96)}, {"mix": level}, np.zeros((860, 252)))
    >>> rms_sections(heard, 20.0).labels
    ('calm', 'full')
    """
    level = _moving_level(analysis)
    full = _switched(level)
    bounds, states = _runs(full)
    times = bounds * HOP / RATE
    while len(states) > 1 and np.diff(times).min() < AVERAGED:
        shortest = int(np.diff(times).argmin())
        states[shortest] = not states[shortest]
        bounds, states = _runs(np.repeat(states, np.diff(bounds)))
        times = bounds * HOP / RATE
    times = np.concatenate((times[:-1], [duration]))
    labels = tuple("full" if state else "calm" for state in states)
    return Sections(times, labels, energies_of(analysis.rms["mix"], times))


def _moving_level(analysis: Analysis) -> Floats:
    """Level of the band per frame (T,), averaged around each, 1 at the song's full strength; 0 in silence."""
    centres = mel_centres()
    band = (BAND_HZ[0] <= centres) & (centres <= BAND_HZ[1])
    power = np.concatenate([np.square(heard).mean(axis=1) for heard in pieces(analysis.mel["mix"][:, band])])
    averaged = scipy.ndimage.uniform_filter1d(
        np.sqrt(power, dtype=np.float64), round(AVERAGED * RATE / HOP), mode="nearest"
    )
    ceiling = peak_ceiling(averaged, CEILING) or float(averaged.max())
    return np.asarray(averaged / ceiling if ceiling > SILENCE else np.zeros_like(averaged))


def _switched(level: Floats) -> NDArray[np.bool_]:
    """Follow a level with hysteresis: between the thresholds the last state holds, at first the next."""
    clear = np.flatnonzero((level > UP) | (level < DOWN))
    if not len(clear):
        return np.ones(len(level), bool)
    latest = np.searchsorted(clear, np.arange(len(level)), side="right") - 1
    return np.asarray(level[clear[np.maximum(latest, 0)]] > UP)


def _runs(states: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Find runs of the same state: their bounds (N + 1,) and states (N,)."""
    bounds = np.concatenate(([0], np.flatnonzero(np.diff(states)) + 1, [len(states)]))
    return bounds, states[bounds[:-1]]
