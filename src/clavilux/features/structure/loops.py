"""The length of a song's loop: after how many bars it repeats."""

from dataclasses import dataclass

import numpy as np

from clavilux.arrays import F64, I64

__all__ = ["LOOP", "find_loop"]


@dataclass(frozen=True)
class LoopModel:
    """Which loops there are and when one counts. Values were set by hand.

    Attributes:
        lengths_bars: of the loops that are tried, shortest first.
        default_bars: where nothing repeats.
        min_share: of the highest similarity that a shorter loop must reach.
        min_similarity: mean similarity from which anything repeats at all.
        max_bars_per_pair: there must be a pair of bars for every so many bars; fewer are chance.
    """

    lengths_bars: tuple[int, ...] = (1, 2, 4, 8, 16)
    default_bars: int = 4
    min_share: float = 0.85
    min_similarity: float = 0.1
    max_bars_per_pair: int = 8


LOOP = LoopModel()


def find_loop(similar: F64, labels: I64) -> int:
    """Find after how many bars a song mostly repeats: 1, 2, 4, 8 or 16; 4 where nothing repeats.

    The similarity of bars is averaged over all pairs at each distance that lie in parts of one label; the
    shortest loop wins that repeats nearly as well as the best.

    Args:
        similar: similarity of the song's bars, (N, N).
        labels: of the part each bar is in, (N,).

    >>> bars = np.arange(32)
    >>> find_loop(1.0 * (bars[:, None] % 8 == bars % 8), bars // 16)
    8
    """
    repeats = {}
    for lag in LOOP.lengths_bars:
        # r(lag) = mean of S[n, n + lag] over bars n whose label is that of n + lag
        same = labels[lag:] == labels[:-lag]
        if same.any() and same.sum() * LOOP.max_bars_per_pair >= len(labels):
            repeats[lag] = float(np.diagonal(similar, lag)[same].mean())
    highest = max(repeats.values(), default=0.0)
    if highest < LOOP.min_similarity:
        return LOOP.default_bars
    return next(lag for lag, mean in repeats.items() if mean >= LOOP.min_share * highest)
