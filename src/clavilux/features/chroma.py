"""Other views of chroma: what is heard again elsewhere, what matters over a second, and where it changes.

Chroma is (T, 12) per frame, as ``find_chroma`` gives it: about 1 in sum where the song is loud.
"""

from collections.abc import Iterator
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d, uniform_filter1d

from clavilux.features.level import peak_ceiling

__all__ = ["cens", "chord_change", "repeated"]

Array = NDArray[np.float32]

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
