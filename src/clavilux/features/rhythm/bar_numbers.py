"""Bar and beat numbers as a musician or a DAW counts them: '12.3' is the third beat of bar 12.

Bar 1 begins on the first downbeat of the song; beats before it are in bar 0. Times are seconds.
"""

from dataclasses import dataclass

import numpy as np

from clavilux.arrays import F64, I64
from clavilux.curves import Grid

__all__ = ["BarNumbers", "bars_between", "number_beats", "number_detected_beats"]

MAX_EARLY_SECONDS = 0.05
"""Seconds by which a beat may come before the song and still be its first."""


@dataclass(frozen=True, eq=False)
class BarNumbers:
    """The beats inside a song, numbered.

    Attributes:
        times: float64 (N,) s, from 0 to the song's end.
        bars: int64 (N,), the number of the bar each is in.
        beats: int64 (N,), the number of each within its bar, from 1.
    """

    times: F64
    bars: I64
    beats: I64

    def __len__(self) -> int:
        return len(self.times)

    @property
    def names(self) -> list[str]:
        """Bar and beat of each, such as '12.3'."""
        return [f"{bar}.{beat}" for bar, beat in zip(self.bars, self.beats, strict=True)]

    @property
    def downbeats(self) -> "BarNumbers":
        """Those that begin a bar."""
        first = self.beats == 1
        return BarNumbers(self.times[first], self.bars[first], self.beats[first])


def number_beats(grid: Grid, duration: float) -> BarNumbers:
    """Number the beats of a grid that are inside a song of ``duration`` s.

    >>> number_beats(Grid(np.arange(0, 4, 0.5), first_downbeat=1), 2.6).names
    ['0.4', '1.1', '1.2', '1.3', '1.4', '2.1']
    """
    index = np.flatnonzero((grid.beats >= -MAX_EARLY_SECONDS) & (grid.beats <= duration))
    bars = np.searchsorted(grid.bars, index, side="right")
    begun = np.where(bars > 0, grid.bars[bars - 1], grid.bars[0])
    beats = np.where(bars > 0, index - begun, (index - begun) % grid.beats_per_bar) + 1
    earliest = bars[beats == 1] if 1 in beats else bars
    bars = bars - earliest[0] + 1 if len(bars) else bars
    return BarNumbers(np.maximum(grid.beats[index], 0.0), bars, beats)


def number_detected_beats(grid: Grid, duration: float) -> BarNumbers:
    """Number the beats inside a song as `number_beats` does, but none of a grid that is only a clock.

    >>> len(number_detected_beats(Grid(np.arange(9.0), confidence=0), 8.0))
    0
    """
    none = np.zeros(0, np.int64)
    return number_beats(grid, duration) if grid.confidence > 0 else BarNumbers(np.zeros(0), none, none)


def bars_between(grid: Grid, start: float, end: float) -> float:
    """Count the bars from ``start`` to ``end`` s, to half a beat.

    >>> bars_between(Grid(np.arange(0, 9, 0.5)), 0.02, 4.0)
    2.0
    """
    first, last = grid.bar_at([start, end])
    steps = 2 * grid.beats_per_bar
    return round(float(last - first) * steps) / steps
