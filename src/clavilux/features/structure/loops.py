"""Loop length: the bar lag at which a song is most similar to itself."""

import numpy as np

from clavilux.arrays import F64, I64

__all__ = ["USUAL_LOOP_BARS", "find_loop"]

LOOP_BARS = (1, 2, 4, 8, 16)
USUAL_LOOP_BARS = 4
"""Where nothing repeats."""
MIN_SHARE_OF_BEST = 0.85
"""Share of the clearest repetition that a shorter loop must reach."""
MIN_SIMILARITY = 0.1
MAX_BARS_PER_PAIR = 8
"""There must be a pair of bars for every so many bars, or the repetition is chance."""


def find_loop(similarities: F64, names: I64) -> int:
    """Find after how many bars a song mostly repeats itself: 1, 2, 4, 8 or 16; 4 where nothing repeats.

    The similarity of bars is averaged over all pairs at each distance that lie in parts of one name; the
    shortest loop wins that repeats nearly as well as the best.

    Args:
        similarities: similarity of the song's bars, (N, N).
        names: which part each bar is in, (N,).

    >>> bars = np.arange(32)
    >>> find_loop(1.0 * (bars[:, None] % 8 == bars % 8), bars // 16)
    8
    """
    repeats = {}
    for lag in LOOP_BARS:
        same = names[lag:] == names[:-lag]
        if same.any() and same.sum() * MAX_BARS_PER_PAIR >= len(names):
            repeats[lag] = float(np.diagonal(similarities, lag)[same].mean())
    clearest = max(repeats.values(), default=0.0)
    if clearest < MIN_SIMILARITY:
        return USUAL_LOOP_BARS
    return next(lag for lag, mean in repeats.items() if mean >= MIN_SHARE_OF_BEST * clearest)
