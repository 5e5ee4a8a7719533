"""How loud the song is, and what counts as loud in it.

Levels are linear amplitudes. A song is measured against itself, so a quiet master works like a loud one;
below ``SILENCE`` there is nothing to measure and every gain is 0.
"""

import numpy as np
from numpy.typing import NDArray

from clavilux.features.spectrum.analysis import STEMS, Analysis
from clavilux.features.spectrum.spectra import RATE, bin_frequencies, mel_bank, mel_centres, pieces

__all__ = ["band_level", "band_power"]

Array = NDArray[np.float32]
Values = NDArray[np.floating]


def band_level(analysis: Analysis, stem: str, low_hz: float = 0.0, high_hz: float = RATE / 2) -> Array:
    """Follow the level of a band of a stem, per frame: float32 (T,), linear amplitude.

    Over all frequencies it is the stem's level. The edges are as steep as the mel bands are wide: 20 Hz at
    the bottom, a fifteenth of the frequency higher up.

    >>> silence = Analysis({"mix": np.zeros((3, 96), np.float16)}, {"mix": np.zeros(3, np.float32)}, None)
    >>> band_level(silence, "mix", 30, 150).tolist()
    [0.0, 0.0, 0.0]
    """
    bins = bin_frequencies()
    return np.sqrt(band_power(analysis, stem, (bins >= low_hz) & (bins <= high_hz))).astype(np.float32)


def band_power(analysis: Analysis, stem: str, gains: NDArray[np.bool_ | np.floating]) -> NDArray[np.float64]:
    """Follow the power of a stem, weighed by frequency, per frame: float64 (T,).

    The whole power is exact; how it is spread over frequencies is what the mel bands tell.

    Args:
        analysis: what was heard.
        stem: one of ``STEMS``.
        gains: of the power of each FFT bin, (1025,).
    """
    source, bins = STEMS[stem], bin_frequencies()
    inside = (bins >= source.low_hz) & (bins <= source.high_hz)
    widths = np.gradient(mel_centres())
    whole, weighed = ((row.astype(np.float64) @ mel_bank()) * widths for row in (inside, inside * gains))
    shares = [_share(mel, weighed, whole) for mel in pieces(analysis.mel[source.part])]
    return np.square(analysis.rms[stem], dtype=np.float64) * np.concatenate(shares)


def _share(mel: Array, part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of the ``whole`` power of each frame is in a ``part`` of it; 0 in silence."""
    power = np.square(mel, dtype=np.float64)
    total = power @ whole
    return np.divide(power @ part, total, out=np.zeros_like(total), where=total > 0)
