"""The onset strength envelope of any band of a stem: superflux (Böck and Widmer 2013)."""

import numpy as np

from clavilux.arrays import F32, Bools
from clavilux.features.spectrum.analysis import STEMS, Analysis
from clavilux.features.spectrum.peaks import loud_level
from clavilux.features.spectrum.spectra import mel_centres, pieces

__all__ = ["ONSET_DELAY", "onset_strength"]

LOG_GAIN = 100.0
"""Gain before the logarithm: a band 40 dB below the loud level of the song counts half-way as silence."""
LAG_FRAMES = 2
"""Frames over which a rise is measured, 46 ms."""
ONSET_DELAY = 0.008
"""Seconds by which onset strength peaks after the true onset, measured on hits of known time."""


def onset_strength(analysis: Analysis, stem: str, low_hz: float, high_hz: float) -> F32:
    """Compute the onset strength of a band of a stem, per frame: float32 (T,), >= 0.

    It peaks ``ONSET_DELAY`` late. A band narrower than a mel band is widened to the nearest one; outside the
    stem's own band it is 0.
    """
    spec = STEMS[stem]
    low_hz, high_hz = max(low_hz, spec.low_hz), min(high_hz, spec.high_hz)
    loud = loud_level(analysis.rms["mix"])
    mel = analysis.mel[spec.part]  # (T, 96)
    strength = np.zeros(len(mel), np.float32)
    if loud == 0 or len(strength) <= LAG_FRAMES or low_hz >= high_hz:
        return strength
    inside, done = _mel_bands_between(low_hz, high_hz), LAG_FRAMES
    for piece in pieces(mel, overlap=LAG_FRAMES):
        # L[t, b] = log(1 + gain mel[t, b] / loud)
        # SF[t] = mean_b max(0, L[t, b] - max(L[t - lag, b - 1 .. b + 1])): vibrato is no onset
        logs = np.log1p(piece[:, inside] * np.float32(LOG_GAIN / loud))
        before = _maximum_of_3(logs[:-LAG_FRAMES])
        strength[done : done + len(before)] = np.maximum(logs[LAG_FRAMES:] - before, 0).mean(axis=1)
        done += len(before)
    return strength


def _maximum_of_3(rows: F32) -> F32:
    """Return the greatest of each value and its neighbours in the row."""
    greatest = rows.copy()  # scipy's filter gives the same, and takes a third of a second to import
    np.maximum(greatest[:, 1:], rows[:, :-1], out=greatest[:, 1:])
    np.maximum(greatest[:, :-1], rows[:, 1:], out=greatest[:, :-1])
    return greatest


def _mel_bands_between(low_hz: float, high_hz: float) -> Bools:
    """Return which mel bands (96,) have their centre in a band, or the nearest one where none has."""
    centres = mel_centres()
    inside = (centres >= low_hz) & (centres <= high_hz)
    nearest = np.abs(centres - (low_hz + high_hz) / 2).argmin()
    return inside if inside.any() else np.arange(len(centres)) == nearest
