"""Beat-synchronous and bar-synchronous features: one row for the time between two edges.

SongRows are seconds, increasing, from 0 to the song's end. Rows are float32 in decibels below the song's own
loudest value, so a quiet master gives the same rows as a loud one.
"""

from collections.abc import Callable, Iterator

import bottleneck
import numpy as np
import scipy.fft

from clavilux.arrays import F16, F32, F64
from clavilux.curves import Grid
from clavilux.features.spectrum.cqt import BINS_PER_OCTAVE
from clavilux.features.spectrum.spectra import HOP, RATE

__all__ = ["band_rows", "bar_edges", "beat_edges", "in_pairs", "note_rows", "subdivide", "timbre_rows"]


SEMITONES = 72
"""Semitones from C1 up, six octaves."""
RANGE_DB = 80.0
"""What lies further below the loudest counts as silence."""
MFCCS = 13
MIN_STEP_SECONDS, MAX_STEP_SECONDS = 0.35, 0.7
"""Seconds that a step may last: beats an octave too slow are halved, beats too fast taken in pairs."""
MIN_BAR_SECONDS, MAX_BAR_SECONDS = 1.4, 2.9
"""Seconds that a bar may last."""
CHUNK = 4096
"""Frames that are worked on at a time."""


def beat_edges(grid: Grid, duration: float) -> F64:
    """Divide a song of ``duration`` s into steps of about a beat, (N + 1,) s, from 0 to ``duration``.

    Steps begin on beats, but last 0.35 to 0.7 s whatever octave of the tempo was found.

    >>> beat_edges(Grid(np.arange(0.0, 3, 0.3)), 2.4).round(1).tolist()
    [0.0, 0.6, 1.2, 1.8, 2.4]
    """
    beats, anchor, period = grid.beats, grid.first_downbeat, 60 / grid.tempo
    if period > MAX_STEP_SECONDS:
        between = np.arange(2 * len(beats) - 1) / 2
        beats, anchor, period = np.interp(between, np.arange(len(beats)), beats), 2 * anchor, period / 2
    every = 2 if period < MIN_STEP_SECONDS and grid.beats_per_bar % 2 == 0 else 1
    return _within(beats[anchor % every :: every], duration)


def bar_edges(grid: Grid, duration: float) -> F64:
    """Divide a song of ``duration`` s into its bars, (N + 1,) s; the first and the last may be cut short.

    Bars longer than 2.9 s are halved: most of them are bars of a tempo an octave too slow.

    >>> bar_edges(Grid(np.arange(0, 4, 0.5), first_downbeat=2), 4.0).tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    bars = grid.downbeats
    slow = grid.beats_per_bar * 60 / grid.tempo > MAX_BAR_SECONDS and len(bars) > 1
    return _within(subdivide(bars, 2) if slow else bars, duration)


def in_pairs(edges: F64, changes: F64) -> F64:
    """Join bars two by two if they are shorter than 1.4 s: bars of a tempo an octave too fast, (N + 1,) s.

    Args:
        edges: the bars, (N + 1,) s.
        changes: how much each bar differs from the one before, (N,): pairs begin where more changes.

    >>> in_pairs(np.arange(6.0), np.array([0.0, 0.9, 0.1, 0.8, 0.0])).tolist()
    [0.0, 1.0, 3.0, 5.0]
    """
    if len(edges) < 4 or np.median(np.diff(edges)) >= MIN_BAR_SECONDS:
        return edges
    first = 1 if changes[1::2].mean() >= changes[2::2].mean() else 2
    return np.concatenate((edges[:1], edges[first:-1:2], edges[-1:]))


def _within(moments: F64, duration: float) -> F64:
    """Put 0 and the end around those moments that leave no sliver at either end, a third of a step."""
    sliver = float(np.median(np.diff(moments))) / 3 if len(moments) > 1 else duration / 3
    inside = moments[(moments > sliver) & (moments < duration - sliver)]
    return np.concatenate(([0.0], inside, [duration]))


def subdivide(edges: F64, parts: int) -> F64:
    """Divide each step into ``parts`` of the same length, (parts N + 1,).

    >>> subdivide(np.array([0.0, 2.0, 6.0]), 2).tolist()
    [0.0, 1.0, 2.0, 4.0, 6.0]
    """
    places = np.arange(parts * (len(edges) - 1) + 1) / parts
    return np.asarray(np.interp(places, np.arange(len(edges)), edges))


def note_rows(pitches: F16, tuning: float, edges: F64) -> F32:
    """Compute the strength of each semitone from C1 to B6 is in each step: median decibels (N, 72), -80 to 0.

    Args:
        pitches: strengths (T, 252), as in ``pitches``.
        tuning: semitones from A4 = 440 Hz.
        edges: (N + 1,) s.

    >>> only_a = np.tile(np.eye(1, 252, 3 * 45, dtype=np.float16), (100, 1))
    >>> note_rows(only_a, 0.0, np.array([0.0, 1.0, 2.0]))[:, 44:47].tolist()
    [[-80.0, 0.0, -80.0], [-80.0, 0.0, -80.0]]
    """
    distance = np.arange(pitches.shape[1])[:, None] / (BINS_PER_OCTAVE // 12) - tuning - np.arange(SEMITONES)
    fold = np.where(np.abs(distance) < 0.5, np.cos(np.pi * distance) ** 2, 0).astype(np.float32)
    return _rows(pitches, fold, edges, lambda frames: bottleneck.median(frames, axis=0))


def band_rows(mel: F16, edges: F64) -> F32:
    """Compute the strength of each mel band in each step: mean decibels (N, bands), -80 to 0.

    >>> band_rows(np.ones((100, 2), np.float16), np.array([0.0, 1.0])).tolist()
    [[0.0, 0.0]]
    """
    return _rows(mel, None, edges, lambda frames: frames.mean(axis=0))


def timbre_rows(mel: F16, edges: F64) -> F32:
    """Compute the mean of 13 mel-frequency cepstral coefficients of each step, (N, 13).

    >>> timbre_rows(np.ones((100, 96), np.float16), np.array([0.0, 1.0])).shape
    (1, 13)
    """
    # The transform is linear: that of the mean is the mean of those of all frames.
    return np.asarray(scipy.fft.dct(band_rows(mel, edges), norm="ortho")[:, :MFCCS], np.float32)


def _rows(values: F16, fold: F32 | None, edges: F64, summed: Callable[[F32], F32]) -> F32:
    """Sum up the frames of each step, in decibels; a step has one frame at least."""
    first = np.clip(np.round(edges[:-1] * RATE / HOP).astype(int), 0, len(values) - 1)
    last = np.clip(np.round(edges[1:] * RATE / HOP).astype(int), first + 1, len(values))
    loudest = max((float(part.max()) for part in _folded(values, fold)), default=0.0)
    scale = np.float32(1 / loudest if loudest > 0 else 0)
    rows = np.empty((len(first), values.shape[1] if fold is None else fold.shape[1]), np.float32)
    step = 0
    while step < len(first):
        stop = max(step + 1, int(np.searchsorted(last, first[step] + CHUNK, side="right")))
        frames = _decibels(next(_folded(values[first[step] : last[stop - 1]], fold, whole=True)) * scale)
        for row in range(step, stop):
            rows[row] = summed(frames[first[row] - first[step] : last[row] - first[step]])
        step = stop
    return rows


def _folded(values: F16, fold: F32 | None, *, whole: bool = False) -> Iterator[F32]:
    for first in range(0, len(values), len(values) if whole else CHUNK):
        part = values[first : len(values) if whole else first + CHUNK].astype(np.float32)
        yield part if fold is None else part @ fold


def _decibels(amplitude: F32) -> F32:
    floor = np.float32(10 ** (-RANGE_DB / 20))
    return np.asarray(20 * np.log10(np.maximum(amplitude, floor)), np.float32)
