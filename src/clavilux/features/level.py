"""How loud the song is, and what counts as loud in it.

Levels are linear amplitudes. A song is measured against itself, so a quiet master works like a loud one;
below ``SILENCE`` there is nothing to measure and every gain is 0.
"""

import numpy as np
from numpy.typing import NDArray

from clavilux.features.hearing import STEMS, Hearing
from clavilux.features.spectra import RATE, bin_frequencies, mel_bank, mel_centres, pieces

__all__ = ["SILENCE", "band_level", "band_power", "loud_level", "peak_ceiling", "peaks"]

Array = NDArray[np.float32]
Values = NDArray[np.floating]

SILENCE = 1e-5
"""Level below which nothing is heard: -100 dB."""


def loud_level(rms: Values) -> float:
    """Find the level of the loud parts: the mean power of a song (T,) weighted by power itself, as amplitude.

    Pauses of any length hardly count. 0 in silence.

    >>> loud_level(np.array([0.0, 0.0, 0.0, 0.5]))
    0.5
    """
    power = np.square(rms.astype(np.float64))
    total = power.sum()
    level = float(np.sqrt(np.square(power).sum() / total)) if total > 0 else 0.0
    return level if level > SILENCE else 0.0


def peaks(values: Values) -> NDArray[np.int64]:
    """Find the local maxima of a curve (T,) that lie above 0; of a plateau, its first value.

    >>> peaks(np.array([0, 2, 1, 3, 3, 0])).tolist()
    [1, 3]
    """
    before = np.concatenate(([-np.inf], values[:-1]))
    after = np.concatenate((values[1:], [-np.inf]))
    return np.flatnonzero((values > before) & (values >= after) & (values > 0))


def peak_ceiling(values: Values, percentile: float = 95.0) -> float:
    """Find what counts as full strength: a percentile of the local maxima of a curve (T,), not of its values.

    So it depends neither on how long the pauses are nor on the one loudest hit. 0 where there is no maximum.

    >>> peak_ceiling(np.array([0, 1, 0, 0, 0, 0, 1, 0]))
    1.0
    """
    heights = values[peaks(values)]
    return float(np.percentile(heights, percentile)) if len(heights) else 0.0


def band_level(hearing: Hearing, stem: str, low_hz: float = 0.0, high_hz: float = RATE / 2) -> Array:
    """Follow the level of a band of a stem, per frame: float32 (T,), linear amplitude.

    Over all frequencies it is the stem's level. The edges are as steep as the mel bands are wide: 20 Hz at
    the bottom, a fifteenth of the frequency higher up.

    >>> silence = Hearing({"mix": np.zeros((3, 96), np.float16)}, {"mix": np.zeros(3, np.float32)}, None)
    >>> band_level(silence, "mix", 30, 150).tolist()
    [0.0, 0.0, 0.0]
    """
    bins = bin_frequencies()
    return np.sqrt(band_power(hearing, stem, (bins >= low_hz) & (bins <= high_hz))).astype(np.float32)


def band_power(hearing: Hearing, stem: str, gains: NDArray[np.bool_ | np.floating]) -> NDArray[np.float64]:
    """Follow the power of a stem, weighed by frequency, per frame: float64 (T,).

    The whole power is exact; how it is spread over frequencies is what the mel bands tell.

    Args:
        hearing: what was heard.
        stem: one of ``STEMS``.
        gains: of the power of each FFT bin, (1025,).
    """
    source, bins = STEMS[stem], bin_frequencies()
    inside = (bins >= source.low_hz) & (bins <= source.high_hz)
    widths = np.gradient(mel_centres())
    whole, weighed = ((row.astype(np.float64) @ mel_bank()) * widths for row in (inside, inside * gains))
    shares = [_share(mel, weighed, whole) for mel in pieces(hearing.mel[source.part])]
    return np.square(hearing.rms[stem], dtype=np.float64) * np.concatenate(shares)


def _share(mel: Array, part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of the ``whole`` power of each frame is in a ``part`` of it; 0 in silence."""
    power = np.square(mel, dtype=np.float64)
    total = power @ whole
    return np.divide(power @ part, total, out=np.zeros_like(total), where=total > 0)
