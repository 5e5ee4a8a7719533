"""The level of any band of a stem, from its mel bands.

Levels are linear amplitudes, powers their squares. In silence everything is 0.
"""

import numpy as np
from numpy.typing import NDArray

from clavilux.arrays import F32, F64
from clavilux.features.spectrum.analysis import STEMS, Analysis
from clavilux.features.spectrum.peaks import loud_level
from clavilux.features.spectrum.spectra import BANDS, RATE, bin_frequencies, mel_bank, mel_centres, pieces

__all__ = ["band_level", "band_power", "spectral_centroid"]

SILENT_SHARE = 0.01
"""Sum of a frame's mel amplitudes, relative to the song's loud level, below which its centroid fades to 0."""


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


def spectral_centroid(analysis: Analysis, stem: str) -> F32:
    """Compute the spectral centroid of a stem on the mel scale, per frame: float32 (T,) in [0, 1].

    0 is the lowest mel band, at 20 Hz, and also silence; 1 is the highest, at 11 kHz.

    >>> tone = Analysis({"mix": np.eye(3, 96, 93, dtype=np.float16)}, {"mix": np.ones(3, np.float32)}, None)
    >>> [f"{place:.2f}" for place in spectral_centroid(tone, "mix")]
    ['0.98', '0.99', '1.00']
    """
    # c[t] = sum_b b M[t, b] / (95 sum_b M[t, b]), over the bands b of the stem; near silence it goes to 0
    spec, bands = STEMS[stem], np.arange(BANDS, dtype=np.float32)
    centres = mel_centres()
    inside = ((centres >= spec.low_hz) & (centres <= spec.high_hz)).astype(np.float32)
    weights = np.stack([inside * bands / (BANDS - 1), inside], axis=1)
    rising, whole = np.concatenate([mel @ weights for mel in pieces(analysis.mel[spec.part])]).T
    return np.asarray(rising / np.maximum(whole, SILENT_SHARE * loud_level(analysis.rms["mix"]) + 1e-9))


def _share(mel: F32, weighted: F64, whole: F64) -> F64:
    power = np.square(mel, dtype=np.float64)  # (t, 96)
    total = power @ whole
    return np.divide(power @ weighted, total, out=np.zeros_like(total), where=total > 0)
