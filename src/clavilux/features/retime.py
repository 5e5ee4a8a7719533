"""Another grid for the same song: another tempo, other bars, beats that go on.

Times are seconds. Every grid covers its song, from a beat at or before 0 s to one after the end.
"""

import math

import numpy as np
from numpy.typing import NDArray

from clavilux.curves import Grid
from clavilux.features.grid import continued

__all__ = ["doubled", "even_bars", "extended", "halved", "straight"]

Floats = NDArray[np.float64]


def doubled(grid: Grid, duration: float) -> Grid:
    """Put a beat in the middle between any two.

    >>> doubled(Grid(np.arange(4.0)), 2.9).beats.tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    """
    places = np.arange(0, len(grid.beats) - 0.5, 0.5)
    return _with_tempo(grid, np.interp(places, np.arange(len(grid.beats)), grid.beats), duration)


def halved(grid: Grid, duration: float) -> Grid:
    """Leave out every other beat, but not the first of the first bar.

    >>> halved(Grid(np.arange(8.0), first_downbeat=1), 7.0).beats.tolist()
    [-1.0, 1.0, 3.0, 5.0, 7.0, 9.0]
    """
    beats = grid.beats[grid.first_downbeat % 2 :: 2]
    beats = beats if len(beats) > 1 else beats[0] + np.array([0.0, 120 / grid.tempo])
    return _with_tempo(grid, beats, duration)


def _with_tempo(grid: Grid, beats: Floats, duration: float) -> Grid:
    return even_bars(
        continued(beats, duration), float(grid.downbeats[0]), grid.beats_per_bar, grid.confidence
    )


def straight(grid: Grid, period: float, duration: float) -> Grid:
    """Lay beats ``period`` s apart over a song, where most of the beats heard are.

    The phase is the circular mean of the beats heard; of beats heard more densely, those count that share the
    bars' phase. The bars begin where most of the bars heard do.

    >>> straight(Grid(np.array([0.1, 0.6, 1.0, 1.6, 2.1])), 1.0, 2.5).beats.round(1).tolist()
    [-0.9, 0.1, 1.1, 2.1, 3.1]
    """
    every = max(1, round(period * grid.tempo / 60))
    heard = grid.beats[grid.first_downbeat % every :: every]
    phase = float(np.angle(np.exp(2j * np.pi * heard / period).mean())) / (2 * np.pi) * period
    first, last = math.floor(-phase / period), math.floor((duration - phase) / period) + 1
    beats = phase + period * np.arange(first, last + 1, dtype=np.float64)
    bars = np.round((grid.downbeats - beats[0]) / period).astype(int) % grid.beats_per_bar
    downbeat = beats[0] + period * int(np.bincount(bars).argmax())
    return even_bars(beats, float(downbeat), grid.beats_per_bar, 1.0)


def even_bars(beats: Floats, downbeat: float, metre: int, confidence: float) -> Grid:
    """Make a grid of even bars, one of which begins on the beat nearest to ``downbeat`` s.

    >>> even_bars(np.arange(8.0), 4.9, 3, 1.0).downbeats.tolist()
    [2.0, 5.0]
    """
    nearest = int(np.abs(beats - downbeat).argmin())
    return Grid(beats, nearest % metre, metre, confidence)


def extended(said: Grid, duration: float) -> Grid:
    """Let beats and bars go on, as they begin and end, over the whole song.

    >>> extended(Grid(np.array([3.0, 4, 5]), beats_per_bar=4, bars=np.array([1])), 9.0).downbeats.tolist()
    [0.0, 4.0, 8.0]
    """
    beats, metre = continued(said.beats, duration), said.beats_per_bar
    inside = said.bars + int(np.searchsorted(beats, said.beats[0]))
    before, after = np.arange(inside[0] % metre, inside[0], metre), np.arange(inside[-1], len(beats), metre)
    return Grid(beats, beats_per_bar=metre, bars=np.concatenate((before, inside, after[1:])))
