"""Chroma: pitch classes over time, and three views of it: repeated notes, CENS and chord changes.

Chroma is float32 (T, 12) per frame, columns C to B, not negative, on one scale for the whole song: in the
loud parts a frame sums to about 1, in silence to 0.
"""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
import scipy

from clavilux.arrays import F16, F32
from clavilux.features.spectrum.cqt import BINS_PER_NOTE, pitch_frequencies
from clavilux.features.spectrum.peaks import above_neighbours, loud_level, peak_ceiling
from clavilux.features.spectrum.spectra import pieces

__all__ = ["cens", "chord_change", "find_chroma", "repeated"]

FAINT_FRAME_SUM = 0.01
"""Sum of a frame of chroma, 1 in loud parts, below which statistics fade to 0: -40 dB."""


@dataclass(frozen=True)
class FoldModel:
    """How pitches become chroma.

    Attributes:
        peak_reach: bins on either side, 1.3 semitones, above whose mean a pitch must stand.
        overtones_hz: from here up the weight of a pitch falls: it is an overtone more often than a note.
        quietest: share of the song's loud level below which harmony is not scaled up, -50 dB.
    """

    peak_reach: int = 4
    overtones_hz: float = 2000.0
    quietest: float = 0.003


@dataclass(frozen=True)
class RepetitionModel:
    """How repeated notes are found (REPET-SIM, Rafii and Pardo 2012).

    Attributes:
        moment_frames: averaged before moments are compared, 0.2 s.
        max_models: moments that others are compared with; of a longer song every second, third and so on.
        max_neighbours: similar moments of which the median is taken.
        rows: moments compared at a time.
    """

    moment_frames: int = 9
    max_models: int = 4096
    max_neighbours: int = 48
    rows: int = 512


@dataclass(frozen=True)
class CensModel:
    """Quantisation and smoothing of CENS (Müller and Ewert 2011, as in librosa).

    Attributes:
        thresholds: shares of a frame's sum; a pitch class gains a quarter for each one it exceeds.
        smoothing_frames: length of the Hann window, 0.95 s.
    """

    thresholds: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4)
    smoothing_frames: int = 41


@dataclass(frozen=True)
class ChangeModel:
    """How chord changes are measured.

    Attributes:
        frames: before, and after, that are compared, 0.7 s each.
        faint: product of the two vectors' lengths, at least 0.2 for chords, below which the distance fades.
        min_full_distance: distance that counts as a full change at least, so that noise has none.
    """

    frames: int = 31
    faint: float = 0.01
    min_full_distance: float = 0.1


FOLD, REPETITION, CENS, CHANGE = FoldModel(), RepetitionModel(), CensModel(), ChangeModel()


def find_chroma(strengths: F32 | F16, tuning: float, low_hz: float, high_hz: float, loud: float) -> F32:
    """Fold the pitches of a band into the twelve pitch classes, float32 (T, 12).

    Only what stands out from its neighbours counts, and high pitches, which are overtones, count less.

    Args:
        strengths: amplitude per pitch, (T, 252).
        tuning: semitones from A4 = 440 Hz.
        low_hz: lowest pitch that counts.
        high_hz: highest pitch that counts.
        loud: loud level of the whole song; harmony far below it stays small.

    >>> only_a = np.eye(1, 252, 3 * 45, dtype=np.float32)
    >>> find_chroma(only_a, 0.0, 32, 5000, 1.0)[0, 9].item()
    1.0
    """
    frequencies = pitch_frequencies()
    band = (frequencies >= low_hz) & (frequencies <= high_hz)
    # fold[b, c] = cos^2(pi d) / (1 + (f / 2000 Hz)^2), d = semitones from bin b to class c
    notes = np.arange(len(frequencies)) / BINS_PER_NOTE - tuning
    distance = (notes[:, None] - np.arange(12) + 6) % 12 - 6  # (252, 12), in [-6, 6)
    fold = np.where(np.abs(distance) < 0.5, np.cos(np.pi * distance) ** 2, 0) * band[:, None]
    fold /= 1 + np.square(frequencies[:, None] / FOLD.overtones_hz)
    tones = (above_neighbours(piece, FOLD.peak_reach) for piece in pieces(strengths))
    chroma = np.concatenate([piece @ fold.astype(np.float32) for piece in tones])
    scale = max(loud_level(chroma.sum(axis=1)), FOLD.quietest * loud)
    chroma *= np.float32(1 / scale if scale > 0 else 0)
    return chroma


def repeated(chroma: F32) -> F32:
    """Keep of chroma (T, 12) what recurs elsewhere in the song and remove passing notes; float32 (T, 12).

    A frame becomes the minimum of itself and the median of the moments most similar to it (cosine
    similarity, so that loudness does not matter). The memory needed grows with T only.

    Source:
        Rafii and Pardo 2012, REPET-SIM.

    >>> float(repeated(np.eye(12, dtype=np.float32)[np.zeros(90, int)])[0, 0])
    1.0
    """
    # The mean of every 9 frames at length 1, (M, 12)
    first = np.arange(0, len(chroma), REPETITION.moment_frames)
    counts = np.diff(np.append(first, len(chroma)))[:, None]
    moments = _unit(np.asarray(np.add.reduceat(chroma, first, axis=0) / counts, np.float32))
    models = moments[:: -(-len(moments) // REPETITION.max_models)]
    blocks = [moments[row : row + REPETITION.rows] for row in range(0, len(moments), REPETITION.rows)]
    usual = np.concatenate([_median_of_nearest(block, models) for block in blocks])  # (M, 12)
    middle = (np.arange(len(moments)) + 0.5) * REPETITION.moment_frames - 0.5
    frames = np.arange(len(chroma))
    shape = np.stack([np.interp(frames, middle, column) for column in usual.T], axis=1).astype(np.float32)
    shape *= np.linalg.norm(chroma, axis=1, keepdims=True)  # at each frame's own length
    return np.minimum(chroma, shape, out=shape)


def _unit(rows: F32) -> F32:
    """Divide rows by their length; those of length 0 stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0))


def _median_of_nearest(moments: F32, models: F32) -> F32:
    """Compute the median of the models most similar to each moment, (n, 12)."""
    count = min(REPETITION.max_neighbours, 2 * ceil(sqrt(len(models))), len(models))
    similarity = moments @ models.T  # cosine, as all have length 1; (n, M)
    nearest = np.argpartition(similarity, len(models) - count, axis=1)[:, -count:]
    return np.asarray(np.median(models[nearest], axis=1), np.float32)


def cens(chroma: F32) -> F32:
    """Reduce chroma (T, 12) to the notes that matter over a second: chroma energy normalised statistics.

    Returns float32 (T, 12). Every frame has length 1, however loud it is; near silence it fades to 0.

    Source:
        Müller and Ewert 2011, Chroma Toolbox, with the parameters of librosa.

    >>> cens(np.eye(12, dtype=np.float32)[:1])[0, :2].tolist()
    [1.0, 0.0]
    """
    share = _shares(chroma)
    level = np.zeros_like(chroma)
    for threshold in CENS.thresholds:
        level += np.float32(1 / len(CENS.thresholds)) * (share > threshold)
    window = np.hanning(CENS.smoothing_frames + 2)
    return _unit(
        np.asarray(
            scipy.ndimage.convolve1d(level, window / window.sum(), axis=0, mode="constant"), np.float32
        )
    )


def chord_change(chroma: F32) -> F32:
    """Measure how much the harmony changes, per frame: float32 (T,) in [0, 1], clear changes near 1.

    It is the cosine distance between the chroma (T, 12) of the 0.7 s before and that of the 0.7 s after. From
    or into silence nothing changes.

    >>> both = np.repeat(np.eye(12, dtype=np.float32)[[0, 6]], 50, axis=0)
    >>> chord_change(both)[[18, 50]].round(2).tolist()
    [0.0, 1.0]
    """
    mean = scipy.ndimage.uniform_filter1d(_shares(chroma), CHANGE.frames, axis=0, mode="nearest")
    around = np.pad(mean, ((CHANGE.frames // 2 + 1, CHANGE.frames // 2), (0, 0)), mode="edge")
    before, after = around[: -CHANGE.frames], around[CHANGE.frames :]
    # d = (|a||b| - a . b) / |a||b| = 1 - cos(a, b)
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    distance = (lengths - (before * after).sum(axis=1)) / np.maximum(lengths, CHANGE.faint)
    full = max(peak_ceiling(distance), CHANGE.min_full_distance)
    return np.asarray(np.clip(distance / full, 0, 1), np.float32)


def _shares(chroma: F32) -> F32:
    """Divide each frame by its sum; near silence frames fade to 0."""
    return np.asarray(chroma / np.maximum(chroma.sum(axis=1, keepdims=True), FAINT_FRAME_SUM))
