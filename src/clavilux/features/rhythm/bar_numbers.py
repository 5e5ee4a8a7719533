"""Beats counted as a musician counts them: bar and beat, '12.3'.

Bar 1 begins on the first downbeat of the song; what is before it is bar 0. Times are seconds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clavilux.curves import Grid

__all__ = ["Count", "bars_between", "count_beats", "count_heard"]

EARLY = 0.05
"""Seconds by which a beat may come before the song and still be its first."""


@dataclass(frozen=True, eq=False)
class Count:
    """The beats inside a song.

    Attributes:
        times: float64 (N,) s, from 0 to the song's end.
        bars: int64 (N,), which bar each is in.
        numbers: int64 (N,), which beat of its bar each is, from 1.
    """

    times: NDArray[np.float64]
    bars: NDArray[np.int64]
    numbers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def names(self) -> list[str]:
        """Bar and beat of each, such as '12.3'."""
        return [f"{bar}.{number}" for bar, number in zip(self.bars, self.numbers, strict=True)]

    @property
    def downbeats(self) -> "Count":
        """Those that begin a bar."""
        first = self.numbers == 1
        return Count(self.times[first], self.bars[first], self.numbers[first])


def count_beats(grid: Grid, duration: float) -> Count:
    """Count the beats of a grid that are inside a song of ``duration`` s.

    >>> count_beats(Grid(np.arange(0, 4, 0.5), first_downbeat=1), 2.6).names
    ['0.4', '1.1', '1.2', '1.3', '1.4', '2.1']
    """
    places = np.flatnonzero((grid.beats >= -EARLY) & (grid.beats <= duration))
    bars = np.searchsorted(grid.bars, places, side="right")
    begun = np.where(bars > 0, grid.bars[bars - 1], grid.bars[0])
    numbers = np.where(bars > 0, places - begun, (places - begun) % grid.beats_per_bar) + 1
    earliest = bars[numbers == 1] if 1 in numbers else bars
    bars = bars - earliest[0] + 1 if len(bars) else bars
    return Count(np.maximum(grid.beats[places], 0.0), bars, numbers)


def count_heard(grid: Grid, duration: float) -> Count:
    """Count the beats inside a song as `count_beats` does, but none where no beat was heard.

    >>> len(count_heard(Grid(np.arange(9.0), confidence=0), 8.0))
    0
    """
    none = np.zeros(0, np.int64)
    return count_beats(grid, duration) if grid.confidence > 0 else Count(np.zeros(0), none, none)


def bars_between(grid: Grid, start: float, end: float) -> float:
    """Say how many bars there are from ``start`` to ``end`` s, to half a beat.

    >>> bars_between(Grid(np.arange(0, 9, 0.5)), 0.02, 4.0)
    2.0
    """
    first, last = grid.bar_at([start, end])
    steps = 2 * grid.beats_per_bar
    return round(float(last - first) * steps) / steps
