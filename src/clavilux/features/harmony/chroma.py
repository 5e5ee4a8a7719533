"""Other views of chroma: what is heard again elsewhere, what matters over a second, and where it changes.

Chroma is (T, 12) per frame, as ``find_chroma`` gives it: about 1 in sum where the song is loud.
"""

from collections.abc import Iterator
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d, uniform_filter1d

from clavilux.features.spectrum.cqt import BINS_PER_OCTAVE, pitch_frequencies
from clavilux.features.spectrum.peaks import loud_level, peak_ceiling
from clavilux.features.spectrum.spectra import Half, pieces

__all__ = ["cens", "chord_change", "find_chroma", "repeated"]

Array = NDArray[np.float32]

PEAK_NEIGHBOURS, STANDING = 4, 0.8
"""Bins on either side, 1.3 semitones, and the share of their mean that a pitch must stand out from."""
OVERTONES_HZ = 2000.0
"""Above it pitches count for less and less: they are overtones more often than notes."""
QUIETEST = 0.003
"""Share of the song's loud level below which harmony is not scaled up: -50 dB."""
BINS_PER_NOTE = BINS_PER_OCTAVE // 12
MOMENT = 9
"""Frames that are averaged before they are compared, 0.2 s."""
MODELS = 4096
"""Moments at most that others are compared with; of a longer song, every second, third ..."""
NEIGHBOURS = 48
ROWS = 512
"""Moments compared at a time."""
FAINTEST = 0.01
"""Sum of a frame of chroma, 1 in loud parts, below which statistics fade to nothing: -40 dB."""

STEPS = (0.05, 0.1, 0.2, 0.4)
SMOOTHING = 41
"""Frames, 0.95 s."""

CHANGE_SPAN = 31
"""Frames before, and after, that are compared: 0.7 s each."""
HARDLY_HEARD = 0.01
"""Product of the lengths of two moments, 0.2 and more for chords, below which they are not compared."""
SLIGHTEST = 0.1
"""Distance that a full change has at least: noise has no chord changes."""


def find_chroma(strengths: Array | Half, tuning: float, low_hz: float, high_hz: float, loud: float) -> Array:
    """Fold the pitches (T, 252) of a band into the twelve pitch classes, float32 (T, 12).

    Args:
        strengths: amplitude per pitch.
        tuning: semitones from A4 = 440 Hz.
        low_hz: pitches below do not count.
        high_hz: pitches above do not count.
        loud: loud level of the whole song; harmony far below it stays small.

    Only what stands out from its neighbours counts, and high pitches, which are overtones, count less.

    >>> only_a = np.eye(1, 252, 3 * 45, dtype=np.float32)
    >>> find_chroma(only_a, 0.0, 32, 5000, 1.0)[0, 9].item()
    1.0
    """
    frequencies = pitch_frequencies()
    band = (frequencies >= low_hz) & (frequencies <= high_hz)
    notes = np.arange(len(frequencies)) / BINS_PER_NOTE - tuning
    distance = (notes[:, None] - np.arange(12) + 6) % 12 - 6
    fold = np.where(np.abs(distance) < 0.5, np.cos(np.pi * distance) ** 2, 0) * band[:, None]
    fold /= 1 + np.square(frequencies[:, None] / OVERTONES_HZ)
    chroma = np.concatenate([_summits(heard) @ fold.astype(np.float32) for heard in pieces(strengths)])
    scale = max(loud_level(chroma.sum(axis=1)), QUIETEST * loud)
    chroma *= np.float32(1 / scale if scale > 0 else 0)
    return chroma


def _summits(heard: Array) -> Array:
    """What of each pitch (t, 252) stands out from its neighbours: tones do, noise and their edges do not."""
    around = uniform_filter1d(heard, 2 * PEAK_NEIGHBOURS + 1, axis=1)
    return np.maximum(heard - np.float32(STANDING) * around, 0)


def repeated(chroma: Array) -> Array:
    """Keep of chroma (T, 12) what sounds the same elsewhere in the song: passing notes go, float32 (T, 12).

    A frame becomes the lesser of itself and the median of the moments that resemble it most (Rafii and Pardo
    2012; cosine similarity, so that loudness does not matter). The memory needed grows with T only.

    >>> float(repeated(np.eye(12, dtype=np.float32)[np.zeros(90, int)])[0, 0])
    1.0
    """
    moments = _unit(_means(chroma))
    models = moments[:: -(-len(moments) // MODELS)]
    usual = np.concatenate([_usual(block, models) for block in _blocks(moments)])
    middle = (np.arange(len(moments)) + 0.5) * MOMENT - 0.5
    frames = np.arange(len(chroma))
    shape = np.stack([np.interp(frames, middle, line) for line in usual.T], axis=1).astype(np.float32)
    shape *= np.linalg.norm(chroma, axis=1, keepdims=True)
    return np.minimum(chroma, shape, out=shape)


def _means(chroma: Array) -> Array:
    """Average every ``MOMENT`` frames, (ceil(T / MOMENT), 12)."""
    first = np.arange(0, len(chroma), MOMENT)
    counts = np.diff(np.append(first, len(chroma)))[:, None]
    return np.asarray(np.add.reduceat(chroma, first, axis=0) / counts, np.float32)


def _unit(rows: Array) -> Array:
    """Divide rows by their length; those of length 0 stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0))


def _blocks(moments: Array) -> Iterator[Array]:
    for first in range(0, len(moments), ROWS):
        yield moments[first : first + ROWS]


def _usual(moments: Array, models: Array) -> Array:
    """The median of the models nearest to each moment, (n, 12)."""
    count = min(NEIGHBOURS, 2 * ceil(sqrt(len(models))), len(models))
    nearest = np.argpartition(moments @ models.T, len(models) - count, axis=1)[:, -count:]
    return np.asarray(np.median(models[nearest], axis=1), np.float32)


def cens(chroma: Array) -> Array:
    """Reduce chroma (T, 12) to the notes that matter over a second, as energy normalised statistics.

    Returns float32 (T, 12). Every frame has length 1, however loud it is; near silence it fades to 0.

    Source:
        Müller and Ewert 2011, Chroma Toolbox, with the parameters that librosa took from it.

    >>> cens(np.eye(12, dtype=np.float32)[:1])[0, :2].tolist()
    [1.0, 0.0]
    """
    share = chroma / np.maximum(chroma.sum(axis=1, keepdims=True), FAINTEST)
    level = np.zeros_like(chroma)
    for step in STEPS:
        level += np.float32(1 / len(STEPS)) * (share > step)
    window = np.hanning(SMOOTHING + 2)
    return _unit(np.asarray(convolve1d(level, window / window.sum(), axis=0, mode="constant"), np.float32))


def chord_change(chroma: Array) -> Array:
    """Measure how much the harmony changes, per frame: float32 (T,) in [0, 1], clear changes near 1.

    It is the cosine distance between the chroma (T, 12) of the 0.7 s before and that of the 0.7 s after. From
    or into silence nothing changes.

    >>> both = np.repeat(np.eye(12, dtype=np.float32)[[0, 6]], 50, axis=0)
    >>> chord_change(both)[[18, 50]].round(2).tolist()
    [0.0, 1.0]
    """
    share = chroma / np.maximum(chroma.sum(axis=1, keepdims=True), FAINTEST)
    mean = uniform_filter1d(share, CHANGE_SPAN, axis=0, mode="nearest")
    around = np.pad(mean, ((CHANGE_SPAN // 2 + 1, CHANGE_SPAN // 2), (0, 0)), mode="edge")
    before, after = around[:-CHANGE_SPAN], around[CHANGE_SPAN:]
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    change = (lengths - (before * after).sum(axis=1)) / np.maximum(lengths, HARDLY_HEARD)
    full = max(peak_ceiling(change), SLIGHTEST)
    return np.asarray(np.clip(change / full, 0, 1), np.float32)
