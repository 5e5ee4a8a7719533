"""A song bar by bar: how alike its bars are, where its parts begin, which of them are the same.

After the barwise segmentation of Marmoret, Cohen and Bimbot (2023): a bar is the course of its sound and of
its notes, and a part is a run of bars that are alike, preferably 8 of them, or 4, or 16. Two bars are alike
also if they recur at the same distances (the structure features of Serrà et al. 2014), so a part may be a
loop of different chords.
"""

from dataclasses import dataclass

import numpy as np
import scipy.cluster.hierarchy
from numpy.typing import NDArray
from scipy.spatial.distance import squareform

from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.structure.beat_sync import band_rows, note_rows, subdivide

__all__ = ["Bars", "cut", "hear_bars", "likeness", "name"]

Array = NDArray[np.float32]
Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

PARTS_OF_SOUND, PARTS_OF_NOTES = 8, 4
"""Pieces of a bar in which its sound, and its notes, are described."""
SOUND = 0.6
"""Weight of sound against notes."""
REACH, CLOSE = 4, 2
"""Bars that must go on alike for bars to be alike: to find parts, and to place their bounds."""
LONGEST = 32
"""Bars of a part at most; longer ones are several of one name."""
DISLIKE, CLOSE_DISLIKE = 2.0, 0.1
"""What a part of an odd length costs, in bars of perfect likeness, when parts are found and when moved."""
MOVED = 2
"""Bars."""
VARIED_DB, VARIED_CHROMA = 1.0, 0.05
"""Root mean square over bands, and over pitch classes; songs reach 2 and 0.08, noise 0.3 and 0.02."""
SAME = 0.5
"""Mean likeness from which two parts have one name."""
HEARD_DB = 0.5
"""Difference of the mean spectrum below which two parts have one name in any case."""


@dataclass(frozen=True, eq=False)
class Bars:
    """What each bar sounds like.

    Attributes:
        sound: mean decibels in 8 pieces x 48 bands, (N, 384).
        notes: chroma of 4 pieces, each of length 1, (N, 48).
    """

    sound: Array
    notes: Array

    def __len__(self) -> int:
        return len(self.sound)

    def __getitem__(self, bars: slice) -> "Bars":
        return Bars(self.sound[bars], self.notes[bars])

    def in_pairs(self) -> "Bars":
        """Average them two by two, (ceil(N / 2), ...)."""
        first = np.arange(0, len(self), 2)
        size = np.diff(np.append(first, len(self)))[:, None]
        sound, notes = (np.add.reduceat(rows, first, axis=0) / size for rows in (self.sound, self.notes))
        return Bars(sound.astype(np.float32), notes.astype(np.float32))

    @property
    def varied(self) -> bool:
        """Whether more than a few bars differ audibly from the usual one; not in noise, or a held tone."""
        apart = [_deviation(rows) for rows in (self.spectrum, self.chroma)]
        return apart[0] > VARIED_DB or apart[1] > VARIED_CHROMA

    @property
    def spectrum(self) -> Floats:
        """Mean decibels of each band, (N, 48)."""
        return np.asarray(self.sound.reshape(len(self), PARTS_OF_SOUND, -1).mean(axis=1, dtype=np.float64))

    @property
    def chroma(self) -> Floats:
        """Mean chroma, (N, 12)."""
        return np.asarray(self.notes.reshape(len(self), PARTS_OF_NOTES, -1).mean(axis=1, dtype=np.float64))


def _deviation(rows: Floats) -> float:
    """How far nine of ten bars are from the middle one, but for the first and the last, which are cut."""
    inner = rows[1:-1] if len(rows) > 2 else rows
    return float(np.percentile(np.sqrt(np.square(inner - np.median(inner, axis=0)).mean(axis=1)), 90))


def hear_bars(analysis: Analysis, tuning: float, edges: Floats) -> Bars:
    """Describe each bar between neighbouring edges (N + 1,) s."""
    count = len(edges) - 1
    bands = band_rows(analysis.mel["mix"], subdivide(edges, PARTS_OF_SOUND))
    bands = bands.reshape(len(bands), -1, 2).mean(axis=2)
    notes = note_rows(analysis.pitches, tuning, subdivide(edges, PARTS_OF_NOTES))
    chroma = np.power(10, notes / 20).reshape(len(notes), -1, 12).sum(axis=1)
    chroma /= np.maximum(np.linalg.norm(chroma, axis=1, keepdims=True), 0.01)
    return Bars(bands.reshape(count, -1), chroma.reshape(count, -1).astype(np.float32))


def likeness(bars: Bars) -> Floats:
    """Compare every bar with every other: 1 for the same, 0 for no more in common than any two, (N, N).

    >>> rows = np.array([[0, 1], [2, 0], [0, 1]], np.float32)
    >>> likeness(Bars(rows, rows)).round(2)[0].tolist()
    [1.0, -1.0, 1.0]
    """
    return SOUND * _cosines(bars.sound) + (1 - SOUND) * _cosines(bars.notes)


def _cosines(rows: NDArray[np.floating]) -> Floats:
    rows = rows - rows.mean(axis=0, dtype=np.float64)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return np.asarray(rows @ rows.T)


def cut(bars: Bars, alike: Floats, *, metric: bool = True) -> Labels:
    """Cut a song into parts: the first bar of each, and the number of bars, (K + 1,).

    By dynamic programming, that division is found in which the bars of a part are most alike. Its cuts are
    then put on the right bar by a closer look, which hardly minds a part of 9 bars.

    Args:
        bars: the song.
        alike: their `likeness`.
        metric: whether bars are bars, so that parts of 4, 8 and 16 are to be preferred.

    >>> verse, chorus = np.zeros((8, 16), np.float32), np.ones((8, 16), np.float32)
    >>> song = np.concatenate([verse, chorus, verse])
    >>> bars = Bars(song, song)
    >>> cut(bars, likeness(bars)).tolist()
    [0, 8, 16, 24]
    """
    dislike = _dislike(len(bars), metric=metric)
    cuts = _divided(_sums(bars, alike, REACH), DISLIKE * dislike[: LONGEST + 1])
    return _refined(cuts, _sums(bars, alike, CLOSE), CLOSE_DISLIKE * dislike)


def _sums(bars: Bars, alike: Floats, reach: int) -> Floats:
    """Sum up, from the first bar on, how much bars belong together, (N + 1, N + 1); none with itself."""
    together = _cosines(_recurring(alike, reach))
    together += _cosines(bars.sound)
    together /= 2
    np.fill_diagonal(together, 0)
    sums = np.zeros((len(bars) + 1, len(bars) + 1))
    np.cumsum(together, axis=0, out=sums[1:, 1:])
    np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
    return sums


def _recurring(alike: Floats, reach: int) -> Array:
    """Tell at which distances each bar recurs, with its neighbours, (N, 2 N - 1)."""
    count = len(alike)
    smooth = _along(alike, reach)
    rows = np.zeros((count, 2 * count - 1), np.float32)
    for bar in range(count):
        rows[bar, count - 1 - bar : 2 * count - 1 - bar] = smooth[bar]
    return rows


def _along(alike: Floats, reach: int) -> Floats:
    """Average along diagonals with a triangle of 2 reach - 1 bars; at the ends over those there are."""
    count = len(alike)
    sums, weights = np.zeros_like(alike), np.zeros_like(alike)
    for shift in range(-min(reach, count) + 1, min(reach, count)):
        weight = reach - abs(shift)
        here = slice(max(0, -shift), min(count, count - shift))
        there = slice(here.start + shift, here.stop + shift)
        sums[here, here] += weight * alike[there, there]
        weights[here, here] += weight
    sums /= weights
    return sums


def _dislike(longest: int, *, metric: bool) -> Floats:
    """How unlikely a part of 0, 1, ... ``longest`` bars is, 0 to 1."""
    bars = np.arange(longest + 1)
    if not metric:
        return np.full(len(bars), 0.5)
    dislike = np.select([bars % 4 == 0, bars % 2 == 0], [0.1, 0.35], 1.0)
    dislike[(bars == 8) | (bars == 16)] = 0
    return dislike


def _worth(sums: Floats, first: Labels, last: Labels, cost: Floats) -> Floats:
    """Value parts [first, last): how much each bar belongs to the others, less what the size costs."""
    inside = sums[last, last] - 2 * sums[first, last] + sums[first, first]
    return np.asarray(inside / (last - first) - cost[last - first])


def _divided(sums: Floats, cost: Floats) -> Labels:
    """Find the division into parts that is worth most."""
    count = len(sums) - 1
    best, before = np.zeros(count + 1), np.zeros(count + 1, np.int64)
    for last in range(1, count + 1):
        first = np.arange(max(0, last - len(cost) + 1), last)
        total = best[first] + _worth(sums, first, np.full_like(first, last), cost)
        before[last] = first[total.argmax()]
        best[last] = total.max()
    cuts = [count]
    while cuts[-1] > 0:
        cuts.append(int(before[cuts[-1]]))
    return np.array(cuts[::-1])


def _refined(cuts: Labels, sums: Floats, cost: Floats) -> Labels:
    """Move each cut by up to two bars to where it is best between its neighbours, three times over."""
    cuts = cuts.copy()
    for place in list(range(1, len(cuts) - 1)) * 3:
        before, after = cuts[place - 1], cuts[place + 1]
        tried = np.arange(max(before + 1, cuts[place] - MOVED), min(after, cuts[place] + MOVED + 1))
        worth = _worth(sums, np.full_like(tried, before), tried, cost)
        worth += _worth(sums, tried, np.full_like(tried, after), cost)
        cuts[place] = tried[worth.argmax()]
    return cuts


def name(bars: Bars, alike: Floats, cuts: Labels) -> Labels:
    """Tell which parts are the same, (K,): those whose bars, in order, are alike, however they are shifted.

    Args:
        bars: the song.
        alike: their `likeness`.
        cuts: its parts, as from `cut`.

    >>> song = np.repeat(np.array([[0], [9], [0]], np.float32), 8, axis=0) * np.ones(16, np.float32)
    >>> bars = Bars(song, song)
    >>> first, other, again = name(bars, likeness(bars), np.array([0, 8, 16, 24])).tolist()
    >>> first == again != other
    True
    """
    parts = len(cuts) - 1
    if parts == 1:
        return np.zeros(1, np.int64)
    common = np.eye(parts)
    for one in range(parts):
        for other in range(one):
            block = alike[cuts[one] : cuts[one + 1], cuts[other] : cuts[other + 1]]
            common[one, other] = common[other, one] = _best_shift(block)
    spectra = np.add.reduceat(bars.spectrum, cuts[:-1], axis=0) / np.diff(cuts)[:, None]
    differ = np.sqrt(np.square(spectra[:, None] - spectra).mean(axis=2))
    common[differ < HEARD_DB] = 1
    tree = scipy.cluster.hierarchy.linkage(squareform(1 - common, checks=False), "average")
    return np.asarray(scipy.cluster.hierarchy.fcluster(tree, 1 - SAME, "distance"), np.int64) - 1


def _best_shift(block: Floats) -> float:
    """Lay the shorter part along the longer, going round, as well as it can be laid: mean likeness."""
    block = block if len(block) <= block.shape[1] else block.T
    short, long = block.shape
    around = (np.arange(short)[:, None] + np.arange(long)) % long
    return float(block[np.arange(short)[:, None], around].mean(axis=0).max())
