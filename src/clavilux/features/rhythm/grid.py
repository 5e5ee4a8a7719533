"""From beats that were found to a grid that one can build on: even, whole, and as straight as the music.

Music made to a click is a straight line through its beats, broken where the tempo changes; what was played by
hand bends. Each stretch of song gets the straight line that fits its beats best, where one does.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from clavilux.curves import CONTROL_RATE, Grid
from clavilux.features.rhythm.bar_hmm import Path, decode_bars
from clavilux.features.spectrum.spectra import on_clock

__all__ = [
    "CLOCK_BPM",
    "bar_grid",
    "beat_clock",
    "continued",
    "doubled",
    "even_bars",
    "evened",
    "extended",
    "grid_from_activations",
    "halved",
    "straight",
]

Floats = NDArray[np.float64]

CLOCK_BPM = 120.0
"""Tempo of the grid where no beat is heard."""
EVENED = 2.0
"""Beats over which jitter is evened out where the tempo bends, as the deviation of a Gaussian."""
MOST_MOVED = 0.04
"""Seconds by which a beat is moved at most where the tempo bends."""
STRAIGHT = 0.012
"""Seconds by which beats, five at a time, may leave a straight line that holds for them."""
FEWEST = 8
"""Beats that a line goes through at least."""
UNSURE, SURE = 0.33, 0.65
"""Mean likelihood of the beats: what speech may have as well, and what is all one can ask."""
FAINTEST = 0.1
"""Confidence below which there is no beat."""
AROUND = 3
"""Ticks on either side of a beat from which its exact place is read."""


def bar_grid(path: Path, likelihood: NDArray[np.floating], duration: float, confidence: float) -> Grid:
    """Make a grid of the beats that the bar pointer found.

    Args:
        path: beats and their places in the bar; two at least.
        likelihood: of a beat at every tick, (T,).
        duration: of the song, s.
        confidence: 0 to 1.

    >>> found = Path(np.array([50, 100, 150]), np.array([3, 0, 1]), np.array([4, 4, 4]))
    >>> grid = bar_grid(found, np.zeros(200), 2.0, 1.0)
    >>> grid.beats.tolist(), grid.downbeats.tolist()
    ([0.0, 0.5, 1.0, 1.5, 2.0, 2.5], [1.0])
    """
    strength = likelihood[np.clip(path.ticks, 0, len(likelihood) - 1)] + 1e-3
    even = evened(_exact(path.ticks, likelihood), strength)
    beats = continued(even, duration)
    earlier = int(np.searchsorted(beats, even[0] - 1e-9))
    first, last = path.places[0], path.places[-1]
    before = (first - np.arange(earlier, 0, -1)) % path.metres[0]
    after = (last + np.arange(1, len(beats) - earlier - len(even) + 1)) % path.metres[-1]
    bars = np.flatnonzero(np.concatenate((before, path.places, after)) == 0)
    metre = int(np.bincount(path.metres).argmax())
    return Grid(
        beats, beats_per_bar=metre, confidence=confidence, bars=bars if len(bars) else np.zeros(1, np.int64)
    )


def grid_from_activations(events: NDArray[np.floating], duration: float) -> Grid:
    """Find the beats and bars in what the ear heard.

    Args:
        events: likelihood of a beat, of a downbeat and of others, (T, 2 or more) per frame.
        duration: of the song, s.

    Returns:
        the grid; a clock with confidence 0 where no beat was heard.

    >>> grid_from_activations(np.zeros((100, 5), np.float32), 2.3).confidence
    0.0
    """
    ticks = on_clock(np.asarray(events[:, :2], np.float32), duration)
    path = decode_bars(ticks[:, 0], ticks[:, 1])
    if len(path.ticks) < FEWEST // 2:
        return beat_clock(duration)
    heard = maximum_filter1d(ticks[:, 0], 2 * AROUND + 1)[path.ticks]
    confidence = float(np.clip((heard.mean() - UNSURE) / (SURE - UNSURE), 0, 1))
    return (
        bar_grid(path, ticks[:, 0], duration, confidence) if confidence >= FAINTEST else beat_clock(duration)
    )


def beat_clock(duration: float) -> Grid:
    """Return the grid of a song without a beat: 120 bpm from its first sample, confidence 0.

    >>> beat_clock(1.0).beats.tolist()
    [0.0, 0.5, 1.0]
    """
    beats = np.arange(max(1, int(np.ceil(duration * CLOCK_BPM / 60))) + 1) * 60 / CLOCK_BPM
    return Grid(beats, confidence=0.0)


def _exact(ticks: NDArray[np.int64], likelihood: NDArray[np.floating]) -> Floats:
    """Where the likelihood around each tick has its centre of gravity, s."""
    around = np.arange(-AROUND, AROUND + 1)
    weights = likelihood[np.clip(ticks[:, None] + around, 0, len(likelihood) - 1)] ** 2 + 1e-6
    return np.asarray((ticks + (weights * around).sum(axis=1) / weights.sum(axis=1)) / CONTROL_RATE)


def evened(beats: Floats, strength: NDArray[np.floating]) -> Floats:
    """Put every stretch of beats that a straight line fits onto it, and even out the jitter of the others.

    Args:
        beats: (N,) s, increasing.
        strength: (N,), above 0: how clearly each was heard.

    >>> steps = np.concatenate((np.arange(20) * 0.5, 9.5 + np.arange(1, 20) * 0.4))
    >>> moved = evened(steps + 0.002 * (-1) ** np.arange(39), np.ones(39))
    >>> float(np.abs(moved - steps).max()) < 0.002
    True
    """
    even = beats.copy()
    waiting = [(0, len(beats))]
    while waiting:
        first, last = waiting.pop()
        heard, weight = beats[first:last], strength[first:last]
        if last - first < FEWEST:
            continue
        index = np.arange(last - first)
        line = np.polynomial.Polynomial.fit(index, heard, 1, w=np.sqrt(weight))(index)
        away = np.convolve(np.pad(line - heard, 2, mode="edge"), np.full(5, 0.2), mode="valid")
        if np.abs(away).max() <= STRAIGHT:
            even[first:last] = line
        elif last - first >= 2 * FEWEST:
            middle = first + _corner(heard, weight)
            waiting += [(first, middle), (middle, last)]
        else:
            even[first:last] = _smoothed(heard, weight)
    return even if np.all(np.diff(even) > 0) else beats


def _smoothed(beats: Floats, strength: NDArray[np.floating]) -> Floats:
    """Move each beat onto the straight line that fits its neighbours best, but never far.

    Near neighbours count, by a Gaussian. The line's value in the middle follows from the moments S0, S1, S2
    of the weights and T0, T1 of the weighted times.
    """
    steady = np.linspace(beats[0], beats[-1], len(beats))
    offset = np.arange(-3 * EVENED, 3 * EVENED + 1)
    bell = np.exp(-0.5 * np.square(offset / EVENED))

    def moment(values: NDArray[np.floating], power: int) -> Floats:
        return np.convolve(np.pad(values, len(bell) // 2), bell * (-offset) ** power, mode="valid")

    s0, s1, s2 = (moment(strength, power) for power in range(3))
    t0, t1 = (moment(strength * (beats - steady), power) for power in range(2))
    line = steady + (s2 * t0 - s1 * t1) / (s0 * s2 - s1 * s1)
    return np.asarray(beats + np.clip(line - beats, -MOST_MOVED, MOST_MOVED))


def _corner(beats: Floats, strength: NDArray[np.floating]) -> int:
    """Where two straight lines, one after the other, fit beats (N,) s best: the first index of the second."""
    errors = _line_errors(beats, strength)[:-1] + _line_errors(beats[::-1], strength[::-1])[-2::-1]
    return FEWEST + int(errors[FEWEST - 1 : len(beats) - FEWEST].argmin())


def _line_errors(beats: Floats, strength: NDArray[np.floating]) -> Floats:
    """Weighted squared error of the best line through the first 1, 2, ... N beats, (N,)."""
    place = np.arange(len(beats)) - len(beats) / 2
    late = beats - beats.mean()
    one, x, y, xx, xy, yy = (
        np.cumsum(strength * values) for values in (1, place, late, place**2, place * late, late**2)
    )
    spread = np.maximum(xx - x * x / one, 1e-12)
    return np.asarray(yy - y * y / one - np.square(xy - x * y / one) / spread)


def continued(beats: Floats, duration: float) -> Floats:
    """Go on at the nearest tempo: back to the last beat at or before 0 s, on to the first after the end."""
    first, last = np.median(np.diff(beats[:8])), np.median(np.diff(beats[-8:]))
    earlier = beats[0] - first * np.arange(max(0, int(np.ceil(beats[0] / first - 1e-9))), 0, -1)
    missing = max(0, int(np.floor((duration - beats[-1]) / last)) + 1)
    return np.concatenate((earlier, beats, beats[-1] + last * np.arange(1, missing + 1)))


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
