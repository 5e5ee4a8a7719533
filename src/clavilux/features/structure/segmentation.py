"""The form of one song, or of one track of a mix: its parts as one would write them down, and on nine levels.

Parts begin on bars. Names are numbers, 0 for what is heard first.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clavilux.curves import Grid
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.structure.bar_sync import Bars, cut, hear_bars, likeness, name
from clavilux.features.structure.beat_sync import bar_edges, beat_edges, in_pairs, note_rows, timbre_rows
from clavilux.features.structure.clusters import by_appearance
from clavilux.features.structure.hierarchy import DEPTHS, depths
from clavilux.features.structure.loops import find_loop

__all__ = ["Form", "Moments", "Parts", "find_form", "hear_moments"]

Array = NDArray[np.float32]
Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

FEWEST_BARS, SHORTEST = 2, 4.0
"""Bars, and seconds, that a part lasts at least."""
MOST_BARS = 1024
"""Beyond it, half an hour of one track, bars are taken in pairs: memory goes with their square."""


@dataclass(frozen=True, eq=False)
class Moments:
    """What a song sounds like step by step, which is about a beat, and bar by bar.

    Attributes:
        steps, edges: where steps (N + 1,) and bars (M + 1,) begin, and the end, s.
        notes, timbre: of each step, (N, 72) and (N, 13).
        bars: of each bar.
        metric: whether bars are bars, or but a division of time.
    """

    steps: Floats
    notes: Array
    timbre: Array
    edges: Floats
    bars: Bars
    metric: bool

    def between(self, first: int, last: int) -> "Moments":
        """Cut out bars ``first`` up to ``last``, and the steps whose middles lie in them; at least one."""
        start, end = self.edges[[first, last]]
        middles = (self.steps[1:] + self.steps[:-1]) / 2
        low = min(int(np.searchsorted(middles, start)), len(middles) - 1)
        high = max(int(np.searchsorted(middles, end)), low + 1)
        steps = np.concatenate(([start], self.steps[low + 1 : high], [end]))
        return Moments(
            steps,
            self.notes[low:high],
            self.timbre[low:high],
            self.edges[first : last + 1],
            self.bars[first:last],
            self.metric,
        )


@dataclass(frozen=True, eq=False)
class Parts:
    """Parts one after the other: bounds (K + 1,) s, and the name of each, (K,)."""

    bounds: Floats
    names: Labels


@dataclass(frozen=True, eq=False)
class Form:
    """The parts of a song, the same on nine levels, and the bars after which it repeats itself."""

    flat: Parts
    levels: list[Parts]
    loop_bars: int


def hear_moments(analysis: Analysis, grid: Grid, tuning: float, duration: float) -> Moments:
    """Describe each step and each bar of a song of ``duration`` s."""
    steps, edges = beat_edges(grid, duration), bar_edges(grid, duration)
    bars = hear_bars(analysis, tuning, edges)
    paired = in_pairs(edges, np.linalg.norm(np.diff(bars.sound, axis=0, prepend=bars.sound[:1]), axis=1))
    if len(paired) < len(edges):
        edges, bars = paired, hear_bars(analysis, tuning, paired)
    notes = note_rows(analysis.pitches, tuning, steps)
    timbre = timbre_rows(analysis.mel["mix"], steps)
    return Moments(steps, notes, timbre, edges, bars, grid.confidence > 0)


def find_form(moments: Moments) -> Form:
    """Find the parts of a song.

    The flat ones are cut and named by their bars. The levels are the Laplacian's: their bounds lie on bars,
    on those of the flat parts if they are one bar off, and else preferably four bars apart from them.
    """
    edges, bars = moments.edges, moments.bars
    while len(bars) > MOST_BARS:
        edges, bars = np.append(edges[:-1:2], edges[-1]), bars.in_pairs()
    if not bars.varied:
        whole = _parts(np.zeros(len(bars), np.int64), edges)
        return Form(whole, [whole] * len(DEPTHS), loop_bars=1)
    alike = likeness(bars)
    cuts = cut(bars, alike, metric=moments.metric)
    names = by_appearance(_without_short(np.repeat(name(bars, alike, cuts), np.diff(cuts)), edges))
    levels = []
    for labels in depths(moments.notes, moments.timbre):
        voted = _snapped(_voted(labels, moments.steps, edges), _starts(names), metric=moments.metric)
        levels.append(_parts(_without_short(voted, edges), edges))
    return Form(_parts(names, edges), levels, find_loop(alike, names))


def _voted(labels: Labels, steps: Floats, edges: Floats) -> Labels:
    """Give each bar the label that most of its time has, (M,)."""
    moments = np.union1d(steps, edges)
    middles = (moments[1:] + moments[:-1]) / 2
    step, bar = (np.searchsorted(all_edges, middles, side="right") - 1 for all_edges in (steps, edges))
    votes = np.zeros((len(edges) - 1, labels.max() + 1))
    np.add.at(votes, (bar, labels[step]), np.diff(moments))
    return np.asarray(votes.argmax(axis=1))


def _snapped(labels: Labels, flat: Labels, *, metric: bool) -> Labels:
    """Move changes by a bar to where a flat part begins, or where four, eight ... bars of it are over."""
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


def _without_short(labels: Labels, edges: Floats) -> Labels:
    """Give parts under two bars or 4 s to the longer of their neighbours, the shortest first."""
    labels = labels.copy()
    while True:
        starts = np.append(_starts(labels), len(labels))
        bars, seconds = np.diff(starts), np.diff(edges[starts])
        short = (bars < FEWEST_BARS) | (seconds < SHORTEST)
        if len(bars) == 1 or not short.any():
            return labels
        part = int(np.where(short, seconds, np.inf).argmin())
        beside = [other for other in (part - 1, part + 1) if 0 <= other < len(bars)]
        longer = max(beside, key=lambda other: seconds[other])
        labels[starts[part] : starts[part + 1]] = labels[starts[longer]]


def _starts(labels: Labels) -> Labels:
    """Where runs of a label begin, (K,)."""
    return np.concatenate(([0], np.flatnonzero(np.diff(labels)) + 1))


def _parts(labels: Labels, edges: Floats) -> Parts:
    starts = _starts(labels)
    return Parts(edges[np.append(starts, len(labels))], labels[starts])
