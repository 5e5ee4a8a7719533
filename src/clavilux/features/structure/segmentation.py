"""Segmentation of one song, or of one track of a mix: flat, and on nine levels.

Segments begin on bars. Names are numbers, 0 for what comes first.
"""

from dataclasses import dataclass

import numpy as np

from clavilux.arrays import F32, F64, I64
from clavilux.curves import Grid
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.structure.bar_sync import (
    Bars,
    describe_bars,
    find_boundaries,
    label_segments,
    similarity,
)
from clavilux.features.structure.beat_sync import bar_edges, beat_edges, in_pairs, note_rows, timbre_rows
from clavilux.features.structure.clusters import by_appearance
from clavilux.features.structure.hierarchy import LEVELS, hierarchy
from clavilux.features.structure.loops import find_loop

__all__ = ["Segmentation", "Segments", "SongRows", "describe_song", "segment"]


MIN_SEGMENT_BARS, MIN_SEGMENT_SECONDS = 2, 4.0
"""Shortest segment."""
MAX_BARS = 1024
"""Beyond it, half an hour of one track, bars are taken in pairs: memory goes with their square."""


@dataclass(frozen=True, eq=False)
class SongRows:
    """Descriptions of a song, beat-synchronous and bar-synchronous.

    Attributes:
        steps, edges: where steps (N + 1,) and bars (M + 1,) begin, and the end, s.
        notes, timbre: of each step, (N, 72) and (N, 13).
        bars: of each bar.
        metric: whether bars are bars, or but a division of time.
    """

    steps: F64
    notes: F32
    timbre: F32
    edges: F64
    bars: Bars
    metric: bool

    def between(self, first: int, last: int) -> "SongRows":
        """Cut out bars ``first`` up to ``last``, and the steps whose middles lie in them; at least one."""
        start, end = self.edges[[first, last]]
        middles = (self.steps[1:] + self.steps[:-1]) / 2
        low = min(int(np.searchsorted(middles, start)), len(middles) - 1)
        high = max(int(np.searchsorted(middles, end)), low + 1)
        steps = np.concatenate(([start], self.steps[low + 1 : high], [end]))
        return SongRows(
            steps,
            self.notes[low:high],
            self.timbre[low:high],
            self.edges[first : last + 1],
            self.bars[first:last],
            self.metric,
        )


@dataclass(frozen=True, eq=False)
class Segments:
    """Parts one after the other: bounds (K + 1,) s, and the name of each, (K,)."""

    bounds: F64
    names: I64


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The parts of a song, the same on nine levels, and the bars after which it repeats itself."""

    flat: Segments
    levels: list[Segments]
    loop_bars: int


def describe_song(analysis: Analysis, grid: Grid, tuning: float, duration: float) -> SongRows:
    """Describe each step and each bar of a song of ``duration`` s."""
    steps, edges = beat_edges(grid, duration), bar_edges(grid, duration)
    bars = describe_bars(analysis, tuning, edges)
    paired = in_pairs(edges, np.linalg.norm(np.diff(bars.sound, axis=0, prepend=bars.sound[:1]), axis=1))
    if len(paired) < len(edges):
        edges, bars = paired, describe_bars(analysis, tuning, paired)
    notes = note_rows(analysis.pitches, tuning, steps)
    timbre = timbre_rows(analysis.mel["mix"], steps)
    return SongRows(steps, notes, timbre, edges, bars, grid.confidence > 0)


def segment(moments: SongRows) -> Segmentation:
    """Find the parts of a song.

    The flat ones are cut and named by their bars. The levels are the Laplacian's: their bounds lie on bars,
    on those of the flat parts if they are one bar off, and else preferably four bars apart from them.
    """
    edges, bars = moments.edges, moments.bars
    while len(bars) > MAX_BARS:
        edges, bars = np.append(edges[:-1:2], edges[-1]), bars.in_pairs()
    if not bars.varied:
        whole = _segments(np.zeros(len(bars), np.int64), edges)
        return Segmentation(whole, [whole] * len(LEVELS), loop_bars=1)
    similarities = similarity(bars)
    cuts = find_boundaries(bars, similarities, metric=moments.metric)
    names = by_appearance(
        _without_short(np.repeat(label_segments(bars, similarities, cuts), np.diff(cuts)), edges)
    )
    levels = []
    for labels in hierarchy(moments.notes, moments.timbre):
        voted = _snapped_to_bars(
            _majority(labels, moments.steps, edges), _starts(names), metric=moments.metric
        )
        levels.append(_segments(_without_short(voted, edges), edges))
    return Segmentation(_segments(names, edges), levels, find_loop(similarities, names))


def _majority(labels: I64, steps: F64, edges: F64) -> I64:
    """Label each bar by majority of its time, (M,)."""
    moments = np.union1d(steps, edges)
    middles = (moments[1:] + moments[:-1]) / 2
    step, bar = (np.searchsorted(all_edges, middles, side="right") - 1 for all_edges in (steps, edges))
    votes = np.zeros((len(edges) - 1, labels.max() + 1))
    np.add.at(votes, (bar, labels[step]), np.diff(moments))
    return np.asarray(votes.argmax(axis=1))


def _snapped_to_bars(labels: I64, flat: I64, *, metric: bool) -> I64:
    """Move boundaries by a bar to a flat boundary, or to 4, 8 ... bars after one."""
    bars = np.arange(len(labels))
    likely = np.zeros(len(labels))
    if metric:
        likely[(bars - flat[np.searchsorted(flat, bars, side="right") - 1]) % 4 == 0] = 1
    likely[flat] = 2
    starts = _starts(labels)
    moved = starts.copy()
    for place, start in enumerate(starts[1:], 1):
        near = [bar for bar in (start, start - 1, start + 1) if 0 < bar < len(labels)]
        moved[place] = max(near, key=lambda bar: likely[bar])
    # Of parts that now begin together the last one stays, the others had one or two bars.
    last = np.searchsorted(moved, bars, side="right") - 1
    return np.asarray(labels[starts[last]])


def _without_short(labels: I64, edges: F64) -> I64:
    """Merge segments under two bars or 4 s into the longer of their neighbours, the shortest first."""
    labels = labels.copy()
    while True:
        starts = np.append(_starts(labels), len(labels))
        bars, seconds = np.diff(starts), np.diff(edges[starts])
        short = (bars < MIN_SEGMENT_BARS) | (seconds < MIN_SEGMENT_SECONDS)
        if len(bars) == 1 or not short.any():
            return labels
        part = int(np.where(short, seconds, np.inf).argmin())
        beside = [other for other in (part - 1, part + 1) if 0 <= other < len(bars)]
        longer = max(beside, key=lambda other: seconds[other])
        labels[starts[part] : starts[part + 1]] = labels[starts[longer]]


def _starts(labels: I64) -> I64:
    """Return where runs of a label begin, (K,)."""
    return np.concatenate(([0], np.flatnonzero(np.diff(labels)) + 1))


def _segments(labels: I64, edges: F64) -> Segments:
    starts = _starts(labels)
    return Segments(edges[np.append(starts, len(labels))], labels[starts])
