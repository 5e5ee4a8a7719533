"""The song's structure at nine depths, from two kinds of part to ten.

Steps are about a beat long. After McFee and Ellis (2014): the slowest m ways of the Laplacian place each step
in m dimensions, where k-means finds m kinds.
"""

import numpy as np
from numpy.typing import NDArray

from clavilux.features.structure.clusters import consistent, group
from clavilux.features.structure.laplacian import DEEPEST, TAPS, affinity, delayed, embed

__all__ = ["DEPTHS", "depths"]

Array = NDArray[np.float32]
Labels = NDArray[np.int64]

DEPTHS = range(2, DEEPEST + 1)
"""How many kinds of part there are on each level."""
MOST_STEPS = 4000
"""Beyond it, half an hour without a change of track, steps are taken in pairs, fours, and so on."""


def depths(notes: Array, timbre: Array) -> list[Labels]:
    """Label each step of a song on each of the nine levels; a group keeps its number from level to level.

    Args:
        notes: what repeats, (N, D).
        timbre: what stays alike, (N, E).

    >>> verse, chorus = np.random.default_rng(0).normal(size=(2, 40, 8)).astype(np.float32) / 3
    >>> song = np.concatenate([verse, chorus + 1, verse])
    >>> depths(song, song)[0][[0, 36, 44, 76, 84, 119]].tolist()
    [0, 0, 1, 1, 0, 0]
    """
    every = 1
    while len(notes) / every > MOST_STEPS:
        every *= 2
    places = embed(
        affinity(delayed(_thinned(notes, every)), _thinned(timbre, every), taps=_odd(TAPS / every))
    )
    found: list[Labels] = []
    for depth in DEPTHS:
        slow = places[:, :depth]
        slow = slow / np.maximum(np.linalg.norm(slow, axis=1, keepdims=True), 1e-12)
        labels = group(slow, depth)
        found.append(consistent(labels, found[-1]) if found else labels)
    return [np.repeat(labels, every)[: len(notes)] for labels in found]


def _thinned(rows: Array, every: int) -> Array:
    """Average neighbouring rows, ``every`` of them."""
    first = np.arange(0, len(rows), every)
    size = np.diff(np.append(first, len(rows)))
    return np.asarray(np.add.reduceat(rows, first, axis=0) / size[:, None], np.float32)


def _odd(taps: float) -> int:
    return 2 * round(taps / 2 - 0.25) + 1
