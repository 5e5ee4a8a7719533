"""Bar-synchronous segmentation: similarity of bars, segment boundaries, and labels.

After the barwise segmentation of Marmoret, Cohen and Bimbot (2023): a bar is described by its spectrum and
chroma over time, and a segment is a run of similar bars, preferably 8 of them, or 4, or 16. Bars are similar
also if they recur at the same lags (the structure features of Serrà et al. 2014), so a segment may be a loop
of different chords.
"""

from dataclasses import dataclass

import numpy as np
import scipy.cluster.hierarchy
from scipy.spatial.distance import squareform

from clavilux.arrays import F32, F64, I64, AnyArray
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.structure.beat_sync import band_rows, note_rows, subdivide

__all__ = ["Bars", "describe_bars", "find_boundaries", "label_segments", "similarity"]


@dataclass(frozen=True)
class BarModel:
    """How bars are compared and segmented; judged on the songs of known truth in docs/hearing.md.

    Attributes:
        spectrum_parts, chroma_parts: pieces of a bar in which each is described.
        spectrum_weight: of the spectrum against chroma in the similarity.
        reach_bars, close_reach_bars: bars over which similarity is averaged along diagonals: to find
        segments, and
            to place their boundaries.
        max_segment_bars: longer segments are several of one label.
        length_weight, close_length_weight: weight of the length penalty, in bars of perfect similarity, when
            segments are found and when boundaries are moved.
        max_shift_bars: by which a boundary is moved.
        min_variation_db, min_variation_chroma: root mean square deviation of the bars below which a song is
        one
            segment; songs reach 2 and 0.08, noise 0.3 and 0.02.
        same_similarity: mean similarity from which two segments have one label.
        audible_db: difference of mean spectra below which two segments have one label in any case.
    """

    spectrum_parts: int = 8
    chroma_parts: int = 4
    spectrum_weight: float = 0.6
    reach_bars: int = 4
    close_reach_bars: int = 2
    max_segment_bars: int = 32
    length_weight: float = 2.0
    close_length_weight: float = 0.1
    max_shift_bars: int = 2
    min_variation_db: float = 1.0
    min_variation_chroma: float = 0.05
    same_similarity: float = 0.5
    audible_db: float = 0.5


BARS = BarModel()


@dataclass(frozen=True, eq=False)
class Bars:
    """Spectrum and chroma of each bar.

    Attributes:
        sound: mean decibels in 8 pieces x 48 bands, (N, 384).
        notes: chroma of 4 pieces, each of length 1, (N, 48).
    """

    sound: F32
    notes: F32

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
        """Whether more than a few bars differ audibly from the median one; not in noise, or a held tone."""
        apart = [_deviation(rows) for rows in (self.spectrum, self.chroma)]
        return apart[0] > BARS.min_variation_db or apart[1] > BARS.min_variation_chroma

    @property
    def spectrum(self) -> F64:
        """Mean decibels of each band, (N, 48)."""
        return np.asarray(
            self.sound.reshape(len(self), BARS.spectrum_parts, -1).mean(axis=1, dtype=np.float64)
        )

    @property
    def chroma(self) -> F64:
        """Mean chroma, (N, 12)."""
        return np.asarray(self.notes.reshape(len(self), BARS.chroma_parts, -1).mean(axis=1, dtype=np.float64))


def _deviation(rows: F64) -> float:
    """Return the 90th percentile of the distance to the median bar, without the first and last."""
    inner = rows[1:-1] if len(rows) > 2 else rows
    return float(np.percentile(np.sqrt(np.square(inner - np.median(inner, axis=0)).mean(axis=1)), 90))


def describe_bars(analysis: Analysis, tuning: float, edges: F64) -> Bars:
    """Describe each bar between neighbouring edges (N + 1,) s."""
    count = len(edges) - 1
    bands = band_rows(analysis.mel["mix"], subdivide(edges, BARS.spectrum_parts))
    bands = bands.reshape(len(bands), -1, 2).mean(axis=2)
    notes = note_rows(analysis.pitches, tuning, subdivide(edges, BARS.chroma_parts))
    chroma = np.power(10, notes / 20).reshape(len(notes), -1, 12).sum(axis=1)
    chroma /= np.maximum(np.linalg.norm(chroma, axis=1, keepdims=True), 0.01)
    return Bars(bands.reshape(count, -1), chroma.reshape(count, -1).astype(np.float32))


def similarity(bars: Bars) -> F64:
    """Compute the self-similarity of bars: 1 for the same, 0 for no more in common than any two, (N, N).

    >>> rows = np.array([[0, 1], [2, 0], [0, 1]], np.float32)
    >>> similarity(Bars(rows, rows)).round(2)[0].tolist()
    [1.0, -1.0, 1.0]
    """
    return BARS.spectrum_weight * _cosines(bars.sound) + (1 - BARS.spectrum_weight) * _cosines(bars.notes)


def _cosines(rows: AnyArray) -> F64:
    rows = rows - rows.mean(axis=0, dtype=np.float64)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return np.asarray(rows @ rows.T)


def find_boundaries(bars: Bars, similarities: F64, *, metric: bool = True) -> I64:
    """Find the segments of a song: the first bar of each, and the number of bars, (K + 1,).

    By dynamic programming, the division in which the bars of a segment are most similar, less a penalty for
    odd lengths. Each boundary is then moved to the best bar nearby, with hardly any penalty.

    Args:
        bars: the song.
        similarities: their `similarity`.
        metric: whether bars are bars, so that parts of 4, 8 and 16 are to be preferred.

    >>> verse, chorus = np.zeros((8, 16), np.float32), np.ones((8, 16), np.float32)
    >>> song = np.concatenate([verse, chorus, verse])
    >>> bars = Bars(song, song)
    >>> find_boundaries(bars, similarity(bars)).tolist()
    [0, 8, 16, 24]
    """
    penalty = _length_penalty(len(bars), metric=metric)
    boundaries = _best_division(
        _cumulative_similarity(bars, similarities, BARS.reach_bars),
        BARS.length_weight * penalty[: BARS.max_segment_bars + 1],
    )
    return _refined_boundaries(
        boundaries,
        _cumulative_similarity(bars, similarities, BARS.close_reach_bars),
        BARS.close_length_weight * penalty,
    )


def _cumulative_similarity(bars: Bars, similarities: F64, reach: int) -> F64:
    """Return the cumulative sums of how similar bars are and recur, (N + 1, N + 1), without the diagonal."""
    together = _cosines(_recurrence_rows(similarities, reach))
    together += _cosines(bars.sound)
    together /= 2
    np.fill_diagonal(together, 0)
    sums = np.zeros((len(bars) + 1, len(bars) + 1))
    np.cumsum(together, axis=0, out=sums[1:, 1:])
    np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
    return sums


def _recurrence_rows(similarities: F64, reach: int) -> F32:
    """Return at which lags each bar recurs, with its neighbours (Serrà et al. 2014), (N, 2 N - 1)."""
    count = len(similarities)
    smooth = _smoothed_diagonals(similarities, reach)
    rows = np.zeros((count, 2 * count - 1), np.float32)
    for bar in range(count):
        rows[bar, count - 1 - bar : 2 * count - 1 - bar] = smooth[bar]
    return rows


def _smoothed_diagonals(similarities: F64, reach: int) -> F64:
    """Average along diagonals with a triangle of 2 reach - 1 bars, renormalised at the ends."""
    count = len(similarities)
    sums, weights = np.zeros_like(similarities), np.zeros_like(similarities)
    for shift in range(-min(reach, count) + 1, min(reach, count)):
        weight = reach - abs(shift)
        here = slice(max(0, -shift), min(count, count - shift))
        there = slice(here.start + shift, here.stop + shift)
        sums[here, here] += weight * similarities[there, there]
        weights[here, here] += weight
    sums /= weights
    return sums


def _length_penalty(longest: int, *, metric: bool) -> F64:
    """Return the penalty of a segment of 0, 1, ... ``longest`` bars, 0 to 1."""
    bars = np.arange(longest + 1)
    if not metric:
        return np.full(len(bars), 0.5)
    penalty = np.select([bars % 4 == 0, bars % 2 == 0], [0.1, 0.35], 1.0)
    penalty[(bars == 8) | (bars == 16)] = 0
    return penalty


def _segment_score(sums: F64, first: I64, last: I64, cost: F64) -> F64:
    """Return the score of segments [first, last): sum of similarity / length - penalty of the length."""
    inside = sums[last, last] - 2 * sums[first, last] + sums[first, first]
    return np.asarray(inside / (last - first) - cost[last - first])


def _best_division(sums: F64, cost: F64) -> I64:
    """Find the division with the highest score: B(n) = max over m of B(m) + score(m, n), then backtrack."""
    count = len(sums) - 1
    best, previous = np.zeros(count + 1), np.zeros(count + 1, np.int64)
    for last in range(1, count + 1):
        first = np.arange(max(0, last - len(cost) + 1), last)
        total = best[first] + _segment_score(sums, first, np.full_like(first, last), cost)
        previous[last] = first[total.argmax()]
        best[last] = total.max()
    boundaries = [count]
    while boundaries[-1] > 0:
        boundaries.append(int(previous[boundaries[-1]]))
    return np.array(boundaries[::-1])


def _refined_boundaries(boundaries: I64, sums: F64, cost: F64) -> I64:
    """Move each boundary by up to two bars to the best place between its neighbours, three times over."""
    boundaries = boundaries.copy()
    for place in list(range(1, len(boundaries) - 1)) * 3:
        previous, after = boundaries[place - 1], boundaries[place + 1]
        tried = np.arange(
            max(previous + 1, boundaries[place] - BARS.max_shift_bars),
            min(after, boundaries[place] + BARS.max_shift_bars + 1),
        )
        score = _segment_score(sums, np.full_like(tried, previous), tried, cost)
        score += _segment_score(sums, tried, np.full_like(tried, after), cost)
        boundaries[place] = tried[score.argmax()]
    return boundaries


def label_segments(bars: Bars, similarities: F64, boundaries: I64) -> I64:
    """Label segments, (K,): those whose bars are similar in order, under any rotation, share a label.

    Args:
        bars: the song.
        similarities: their `similarity`.
        boundaries: its parts, as from `find_boundaries`.

    >>> song = np.repeat(np.array([[0], [9], [0]], np.float32), 8, axis=0) * np.ones(16, np.float32)
    >>> bars = Bars(song, song)
    >>> first, other, again = label_segments(bars, similarity(bars), np.array([0, 8, 16, 24])).tolist()
    >>> first == again != other
    True
    """
    parts = len(boundaries) - 1
    if parts == 1:
        return np.zeros(1, np.int64)
    common = np.eye(parts)
    for one in range(parts):
        for other in range(one):
            block = similarities[
                boundaries[one] : boundaries[one + 1], boundaries[other] : boundaries[other + 1]
            ]
            common[one, other] = common[other, one] = _best_shift(block)
    spectra = np.add.reduceat(bars.spectrum, boundaries[:-1], axis=0) / np.diff(boundaries)[:, None]
    differ = np.sqrt(np.square(spectra[:, None] - spectra).mean(axis=2))
    common[differ < BARS.audible_db] = 1
    tree = scipy.cluster.hierarchy.linkage(squareform(1 - common, checks=False), "average")
    return (
        np.asarray(scipy.cluster.hierarchy.fcluster(tree, 1 - BARS.same_similarity, "distance"), np.int64) - 1
    )


def _best_shift(block: F64) -> float:
    """Return the mean similarity of the shorter segment along the longer under the best rotation."""
    block = block if len(block) <= block.shape[1] else block.T
    short, long = block.shape
    around = (np.arange(short)[:, None] + np.arange(long)) % long
    return float(block[np.arange(short)[:, None], around].mean(axis=0).max())
