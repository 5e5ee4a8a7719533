"""Does the picture move when the music strikes? Lift beside chance, per instrument, and a blind test.

The raw cosine of two envelopes means little: a shifted copy of the same envelope often scores 0.8. So what
is reported is the lift over shifted songs, (value - mean control) / (1 - mean control), and the share of the
controls that it exceeds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from clavilux import seeds
from clavilux.arrays import F64, I64
from clavilux.curves import Curve, Events, Grid
from clavilux.metrics.trace import CHANNELS, Trace

__all__ = ["Blind", "Lift", "drum_responses", "lift_over", "rhythmic", "tell_apart"]


@dataclass(frozen=True)
class LiftSpec:
    """How envelopes are compared for rhythm.

    Attributes:
        smooth_seconds: of the falling half-Gaussian that both envelopes get first.
        even_seconds: of the Gaussian that they get last.
        ceiling: percentile of an envelope's peaks that becomes 1.
        floor: quantile of an envelope that becomes 0.
        controls: how many shifted songs there are.
        near_beat: part of a beat within which a shift matches looped music, and is left out.
        min_shift: shortest shift, s.
    """

    smooth_seconds: float = 1 / 12
    even_seconds: float = 1 / 24
    ceiling: float = 97.5
    floor: float = 0.1
    controls: int = 20
    near_beat: float = 0.1
    min_shift: float = 1.0


SPEC = LiftSpec()


@dataclass(frozen=True)
class BlindSpec:
    """How two drums are told apart from pixels alone.

    Attributes:
        alone_seconds: a hit counts where the other drum is silent so long before and after.
        frames: how many frames from the hit on are looked at.
        folds: parts of the song; what is learned in the others is tried in one.
        min_hits: of each drum.
        ridge: share of the mean variance added to every variance.
    """

    alone_seconds: float = 0.12
    frames: int = 3
    folds: int = 5
    min_hits: int = 8
    ridge: float = 0.1


BLIND = BlindSpec()


@dataclass(frozen=True)
class Lift:
    """A measure beside its chance level.

    Attributes:
        value: of the video and its song.
        chance: mean of the controls.
        percentile: share of the controls that are lower, in percent.
    """

    value: float
    chance: float
    percentile: float

    @property
    def lift(self) -> float:
        """How far the value is from chance to perfect; 0 is chance, 1 perfect."""
        return (self.value - self.chance) / max(1 - self.chance, 1e-9)


@dataclass(frozen=True)
class Blind:
    """How well two drums are told apart.

    Attributes:
        accuracy: mean of the shares of both drums' hits that are named rightly; 0.5 is chance.
        hits: how many of each were tried, of the rarer one.
    """

    accuracy: float
    hits: int


def rhythmic(trace: Trace, strength: Curve, start: float, grid: Grid) -> Lift:
    """Compare the motion of a video with the onset strength of its song.

    Args:
        trace: of the video.
        strength: onset strength of the drums.
        start: where in the song the video begins, s.
        grid: the song's beats; shifts of whole beats are no controls.
    """
    fps = float(trace.fps)
    edges = start + np.arange(len(trace) + 1) / fps
    heard = envelope(strength.max_between(edges)[:, 0].astype(np.float64), fps)
    seen = envelope(trace.motion, fps)
    beat = 60 / grid.tempo if grid.confidence > 0 else 0.0
    shifted = [np.roll(heard, shift) for shift in _shifts(len(trace), fps, beat)]
    return lift_over(cosine(heard, seen), [cosine(each, seen) for each in shifted])


def lift_over(value: float, controls: list[float]) -> Lift:
    """Return a value beside its controls.

    >>> lift_over(0.9, [0.4, 0.6]).lift
    0.8
    """
    if not controls:
        return Lift(value, value, 0.0)
    lower = float(np.mean(np.array(controls) < value)) * 100
    return Lift(value, float(np.mean(controls)), lower)


def envelope(values: F64, fps: float) -> F64:
    """Smooth, clip at the peaks, lower to the floor and smooth again; 0 to 1, (T,)."""
    if len(values) == 0:
        return values
    width = SPEC.smooth_seconds * fps
    fall = np.exp(-0.5 * (np.arange(int(4 * width) + 1) / width) ** 2)  # from a hit on, not before it
    spread = np.convolve(values, fall / fall.sum())[: len(values)]
    peaks = spread[1:-1][(spread[1:-1] >= spread[:-2]) & (spread[1:-1] > spread[2:])]
    top = float(np.percentile(peaks, SPEC.ceiling)) if len(peaks) else float(spread.max())
    floor = float(np.quantile(spread, SPEC.floor))
    level = np.clip((spread - floor) / max(top - floor, 1e-12), 0, 1)
    return np.asarray(scipy.ndimage.gaussian_filter1d(level, SPEC.even_seconds * fps, mode="nearest"))


def cosine(a: F64, b: F64) -> float:
    """Return the cosine between two curves, 0 where one of them is 0 throughout."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths > 0 else 0.0


def _shifts(frames: int, fps: float, beat: float) -> list[int]:
    """Choose the circular shifts of the controls, frames; the same ones every time."""
    least = min(SPEC.min_shift * fps, frames / 4)
    shifts = np.arange(int(np.ceil(least)), int(frames - least) + 1)
    if beat > 0:
        off = np.abs((shifts / fps / beat + 0.5) % 1 - 0.5)  # distance from a whole beat, beats
        shifts = shifts[off > SPEC.near_beat] if (off > SPEC.near_beat).any() else shifts
    if len(shifts) == 0:
        return []
    count = min(SPEC.controls, len(shifts))
    chosen = seeds.generator(0, "metrics.shifts").choice(shifts, count, replace=False)
    return sorted(map(int, chosen))


def drum_responses(trace: Trace, drums: Mapping[str, Events], start: float) -> dict[str, dict[str, float]]:
    """Measure what moves at the hits of each drum.

    Args:
        trace: of the video.
        drums: hits by the drum's name.
        start: where in the song the video begins, s.

    Returns:
        for each drum and each of `CHANNELS`, how many standard deviations the channel moves more within two
        frames of the drum's own hits than in other frames; 0 for a drum that is not hit.
    """
    hit = {name: _frames_of(events, trace, start) for name, events in drums.items()}
    found: dict[str, dict[str, float]] = {}
    for name, frames in hit.items():
        near = np.zeros(len(trace), bool)
        for step in (0, 1):
            near[np.minimum(frames + step, len(trace) - 1)] = True
        found[name] = {channel: _effect(trace.change(channel), near) for channel in CHANNELS}
    return found


def _effect(change: F64, near: NDArray[np.bool_]) -> float:
    spread = float(change.std())
    if not near.any() or near.all() or spread == 0:
        return 0.0
    return float(change[near].mean() - change[~near].mean()) / spread


def tell_apart(trace: Trace, first: Events, second: Events, start: float) -> Blind | None:
    """Try to tell from pixels alone which of two drums was hit, by a linear discriminant (Fisher 1936).

    What is learned in four fifths of the video is tried in the fifth, in turn.

    Args:
        trace: of the video.
        first: hits of one drum, such as the kick.
        second: hits of the other.
        start: where in the song the video begins, s.

    Returns:
        the accuracy; none where one of the drums is hit too seldom alone.
    """
    pair = [_frames_of(_alone(a, b), trace, start) for a, b in ((first, second), (second, first))]
    if min(map(len, pair)) < BLIND.min_hits:
        return None
    seen = np.concatenate([_looks(trace, frames) for frames in pair])
    drum = np.repeat([0, 1], [len(frames) for frames in pair])
    when = np.concatenate(pair)
    fold = np.minimum(when * BLIND.folds // max(len(trace), 1), BLIND.folds - 1)
    named = np.full(len(drum), -1)
    for k in range(BLIND.folds):
        learn, try_ = fold != k, fold == k
        if try_.any() and len(set(drum[learn].tolist())) == 2:
            named[try_] = _discriminate(seen[learn], drum[learn], seen[try_])
    tried = named >= 0
    shares = [float((named[tried & (drum == k)] == k).mean()) for k in (0, 1) if (tried & (drum == k)).any()]
    return Blind(float(np.mean(shares)), min(map(len, pair)))


def _discriminate(seen: F64, drum: I64, asked: F64) -> I64:
    """Name the drum of each row asked: Fisher's discriminant with a pooled, ridged covariance."""
    means = np.stack([seen[drum == k].mean(axis=0) for k in (0, 1)])
    centred = seen - means[drum]
    covariance = centred.T @ centred / len(seen)
    ridge = BLIND.ridge * np.trace(covariance) / len(covariance) + 1e-12
    # w = C^-1 (m_1 - m_0); the border is half way between the means
    w = np.linalg.solve(covariance + ridge * np.eye(len(covariance)), means[1] - means[0])
    return np.asarray((asked - means.mean(axis=0)) @ w > 0, np.int64)


def _looks(trace: Trace, frames: I64) -> F64:
    """Return how every channel changes in the frames from each hit on, signed and absolute, (N, C)."""
    values = trace.values.astype(np.float64)
    values = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-9)
    rows = [values[np.clip(frames + step, 0, len(trace) - 1)] for step in range(-1, BLIND.frames)]
    steps = [after - rows[0] for after in rows[1:]]
    return np.concatenate([*steps, *map(np.abs, steps)], axis=1)


def _alone(events: Events, others: Events) -> Events:
    """Keep the events that have none of the others near."""
    if len(others) == 0 or len(events) == 0:
        return events
    after = np.clip(np.searchsorted(others.times, events.times), 0, len(others) - 1)
    before = np.maximum(after - 1, 0)
    gap = np.minimum(np.abs(others.times[after] - events.times), np.abs(others.times[before] - events.times))
    kept = gap > BLIND.alone_seconds
    return Events(events.times[kept], events.strengths[kept])


def _frames_of(events: Events, trace: Trace, start: float) -> I64:
    """Return the frames within which events fall, without the video's first and last."""
    frames = np.floor((events.times - start) * float(trace.fps) + 1e-6).astype(np.int64)
    return np.unique(frames[(frames > 0) & (frames < len(trace) - 1)])
