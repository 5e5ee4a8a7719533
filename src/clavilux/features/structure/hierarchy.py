"""The hierarchy of a song's structure: nine levels, from two labels to ten.

Steps are about a beat long. Spectral clustering after McFee and Ellis (2014): the m slowest eigenvectors of
the Laplacian place each step in m dimensions, where k-means finds m clusters.
"""

import numpy as np

from clavilux.arrays import F32, I64
from clavilux.features.structure.clusters import kmeans, match_labels
from clavilux.features.structure.laplacian import (
    LAPLACIAN,
    affinity,
    delay_embedding,
    spectral_embedding,
)

__all__ = ["LEVELS", "label_levels"]

LEVELS = range(2, LAPLACIAN.max_labels + 1)
"""How many labels each level has at most."""
MAX_STEPS = 4000
"""Half an hour without a change of track; of longer songs two, four ... steps are averaged."""


def label_levels(pitches: F32, timbre: F32) -> list[I64]:
    """Label each step of a song on each of the nine levels; a cluster keeps its label from level to level.

    Args:
        pitches: features that repeat, (N, D).
        timbre: features that stay similar, (N, E).

    >>> verse, chorus = np.random.default_rng(0).normal(size=(2, 40, 8)).astype(np.float32) / 3
    >>> song = np.concatenate([verse, chorus + 1, verse])
    >>> label_levels(song, song)[0][[0, 36, 44, 76, 84, 119]].tolist()
    [0, 0, 1, 1, 0, 0]
    """
    every = 1
    while len(pitches) / every > MAX_STEPS:
        every *= 2
    taps = 2 * round(LAPLACIAN.median_taps / every / 2 - 0.25) + 1  # odd
    links = affinity(delay_embedding(_average(pitches, every)), _average(timbre, every), taps=taps)
    vectors = spectral_embedding(links)
    levels: list[I64] = []
    for count in LEVELS:
        # Y[n, :] = V[n, :m] / |V[n, :m]|
        slow = vectors[:, :count]
        slow = slow / np.maximum(np.linalg.norm(slow, axis=1, keepdims=True), 1e-12)
        labels = kmeans(slow, count)
        levels.append(match_labels(labels, levels[-1]) if levels else labels)
    return [np.repeat(labels, every)[: len(pitches)] for labels in levels]


def _average(rows: F32, every: int) -> F32:
    """Average neighbouring rows, ``every`` of them."""
    first = np.arange(0, len(rows), every)
    size = np.diff(np.append(first, len(rows)))
    return np.asarray(np.add.reduceat(rows, first, axis=0) / size[:, None], np.float32)
