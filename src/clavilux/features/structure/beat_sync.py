"""Beat-synchronous features: beats and bars as steps of time, and one row of features for each.

Edges are seconds, increasing, from 0 to the song's end: N steps have N + 1. Rows are float32 (N, features),
in decibels below the song's own loudest value, so a quiet master has the same rows as a loud one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import bottleneck
import numpy as np
import scipy

from clavilux.arrays import F16, F32, F64
from clavilux.curves import Grid
from clavilux.features.spectrum.cqt import BINS_PER_OCTAVE
from clavilux.features.spectrum.spectra import HOP, RATE

__all__ = ["bar_edges", "beat_edges", "pair_bars", "subdivide", "sync_mel", "sync_mfcc", "sync_pitches"]


@dataclass(frozen=True)
class SyncModel:
    """Lengths of steps, and what is computed of each.

    Lengths absorb octave errors of the tempo; pitches and coefficients are those of McFee and Ellis (2014).

    Attributes:
        min_beat_seconds, max_beat_seconds: of a step of about a beat; beats that are longer are halved,
            beats that are shorter taken in pairs.
        min_bar_seconds, max_bar_seconds: of a bar, likewise.
        pitches: semitones from C1 up, six octaves.
        mfccs: mel-frequency cepstral coefficients.
        range_db: below the loudest value, from which on there is silence.
    """

    min_beat_seconds: float = 0.35
    max_beat_seconds: float = 0.7
    min_bar_seconds: float = 1.4
    max_bar_seconds: float = 2.9
    pitches: int = 72
    mfccs: int = 13
    range_db: float = 80.0


SYNC = SyncModel()
CHUNK_FRAMES = 4096
"""Frames that are held in memory at a time."""


def beat_edges(grid: Grid, duration: float) -> F64:
    """Divide a song of ``duration`` s into steps of about a beat, (N + 1,) s, from 0 to ``duration``.

    Steps begin on beats, but last 0.35 to 0.7 s whatever octave of the tempo was found.

    >>> beat_edges(Grid(np.arange(0.0, 3, 0.3)), 2.4).round(1).tolist()
    [0.0, 0.6, 1.2, 1.8, 2.4]
    """
    beats, anchor, period = grid.beats, grid.first_downbeat, 60 / grid.tempo
    if period > SYNC.max_beat_seconds:
        halves = np.arange(2 * len(beats) - 1) / 2
        beats, anchor, period = np.interp(halves, np.arange(len(beats)), beats), 2 * anchor, period / 2
    every = 2 if period < SYNC.min_beat_seconds and grid.beats_per_bar % 2 == 0 else 1
    return _close(beats[anchor % every :: every], duration)


def bar_edges(grid: Grid, duration: float) -> F64:
    """Divide a song of ``duration`` s into its bars, (N + 1,) s; the first and the last may be cut short.

    Bars longer than 2.9 s are halved: most of them are bars of a tempo an octave too slow.

    >>> bar_edges(Grid(np.arange(0, 4, 0.5), first_downbeat=2), 4.0).tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    bars = grid.downbeats
    slow = grid.beats_per_bar * 60 / grid.tempo > SYNC.max_bar_seconds and len(bars) > 1
    return _close(subdivide(bars, 2) if slow else bars, duration)


def pair_bars(edges: F64, changes: F64) -> F64:
    """Join bars two by two if they are shorter than 1.4 s: bars of a tempo an octave too fast, (N + 1,) s.

    Args:
        edges: the bars, (N + 1,) s.
        changes: how much each bar differs from the one before, (N,): pairs begin where more changes.

    >>> pair_bars(np.arange(6.0), np.array([0.0, 0.9, 0.1, 0.8, 0.0])).tolist()
    [0.0, 1.0, 3.0, 5.0]
    """
    if len(edges) < 4 or np.median(np.diff(edges)) >= SYNC.min_bar_seconds:
        return edges
    first = 1 if changes[1::2].mean() >= changes[2::2].mean() else 2
    return np.concatenate((edges[:1], edges[first:-1:2], edges[-1:]))


def _close(times: F64, duration: float) -> F64:
    """Add 0 and the end to times, and omit those less than a third of a step from either."""
    margin = float(np.median(np.diff(times))) / 3 if len(times) > 1 else duration / 3
    inside = times[(times > margin) & (times < duration - margin)]
    return np.concatenate(([0.0], inside, [duration]))


def subdivide(edges: F64, parts: int) -> F64:
    """Divide each step into ``parts`` of the same length, (parts N + 1,).

    >>> subdivide(np.array([0.0, 2.0, 6.0]), 2).tolist()
    [0.0, 1.0, 2.0, 4.0, 6.0]
    """
    positions = np.arange(parts * (len(edges) - 1) + 1) / parts
    return np.asarray(np.interp(positions, np.arange(len(edges)), edges))


def sync_pitches(pitches: F16, tuning: float, edges: F64) -> F32:
    """Compute how strong each semitone from C1 to B6 is in each step: median decibels (N, 72), -80 to 0.

    Args:
        pitches: amplitudes (T, 252), as in ``cqt``.
        tuning: semitones from A4 = 440 Hz.
        edges: (N + 1,) s.

    >>> only_a = np.tile(np.eye(1, 252, 3 * 45, dtype=np.float16), (100, 1))
    >>> sync_pitches(only_a, 0.0, np.array([0.0, 1.0, 2.0]))[:, 44:47].tolist()
    [[-80.0, 0.0, -80.0], [-80.0, 0.0, -80.0]]
    """
    # weight of bin b for semitone n: cos^2(pi d) within half a semitone, d = b / 3 - tuning - n, (252, 72)
    bins = np.arange(pitches.shape[1])[:, None] / (BINS_PER_OCTAVE // 12)
    distance = bins - tuning - np.arange(SYNC.pitches)
    fold = np.where(np.abs(distance) < 0.5, np.cos(np.pi * distance) ** 2, 0).astype(np.float32)
    return _sync(pitches, fold, edges, lambda frames: bottleneck.median(frames, axis=0))


def sync_mel(mel: F16, edges: F64) -> F32:
    """Compute how strong each mel band is in each step: mean decibels (N, bands), -80 to 0.

    >>> sync_mel(np.ones((100, 2), np.float16), np.array([0.0, 1.0])).tolist()
    [[0.0, 0.0]]
    """
    return _sync(mel, None, edges, lambda frames: frames.mean(axis=0))


def sync_mfcc(mel: F16, edges: F64) -> F32:
    """Compute the mean of 13 mel-frequency cepstral coefficients in each step, (N, 13).

    >>> sync_mfcc(np.ones((100, 96), np.float16), np.array([0.0, 1.0])).shape
    (1, 13)
    """
    # the DCT is linear: the mean of the frames' coefficients is that of the mean's
    return np.asarray(scipy.fft.dct(sync_mel(mel, edges), norm="ortho")[:, : SYNC.mfccs], np.float32)


def _sync(values: F16, fold: F32 | None, edges: F64, aggregate: Callable[[F32], F32]) -> F32:
    """Aggregate the decibels of the frames of each step; a step has one frame at least.

    Args:
        values: amplitudes (T, F).
        fold: (F, D), applied to each frame; none leaves it as it is.
        edges: (N + 1,) s.
        aggregate: from a step's frames (t, D) to one row (D,).
    """

    def amplitude(begin: int, end: int) -> F32:
        part = values[begin:end].astype(np.float32)
        return part if fold is None else part @ fold

    chunks = (amplitude(begin, begin + CHUNK_FRAMES) for begin in range(0, len(values), CHUNK_FRAMES))
    peak = max((float(chunk.max()) for chunk in chunks), default=0.0)
    scale, floor = np.float32(1 / peak if peak > 0 else 0), np.float32(10 ** (-SYNC.range_db / 20))
    first = np.clip(np.round(edges[:-1] * RATE / HOP).astype(int), 0, len(values) - 1)
    last = np.clip(np.round(edges[1:] * RATE / HOP).astype(int), first + 1, len(values))
    rows = np.empty((len(first), values.shape[1] if fold is None else fold.shape[1]), np.float32)
    step = 0
    while step < len(first):  # as many steps at a time as a chunk has
        begin = first[step]
        stop = max(step + 1, int(np.searchsorted(last, begin + CHUNK_FRAMES, side="right")))
        decibels = 20 * np.log10(np.maximum(amplitude(begin, last[stop - 1]) * scale, floor))
        for row in range(step, stop):
            rows[row] = aggregate(decibels[first[row] - begin : last[row] - begin])
        step = stop
    return rows
