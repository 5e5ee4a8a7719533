"""Curves, events, sections and the grid of beats: what a song is described by.

Times are seconds from the first sample. A curve lives on the control clock of 100 values per second, value
i at ``i / 100`` s, whatever the video's frame rate. Arrays are read-only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clavilux.arrays import F32, F64, I64

__all__ = ["CONTROL_RATE", "Curve", "Events", "Grid", "Sections", "clock"]

CONTROL_RATE = 100
"""Values per second of every curve."""


def clock(duration: float) -> F64:
    """Return the times of a song's control values, (T,) s: every 10 ms up to `duration` s, at least one.

    >>> len(clock(0.5)), len(clock(0.0))
    (50, 1)
    """
    return np.arange(max(1, int(np.ceil(duration * CONTROL_RATE - 1e-6)))) / CONTROL_RATE


def _read_only(values: ArrayLike, dtype: type[np.generic]) -> NDArray[Any]:
    """Return a copy that cannot be written to."""
    array = np.array(values, dtype=dtype, order="C")
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class Curve:
    """Values over the whole song, on the 100 Hz control clock.

    Attributes:
        values: float32 (T, C), finite; one column per channel. A (T,) array becomes (T, 1).
        labels: one name per channel, or none.

    Raises:
        ValueError: empty, not finite, or labels that do not match the channels.
    """

    values: F32
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        values = np.asarray(self.values)
        values = values[:, None] if values.ndim == 1 else values
        if values.ndim != 2 or values.size == 0:
            raise ValueError(f"a curve is a non-empty (T, C) array, not {values.shape}")
        if not np.isfinite(values).all():
            raise ValueError("a curve must be finite")
        if self.labels and len(self.labels) != values.shape[1]:
            raise ValueError(f"{len(self.labels)} labels for {values.shape[1]} channels")
        object.__setattr__(self, "values", _read_only(values, np.float32))

    @property
    def channels(self) -> int:
        """Number of channels, C."""
        return int(self.values.shape[1])

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.values) / CONTROL_RATE

    def at(self, times: ArrayLike) -> F32:
        """Interpolate linearly at ``times`` (B,) s; the ends hold. Returns float32 (B, C).

        >>> Curve(np.array([0.0, 1.0])).at([0.005]).item()
        0.5
        """
        position = np.clip(np.asarray(times, np.float64) * CONTROL_RATE, 0, len(self.values) - 1)
        low = np.floor(position).astype(np.int64)
        high = np.minimum(low + 1, len(self.values) - 1)
        weight = (position - low)[:, None]
        return (self.values[low] * (1 - weight) + self.values[high] * weight).astype(np.float32)

    def mean_between(self, edges: ArrayLike) -> F32:
        """Return the mean between neighbouring ``edges`` (B + 1,) s, increasing. Returns float32 (B, C).

        The mean is over all time between two edges, so nothing between two frames is lost.

        >>> Curve(np.array([0.0, 1.0, 0.0])).mean_between([0.0, 0.02]).item()
        0.5
        """
        position = np.asarray(edges, np.float64) * CONTROL_RATE
        first = np.floor(position[:-1]).astype(np.int64)
        span = np.arange(int((np.ceil(position[1:]) - first).max(initial=0)) + 1)
        # Each control value k weighs A(last - k) - A(first - k), A the integral of its hat.
        near = first[:, None] + span
        weights = _hat_area(position[1:, None] - near) - _hat_area(position[:-1, None] - near)
        weights /= np.diff(position)[:, None]
        inside = self.values[np.clip(near, 0, len(self.values) - 1)]
        mean = np.zeros((len(first), self.channels))
        for place in span:  # in the same order for every frame, however many there are
            mean += weights[:, place, None] * inside[:, place]
        return mean.astype(np.float32)

    def max_between(self, edges: ArrayLike) -> F32:
        """Return the maximum between neighbouring ``edges`` (B + 1,) s. Returns float32 (B, C).

        >>> Curve(np.array([0.0, 1.0, 0.0])).max_between([0.0, 0.02]).item()
        1.0
        """
        edges = np.asarray(edges, np.float64)
        ends = self.at(edges)
        first = np.ceil(edges[:-1] * CONTROL_RATE - 1e-9).astype(np.int64)
        last = np.floor(edges[1:] * CONTROL_RATE - 1e-9).astype(np.int64)
        span = np.arange(max(0, int((last - first).max(initial=-1))) + 1)
        inside = np.clip(np.minimum(first[:, None] + span, last[:, None]), 0, len(self.values) - 1)
        highest = np.where((last >= first)[:, None], self.values[inside].max(axis=1), -np.inf)
        return np.maximum(np.maximum(ends[:-1], ends[1:]), highest).astype(np.float32)


def _hat_area(x: F64) -> F64:
    # The integral of the kernel of linear interpolation, max(0, 1 - |t|), from -infinity to x
    x = np.clip(x, -1, 1)
    return np.asarray(0.5 + x - np.sign(x) * x * x / 2)


@dataclass(frozen=True, eq=False, init=False)
class Events:
    """Points in time in the song: hits, onsets, beats.

    Attributes:
        times: float64 (N,) s, not decreasing.
        strengths: float64 (N,) in [0, 1]; by default all 1.

    Raises:
        ValueError: times that decrease, or strengths that do not match.
    """

    times: F64
    strengths: F64

    def __init__(self, times: ArrayLike, strengths: ArrayLike | None = None) -> None:
        times = _read_only(times, np.float64)
        strengths = _read_only(np.ones_like(times) if strengths is None else strengths, np.float64)
        if times.ndim != 1 or strengths.shape != times.shape:
            raise ValueError(f"events need one strength per time, not {strengths.shape} for {times.shape}")
        if np.any(np.diff(times) < 0):
            raise ValueError("event times must not decrease")
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "strengths", strengths)

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, eq=False, init=False)
class Grid:
    """The song's beats and bars.

    Attributes:
        beats: float64 (N,) s, N >= 2, increasing, covering the whole song: before the first and after the
            last detected beat, the nearest tempo is extrapolated.
        beats_per_bar: the metre of most of the song.
        confidence: 0 (no beat was detected; the grid is only a clock) to 1.
        bars: int64 (M,), M >= 1, increasing: the indices of the beats that begin a bar. By default every
            ``beats_per_bar``-th beat, counted from ``first_downbeat`` in both directions.

    Raises:
        ValueError: fewer than two beats, beats that do not increase, or bars outside of them.
    """

    beats: F64
    beats_per_bar: int
    confidence: float
    bars: I64

    def __init__(
        self,
        beats: ArrayLike,
        first_downbeat: int = 0,
        beats_per_bar: int = 4,
        confidence: float = 1.0,
        bars: ArrayLike | None = None,
    ) -> None:
        beats = _read_only(beats, np.float64)
        if beats.ndim != 1 or len(beats) < 2 or np.any(np.diff(beats) <= 0):
            raise ValueError("a grid needs two or more increasing beats")
        if bars is None:
            bars = np.arange(min(first_downbeat % beats_per_bar, len(beats) - 1), len(beats), beats_per_bar)
        bars = _read_only(bars, np.int64)
        increasing = bars.ndim == 1 and len(bars) and np.all(np.diff(bars) > 0)
        if not increasing or bars[0] < 0 or bars[-1] >= len(beats):
            raise ValueError("bars begin on increasing beats of the grid")
        object.__setattr__(self, "beats", beats)
        object.__setattr__(self, "beats_per_bar", beats_per_bar)
        object.__setattr__(self, "confidence", confidence)
        object.__setattr__(self, "bars", bars)

    @property
    def first_downbeat(self) -> int:
        """The index of the first beat that begins a bar."""
        return int(self.bars[0])

    @property
    def tempo(self) -> float:
        """Beats per minute, the median of all beat intervals."""
        return 60 / float(np.median(np.diff(self.beats)))

    @property
    def downbeats(self) -> F64:
        """The beats that begin a bar, (M,) s."""
        return self.beats[self.bars]

    def beat_at(self, times: ArrayLike) -> F64:
        """Return the position in beats at ``times`` (B,) s: 0 on the first beat, linear, also extrapolated.

        >>> Grid(np.array([0.5, 1.0, 1.5])).beat_at([0.0, 0.75, 2.0]).tolist()
        [-1.0, 0.5, 3.0]
        """
        times = np.asarray(times, np.float64)
        low = np.clip(np.searchsorted(self.beats, times, side="right") - 1, 0, len(self.beats) - 2)
        step = self.beats[low + 1] - self.beats[low]
        return np.asarray(low + (times - self.beats[low]) / step)

    def time_of_beat(self, positions: ArrayLike) -> F64:
        """Return the times (B,) s of positions in beats: the inverse of `beat_at`.

        >>> Grid(np.array([0.5, 1.0, 1.5])).time_of_beat([-1.0, 0.5, 3.0]).tolist()
        [0.0, 0.75, 2.0]
        """
        positions = np.asarray(positions, np.float64)
        low = np.clip(np.floor(positions).astype(np.int64), 0, len(self.beats) - 2)
        step = self.beats[low + 1] - self.beats[low]
        return np.asarray(self.beats[low] + (positions - low) * step)

    def bar_at(self, times: ArrayLike) -> F64:
        """Return the position in bars at ``times`` (B,) s: whole numbers on the downbeats, 0 on the first.

        A bar advances with its beats; before the first and after the last downbeat, bars of
        ``beats_per_bar`` beats are extrapolated.

        >>> Grid(np.arange(8.0), first_downbeat=1).bar_at([1.0, 5.0]).tolist()
        [0.0, 1.0]
        """
        beat = self.beat_at(times)
        last = int(self.bars[-1])
        inside = np.interp(beat, self.bars, np.arange(len(self.bars), dtype=np.float64))
        outside = np.minimum(beat - self.bars[0], 0) + np.maximum(beat - last, 0)
        return np.asarray(inside + outside / self.beats_per_bar)

    def time_of_bar(self, positions: ArrayLike) -> F64:
        """Return the times (B,) s of positions in bars: the inverse of `bar_at`.

        >>> Grid(np.arange(8.0), first_downbeat=1).time_of_bar([0.0, 1.5]).tolist()
        [1.0, 7.0]
        """
        positions = np.asarray(positions, np.float64)
        last = len(self.bars) - 1
        inside = np.interp(positions, np.arange(last + 1), self.bars)
        outside = np.minimum(positions, 0) + np.maximum(positions - last, 0)
        return self.time_of_beat(inside + outside * self.beats_per_bar)


@dataclass(frozen=True, eq=False, init=False)
class Sections:
    """The parts of a song, one after the other without gaps; similar parts share a label.

    Attributes:
        bounds: float64 (N + 1,) s, increasing: where each part begins, and the end.
        labels: one name per part, usually A, B, C in order of appearance.
        energies: float64 (N,) in [0, 1], the level of each part relative to the loudest, which has 1; by
            default all 1.

    Raises:
        ValueError: no part, bounds that do not increase, or labels or energies that do not match.
    """

    bounds: F64
    labels: tuple[str, ...]
    energies: F64

    def __init__(self, bounds: ArrayLike, labels: Sequence[str], energies: ArrayLike | None = None) -> None:
        bounds = _read_only(bounds, np.float64)
        if bounds.ndim != 1 or len(bounds) < 2 or np.any(np.diff(bounds) <= 0):
            raise ValueError("sections need two or more increasing bounds")
        count = len(bounds) - 1
        energies = _read_only(np.ones(count) if energies is None else energies, np.float64)
        if len(labels) != count or energies.shape != (count,):
            raise ValueError(f"{len(labels)} labels and {energies.shape} energies for {count} parts")
        object.__setattr__(self, "bounds", bounds)
        object.__setattr__(self, "labels", tuple(labels))
        object.__setattr__(self, "energies", energies)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def loudest(self) -> str:
        """The label of the loudest part."""
        return self.labels[int(self.energies.argmax())]

    def index_at(self, times: ArrayLike) -> I64:
        """Return the index of the part at ``times`` (B,) s, int64 (B,); outside the song its first or last.

        >>> Sections(np.array([0.0, 4.0, 8.0]), ("A", "B")).index_at([-1.0, 3.9, 4.0, 9.0]).tolist()
        [0, 0, 1, 1]
        """
        found = np.searchsorted(self.bounds, np.asarray(times, np.float64), side="right") - 1
        return np.clip(found, 0, len(self) - 1)

    def find(self, label: str, occurrence: int = 1) -> tuple[float, float]:
        """Return the beginning and end, s, of the n-th part that has this label.

        Raises:
            KeyError: there is no such part.

        >>> Sections(np.array([0.0, 4.0, 8.0, 9.0]), ("A", "B", "A")).find("A", 2)
        (8.0, 9.0)
        """
        places = [index for index, name in enumerate(self.labels) if name == label]
        if not 1 <= occurrence <= len(places):
            raise KeyError(f"{label} {occurrence}")
        place = places[occurrence - 1]
        return float(self.bounds[place]), float(self.bounds[place + 1])
