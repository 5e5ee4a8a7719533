"""Bar-pointer HMM: the beats and bars that explain the beat and downbeat activations best.

After Krebs, Böck and Widmer (2015), written over beats instead of frames. A state is a beat: it falls on tick
t, is beat r of a bar of three or four, and came k ticks after the beat before it. With activations b_t of a
beat and d_t of a downbeat, the score of a path is the sum over its beats of

    log o_r(t) + sum of log(1 - max(b, d)) over the ticks since the last beat - cost(k | k')

where o_r is d_t for the first beat of a bar and b_t - d_t for the others, and cost(k | k') is proportional to
the relative change of tempo |k - k'| / k for small steps and constant for any jump. Decoding is exact
(Viterbi). A tick is one value of the 100 Hz clock. Ticks are computed as many at a time as the shortest
interval has, and the backpointers of a long song are recomputed stretch by stretch instead of being kept.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from clavilux.arrays import F32, F64, I64, AnyArray, Bools
from clavilux.curves import CONTROL_RATE

__all__ = ["METRES", "BarPath", "decode_bars"]


@dataclass(frozen=True)
class BarModel:
    """Costs and observation model; judged on the songs of known truth in docs/hearing.md.

    Attributes:
        max_tempo_step_ticks: largest difference of neighbouring intervals that is no jump.
        tempo_change_cost: of a relative change of tempo of 1 between two beats.
        tempo_jump_cost: of any other tempo.
        short_bar_cost: of a bar that ends early, or of another metre.
        usual_bpm, usual_octaves, usual_weight: log-normal prior of the first tempo.
        min_likelihood, max_likelihood: activations are clipped to these before the logarithm.
        exempt_ticks: ticks around a beat that do not count as silent.
        stretch_ticks: length of a stretch whose backpointers are kept at once, 200 s.
    """

    max_tempo_step_ticks: int = 4
    tempo_change_cost: float = 150.0
    tempo_jump_cost: float = 80.0
    short_bar_cost: float = 40.0
    usual_bpm: float = 120.0
    usual_octaves: float = 0.8
    usual_weight: float = 5.0
    min_likelihood: float = 0.1
    max_likelihood: float = 0.9
    exempt_ticks: int = 3
    stretch_ticks: int = 20_000


HMM = BarModel()
METRES = (4, 3)
MIN_BPM, MAX_BPM = 55.0, 215.0
"""Range of tempi, as usual in the literature."""
INTERVALS = np.arange(round(60 * CONTROL_RATE / MAX_BPM), round(60 * CONTROL_RATE / MIN_BPM) + 1)
MIN_INTERVAL_TICKS, MAX_INTERVAL_TICKS = int(INTERVALS[0]), int(INTERVALS[-1])
ROWS = sum(METRES)
LAST_ROWS = np.cumsum(METRES) - 1
"""Row of the last beat of each metre's bar; rows number the beats of a bar of four, then of three."""
FIRST_ROWS = LAST_ROWS - np.array(METRES) + 1
ROW_BEFORE = np.where(
    np.isin(np.arange(ROWS), FIRST_ROWS),
    LAST_ROWS[np.searchsorted(LAST_ROWS, np.arange(ROWS))],
    np.arange(ROWS) - 1,
)
"""Row of the beat before each in a full bar."""


@dataclass(frozen=True, eq=False)
class BarPath:
    """The decoded beats of a song, in order.

    Attributes:
        ticks: int64 (N,), where they fall.
        places: int64 (N,), which beat of its bar each is, from 0.
        metres: int64 (N,), how many beats that bar should have.
    """

    ticks: I64
    places: I64
    metres: I64


def decode_bars(beat: AnyArray, downbeat: AnyArray) -> BarPath:
    """Decode the best beats and bars for activations (T,) of a beat and of a downbeat at every tick.

    >>> clicks = np.full(1000, 0.01)
    >>> clicks[20::50] = 0.9
    >>> bars = np.full(1000, 0.01)
    >>> bars[70::200] = 0.9
    >>> path = decode_bars(clicks, bars)
    >>> path.ticks[:3].tolist(), path.places[:3].tolist()
    ([20, 70, 120], [3, 0, 1])
    """
    observations = _Observations.of(beat, downbeat)
    edges = [*range(0, observations.ticks, HMM.stretch_ticks), observations.ticks]
    stretches = list(pairwise(edges))
    states = [_Trellis.start()]
    for first, last in stretches:
        states.append(
            _forward(states[-1], observations, first, last)[0] if last < observations.ticks else states[-1]
        )
    found: list[tuple[int, int]] = []
    departure: _Backpointer | None = None
    for state, (first, last) in zip(reversed(states[:-1]), reversed(stretches), strict=True):
        end, steps = _forward(state, observations, first, last)
        departure = departure or _last_beat(end, observations)
        while departure.tick >= first:
            row, departure = steps.back(departure, first)
            found.append((departure.tick_after, row))
        del steps  # large, and not needed beside those of the stretch before
    ticks, rows = np.array(found[::-1], np.int64).reshape(-1, 2).T
    metre = np.searchsorted(LAST_ROWS, rows)
    return BarPath(ticks, rows - FIRST_ROWS[metre], np.array(METRES)[metre])


@dataclass(frozen=True, eq=False)
class _Observations:
    """Log likelihoods of the activations.

    Attributes:
        rows: (T, 7), log o_r(t), of a beat of each row at each tick.
        silence: (T + 1,), cumulative sum of log(1 - max(b, d)), of no beat.
    """

    rows: F32
    silence: F64

    @property
    def ticks(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, beat: AnyArray, downbeat: AnyArray) -> "_Observations":
        down = np.clip(downbeat, HMM.min_likelihood, HMM.max_likelihood)
        other = np.clip(beat - np.maximum(downbeat, 0), HMM.min_likelihood, HMM.max_likelihood)
        rows = np.repeat(np.log(other)[:, None], ROWS, axis=1).astype(np.float32)
        rows[:, FIRST_ROWS] = np.log(down)[:, None]
        silence = np.log1p(
            -np.clip(np.maximum(beat, downbeat), HMM.min_likelihood, HMM.max_likelihood)
        ) - np.log1p(-HMM.min_likelihood)
        return cls(rows, np.concatenate(([0.0], np.cumsum(silence))))

    def between(self, first: int, last: int) -> F32:
        """Return the log likelihood of silence before a beat at each tick by each interval, (t, K)."""
        ticks = np.arange(first, last)[:, None]
        begin = np.clip(ticks - INTERVALS + HMM.exempt_ticks + 1, 0, self.ticks)
        end = np.clip(ticks - HMM.exempt_ticks, 0, self.ticks)
        return np.asarray(self.silence[end] - self.silence[begin], np.float32)


@dataclass(frozen=True, eq=False)
class _Trellis:
    """Best scores of the last ``MAX_INTERVAL_TICKS`` ticks.

    Attributes:
        departing: (MAX_INTERVAL_TICKS, K, 7), of leaving a beat of each row by each interval.
        cut: (MAX_INTERVAL_TICKS, K), of starting a new bar by each interval after any row.
    """

    departing: F32
    cut: F32

    @classmethod
    def start(cls) -> "_Trellis":
        """Start with any interval and row; tempo has a log-normal prior."""
        usual = (
            -0.5
            * HMM.usual_weight
            * np.square(np.log2(60 * CONTROL_RATE / INTERVALS / HMM.usual_bpm) / HMM.usual_octaves)
        )
        departing = np.repeat(np.repeat(usual[None, :, None], MAX_INTERVAL_TICKS, axis=0), ROWS, axis=2)
        return cls(departing.astype(np.float32), (departing[:, :, 0] - HMM.short_bar_cost).astype(np.float32))


@dataclass(frozen=True)
class _Backpointer:
    """How a beat was left: at which tick, by which interval, being which row (-1: any, in a short bar).

    ``tick_after`` is the tick of the beat that followed.
    """

    tick: int
    interval: int
    row: int
    tick_after: int


@dataclass(frozen=True, eq=False)
class _Backpointers:
    """What is needed to trace the best path back through a stretch.

    Attributes:
        reached: float32 (t, K, 7), the score of a beat of each row reached by each interval.
        short: bool (t, K, 2), whether the first beat of each metre follows a short bar.
    """

    reached: F32
    short: Bools

    def back(self, left: _Backpointer, first: int) -> tuple[int, _Backpointer]:
        """Return the row of the beat that was left, and the backpointer of the beat before it."""
        tick = left.tick - first
        reached = self.reached[tick]
        low = max(0, left.interval - HMM.max_tempo_step_ticks)
        by_step = reached[low : left.interval + HMM.max_tempo_step_ticks + 1] - _transition_costs(
            low, left.interval
        )
        by_jump_scores = reached.max(axis=0) - np.float32(HMM.tempo_jump_cost)
        row = int(np.maximum(by_step.max(axis=0), by_jump_scores).argmax()) if left.row < 0 else left.row
        by_jump = by_jump_scores[row] > by_step[:, row].max()
        interval = int(reached[:, row].argmax() if by_jump else low + by_step[:, row].argmax())
        metre = int(np.searchsorted(LAST_ROWS, row))
        is_first = row == FIRST_ROWS[metre]
        before = -1 if is_first and self.short[tick, interval, metre] else int(ROW_BEFORE[row])
        return row, _Backpointer(left.tick - int(INTERVALS[interval]), interval, before, left.tick)


def _transition_costs(low: int, interval: int) -> F32:
    """Return the cost of leaving by ``interval`` a beat reached by the intervals from ``low`` on, (n, 1)."""
    high = min(interval + HMM.max_tempo_step_ticks + 1, len(INTERVALS))
    return np.asarray(
        HMM.tempo_change_cost * np.abs(np.arange(low, high) - interval)[:, None] / INTERVALS[interval],
        np.float32,
    )


def _forward(
    state: _Trellis, observations: _Observations, first: int, last: int
) -> tuple[_Trellis, _Backpointers]:
    """Run the forward pass over ticks [first, last); return the scores after them, and the backpointers."""
    departing, cut = state.departing, state.cut
    steps = _Backpointers(
        np.empty((last - first, len(INTERVALS), ROWS), np.float32),
        np.empty((last - first, len(INTERVALS), len(METRES)), np.bool_),
    )
    for tick in range(first, last, MIN_INTERVAL_TICKS):
        ticks = min(MIN_INTERVAL_TICKS, last - tick)
        here = slice(tick - first, tick - first + ticks)
        ago = MAX_INTERVAL_TICKS + np.arange(ticks)[:, None] - INTERVALS
        reached = departing[ago, np.arange(len(INTERVALS))][:, :, ROW_BEFORE]
        cut_short = cut[ago, np.arange(len(INTERVALS))][:, :, None]
        steps.short[here] = cut_short > reached[:, :, FIRST_ROWS]
        reached[:, :, FIRST_ROWS] = np.maximum(reached[:, :, FIRST_ROWS], cut_short)
        reached += observations.between(tick, tick + ticks)[:, :, None]
        reached += observations.rows[tick : tick + ticks, None, :]
        steps.reached[here] = reached
        left = _transitions(reached)
        departing = np.concatenate((departing[ticks:], left))
        cut = np.concatenate((cut[ticks:], left.max(axis=2) - np.float32(HMM.short_bar_cost)))
    return _Trellis(departing, cut), steps


def _transitions(reached: F32) -> F32:
    """Return the scores of leaving beats by each interval from those of reaching them, (t, K, 7)."""
    best = np.repeat(
        reached.max(axis=1, keepdims=True) - np.float32(HMM.tempo_jump_cost), len(INTERVALS), axis=1
    )
    for step in range(-HMM.max_tempo_step_ticks, HMM.max_tempo_step_ticks + 1):
        to, by = (slice(max(0, end), len(INTERVALS) + min(0, end)) for end in (-step, step))
        cost = np.float32(HMM.tempo_change_cost * abs(step)) / INTERVALS[to].astype(np.float32)
        np.maximum(best[:, to], reached[:, by] - cost[:, None], out=best[:, to])
    return best


def _last_beat(end: _Trellis, observations: _Observations) -> _Backpointer:
    """Choose the last beat: one whose next beat is after the end."""
    ticks = np.arange(observations.ticks - MAX_INTERVAL_TICKS, observations.ticks)
    quiet = (
        observations.silence[-1]
        - observations.silence[np.clip(ticks + HMM.exempt_ticks + 1, 0, observations.ticks)]
    )
    leaves = np.where((ticks[:, None] + INTERVALS >= observations.ticks)[:, :, None], end.departing, -np.inf)
    scores = leaves + quiet[:, None, None]
    tick, interval, row = np.unravel_index(int(scores.argmax()), scores.shape)
    return _Backpointer(int(ticks[tick]), int(interval), int(row), observations.ticks)
