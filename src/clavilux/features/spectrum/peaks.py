"""Local maxima of curves and spectra, and the level of a song's loud parts.

Levels are linear amplitudes. A song is measured against itself, so a quiet master works like a loud one.
"""

import numpy as np
import scipy

from clavilux.arrays import F32, F64, I64, AnyArray

__all__ = ["SILENCE", "above_neighbours", "loud_level", "parabolic_peak", "peak_ceiling", "peaks"]

SILENCE = 1e-5
"""Amplitude below which everything is silence, -100 dB."""
NEIGHBOUR_SHARE = 0.8
"""Share of their neighbours' mean that is subtracted from pitches and partials."""


def loud_level(rms: AnyArray) -> float:
    """Compute the level of the loud parts of a song from its amplitude per frame (T,); 0 in silence.

    It is the mean power weighted by power itself, as an amplitude, so pauses of any length hardly count.

    >>> loud_level(np.array([0.0, 0.0, 0.0, 0.5]))
    0.5
    """
    # sqrt(sum p^2 / sum p), p = rms^2
    power = np.square(rms.astype(np.float64))
    total = power.sum()
    level = float(np.sqrt(np.square(power).sum() / total)) if total > 0 else 0.0
    return level if level > SILENCE else 0.0


def peaks(values: AnyArray) -> I64:
    """Find the local maxima of a curve (T,) that lie above 0; of a plateau, its first value.

    >>> peaks(np.array([0, 2, 1, 3, 3, 0])).tolist()
    [1, 3]
    """
    before = np.concatenate(([-np.inf], values[:-1]))
    after = np.concatenate((values[1:], [-np.inf]))
    return np.flatnonzero((values > before) & (values >= after) & (values > 0))


def peak_ceiling(values: AnyArray, percentile: float = 95.0) -> float:
    """Compute full strength: a percentile of the local maxima of a curve (T,), not of all its values.

    So it depends neither on how long the pauses are nor on the one loudest hit. 0 where there is no maximum.

    >>> peak_ceiling(np.array([0, 1, 0, 0, 0, 0, 1, 0]))
    1.0
    """
    heights = values[peaks(values)]
    return float(np.percentile(heights, percentile)) if len(heights) else 0.0


def parabolic_peak(before: AnyArray, here: AnyArray, after: AnyArray, *, limit: float) -> F64:
    """Interpolate peaks (N,): return the offset of each parabola's vertex from its middle point, in samples.

    Args:
        before: values one sample before each peak, (N,).
        here: values at each peak.
        after: values one sample after each peak.
        limit: of the offset, in either direction.

    Returns:
        float64 (N,) in [-limit, limit]; 0 where the three points have no maximum.

    Source:
        Smith and Serra 1987, PARSHL.

    >>> parabolic_peak(np.array([0.0]), np.array([1.0]), np.array([1.0]), limit=0.5).tolist()
    [0.5]
    """
    # x = (a - c) / (2 (a - 2 b + c))
    a, b, c = (np.asarray(values, np.float64) for values in (before, here, after))
    curvature = a - 2 * b + c
    vertex = np.divide(a - c, 2 * curvature, out=np.zeros_like(curvature), where=curvature < 0)
    return np.asarray(np.clip(vertex, -limit, limit))


def above_neighbours(strengths: F32, reach: int) -> F32:
    """Keep of each bin of spectra (t, F) what exceeds 0.8 of the mean around it: tones do, noise does not.

    Args:
        strengths: float32 (t, F), amplitudes.
        reach: bins on either side.

    >>> above_neighbours(np.array([[1, 1, 6, 1, 1]], np.float32), 2).round().tolist()
    [[0.0, 0.0, 4.0, 0.0, 0.0]]
    """
    # max(0, A[k] - 0.8 mean(A[k - reach .. k + reach]))
    around = scipy.ndimage.uniform_filter1d(strengths, 2 * reach + 1, axis=1)
    return np.maximum(strengths - np.float32(NEIGHBOUR_SHARE) * around, 0)
