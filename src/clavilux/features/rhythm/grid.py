"""The grid of beats and bars, made from decoded beats: smooth, covering the whole song, and its corrections.

Music made to a click has beats on a straight line, broken where the tempo changes; live playing drifts. Each
stretch of song is put onto the line that fits its beats best where one fits, and is smoothed where none does.
Times are seconds, tempi beats per minute.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from clavilux.arrays import F64, I64
from clavilux.curves import CONTROL_RATE, Grid
from clavilux.features.rhythm.bar_hmm import BarPath, decode_bars
from clavilux.features.spectrum.spectra import on_clock

__all__ = [
    "DEFAULT_BPM",
    "constant_tempo",
    "default_grid",
    "double_tempo",
    "extrapolate_beats",
    "extrapolate_grid",
    "grid_from_activations",
    "grid_from_path",
    "halve_tempo",
    "regular_bars",
    "smooth_beats",
]

DEFAULT_BPM = 120.0
"""Tempo of the grid where no beat is found."""


@dataclass(frozen=True)
class GridModel:
    """How decoded beats become a grid. Values were set by hand; docs/hearing.md has the scores they reach.

    Attributes:
        max_line_error_seconds: how far beats, five at a time, may be from a straight line that fits them.
        min_line_beats: beats that a line has at least.
        smoothing_beats: where no line fits, standard deviation of the Gaussian that smooths the beats.
        max_shift_seconds: how far smoothing may move a beat.
        centroid_ticks: ticks on either side of a beat from which its exact time is computed.
        noise_activation, clear_activation: mean activation of the beats at which confidence is 0, as speech
            may have, and 1.
        min_confidence: confidence below which there is no beat.
    """

    max_line_error_seconds: float = 0.012
    min_line_beats: int = 8
    smoothing_beats: float = 2.0
    max_shift_seconds: float = 0.04
    centroid_ticks: int = 3
    noise_activation: float = 0.33
    clear_activation: float = 0.65
    min_confidence: float = 0.1


GRID = GridModel()


def grid_from_activations(events: NDArray[np.floating], duration: float) -> Grid:
    """Find the beats and bars in the event network's activations.

    Args:
        events: activations of beat, downbeat and others, (T, 2 or more) per frame.
        duration: of the song, s.

    Returns:
        the grid; the `default_grid` of confidence 0 where there is no beat.

    >>> grid_from_activations(np.zeros((100, 5), np.float32), 2.3).confidence
    0.0
    """
    ticks = on_clock(np.asarray(events[:, :2], np.float32), duration)
    beat, downbeat = ticks.T
    path = decode_bars(beat, downbeat)
    if len(path.ticks) < GRID.min_line_beats // 2:
        return default_grid(duration)
    heights = scipy.ndimage.maximum_filter1d(beat, 2 * GRID.centroid_ticks + 1)[path.ticks]
    clear = (heights.mean() - GRID.noise_activation) / (GRID.clear_activation - GRID.noise_activation)
    confidence = float(np.clip(clear, 0, 1))
    if confidence < GRID.min_confidence:
        return default_grid(duration)
    return grid_from_path(path, beat, duration, confidence)


def grid_from_path(
    path: BarPath, activation: NDArray[np.floating], duration: float, confidence: float
) -> Grid:
    """Make a grid of decoded beats: exact times, smoothed, extrapolated over the song.

    Args:
        path: beats and their positions in the bar; two at least.
        activation: of a beat at every tick, (T,).
        duration: of the song, s.
        confidence: 0 to 1.

    >>> path = BarPath(np.array([50, 100, 150]), np.array([3, 0, 1]), np.array([4, 4, 4]))
    >>> grid = grid_from_path(path, np.zeros(200), 2.0, 1.0)
    >>> grid.beats.tolist(), grid.downbeats.tolist()
    ([0.0, 0.5, 1.0, 1.5, 2.0, 2.5], [1.0])
    """
    strength = activation[np.clip(path.ticks, 0, len(activation) - 1)] + 1e-3
    smoothed = smooth_beats(_centroids(path.ticks, activation), strength)
    beats = extrapolate_beats(smoothed, duration)
    # positions go on counting in both directions, in the first and in the last metre
    earlier = int(np.searchsorted(beats, smoothed[0] - 1e-9))
    later = len(beats) - earlier - len(smoothed)
    before = (path.positions[0] - np.arange(earlier, 0, -1)) % path.metres[0]
    after = (path.positions[-1] + np.arange(1, later + 1)) % path.metres[-1]
    bars = np.flatnonzero(np.concatenate((before, path.positions, after)) == 0)
    return Grid(
        beats,
        beats_per_bar=int(np.bincount(path.metres).argmax()),
        confidence=confidence,
        bars=bars if len(bars) else np.zeros(1, np.int64),
    )


def default_grid(duration: float) -> Grid:
    """Return the grid of a song without a beat: 120 bpm from its first sample, confidence 0.

    >>> default_grid(1.0).beats.tolist()
    [0.0, 0.5, 1.0]
    """
    beats = np.arange(max(1, int(np.ceil(duration * DEFAULT_BPM / 60))) + 1) * 60 / DEFAULT_BPM
    return Grid(beats, confidence=0.0)


def _centroids(ticks: I64, activation: NDArray[np.floating]) -> F64:
    """Return the centroid of the squared activation around each tick, s."""
    # t + sum of w(k) k / sum of w(k), with w(k) = b(t + k)^2 and k = -3 ... 3
    around = np.arange(-GRID.centroid_ticks, GRID.centroid_ticks + 1)
    weights = activation[np.clip(ticks[:, None] + around, 0, len(activation) - 1)] ** 2 + 1e-6
    return np.asarray((ticks + (weights * around).sum(axis=1) / weights.sum(axis=1)) / CONTROL_RATE)


def smooth_beats(beats: F64, strength: NDArray[np.floating]) -> F64:
    """Remove jitter: put each stretch of beats onto a straight line if one fits, and smooth the others.

    A stretch that no line fits is divided where two lines fit it best, down to a minimum length.

    Args:
        beats: (N,) s, increasing.
        strength: (N,), above 0: the weight of each.

    >>> steps = np.concatenate((np.arange(20) * 0.5, 9.5 + np.arange(1, 20) * 0.4))
    >>> smoothed = smooth_beats(steps + 0.002 * (-1) ** np.arange(39), np.ones(39))
    >>> float(np.abs(smoothed - steps).max()) < 0.002
    True
    """
    smoothed = beats.copy()
    waiting = [(0, len(beats))]
    while waiting:
        first, last = waiting.pop()
        times, weight = beats[first:last], strength[first:last]
        if last - first < GRID.min_line_beats:
            continue
        index = np.arange(last - first)
        line = np.polynomial.Polynomial.fit(index, times, 1, w=np.sqrt(weight))(index)
        error = np.convolve(np.pad(line - times, 2, mode="edge"), np.full(5, 0.2), mode="valid")
        if np.abs(error).max() <= GRID.max_line_error_seconds:
            smoothed[first:last] = line
        elif last - first >= 2 * GRID.min_line_beats:
            middle = first + _corner(times, weight)
            waiting += [(first, middle), (middle, last)]
        else:
            smoothed[first:last] = _local_lines(times, weight)
    return smoothed if np.all(np.diff(smoothed) > 0) else beats


def _local_lines(beats: F64, strength: NDArray[np.floating]) -> F64:
    """Move each beat towards the line that fits its neighbours best, weighted by a Gaussian, (N,) s."""
    steady = np.linspace(beats[0], beats[-1], len(beats))
    offset = np.arange(-3 * GRID.smoothing_beats, 3 * GRID.smoothing_beats + 1)
    gaussian = np.exp(-0.5 * np.square(offset / GRID.smoothing_beats))

    def moment(values: NDArray[np.floating], power: int) -> F64:
        # sum over k of g(k) values(n + k) k^power
        kernel = gaussian * (-offset) ** power
        return np.convolve(np.pad(values, len(gaussian) // 2), kernel, mode="valid")

    # local regression: the value at k = 0 is (S2 T0 - S1 T1) / (S0 S2 - S1^2), with moments S of the weights
    # and T of the weighted times
    s0, s1, s2 = (moment(strength, power) for power in range(3))
    t0, t1 = (moment(strength * (beats - steady), power) for power in range(2))
    line = steady + (s2 * t0 - s1 * t1) / (s0 * s2 - s1 * s1)
    return np.asarray(beats + np.clip(line - beats, -GRID.max_shift_seconds, GRID.max_shift_seconds))


def _corner(beats: F64, strength: NDArray[np.floating]) -> int:
    """Return the first beat of the second of two lines that fit beats (N,) s best, one after the other."""
    errors = _line_errors(beats, strength)[:-1] + _line_errors(beats[::-1], strength[::-1])[-2::-1]
    return GRID.min_line_beats + int(
        errors[GRID.min_line_beats - 1 : len(beats) - GRID.min_line_beats].argmin()
    )


def _line_errors(beats: F64, strength: NDArray[np.floating]) -> F64:
    """Return the weighted squared error of the best line through the first 1, 2, ... N beats, (N,)."""
    x, y = np.arange(len(beats)) - len(beats) / 2, beats - beats.mean()
    s1, sx, sy, sxx, sxy, syy = (np.cumsum(strength * values) for values in (1, x, y, x**2, x * y, y**2))
    # E = (Syy - Sy^2/S1) - (Sxy - Sx Sy/S1)^2 / (Sxx - Sx^2/S1): what linear regression leaves unexplained
    variance = np.maximum(sxx - sx * sx / s1, 1e-12)
    return np.asarray(syy - sy * sy / s1 - np.square(sxy - sx * sy / s1) / variance)


def extrapolate_beats(beats: F64, duration: float) -> F64:
    """Continue beats at the nearest tempo: back to the last at or before 0 s, on to the first after the end.

    >>> extrapolate_beats(np.array([1.0, 1.5, 2.0]), 3.1).tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    """
    first, last = np.median(np.diff(beats[:8])), np.median(np.diff(beats[-8:]))
    earlier = beats[0] - first * np.arange(max(0, int(np.ceil(beats[0] / first - 1e-9))), 0, -1)
    missing = max(0, int(np.floor((duration - beats[-1]) / last)) + 1)
    return np.concatenate((earlier, beats, beats[-1] + last * np.arange(1, missing + 1)))


def double_tempo(grid: Grid, duration: float) -> Grid:
    """Add a beat in the middle between any two.

    >>> double_tempo(Grid(np.arange(4.0)), 2.9).beats.tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    """
    positions = np.arange(0, len(grid.beats) - 0.5, 0.5)
    return _with_beats(grid, np.interp(positions, np.arange(len(grid.beats)), grid.beats), duration)


def halve_tempo(grid: Grid, duration: float) -> Grid:
    """Omit every other beat, but not the first of the first bar.

    >>> halve_tempo(Grid(np.arange(8.0), first_downbeat=1), 7.0).beats.tolist()
    [-1.0, 1.0, 3.0, 5.0, 7.0, 9.0]
    """
    beats = grid.beats[grid.first_downbeat % 2 :: 2]
    beats = beats if len(beats) > 1 else beats[0] + np.array([0.0, 120 / grid.tempo])
    return _with_beats(grid, beats, duration)


def _with_beats(grid: Grid, beats: F64, duration: float) -> Grid:
    beats = extrapolate_beats(beats, duration)
    return regular_bars(beats, float(grid.downbeats[0]), grid.beats_per_bar, grid.confidence)


def constant_tempo(grid: Grid, period: float, duration: float) -> Grid:
    """Replace the beats by a grid of one beat every ``period`` s, in phase with most of them.

    Where the grid has more beats than that, those in phase with its bars count. Bars begin where most of the
    grid's downbeats are.

    >>> constant_tempo(Grid(np.array([0.1, 0.6, 1.0, 1.6, 2.1])), 1.0, 2.5).beats.round(1).tolist()
    [-0.9, 0.1, 1.1, 2.1, 3.1]
    """
    every = max(1, round(period * grid.tempo / 60))
    found = grid.beats[grid.first_downbeat % every :: every]
    # circular mean: phase = arg(mean of exp(2 pi i t / period)) period / 2 pi
    phase = float(np.angle(np.exp(2j * np.pi * found / period).mean())) / (2 * np.pi) * period
    first, last = math.floor(-phase / period), math.floor((duration - phase) / period) + 1
    beats = phase + period * np.arange(first, last + 1, dtype=np.float64)
    positions = np.round((grid.downbeats - beats[0]) / period).astype(int) % grid.beats_per_bar
    downbeat = beats[0] + period * int(np.bincount(positions).argmax())
    return regular_bars(beats, float(downbeat), grid.beats_per_bar, 1.0)


def regular_bars(beats: F64, downbeat: float, beats_per_bar: int, confidence: float) -> Grid:
    """Make a grid of bars of one length, one of which begins on the beat nearest to ``downbeat`` s.

    >>> regular_bars(np.arange(8.0), 4.9, 3, 1.0).downbeats.tolist()
    [2.0, 5.0]
    """
    nearest = int(np.abs(beats - downbeat).argmin())
    return Grid(beats, nearest % beats_per_bar, beats_per_bar, confidence)


def extrapolate_grid(grid: Grid, duration: float) -> Grid:
    """Continue beats and bars, as they begin and end, over the whole song.

    >>> grid = Grid(np.array([3.0, 4, 5]), beats_per_bar=4, bars=np.array([1]))
    >>> extrapolate_grid(grid, 9.0).downbeats.tolist()
    [0.0, 4.0, 8.0]
    """
    beats, metre = extrapolate_beats(grid.beats, duration), grid.beats_per_bar
    inside = grid.bars + int(np.searchsorted(beats, grid.beats[0]))
    before, after = np.arange(inside[0] % metre, inside[0], metre), np.arange(inside[-1], len(beats), metre)
    return Grid(beats, beats_per_bar=metre, bars=np.concatenate((before, inside, after[1:])))
