"""Beat grids: from detected beats to a grid over the whole song, and other grids for the same song.

Music made to a click is a straight line through its beats, broken where the tempo changes; each stretch gets
the least-squares line that fits its beats, where one does, and is smoothed elsewhere. Every grid covers its
song, from a beat at or before 0 s to one after the end. Times are seconds.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter1d

from clavilux.arrays import F64, I64, AnyArray
from clavilux.curves import CONTROL_RATE, Grid
from clavilux.features.rhythm.bar_hmm import BarPath, decode_bars
from clavilux.features.spectrum.spectra import on_clock

__all__ = [
    "CLOCK_BPM",
    "bar_grid",
    "beat_clock",
    "doubled",
    "even_bars",
    "extended",
    "extrapolated",
    "grid_from_activations",
    "halved",
    "smoothed",
    "with_period",
]

CLOCK_BPM = 120.0
"""Tempo of the grid where no beat is detected."""


@dataclass(frozen=True)
class GridModel:
    """How detected beats become a grid; judged on the songs of known truth in docs/hearing.md.

    Attributes:
        smoothing_beats: standard deviation of the Gaussian over which jitter is smoothed where tempo changes.
        max_shift_seconds: largest shift of a beat there.
        max_line_error_seconds: largest mean distance of five beats in a row from a line that fits them.
        min_line_beats: fewest beats that a line is fitted to.
        chance_likelihood: mean likelihood of the beats that speech reaches as well; confidence 0.
        full_likelihood: mean likelihood of the beats at confidence 1.
        min_confidence: below it there is no beat.
        reach_ticks: ticks on either side of a beat from which its exact time is computed.
    """

    smoothing_beats: float = 2.0
    max_shift_seconds: float = 0.04
    max_line_error_seconds: float = 0.012
    min_line_beats: int = 8
    chance_likelihood: float = 0.33
    full_likelihood: float = 0.65
    min_confidence: float = 0.1
    reach_ticks: int = 3


GRID = GridModel()


def bar_grid(path: BarPath, likelihood: AnyArray, duration: float, confidence: float) -> Grid:
    """Return the grid of the beats that the bar-pointer HMM decoded.

    Args:
        path: beats and their places in the bar; two at least.
        likelihood: of a beat at every tick, (T,).
        duration: of the song, s.
        confidence: 0 to 1.

    >>> found = BarPath(np.array([50, 100, 150]), np.array([3, 0, 1]), np.array([4, 4, 4]))
    >>> grid = bar_grid(found, np.zeros(200), 2.0, 1.0)
    >>> grid.beats.tolist(), grid.downbeats.tolist()
    ([0.0, 0.5, 1.0, 1.5, 2.0, 2.5], [1.0])
    """
    strength = likelihood[np.clip(path.ticks, 0, len(likelihood) - 1)] + 1e-3
    even = smoothed(_refined(path.ticks, likelihood), strength)
    beats = extrapolated(even, duration)
    earlier = int(np.searchsorted(beats, even[0] - 1e-9))
    first, last = path.places[0], path.places[-1]
    before = (first - np.arange(earlier, 0, -1)) % path.metres[0]
    after = (last + np.arange(1, len(beats) - earlier - len(even) + 1)) % path.metres[-1]
    bars = np.flatnonzero(np.concatenate((before, path.places, after)) == 0)
    metre = int(np.bincount(path.metres).argmax())
    return Grid(
        beats, beats_per_bar=metre, confidence=confidence, bars=bars if len(bars) else np.zeros(1, np.int64)
    )


def grid_from_activations(events: AnyArray, duration: float) -> Grid:
    """Estimate the beats and bars from the activations of the event network.

    Args:
        events: likelihood of a beat, of a downbeat and of others, (T, 2 or more) per frame.
        duration: of the song, s.

    Returns:
        the grid; a clock with confidence 0 where no beat was detected.

    >>> grid_from_activations(np.zeros((100, 5), np.float32), 2.3).confidence
    0.0
    """
    ticks = on_clock(np.asarray(events[:, :2], np.float32), duration)
    path = decode_bars(ticks[:, 0], ticks[:, 1])
    if len(path.ticks) < GRID.min_line_beats // 2:
        return beat_clock(duration)
    detected = maximum_filter1d(ticks[:, 0], 2 * GRID.reach_ticks + 1)[path.ticks]
    confidence = float(
        np.clip(
            (detected.mean() - GRID.chance_likelihood) / (GRID.full_likelihood - GRID.chance_likelihood), 0, 1
        )
    )
    return (
        bar_grid(path, ticks[:, 0], duration, confidence)
        if confidence >= GRID.min_confidence
        else beat_clock(duration)
    )


def beat_clock(duration: float) -> Grid:
    """Return the grid of a song without a beat: 120 bpm from its first sample, confidence 0.

    >>> beat_clock(1.0).beats.tolist()
    [0.0, 0.5, 1.0]
    """
    beats = np.arange(max(1, int(np.ceil(duration * CLOCK_BPM / 60))) + 1) * 60 / CLOCK_BPM
    return Grid(beats, confidence=0.0)


def _refined(ticks: I64, likelihood: AnyArray) -> F64:
    """Return the centre of gravity of the squared likelihood around each tick, s."""
    around = np.arange(-GRID.reach_ticks, GRID.reach_ticks + 1)
    weights = likelihood[np.clip(ticks[:, None] + around, 0, len(likelihood) - 1)] ** 2 + 1e-6
    return np.asarray((ticks + (weights * around).sum(axis=1) / weights.sum(axis=1)) / CONTROL_RATE)


def smoothed(beats: F64, strength: AnyArray) -> F64:
    """Move every stretch of beats that a straight line fits onto it, and smooth the jitter of the others.

    Args:
        beats: (N,) s, increasing.
        strength: (N,), above 0: how clearly each was detected.

    >>> steps = np.concatenate((np.arange(20) * 0.5, 9.5 + np.arange(1, 20) * 0.4))
    >>> moved = smoothed(steps + 0.002 * (-1) ** np.arange(39), np.ones(39))
    >>> float(np.abs(moved - steps).max()) < 0.002
    True
    """
    even = beats.copy()
    waiting = [(0, len(beats))]
    while waiting:
        first, last = waiting.pop()
        detected, weight = beats[first:last], strength[first:last]
        if last - first < GRID.min_line_beats:
            continue
        index = np.arange(last - first)
        line = np.polynomial.Polynomial.fit(index, detected, 1, w=np.sqrt(weight))(index)
        away = np.convolve(np.pad(line - detected, 2, mode="edge"), np.full(5, 0.2), mode="valid")
        if np.abs(away).max() <= GRID.max_line_error_seconds:
            even[first:last] = line
        elif last - first >= 2 * GRID.min_line_beats:
            middle = first + _breakpoint(detected, weight)
            waiting += [(first, middle), (middle, last)]
        else:
            even[first:last] = _locally_smoothed(detected, weight)
    return even if np.all(np.diff(even) > 0) else beats


def _locally_smoothed(beats: F64, strength: AnyArray) -> F64:
    """Move each beat onto the straight line that fits its neighbours best, within a limit.

    Neighbours are weighted by a Gaussian (local linear regression).
    """
    steady = np.linspace(beats[0], beats[-1], len(beats))
    offset = np.arange(-3 * GRID.smoothing_beats, 3 * GRID.smoothing_beats + 1)
    bell = np.exp(-0.5 * np.square(offset / GRID.smoothing_beats))

    def moment(values: AnyArray, power: int) -> F64:
        return np.convolve(np.pad(values, len(bell) // 2), bell * (-offset) ** power, mode="valid")

    s0, s1, s2 = (moment(strength, power) for power in range(3))
    t0, t1 = (moment(strength * (beats - steady), power) for power in range(2))
    # value of the weighted least-squares line at its middle, from moments S of weights and T of times
    line = steady + (s2 * t0 - s1 * t1) / (s0 * s2 - s1 * s1)
    return np.asarray(beats + np.clip(line - beats, -GRID.max_shift_seconds, GRID.max_shift_seconds))


def _breakpoint(beats: F64, strength: AnyArray) -> int:
    """Return where two straight lines in a row fit beats (N,) s best: the first index of the second."""
    errors = _line_errors(beats, strength)[:-1] + _line_errors(beats[::-1], strength[::-1])[-2::-1]
    return GRID.min_line_beats + int(
        errors[GRID.min_line_beats - 1 : len(beats) - GRID.min_line_beats].argmin()
    )


def _line_errors(beats: F64, strength: AnyArray) -> F64:
    """Return the weighted squared error of the best line through the first 1, 2, ... N beats, (N,)."""
    place = np.arange(len(beats)) - len(beats) / 2
    late = beats - beats.mean()
    one, x, y, xx, xy, yy = (
        np.cumsum(strength * values) for values in (1, place, late, place**2, place * late, late**2)
    )
    spread = np.maximum(xx - x * x / one, 1e-12)
    # sum w (y - a - b x)^2 at its minimum = S_yy - S_xy^2 / S_xx, centred sums over prefixes
    return np.asarray(yy - y * y / one - np.square(xy - x * y / one) / spread)


def extrapolated(beats: F64, duration: float) -> F64:
    """Extrapolate beats at the nearest tempo, from the last at or before 0 s to the first after the end."""
    first, last = np.median(np.diff(beats[:8])), np.median(np.diff(beats[-8:]))
    earlier = beats[0] - first * np.arange(max(0, int(np.ceil(beats[0] / first - 1e-9))), 0, -1)
    missing = max(0, int(np.floor((duration - beats[-1]) / last)) + 1)
    return np.concatenate((earlier, beats, beats[-1] + last * np.arange(1, missing + 1)))


def doubled(grid: Grid, duration: float) -> Grid:
    """Return the grid at double tempo: a beat in the middle between any two.

    >>> doubled(Grid(np.arange(4.0)), 2.9).beats.tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    """
    places = np.arange(0, len(grid.beats) - 0.5, 0.5)
    return _with_tempo(grid, np.interp(places, np.arange(len(grid.beats)), grid.beats), duration)


def halved(grid: Grid, duration: float) -> Grid:
    """Return the grid at half tempo: every other beat, with the first of the first bar.

    >>> halved(Grid(np.arange(8.0), first_downbeat=1), 7.0).beats.tolist()
    [-1.0, 1.0, 3.0, 5.0, 7.0, 9.0]
    """
    beats = grid.beats[grid.first_downbeat % 2 :: 2]
    beats = beats if len(beats) > 1 else beats[0] + np.array([0.0, 120 / grid.tempo])
    return _with_tempo(grid, beats, duration)


def _with_tempo(grid: Grid, beats: F64, duration: float) -> Grid:
    return even_bars(
        extrapolated(beats, duration), float(grid.downbeats[0]), grid.beats_per_bar, grid.confidence
    )


def with_period(grid: Grid, period: float, duration: float) -> Grid:
    """Return beats ``period`` s apart over a song, where most of the detected beats are.

    The phase is the circular mean of the detected beats; where they are denser, of those in phase with the
    bars. Bars begin where most of the detected ones do.

    >>> with_period(Grid(np.array([0.1, 0.6, 1.0, 1.6, 2.1])), 1.0, 2.5).beats.round(1).tolist()
    [-0.9, 0.1, 1.1, 2.1, 3.1]
    """
    every = max(1, round(period * grid.tempo / 60))
    detected = grid.beats[grid.first_downbeat % every :: every]
    phase = float(np.angle(np.exp(2j * np.pi * detected / period).mean())) / (2 * np.pi) * period
    first, last = math.floor(-phase / period), math.floor((duration - phase) / period) + 1
    beats = phase + period * np.arange(first, last + 1, dtype=np.float64)
    bars = np.round((grid.downbeats - beats[0]) / period).astype(int) % grid.beats_per_bar
    downbeat = beats[0] + period * int(np.bincount(bars).argmax())
    return even_bars(beats, float(downbeat), grid.beats_per_bar, 1.0)


def even_bars(beats: F64, downbeat: float, metre: int, confidence: float) -> Grid:
    """Return a grid of equal bars, one of which begins on the beat nearest to ``downbeat`` s.

    >>> even_bars(np.arange(8.0), 4.9, 3, 1.0).downbeats.tolist()
    [2.0, 5.0]
    """
    nearest = int(np.abs(beats - downbeat).argmin())
    return Grid(beats, nearest % metre, metre, confidence)


def extended(given: Grid, duration: float) -> Grid:
    """Extrapolate given beats and bars over the whole song.

    >>> extended(Grid(np.array([3.0, 4, 5]), beats_per_bar=4, bars=np.array([1])), 9.0).downbeats.tolist()
    [0.0, 4.0, 8.0]
    """
    beats, metre = extrapolated(given.beats, duration), given.beats_per_bar
    inside = given.bars + int(np.searchsorted(beats, given.beats[0]))
    before, after = np.arange(inside[0] % metre, inside[0], metre), np.arange(inside[-1], len(beats), metre)
    return Grid(beats, beats_per_bar=metre, bars=np.concatenate((before, inside, after[1:])))
