"""The bar pointer: which beats and bars explain best what the ear heard.

A hidden Markov model after Krebs, Böck and Widmer (2015), written over beats instead of frames: a beat falls
on tick t, is the r-th of a bar of three or four, and came ``interval`` ticks after the one before it. Every
tick is a beat or none, at the likelihood that the ear gives it; neighbouring intervals differ little, a jump
of tempo or a bar cut short has its price. The best path is exact (Viterbi). A tick is one value of the 100 Hz
clock. Ticks are worked on as many at a time as the shortest interval has, and what a long song's path needs
is found again stretch by stretch instead of being kept.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clavilux.curves import CONTROL_RATE

__all__ = ["METRES", "Path", "decode_bars"]

Array = NDArray[np.float32]

METRES = (4, 3)
SLOWEST, FASTEST = 55.0, 215.0
"""bpm."""
INTERVALS = np.arange(round(60 * CONTROL_RATE / FASTEST), round(60 * CONTROL_RATE / SLOWEST) + 1)
SHORTEST, LONGEST = int(INTERVALS[0]), int(INTERVALS[-1])
ROWS = sum(METRES)
LAST_ROWS = np.cumsum(METRES) - 1
"""The last beat of each metre's bar; the beats of all bars are numbered through, four rows and then three."""
FIRST_ROWS = LAST_ROWS - np.array(METRES) + 1
ROW_BEFORE = np.where(
    np.isin(np.arange(ROWS), FIRST_ROWS),
    LAST_ROWS[np.searchsorted(LAST_ROWS, np.arange(ROWS))],
    np.arange(ROWS) - 1,
)
"""Of each row, the one before it in a full bar."""
BEND = 4
"""Ticks by which neighbouring intervals may differ without a jump."""
STIFFNESS = 150.0
"""Price of a relative change of tempo between two beats."""
JUMP = 80.0
"""Price of any other tempo."""
CUT = 40.0
"""Price of a bar that ends early, or of another metre."""
LIKELY_BPM, OCTAVES, USUAL = 120.0, 0.8, 5.0
"""A bell on the octave scale says what tempo is usual; it counts once, this much."""
LEAST, MOST = 0.1, 0.9
"""Likelihoods are taken to be no nearer to 0 and 1 than this."""
NEAR = 3
"""Ticks around a beat that are not asked to be silent."""
STRETCH = 20_000
"""Ticks per stretch, 200 s."""


@dataclass(frozen=True, eq=False)
class Path:
    """The beats of a song that were found, in order.

    Attributes:
        ticks: int64 (N,), where they fall.
        places: int64 (N,), which beat of its bar each is, from 0.
        metres: int64 (N,), how many beats that bar should have.
    """

    ticks: NDArray[np.int64]
    places: NDArray[np.int64]
    metres: NDArray[np.int64]


def decode_bars(beat: NDArray[np.floating], downbeat: NDArray[np.floating]) -> Path:
    """Find the best beats and bars for the likelihood (T,) of a beat, and of a downbeat, at every tick.

    >>> clicks = np.full(1000, 0.01)
    >>> clicks[20::50] = 0.9
    >>> bars = np.full(1000, 0.01)
    >>> bars[70::200] = 0.9
    >>> path = decode_bars(clicks, bars)
    >>> path.ticks[:3].tolist(), path.places[:3].tolist()
    ([20, 70, 120], [3, 0, 1])
    """
    evidence = _Evidence.of(beat, downbeat)
    edges = [*range(0, evidence.ticks, STRETCH), evidence.ticks]
    stretches = list(pairwise(edges))
    states = [_State.start()]
    for first, last in stretches:
        states.append(_run(states[-1], evidence, first, last)[0] if last < evidence.ticks else states[-1])
    found: list[tuple[int, int]] = []
    departure: _Departure | None = None
    for state, (first, last) in zip(reversed(states[:-1]), reversed(stretches), strict=True):
        end, steps = _run(state, evidence, first, last)
        departure = departure or _last_beat(end, evidence)
        while departure.tick >= first:
            row, departure = steps.back(departure, first)
            found.append((departure.tick_after, row))
        del steps  # large, and not needed beside those of the stretch before
    ticks, rows = np.array(found[::-1], np.int64).reshape(-1, 2).T
    metre = np.searchsorted(LAST_ROWS, rows)
    return Path(ticks, rows - FIRST_ROWS[metre], np.array(METRES)[metre])


@dataclass(frozen=True, eq=False)
class _Evidence:
    """What the ear heard, as logarithms.

    Attributes:
        rows: (T, 7) of a beat of each row at each tick.
        silence: (T + 1,), summed up, of no beat.
    """

    rows: Array
    silence: NDArray[np.float64]

    @property
    def ticks(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, beat: NDArray[np.floating], downbeat: NDArray[np.floating]) -> "_Evidence":
        down = np.clip(downbeat, LEAST, MOST)
        other = np.clip(beat - np.maximum(downbeat, 0), LEAST, MOST)
        rows = np.repeat(np.log(other)[:, None], ROWS, axis=1).astype(np.float32)
        rows[:, FIRST_ROWS] = np.log(down)[:, None]
        silence = np.log1p(-np.clip(np.maximum(beat, downbeat), LEAST, MOST)) - np.log1p(-LEAST)
        return cls(rows, np.concatenate(([0.0], np.cumsum(silence))))

    def between(self, first: int, last: int) -> Array:
        """Evidence of no beat between a beat at each tick [first, last) and the one before it, (t, K)."""
        ticks = np.arange(first, last)[:, None]
        begin = np.clip(ticks - INTERVALS + NEAR + 1, 0, self.ticks)
        end = np.clip(ticks - NEAR, 0, self.ticks)
        return np.asarray(self.silence[end] - self.silence[begin], np.float32)


@dataclass(frozen=True, eq=False)
class _State:
    """The last ticks' best scores, ``LONGEST`` of them.

    Attributes:
        leave: (LONGEST, K, 7), of going on with each interval after a beat of each row.
        cut: (LONGEST, K), of beginning a bar with each interval, whatever row came before.
    """

    leave: Array
    cut: Array

    @classmethod
    def start(cls) -> "_State":
        """Begin with any interval and row, at any tick of the first interval."""
        usual = -0.5 * USUAL * np.square(np.log2(60 * CONTROL_RATE / INTERVALS / LIKELY_BPM) / OCTAVES)
        leave = np.repeat(np.repeat(usual[None, :, None], LONGEST, axis=0), ROWS, axis=2)
        return cls(leave.astype(np.float32), (leave[:, :, 0] - CUT).astype(np.float32))


@dataclass(frozen=True)
class _Departure:
    """How a beat was left: at its tick, by which interval, being which row; -1 for any that cuts a bar short.

    ``tick_after`` is the tick of the beat that followed.
    """

    tick: int
    interval: int
    row: int
    tick_after: int


@dataclass(frozen=True, eq=False)
class _Steps:
    """What one needs to go back through a stretch.

    Attributes:
        reached: float32 (t, K, 7), the score of a beat of each row reached by each interval.
        short: bool (t, K, 2), whether the first beat of each metre follows a bar cut short.
    """

    reached: Array
    short: NDArray[np.bool_]

    def back(self, left: _Departure, first: int) -> tuple[int, _Departure]:
        """Return the row of the beat that was left, and how the beat before it was."""
        tick = left.tick - first
        reached = self.reached[tick]
        low = max(0, left.interval - BEND)
        bent = reached[low : left.interval + BEND + 1] - _prices(low, left.interval)
        jumped = reached.max(axis=0) - np.float32(JUMP)
        row = int(np.maximum(bent.max(axis=0), jumped).argmax()) if left.row < 0 else left.row
        by_jump = jumped[row] > bent[:, row].max()
        interval = int(reached[:, row].argmax() if by_jump else low + bent[:, row].argmax())
        metre = int(np.searchsorted(LAST_ROWS, row))
        is_first = row == FIRST_ROWS[metre]
        before = -1 if is_first and self.short[tick, interval, metre] else int(ROW_BEFORE[row])
        return row, _Departure(left.tick - int(INTERVALS[interval]), interval, before, left.tick)


def _prices(low: int, interval: int) -> Array:
    """What it costs to leave by ``interval`` a beat reached by the intervals from ``low`` on, (n, 1)."""
    high = min(interval + BEND + 1, len(INTERVALS))
    return np.asarray(
        STIFFNESS * np.abs(np.arange(low, high) - interval)[:, None] / INTERVALS[interval], np.float32
    )


def _run(state: _State, evidence: _Evidence, first: int, last: int) -> tuple[_State, _Steps]:
    """Go through ticks [first, last): the state after them, and the steps."""
    leave, cut = state.leave, state.cut
    steps = _Steps(
        np.empty((last - first, len(INTERVALS), ROWS), np.float32),
        np.empty((last - first, len(INTERVALS), len(METRES)), np.bool_),
    )
    for tick in range(first, last, SHORTEST):
        ticks = min(SHORTEST, last - tick)
        here = slice(tick - first, tick - first + ticks)
        ago = LONGEST + np.arange(ticks)[:, None] - INTERVALS
        reached = leave[ago, np.arange(len(INTERVALS))][:, :, ROW_BEFORE]
        cut_short = cut[ago, np.arange(len(INTERVALS))][:, :, None]
        steps.short[here] = cut_short > reached[:, :, FIRST_ROWS]
        reached[:, :, FIRST_ROWS] = np.maximum(reached[:, :, FIRST_ROWS], cut_short)
        reached += evidence.between(tick, tick + ticks)[:, :, None]
        reached += evidence.rows[tick : tick + ticks, None, :]
        steps.reached[here] = reached
        left = _departures(reached)
        leave = np.concatenate((leave[ticks:], left))
        cut = np.concatenate((cut[ticks:], left.max(axis=2) - np.float32(CUT)))
    return _State(leave, cut), steps


def _departures(reached: Array) -> Array:
    """From the scores of beats reached by each interval (t, K, 7) to those of leaving by each."""
    best = np.repeat(reached.max(axis=1, keepdims=True) - np.float32(JUMP), len(INTERVALS), axis=1)
    for bend in range(-BEND, BEND + 1):
        to, by = (slice(max(0, end), len(INTERVALS) + min(0, end)) for end in (-bend, bend))
        price = np.float32(STIFFNESS * abs(bend)) / INTERVALS[to].astype(np.float32)
        np.maximum(best[:, to], reached[:, by] - price[:, None], out=best[:, to])
    return best


def _last_beat(end: _State, evidence: _Evidence) -> _Departure:
    """Choose the last beat: one that is left for a beat after the end."""
    ticks = np.arange(evidence.ticks - LONGEST, evidence.ticks)
    quiet = evidence.silence[-1] - evidence.silence[np.clip(ticks + NEAR + 1, 0, evidence.ticks)]
    leaves = np.where((ticks[:, None] + INTERVALS >= evidence.ticks)[:, :, None], end.leave, -np.inf)
    scores = leaves + quiet[:, None, None]
    tick, interval, row = np.unravel_index(int(scores.argmax()), scores.shape)
    return _Departure(int(ticks[tick]), int(interval), int(row), evidence.ticks)
