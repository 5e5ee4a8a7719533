"""Bar-synchronous features: similarity of a song's bars, segmentation into parts, labels of similar parts.

After the barwise segmentation of Marmoret, Cohen and Bimbot (2023): a bar is described by how its spectrum
and its chroma develop, and a part is a run of bars that resemble each other, preferably 8, or 4, or 16. Two
bars also resemble each other if they recur at the same distances (structure features, Serrà et al. 2014), so
a part may be a loop of different chords. Arrays of a song of N bars are (N, ...) or (N, N).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clavilux.arrays import F32, F64, I64
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.structure.beat_sync import subdivide, sync_mel, sync_pitches

__all__ = ["Bars", "label", "segment", "similarity", "sync_bars"]


@dataclass(frozen=True)
class SegmentModel:
    """Parameters of segmentation. Values were set by hand; docs/hearing.md has the scores they reach.

    Attributes:
        mel_parts, chroma_parts: pieces of a bar in which its spectrum, and its chroma, are described.
        mel_weight: of the spectrum in the similarity; the rest is the chroma's.
        reach_bars, close_reach_bars: over how many bars, by a triangle, recurrence is averaged: to find
            parts, and to place their bounds exactly.
        length_cost, close_length_cost: cost of an odd length, in bars of perfect similarity, likewise.
        max_bars: of a part; longer ones are several of one label.
        max_shift_bars: by which a bound may be moved.
        min_db_deviation, min_chroma_deviation: root mean square below which no bar differs from the usual
            one; songs reach 2 and 0.08, noise 0.3 and 0.02.
        min_similarity: mean similarity from which two parts have one label.
        max_db_difference: of the mean spectra, below which they have one label in any case.
    """

    mel_parts: int = 8
    chroma_parts: int = 4
    mel_weight: float = 0.6
    reach_bars: int = 4
    close_reach_bars: int = 2
    length_cost: float = 2.0
    close_length_cost: float = 0.1
    max_bars: int = 32
    max_shift_bars: int = 2
    min_db_deviation: float = 1.0
    min_chroma_deviation: float = 0.05
    min_similarity: float = 0.5
    max_db_difference: float = 0.5


SEGMENT = SegmentModel()


@dataclass(frozen=True, eq=False)
class Bars:
    """Bar-synchronous features of a song.

    Attributes:
        mel: mean decibels in 8 pieces x 48 bands, (N, 384).
        chroma: of 4 pieces, each of Euclidean length 1, x 12 pitch classes, (N, 48).
    """

    mel: F32
    chroma: F32

    def __len__(self) -> int:
        return len(self.mel)

    def __getitem__(self, bars: slice) -> "Bars":
        return Bars(self.mel[bars], self.chroma[bars])

    def in_pairs(self) -> "Bars":
        """Average them two by two, (ceil(N / 2), ...)."""
        first = np.arange(0, len(self), 2)
        size = np.diff(np.append(first, len(self)))[:, None]
        mel, chroma = (np.add.reduceat(rows, first, axis=0) / size for rows in (self.mel, self.chroma))
        return Bars(mel.astype(np.float32), chroma.astype(np.float32))

    @property
    def mean_mel(self) -> F64:
        """Mean decibels of each band, (N, 48)."""
        return np.asarray(self.mel.reshape(len(self), SEGMENT.mel_parts, -1).mean(axis=1, dtype=np.float64))

    @property
    def mean_chroma(self) -> F64:
        """Mean chroma, (N, 12)."""
        pieces = self.chroma.reshape(len(self), SEGMENT.chroma_parts, -1)
        return np.asarray(pieces.mean(axis=1, dtype=np.float64))

    @property
    def varied(self) -> bool:
        """Whether more than a few bars differ from the usual one; not in noise or in a held tone."""
        return (
            _deviation(self.mean_mel) > SEGMENT.min_db_deviation
            or _deviation(self.mean_chroma) > SEGMENT.min_chroma_deviation
        )


def _deviation(rows: F64) -> float:
    """Return the 90th percentile of the root mean square distance to the median row; end bars are omitted."""
    inner = rows[1:-1] if len(rows) > 2 else rows
    return float(np.percentile(np.sqrt(np.square(inner - np.median(inner, axis=0)).mean(axis=1)), 90))


def sync_bars(analysis: Analysis, tuning: float, edges: F64) -> Bars:
    """Compute the features of each bar between neighbouring edges (N + 1,) s."""
    count = len(edges) - 1
    mel = sync_mel(analysis.mel["mix"], subdivide(edges, SEGMENT.mel_parts))  # (8 N, 96)
    mel = mel.reshape(len(mel), -1, 2).mean(axis=2)
    decibels = sync_pitches(analysis.pitches, tuning, subdivide(edges, SEGMENT.chroma_parts))  # (4 N, 72)
    chroma = np.power(10, decibels / 20).reshape(len(decibels), -1, 12).sum(axis=1)
    chroma /= np.maximum(np.linalg.norm(chroma, axis=1, keepdims=True), 0.01)
    return Bars(mel.reshape(count, -1), chroma.reshape(count, -1).astype(np.float32))


def similarity(bars: Bars) -> F64:
    """Compare every bar with every other: 1 for the same, 0 for no more in common than any two, (N, N).

    >>> rows = np.array([[0, 1], [2, 0], [0, 1]], np.float32)
    >>> similarity(Bars(rows, rows)).round(2)[0].tolist()
    [1.0, -1.0, 1.0]
    """
    weight = SEGMENT.mel_weight
    return weight * _cosines(bars.mel) + (1 - weight) * _cosines(bars.chroma)


def _cosines(rows: NDArray[np.floating]) -> F64:
    """Return the cosine similarity of centred rows, (N, N)."""
    rows = rows - rows.mean(axis=0, dtype=np.float64)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return np.asarray(rows @ rows.T)


def segment(bars: Bars, similar: F64, *, metric: bool = True) -> I64:
    """Segment a song into parts: the first bar of each, and the number of bars, (K + 1,).

    Dynamic programming finds the segmentation whose parts are most similar in themselves. Its bounds are then
    moved to the exact bar by a narrower similarity, for which a part of 9 bars costs hardly anything.

    Args:
        bars: the song.
        similar: their `similarity`.
        metric: whether bars are musical bars, so that parts of 4, 8 and 16 are preferred.

    >>> verse, chorus = np.zeros((8, 16), np.float32), np.ones((8, 16), np.float32)
    >>> song = np.concatenate([verse, chorus, verse])
    >>> bars = Bars(song, song)
    >>> segment(bars, similarity(bars)).tolist()
    [0, 8, 16, 24]
    """
    penalty = _length_penalty(len(bars), metric=metric)
    table = _summed_area(bars, similar, SEGMENT.reach_bars)
    bounds = _best_segmentation(table, SEGMENT.length_cost * penalty[: SEGMENT.max_bars + 1])
    close = _summed_area(bars, similar, SEGMENT.close_reach_bars)
    return _refine(bounds, close, SEGMENT.close_length_cost * penalty)


def _summed_area(bars: Bars, similar: F64, reach: int) -> F64:
    """Return cumulative sums of how much bars belong together, (N + 1, N + 1), none of a bar with itself."""
    count = len(similar)
    smooth = _smooth_diagonals(similar, reach)
    # time-lag matrix L[a, N - 1 + b - a] = S[a, b]    (Serrà et al. 2014)
    recurrence = np.zeros((count, 2 * count - 1), np.float32)
    for bar in range(count):
        recurrence[bar, count - 1 - bar : 2 * count - 1 - bar] = smooth[bar]
    # W = (cos(L, L) + cos(mel, mel)) / 2, and I[m, n] = sum over a < m and b < n of W[a, b]
    together = _cosines(recurrence)
    together += _cosines(bars.mel)
    together /= 2
    np.fill_diagonal(together, 0)
    table = np.zeros((count + 1, count + 1))
    np.cumsum(together, axis=0, out=table[1:, 1:])
    np.cumsum(table[1:, 1:], axis=1, out=table[1:, 1:])
    return table


def _smooth_diagonals(similar: F64, reach: int) -> F64:
    """Average along diagonals with a triangle of 2 reach - 1 bars; at the ends over those there are."""
    count = len(similar)
    sums, weights = np.zeros_like(similar), np.zeros_like(similar)
    for shift in range(-min(reach, count) + 1, min(reach, count)):
        weight = reach - abs(shift)
        here = slice(max(0, -shift), min(count, count - shift))
        there = slice(here.start + shift, here.stop + shift)
        sums[here, here] += weight * similar[there, there]
        weights[here, here] += weight
    sums /= weights
    return sums


def _length_penalty(longest: int, *, metric: bool) -> F64:
    """Return how unlikely a part of 0, 1, ... ``longest`` bars is, 0 to 1; least unlikely are 8 and 16."""
    bars = np.arange(longest + 1)
    if not metric:
        return np.full(len(bars), 0.5)
    penalty = np.select([bars % 4 == 0, bars % 2 == 0], [0.1, 0.35], 1.0)
    penalty[(bars == 8) | (bars == 16)] = 0
    return penalty


def _score(table: F64, first: I64, last: I64, cost: F64) -> F64:
    """Return the score of parts [first, last): what each bar has in common with the others, less the cost."""
    # u(m, n) = (sum over m <= a, b < n of W[a, b]) / (n - m) - cost(n - m)    (Marmoret et al. 2023)
    inside = table[last, last] - 2 * table[first, last] + table[first, first]
    return np.asarray(inside / (last - first) - cost[last - first])


def _best_segmentation(table: F64, cost: F64) -> I64:
    """Return the bounds of highest total score, (K + 1,), by dynamic programming."""
    count = len(table) - 1
    best, previous = np.zeros(count + 1), np.zeros(count + 1, np.int64)
    for last in range(1, count + 1):
        # C(n) = max over m < n of C(m) + u(m, n)
        first = np.arange(max(0, last - len(cost) + 1), last)
        total = best[first] + _score(table, first, np.full_like(first, last), cost)
        previous[last] = first[total.argmax()]
        best[last] = total.max()
    bounds = [count]
    while bounds[-1] > 0:
        bounds.append(int(previous[bounds[-1]]))
    return np.array(bounds[::-1])


def _refine(bounds: I64, table: F64, cost: F64) -> I64:
    """Move each bound by up to two bars to where its neighbours score best, in three rounds."""
    bounds = bounds.copy()
    for index in list(range(1, len(bounds) - 1)) * 3:
        before, after = bounds[index - 1], bounds[index + 1]
        low, high = bounds[index] - SEGMENT.max_shift_bars, bounds[index] + SEGMENT.max_shift_bars
        tried = np.arange(max(before + 1, low), min(after, high + 1))
        score = _score(table, np.full_like(tried, before), tried, cost)
        score += _score(table, tried, np.full_like(tried, after), cost)
        bounds[index] = tried[score.argmax()]
    return bounds


def label(bars: Bars, similar: F64, bounds: I64) -> I64:
    """Label the parts, (K,): one label for those whose bars, in order, are similar, however they are shifted.

    Args:
        bars: the song.
        similar: their `similarity`.
        bounds: its parts, as from `segment`.

    >>> song = np.repeat(np.array([[0], [9], [0]], np.float32), 8, axis=0) * np.ones(16, np.float32)
    >>> bars = Bars(song, song)
    >>> first, other, again = label(bars, similarity(bars), np.array([0, 8, 16, 24])).tolist()
    >>> first == again != other
    True
    """
    from scipy.cluster.hierarchy import fcluster, linkage  # as above: only for a song that is new
    from scipy.spatial.distance import squareform

    parts = len(bounds) - 1
    if parts == 1:
        return np.zeros(1, np.int64)
    common = np.eye(parts)  # similarity of parts, (K, K)
    for one in range(parts):
        for other in range(one):
            block = similar[bounds[one] : bounds[one + 1], bounds[other] : bounds[other + 1]]
            common[one, other] = common[other, one] = _best_rotation(block)
    spectra = np.add.reduceat(bars.mean_mel, bounds[:-1], axis=0) / np.diff(bounds)[:, None]
    difference = np.sqrt(np.square(spectra[:, None] - spectra).mean(axis=2))
    common[difference < SEGMENT.max_db_difference] = 1
    tree = linkage(squareform(1 - common, checks=False), "average")
    clusters = fcluster(tree, 1 - SEGMENT.min_similarity, "distance")
    return np.asarray(clusters, np.int64) - 1


def _best_rotation(block: F64) -> float:
    """Return the mean similarity of two parts, the shorter rotated along the longer where it fits best."""
    # max over r of the mean over a of S[a, (a + r) mod n]
    block = block if len(block) <= block.shape[1] else block.T
    short, long = block.shape
    rotated = (np.arange(short)[:, None] + np.arange(long)) % long
    return float(block[np.arange(short)[:, None], rotated].mean(axis=0).max())
