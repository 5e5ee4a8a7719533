"""Curves, events, sections and the grid of beats: what a song is described by.

Times are seconds from the first sample. A curve lives on the control clock of 100 values per second, value
i at ``i / 100`` s, whatever the video's frame rate. Arrays are read-only.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["CONTROL_RATE", "Curve", "Events", "Grid", "Sections", "clock"]

CONTROL_RATE = 100
"""Values per second of every curve."""


def clock(duration: float) -> NDArray[np.float64]:
    """Return the times of a song's control values, (T,) s: every 10 ms up to `duration` s, at least one.

    >>> len(clock(0.5)), len(clock(0.0))
    (50, 1)
    """
    return np.arange(max(1, int(np.ceil(duration * CONTROL_RATE - 1e-6)))) / CONTROL_RATE


def _frozen(values: ArrayLike, dtype: type[np.floating]) -> NDArray[np.floating]:
    array = np.array(values, dtype=dtype, order="C")
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class Curve:
    """Something that changes through the song, on the 100 Hz control clock.

    Attributes:
        values: float32 (T, C), finite; one column per channel. A (T,) array becomes (T, 1).
        labels: one name per channel, or none.

    Raises:
        ValueError: empty, not finite, or labels that do not match the channels.
    """

    values: NDArray[np.float32]
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
        object.__setattr__(self, "values", _frozen(values, np.float32))

    @property
    def channels(self) -> int:
        """Number of channels, C."""
        return int(self.values.shape[1])

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.values) / CONTROL_RATE

    def at(self, times: ArrayLike) -> NDArray[np.float32]:
        """Interpolate linearly at ``times`` (B,) s; the ends hold. Returns float32 (B, C).

        >>> Curve(np.array([0.0, 1.0])).at([0.005]).item()
        0.5
        """
        position = np.clip(np.asarray(times, np.float64) * CONTROL_RATE, 0, len(self.values) - 1)
        low = np.floor(position).astype(np.int64)
        high = np.minimum(low + 1, len(self.values) - 1)
        weight = (position - low)[:, None]
        return (self.values[low] * (1 - weight) + self.values[high] * weight).astype(np.float32)

    def mean_between(self, edges: ArrayLike) -> NDArray[np.float32]:
        """Average the curve between neighbouring ``edges`` (B + 1,) s, increasing. Returns float32 (B, C).

        The average is over all time between two edges, so nothing that happens between frames is lost.

        >>> Curve(np.array([0.0, 1.0, 0.0])).mean_between([0.0, 0.02]).item()
        0.5
        """
        position = np.asarray(edges, np.float64) * CONTROL_RATE
        first = np.floor(position[:-1]).astype(np.int64)
        span = np.arange(int((np.ceil(position[1:]) - first).max(initial=0)) + 1)
        near = first[:, None] + span
        weights = _hat_area(position[1:, None] - near) - _hat_area(position[:-1, None] - near)
        weights /= np.diff(position)[:, None]
        inside = self.values[np.clip(near, 0, len(self.values) - 1)]
        mean = np.zeros((len(first), self.channels))
        for place in span:  # in the same order for every frame, however many there are
            mean += weights[:, place, None] * inside[:, place]
        return mean.astype(np.float32)

    def max_between(self, edges: ArrayLike) -> NDArray[np.float32]:
        """Take the highest value between neighbouring ``edges`` (B + 1,) s. Returns float32 (B, C).

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


def _hat_area(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Integrate the hat that linear interpolation gives every value, max(0, 1 - |t|), from -infinity to x."""
    x = np.clip(x, -1, 1)
    return np.asarray(0.5 + x - np.sign(x) * x * x / 2)


@dataclass(frozen=True, eq=False)
class Events:
    """Moments in the song: hits, onsets.

    Attributes:
        times: float64 (N,) s, not decreasing.
        strengths: float64 (N,) in [0, 1]; all 1 when not given.
    """

    times: NDArray[np.float64]
    strengths: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        times = _frozen(self.times, np.float64)
        strengths = np.asarray(self.strengths)
        strengths = np.ones_like(times) if strengths.size == 0 else strengths
        if times.ndim != 1 or strengths.shape != times.shape:
            raise ValueError(f"events need one strength per time, not {strengths.shape} for {times.shape}")
        if np.any(np.diff(times) < 0):
            raise ValueError("event times must not decrease")
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "strengths", _frozen(strengths, np.float64))

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, eq=False)
class Grid:
    """The song's beats and bars.

    Attributes:
        beats: float64 (N,) s, N >= 2, increasing, covering the whole song: before the first and after the
            last detected beat, the nearest tempo is extrapolated.
        first_downbeat: index into ``beats`` of a beat that begins a bar.
        beats_per_bar: the metre most of the song is in.
        confidence: 0 (no beat was detected; the grid is only a clock) to 1.
        bars: int64 (M,), M >= 1, increasing: which beats begin a bar. Unless given, every
            ``beats_per_bar``-th; given, they may differ in length, and ``first_downbeat`` is the first.

    Raises:
        ValueError: fewer than two beats, beats that do not increase, or bars outside of them.
    """

    beats: NDArray[np.float64]
    first_downbeat: int = 0
    beats_per_bar: int = 4
    confidence: float = 1.0
    bars: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        beats = _frozen(self.beats, np.float64)
        if beats.ndim != 1 or len(beats) < 2 or np.any(np.diff(beats) <= 0):
            raise ValueError("a grid needs two or more increasing beats")
        bars = np.array(self.bars, np.int64)
        if bars.size == 0:
            first = min(self.first_downbeat % self.beats_per_bar, len(beats) - 1)
            bars = np.arange(first, len(beats), self.beats_per_bar)
        if bars.ndim != 1 or np.any(np.diff(bars) <= 0) or not 0 <= bars[0] <= bars[-1] < len(beats):
            raise ValueError("bars begin on increasing beats of the grid")
        bars.setflags(write=False)
        object.__setattr__(self, "beats", beats)
        object.__setattr__(self, "bars", bars)
        object.__setattr__(self, "first_downbeat", int(bars[0]))

    @property
    def tempo(self) -> float:
        """Beats per minute, the median of all beat intervals."""
        return 60 / float(np.median(np.diff(self.beats)))

    @property
    def downbeats(self) -> NDArray[np.float64]:
        """The beats that begin a bar, (M,) s."""
        return self.beats[self.bars]

    def beat_at(self, times: ArrayLike) -> NDArray[np.float64]:
        """Position in beats at ``times`` (B,) s; 0 on the first beat, linear between, going on outside.

        >>> Grid(np.array([0.5, 1.0, 1.5])).beat_at([0.0, 0.75, 2.0]).tolist()
        [-1.0, 0.5, 3.0]
        """
        times = np.asarray(times, np.float64)
        low = np.clip(np.searchsorted(self.beats, times, side="right") - 1, 0, len(self.beats) - 2)
        step = self.beats[low + 1] - self.beats[low]
        return np.asarray(low + (times - self.beats[low]) / step)

    def bar_at(self, times: ArrayLike) -> NDArray[np.float64]:
        """Position in bars at ``times`` (B,) s; whole numbers on the downbeats, 0 on the first.

        A bar passes at the pace of its beats; before the first and after the last downbeat a bar has the
        usual number of beats.

        >>> Grid(np.arange(8.0), first_downbeat=1).bar_at([1.0, 5.0]).tolist()
        [0.0, 1.0]
        """
        beat = self.beat_at(times)
        last = int(self.bars[-1])
        inside = np.interp(beat, self.bars, np.arange(len(self.bars), dtype=np.float64))
        outside = np.minimum(beat - self.bars[0], 0) + np.maximum(beat - last, 0)
        return np.asarray(inside + outside / self.beats_per_bar)


@dataclass(frozen=True, eq=False)
class Sections:
    """The parts of a song, one after the other without gaps; similar parts share a label.

    Attributes:
        bounds: float64 (N + 1,) s, increasing: where each part begins, and the end.
        labels: one name per part, usually A, B, C in order of appearance.
        energies: float64 (N,) in [0, 1], how loud each part is among the others; the loudest has 1. All 1
            when not given.

    Raises:
        ValueError: fewer than one part, bounds that do not increase, or labels that do not match.
    """

    bounds: NDArray[np.float64]
    labels: tuple[str, ...]
    energies: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        bounds = _frozen(self.bounds, np.float64)
        if bounds.ndim != 1 or len(bounds) < 2 or np.any(np.diff(bounds) <= 0):
            raise ValueError("sections need two or more increasing bounds")
        energies = np.asarray(self.energies)
        energies = np.ones(len(bounds) - 1) if energies.size == 0 else energies
        if len(self.labels) != len(bounds) - 1 or energies.shape != (len(bounds) - 1,):
            raise ValueError(
                f"{len(self.labels)} labels and {energies.shape} energies for {len(bounds) - 1} parts"
            )
        object.__setattr__(self, "bounds", bounds)
        object.__setattr__(self, "labels", tuple(self.labels))
        object.__setattr__(self, "energies", _frozen(energies, np.float64))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def loudest(self) -> str:
        """The label of the loudest part."""
        return self.labels[int(self.energies.argmax())]

    def index_at(self, times: ArrayLike) -> NDArray[np.int64]:
        """Which part plays at ``times`` (B,) s; outside the song its first or last part. Returns int64 (B,).

        >>> Sections(np.array([0.0, 4.0, 8.0]), ("A", "B")).index_at([-1.0, 3.9, 4.0, 9.0]).tolist()
        [0, 0, 1, 1]
        """
        found = np.searchsorted(self.bounds, np.asarray(times, np.float64), side="right") - 1
        return np.clip(found, 0, len(self) - 1)

    def find(self, label: str, occurrence: int = 1) -> tuple[float, float]:
        """Return where the part ``label`` begins and ends when it is heard for the n-th time, s.

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
