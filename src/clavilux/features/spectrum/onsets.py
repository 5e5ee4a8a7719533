"""Onset strength in any band of a stem: superflux (Böck and Widmer 2013)."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from clavilux.features.spectrum.analysis import STEMS, Analysis
from clavilux.features.spectrum.peaks import loud_level
from clavilux.features.spectrum.spectra import mel_centres, pieces

__all__ = ["ONSET_DELAY", "onset_strength"]

Array = NDArray[np.float32]

COMPRESSION = 100.0
"""Gain before the logarithm: a band 40 dB below the loud level of the song counts half-way as silence."""
LAG = 2
"""Frames over which a rise is measured, 46 ms."""
ONSET_DELAY = 0.008
"""Seconds by which onset strength peaks after the true onset, measured on hits of known time."""


def onset_strength(analysis: Analysis, stem: str, low_hz: float, high_hz: float) -> Array:
    """Measure how strongly something begins in a band of a stem, per frame: float32 (T,), >= 0.

    A band narrower than the mel scale is widened to the nearest mel band; outside the stem there is nothing.
    The strength peaks ``ONSET_DELAY`` late.
    """
    source = STEMS[stem]
    low_hz, high_hz = max(low_hz, source.low_hz), min(high_hz, source.high_hz)
    loud = loud_level(analysis.rms["mix"])
    mel = analysis.mel[source.part]
    rises = np.zeros(len(mel), np.float32)
    if loud == 0 or len(rises) <= LAG or low_hz >= high_hz:
        return rises
    done = LAG
    for heard in pieces(mel, overlap=LAG):
        bands = np.log1p(heard[:, _bands_between(low_hz, high_hz)] * np.float32(COMPRESSION / loud))
        before = maximum_filter1d(bands, 3, axis=1)[:-LAG]
        rises[done : done + len(before)] = np.maximum(bands[LAG:] - before, 0).mean(axis=1)
        done += len(before)
    return rises


def _bands_between(low_hz: float, high_hz: float) -> NDArray[np.bool_]:
    centres = mel_centres()
    inside = (centres >= low_hz) & (centres <= high_hz)
    return (
        inside
        if inside.any()
        else np.arange(len(centres)) == np.abs(centres - (low_hz + high_hz) / 2).argmin()
    )
