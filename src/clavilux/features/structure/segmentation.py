"""The form of one song, or of one track of a mix: its parts, and the same on nine levels.

Parts begin on bars. Labels are numbers, 0 for the part that comes first. Times are seconds.
"""

from dataclasses import dataclass

import numpy as np

from clavilux.arrays import F32, F64, I64
from clavilux.curves import Grid
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.structure.bar_sync import Bars, label, segment, similarity, sync_bars
from clavilux.features.structure.beat_sync import bar_edges, beat_edges, pair_bars, sync_mfcc, sync_pitches
from clavilux.features.structure.clusters import relabel_by_appearance
from clavilux.features.structure.hierarchy import LEVELS, label_levels
from clavilux.features.structure.loops import find_loop

__all__ = ["Form", "Segments", "SyncFeatures", "find_form", "sync_features"]

MIN_PART_BARS, MIN_PART_SECONDS = 2, 4.0
MAX_BARS = 1024
"""Half an hour of one track; of longer ones bars are taken in pairs: memory grows with their square."""


@dataclass(frozen=True, eq=False)
class SyncFeatures:
    """The beat- and bar-synchronous features of a song.

    Attributes:
        steps: where N steps of about a beat begin, and the end, (N + 1,) s.
        pitches, timbre: of each step, (N, 72) and (N, 13).
        edges: where M bars begin, and the end, (M + 1,) s.
        bars: features of each bar.
        metric: whether bars are musical bars, or a mere division of time.
    """

    steps: F64
    pitches: F32
    timbre: F32
    edges: F64
    bars: Bars
    metric: bool

    def between(self, first: int, last: int) -> "SyncFeatures":
        """Return bars ``first`` up to ``last``, and the steps whose middles are in them; at least one."""
        start, end = self.edges[[first, last]]
        middles = (self.steps[1:] + self.steps[:-1]) / 2
        low = min(int(np.searchsorted(middles, start)), len(middles) - 1)
        high = max(int(np.searchsorted(middles, end)), low + 1)
        steps = np.concatenate(([start], self.steps[low + 1 : high], [end]))
        return SyncFeatures(
            steps,
            self.pitches[low:high],
            self.timbre[low:high],
            self.edges[first : last + 1],
            self.bars[first:last],
            self.metric,
        )


@dataclass(frozen=True, eq=False)
class Segments:
    """Parts one after the other: bounds (K + 1,) s, and the label of each, (K,)."""

    bounds: F64
    labels: I64


@dataclass(frozen=True, eq=False)
class Form:
    """The parts of a song, the same on nine levels, and the bars after which it repeats."""

    flat: Segments
    levels: list[Segments]
    loop_bars: int


def sync_features(analysis: Analysis, grid: Grid, tuning: float, duration: float) -> SyncFeatures:
    """Compute the features of each step and each bar of a song of ``duration`` s."""
    steps, edges = beat_edges(grid, duration), bar_edges(grid, duration)
    bars = sync_bars(analysis, tuning, edges)
    paired = pair_bars(edges, np.linalg.norm(np.diff(bars.mel, axis=0, prepend=bars.mel[:1]), axis=1))
    if len(paired) < len(edges):
        edges, bars = paired, sync_bars(analysis, tuning, paired)
    pitches = sync_pitches(analysis.pitches, tuning, steps)
    timbre = sync_mfcc(analysis.mel["mix"], steps)
    return SyncFeatures(steps, pitches, timbre, edges, bars, grid.confidence > 0)


def find_form(features: SyncFeatures) -> Form:
    """Find the parts of a song.

    The flat ones are segmented and labelled by bars. The levels are the Laplacian's: their bounds are snapped
    to bars, to the bounds of the flat parts if they are one bar off, and else preferably to every fourth bar
    from those.
    """
    edges, bars = features.edges, features.bars
    while len(bars) > MAX_BARS:
        edges, bars = np.append(edges[:-1:2], edges[-1]), bars.in_pairs()
    if not bars.varied:
        whole = _segments(np.zeros(len(bars), np.int64), edges)
        return Form(whole, [whole] * len(LEVELS), loop_bars=1)
    similar = similarity(bars)
    bounds = segment(bars, similar, metric=features.metric)
    flat = np.repeat(label(bars, similar, bounds), np.diff(bounds))  # (M,) label of each bar
    flat = relabel_by_appearance(_merge_short(flat, edges))
    levels = []
    for labels in label_levels(features.pitches, features.timbre):
        voted = _majority_labels(labels, features.steps, edges)
        snapped = _snap_bounds(voted, _run_starts(flat), metric=features.metric)
        levels.append(_segments(_merge_short(snapped, edges), edges))
    return Form(_segments(flat, edges), levels, find_loop(similar, flat))


def _majority_labels(labels: I64, steps: F64, edges: F64) -> I64:
    """Return for each bar the label that most of its time has, (M,)."""
    times = np.union1d(steps, edges)
    middles = (times[1:] + times[:-1]) / 2
    step, bar = (np.searchsorted(bounds, middles, side="right") - 1 for bounds in (steps, edges))
    seconds = np.zeros((len(edges) - 1, labels.max() + 1))
    np.add.at(seconds, (bar, labels[step]), np.diff(times))
    return np.asarray(seconds.argmax(axis=1))


def _snap_bounds(labels: I64, flat: I64, *, metric: bool) -> I64:
    """Move bounds by a bar to where a flat part begins, or to a multiple of four bars from there."""
    bars = np.arange(len(labels))
    priority = np.zeros(len(labels))
    if metric:
        priority[(bars - flat[np.searchsorted(flat, bars, side="right") - 1]) % 4 == 0] = 1
    priority[flat] = 2
    starts = _run_starts(labels)
    moved = starts.copy()
    for index, start in enumerate(starts[1:], 1):
        near = [bar for bar in (start, start - 1, start + 1) if 0 < bar < len(labels)]
        moved[index] = max(near, key=lambda bar: priority[bar])
    # Of parts that now begin together the last one stays, the others had one or two bars.
    last = np.searchsorted(moved, bars, side="right") - 1
    return np.asarray(labels[starts[last]])


def _merge_short(labels: I64, edges: F64) -> I64:
    """Merge parts under two bars or 4 s with the longer of their neighbours, the shortest first."""
    labels = labels.copy()
    while True:
        starts = np.append(_run_starts(labels), len(labels))
        bars, seconds = np.diff(starts), np.diff(edges[starts])
        short = (bars < MIN_PART_BARS) | (seconds < MIN_PART_SECONDS)
        if len(bars) == 1 or not short.any():
            return labels
        part = int(np.where(short, seconds, np.inf).argmin())
        beside = [other for other in (part - 1, part + 1) if 0 <= other < len(bars)]
        longer = max(beside, key=lambda other: seconds[other])
        labels[starts[part] : starts[part + 1]] = labels[starts[longer]]


def _run_starts(labels: I64) -> I64:
    """Return where runs of a label begin, (K,)."""
    return np.concatenate(([0], np.flatnonzero(np.diff(labels)) + 1))


def _segments(labels: I64, edges: F64) -> Segments:
    starts = _run_starts(labels)
    return Segments(edges[np.append(starts, len(labels))], labels[starts])
