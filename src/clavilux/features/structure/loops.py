"""After how many bars a song repeats itself."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["USUAL", "find_loop"]

LOOPS = (1, 2, 4, 8, 16)
USUAL = 4
"""Where nothing repeats."""
ENOUGH = 0.85
"""Share of the clearest repetition that a shorter loop must reach."""
FAINTEST = 0.1
SELDOM = 8
"""There must be a pair of bars for every so many bars, or the repetition is chance."""


def find_loop(alike: NDArray[np.float64], names: NDArray[np.int64]) -> int:
    """Find after how many bars a song mostly repeats itself: 1, 2, 4, 8 or 16; 4 where nothing repeats.

    The likeness of bars is averaged over all pairs at each distance that lie in parts of one name; the
    shortest loop wins that repeats nearly as well as the best.

    Args:
        alike: likeness of the song's bars, (N, N).
        names: which part each bar is in, (N,).

    >>> bars = np.arange(32)
    >>> find_loop(1.0 * (bars[:, None] % 8 == bars % 8), bars // 16)
    8
    """
    repeats = {}
    for lag in LOOPS:
        same = names[lag:] == names[:-lag]
        if same.any() and same.sum() * SELDOM >= len(names):
            repeats[lag] = float(np.diagonal(alike, lag)[same].mean())
    clearest = max(repeats.values(), default=0.0)
    if clearest < FAINTEST:
        return USUAL
    return next(lag for lag, mean in repeats.items() if mean >= ENOUGH * clearest)
