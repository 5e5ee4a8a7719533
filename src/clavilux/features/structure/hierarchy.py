"""The hierarchy of a song's structure: nine levels, with two labels to ten.

Steps are about a beat long. After McFee and Ellis (2014): the first m eigenvectors of the Laplacian place
each step in m dimensions; rows are normalised, and k-means gives m labels.
"""

import numpy as np

from clavilux.arrays import F32, I64
from clavilux.features.structure.clusters import consistent, kmeans
from clavilux.features.structure.laplacian import MAX_LABELS, MEDIAN_TAPS, affinity, delayed, embed

__all__ = ["LEVELS", "hierarchy"]


LEVELS = range(2, MAX_LABELS + 1)
"""How many labels there are on each level."""
MAX_STEPS = 4000
"""Beyond it, half an hour of one track, steps are averaged in pairs, fours, and so on."""


def hierarchy(notes: F32, timbre: F32) -> list[I64]:
    """Label each step of a song on each of the nine levels; a group keeps its number from level to level.

    Args:
        notes: what repeats, (N, D).
        timbre: what changes slowly, (N, E).

    >>> verse, chorus = np.random.default_rng(0).normal(size=(2, 40, 8)).astype(np.float32) / 3
    >>> song = np.concatenate([verse, chorus + 1, verse])
    >>> hierarchy(song, song)[0][[0, 36, 44, 76, 84, 119]].tolist()
    [0, 0, 1, 1, 0, 0]
    """
    every = 1
    while len(notes) / every > MAX_STEPS:
        every *= 2
    places = embed(
        affinity(delayed(_averaged(notes, every)), _averaged(timbre, every), taps=_odd(MEDIAN_TAPS / every))
    )
    found: list[I64] = []
    for depth in LEVELS:
        slow = places[:, :depth]
        slow = slow / np.maximum(np.linalg.norm(slow, axis=1, keepdims=True), 1e-12)
        labels = kmeans(slow, depth)
        found.append(consistent(labels, found[-1]) if found else labels)
    return [np.repeat(labels, every)[: len(notes)] for labels in found]


def _averaged(rows: F32, every: int) -> F32:
    """Average neighbouring rows, ``every`` of them."""
    first = np.arange(0, len(rows), every)
    size = np.diff(np.append(first, len(rows)))
    return np.asarray(np.add.reduceat(rows, first, axis=0) / size[:, None], np.float32)


def _odd(taps: float) -> int:
    return 2 * round(taps / 2 - 0.25) + 1
