"""Bar-pointer HMM: the most likely beats and bars for the activations of beat and downbeat.

The model of Krebs, Böck and Widmer (ISMIR 2015), written over beats instead of frames. A tick is one value of
the 100 Hz clock. Beat n of the song is described by three numbers:

    t_n      the tick it is on, 0 to T - 1
    i_n      the ticks since the beat before, one of K = 82 intervals from 28 (214 bpm) to 109 (55 bpm)
    s_n      which beat of which metre it is, one of S = 7 bar states: 0-3 of a bar of four, 4-6 of three

where t_n = t_{n-1} + i_n. Decoding is exact (Viterbi) and takes as many ticks at a time as the shortest
interval has, for none of them depends on another. Of a long song only the scores at the borders of stretches
are kept; the trellis of one stretch at a time is computed again for backtracking. Scores are log-likelihoods.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clavilux.arrays import F32, F64, I64, Bools
from clavilux.curves import CONTROL_RATE

__all__ = ["METRES", "BarPath", "decode_bars"]


@dataclass(frozen=True)
class BarModel:
    """Parameters of the HMM.

    Values were set by hand; docs/hearing.md has the scores they reach.

    Attributes:
        min_bpm, max_bpm: range of the tempo.
        max_tempo_step_ticks: ticks by which neighbouring intervals may differ without a jump of tempo.
        tempo_change_cost: cost of a relative change of tempo between two beats: lambda in the paper.
        tempo_jump_cost: cost of a jump to any other tempo.
        bar_break_cost: cost of a bar that ends early, or of a change of metre.
        prior_bpm, prior_octaves, prior_weight: centre, standard deviation in octaves, and weight of the
            Gaussian prior of the tempo; it counts once, at the first beat.
        min_likelihood, max_likelihood: bounds of the activations, so that no single tick decides.
        beat_width_ticks: ticks around a beat whose activations count neither for nor against it.
    """

    min_bpm: float = 55.0
    max_bpm: float = 215.0
    max_tempo_step_ticks: int = 4
    tempo_change_cost: float = 150.0
    tempo_jump_cost: float = 80.0
    bar_break_cost: float = 40.0
    prior_bpm: float = 120.0
    prior_octaves: float = 0.8
    prior_weight: float = 5.0
    min_likelihood: float = 0.1
    max_likelihood: float = 0.9
    beat_width_ticks: int = 3


HMM = BarModel()
STRETCH_TICKS = 20_000
"""Ticks, 200 s, whose trellis is held in memory."""

INTERVALS = np.arange(
    round(60 * CONTROL_RATE / HMM.max_bpm), round(60 * CONTROL_RATE / HMM.min_bpm) + 1
)  # (K,) ticks
MIN_INTERVAL, MAX_INTERVAL = int(INTERVALS[0]), int(INTERVALS[-1])

METRES = (4, 3)
BAR_STATES = sum(METRES)
LAST_STATES = np.cumsum(METRES) - 1  # (2,) last beat of each metre's bar: 3, 6
FIRST_STATES = LAST_STATES - np.array(METRES) + 1  # (2,) its downbeat: 0, 4
PREVIOUS_STATE = np.where(  # (S,) the state before each in an unbroken bar: 3 0 1 2, 6 4 5
    np.isin(np.arange(BAR_STATES), FIRST_STATES),
    LAST_STATES[np.searchsorted(LAST_STATES, np.arange(BAR_STATES))],
    np.arange(BAR_STATES) - 1,
)


@dataclass(frozen=True, eq=False)
class BarPath:
    """The decoded beats of a song, in order.

    Attributes:
        ticks: int64 (N,), where they are.
        positions: int64 (N,), which beat of its bar each is, from 0.
        metres: int64 (N,), how many beats that bar has when unbroken.
    """

    ticks: I64
    positions: I64
    metres: I64


def decode_bars(beat: NDArray[np.floating], downbeat: NDArray[np.floating]) -> BarPath:
    """Decode the most likely beats and bars from the activation (T,) of beat and of downbeat at every tick.

    >>> beat = np.full(1000, 0.01)
    >>> beat[20::50] = 0.9
    >>> downbeat = np.full(1000, 0.01)
    >>> downbeat[70::200] = 0.9
    >>> path = decode_bars(beat, downbeat)
    >>> path.ticks[:3].tolist(), path.positions[:3].tolist()
    ([20, 70, 120], [3, 0, 1])
    """
    observations = _Observations.of(beat, downbeat)
    stretches = list(pairwise([*range(0, observations.ticks, STRETCH_TICKS), observations.ticks]))
    scores = [_Scores.initial()]  # before each stretch
    for first, last in stretches[:-1]:
        scores.append(_forward(scores[-1], observations, first, last)[0])
    found: list[tuple[int, int]] = []
    pointer: _Backpointer | None = None
    for before, (first, last) in zip(reversed(scores), reversed(stretches), strict=False):
        after, trellis = _forward(before, observations, first, last)
        pointer = pointer or _last_beat(after, observations)
        while pointer.tick >= first:
            state, pointer = trellis.backtrack(pointer, first)
            found.append((pointer.next_tick, state))
        del trellis  # large, and not needed beside that of the stretch before
    ticks, states = np.array(found[::-1], np.int64).reshape(-1, 2).T
    metre = np.searchsorted(LAST_STATES, states)
    return BarPath(ticks, states - FIRST_STATES[metre], np.array(METRES)[metre])


@dataclass(frozen=True, eq=False)
class _Observations:
    """Log-likelihoods of the activations.

    Attributes:
        beats: (T, S) of a beat in each state at each tick.
        silence: (T + 1,) cumulative sum of no beat, relative to a tick of minimal activation.
    """

    beats: F32
    silence: F64

    @property
    def ticks(self) -> int:
        return len(self.beats)

    @classmethod
    def of(cls, beat: NDArray[np.floating], downbeat: NDArray[np.floating]) -> "_Observations":
        low, high = HMM.min_likelihood, HMM.max_likelihood
        # log p(beat in state s at t) = log d(t) of a downbeat, log (b(t) - d(t)) of another beat
        first = np.clip(downbeat, low, high)
        other = np.clip(beat - np.maximum(downbeat, 0), low, high)
        beats = np.repeat(np.log(other)[:, None], BAR_STATES, axis=1).astype(np.float32)
        beats[:, FIRST_STATES] = np.log(first)[:, None]
        # log p(no beat at t) = log (1 - max(b(t), d(t))); at the minimum 0, so a quiet bar costs nothing
        silence = np.log1p(-np.clip(np.maximum(beat, downbeat), low, high)) - np.log1p(-low)
        return cls(beats, np.concatenate(([0.0], np.cumsum(silence))))

    def silence_before(self, first: int, last: int) -> F32:
        """Return log p(no beat since the beat i ticks ago) for each tick [first, last), (t, K)."""
        ticks = np.arange(first, last)[:, None]
        begin = np.clip(ticks - INTERVALS + HMM.beat_width_ticks + 1, 0, self.ticks)
        end = np.clip(ticks - HMM.beat_width_ticks, 0, self.ticks)
        return np.asarray(self.silence[end] - self.silence[begin], np.float32)


@dataclass(frozen=True, eq=False)
class _Scores:
    """The best scores of the last ``MAX_INTERVAL`` ticks, all that the ticks to come depend on.

    Attributes:
        leave: (MAX_INTERVAL, K, S), of a beat in each state whose next beat comes after each interval.
        broken: (MAX_INTERVAL, K), of a beat in any state whose bar ends there, whether it is full or not.
    """

    leave: F32
    broken: F32

    @classmethod
    def initial(cls) -> "_Scores":
        """Return the scores before tick 0: any state, any interval, at any tick of the first interval."""
        # log p(i) = -w / 2 (log2(bpm(i) / 120) / 0.8)^2
        octaves = np.log2(60 * CONTROL_RATE / INTERVALS / HMM.prior_bpm)
        prior = -0.5 * HMM.prior_weight * np.square(octaves / HMM.prior_octaves)
        leave = np.repeat(np.repeat(prior[None, :, None], MAX_INTERVAL, axis=0), BAR_STATES, axis=2)
        return cls(leave.astype(np.float32), (leave[:, :, 0] - HMM.bar_break_cost).astype(np.float32))


@dataclass(frozen=True)
class _Backpointer:
    """A beat seen from the one after it.

    Attributes:
        tick: of the beat.
        interval: index of the interval to the next beat.
        state: of the beat; -1 for the best of all, where its bar is broken.
        next_tick: of the next beat.
    """

    tick: int
    interval: int
    state: int
    next_tick: int


@dataclass(frozen=True, eq=False)
class _Trellis:
    """What backtracking needs of a stretch of t ticks.

    Attributes:
        reached: float32 (t, K, S), the score of a beat in each state that each interval leads to.
        broken: bool (t, K, 2), whether the downbeat of each metre follows a broken bar.
    """

    reached: F32
    broken: Bools

    def backtrack(self, pointer: _Backpointer, first: int) -> tuple[int, _Backpointer]:
        """Return the state of the beat pointed at, and the pointer at the beat before it."""
        tick = pointer.tick - first
        reached = self.reached[tick]  # (K, S)
        low = max(0, pointer.interval - HMM.max_tempo_step_ticks)
        high = min(pointer.interval + HMM.max_tempo_step_ticks + 1, len(INTERVALS))
        # the same two transitions as in _leave, for one interval i: (n, S) and (S,)
        steps = np.abs(np.arange(low, high) - pointer.interval)[:, None]
        cost = np.asarray(HMM.tempo_change_cost * steps / INTERVALS[pointer.interval], np.float32)
        changed = reached[low:high] - cost
        jumped = reached.max(axis=0) - np.float32(HMM.tempo_jump_cost)
        best = np.maximum(changed.max(axis=0), jumped)
        state = int(best.argmax()) if pointer.state < 0 else pointer.state
        by_jump = jumped[state] > changed[:, state].max()
        interval = int(reached[:, state].argmax() if by_jump else low + changed[:, state].argmax())
        metre = int(np.searchsorted(LAST_STATES, state))
        after_break = state == FIRST_STATES[metre] and self.broken[tick, interval, metre]
        previous = -1 if after_break else int(PREVIOUS_STATE[state])
        return state, _Backpointer(pointer.tick - int(INTERVALS[interval]), interval, previous, pointer.tick)


def _forward(scores: _Scores, observations: _Observations, first: int, last: int) -> tuple[_Scores, _Trellis]:
    """Run Viterbi over ticks [first, last): the scores after them, and the trellis."""
    leave, broken = scores.leave, scores.broken
    trellis = _Trellis(
        np.empty((last - first, len(INTERVALS), BAR_STATES), np.float32),
        np.empty((last - first, len(INTERVALS), len(METRES)), np.bool_),
    )
    for tick in range(first, last, MIN_INTERVAL):
        ticks = min(MIN_INTERVAL, last - tick)
        here = slice(tick - first, tick - first + ticks)
        # reached(t, i, s) = max(leave(t - i, i, s - 1), broken(t - i, i) of a downbeat)
        #                    + log p(no beat between) + log p(beat in s at t), (t, K, S)
        ago = MAX_INTERVAL + np.arange(ticks)[:, None] - INTERVALS
        reached = leave[ago, np.arange(len(INTERVALS))][:, :, PREVIOUS_STATE]
        by_break = broken[ago, np.arange(len(INTERVALS))][:, :, None]
        trellis.broken[here] = by_break > reached[:, :, FIRST_STATES]
        reached[:, :, FIRST_STATES] = np.maximum(reached[:, :, FIRST_STATES], by_break)
        reached += observations.silence_before(tick, tick + ticks)[:, :, None]
        reached += observations.beats[tick : tick + ticks, None, :]
        trellis.reached[here] = reached
        # broken(t, i) = max over s of leave(t, i, s) - C
        left = _leave(reached)
        leave = np.concatenate((leave[ticks:], left))
        broken = np.concatenate((broken[ticks:], left.max(axis=2) - np.float32(HMM.bar_break_cost)))
    return _Scores(leave, broken), trellis


def _leave(reached: F32) -> F32:
    """Apply the tempo transition: scores of leaving each beat by each interval, (t, K, S) to (t, K, S)."""
    # leave(t, i, s) = max of  max over |j - i| <= 4 of reached(t, j, s) - lambda |j / i - 1|
    #                     and  max over all j        of reached(t, j, s) - J    (Krebs et al. 2015; J is ours)
    best = np.repeat(
        reached.max(axis=1, keepdims=True) - np.float32(HMM.tempo_jump_cost), len(INTERVALS), axis=1
    )
    for step in range(-HMM.max_tempo_step_ticks, HMM.max_tempo_step_ticks + 1):
        to, by = (slice(max(0, end), len(INTERVALS) + min(0, end)) for end in (-step, step))
        cost = np.float32(HMM.tempo_change_cost * abs(step)) / INTERVALS[to].astype(np.float32)
        np.maximum(best[:, to], reached[:, by] - cost[:, None], out=best[:, to])
    return best


def _last_beat(end: _Scores, observations: _Observations) -> _Backpointer:
    """Choose the last beat: the best one whose next beat would come after the end."""
    ticks = np.arange(observations.ticks - MAX_INTERVAL, observations.ticks)
    begin = np.clip(ticks + HMM.beat_width_ticks + 1, 0, observations.ticks)
    quiet = observations.silence[-1] - observations.silence[begin]
    is_last = (ticks[:, None] + INTERVALS >= observations.ticks)[:, :, None]
    scores = np.where(is_last, end.leave, -np.inf) + quiet[:, None, None]
    tick, interval, state = np.unravel_index(int(scores.argmax()), scores.shape)
    return _Backpointer(int(ticks[tick]), int(interval), int(state), observations.ticks)
