"""The level of any band of a stem, from its mel bands.

Levels are linear amplitudes, powers their squares. In silence everything is 0.
"""

import numpy as np
from numpy.typing import NDArray

from clavilux.arrays import F32, F64
from clavilux.features.spectrum.analysis import STEMS, Analysis
from clavilux.features.spectrum.spectra import RATE, bin_frequencies, mel_bank, mel_centres, pieces

__all__ = ["band_level", "band_power"]


def band_level(analysis: Analysis, stem: str, low_hz: float = 0.0, high_hz: float = RATE / 2) -> F32:
    """Compute the level of a band of a stem, per frame: float32 (T,), linear amplitude.

    Over all frequencies it is the stem's level. The edges are as steep as the mel bands are wide: 20 Hz at
    the bottom, a fifteenth of the frequency higher up.

    >>> silence = Analysis({"mix": np.zeros((3, 96), np.float16)}, {"mix": np.zeros(3, np.float32)}, None)
    >>> band_level(silence, "mix", 30, 150).tolist()
    [0.0, 0.0, 0.0]
    """
    bins = bin_frequencies()
    return np.sqrt(band_power(analysis, stem, (bins >= low_hz) & (bins <= high_hz))).astype(np.float32)


def band_power(analysis: Analysis, stem: str, gains: NDArray[np.bool_ | np.floating]) -> F64:
    """Compute the power of a stem weighted by frequency, per frame: float64 (T,).

    The total power is exact; its distribution over frequency is estimated from the mel bands.

    Args:
        analysis: of the song.
        stem: one of ``STEMS``.
        gains: power gain of each FFT bin, (1025,).
    """
    # P[t] = rms[t]^2 sum_b g[b] M[t, b]^2 / sum_b i[b] M[t, b]^2, where a band's weight is its width times
    # the mean over its bins: i of the stem's own band, g of the stem's band times the gains.
    spec, bins = STEMS[stem], bin_frequencies()
    inside = (bins >= spec.low_hz) & (bins <= spec.high_hz)
    widths = np.gradient(mel_centres())
    whole, weighted = ((row.astype(np.float64) @ mel_bank()) * widths for row in (inside, inside * gains))
    shares = [_share(mel, weighted, whole) for mel in pieces(analysis.mel[spec.part])]
    return np.square(analysis.rms[stem], dtype=np.float64) * np.concatenate(shares)


def _share(mel: F32, weighted: F64, whole: F64) -> F64:
    power = np.square(mel, dtype=np.float64)  # (t, 96)
    total = power @ whole
    return np.divide(power @ weighted, total, out=np.zeros_like(total), where=total > 0)
