"""Local maxima, and the level that counts as loud.

Levels are linear amplitudes. A song is measured against itself, so a quiet master works like a loud one.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["SILENCE", "loud_level", "peak_ceiling", "peaks"]

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
