"""Clusters and their labels: k-means, labels that stay the same from level to level, letters.

Labels are int64 (N,), one per step of a song. Everything is deterministic: restarts draw from a fixed seed.
"""

import numpy as np

from clavilux import seeds
from clavilux.arrays import F64, I64

__all__ = ["kmeans", "letter_name", "match_labels", "relabel_by_appearance"]

RESTARTS = 10
MAX_ITERATIONS = 60


def kmeans(points: F64, count: int) -> I64:
    """Partition points (N, D) into at most ``count`` clusters: the best of 10 runs of k-means; labels (N,).

    Centres are initialised by k-means++ (Arthur and Vassilvitskii 2007). All R = 10 runs advance together.
    scipy's kmeans2, with ten restarts, finds other optima: 12 of 27 levels of three composed songs differ.

    >>> kmeans(np.array([[0.0], [0.1], [5.0]]), 2).tolist()
    [0, 0, 1]
    """
    norms = np.einsum("nd,nd->n", points, points)
    centres = _initial_centres(points, norms, min(count, len(points)))  # (R, K, D)
    previous = np.full(RESTARTS, np.inf)
    for _ in range(MAX_ITERATIONS):
        distance = _squared_distances(points, norms, centres)  # (R, N, K)
        nearest = distance.argmin(axis=2)
        # cost = sum over n of min over k of |x_n - c_k|^2, (R,)
        costs = np.take_along_axis(distance, nearest[..., None], axis=2).sum(axis=(1, 2))
        if np.all(costs >= previous * (1 - 1e-9)):
            break
        previous = costs
        centres = _means(points, nearest, centres)
    return relabel_by_appearance(nearest[costs.argmin()])


def _initial_centres(points: F64, norms: F64, count: int) -> F64:
    """Draw centres, (R, K, D), each with a probability proportional to D(x)^2 from those before it."""
    dice = seeds.generator(0, "k-means", count).random((count, RESTARTS))
    centres = points[(dice[0] * len(points)).astype(int)][:, None]
    distance = _squared_distances(points, norms, centres)[..., 0]
    for draw in dice[1:]:
        cumulative = np.cumsum(distance, axis=1)
        chosen = [np.searchsorted(row, at * row[-1]) for row, at in zip(cumulative, draw, strict=True)]
        new = points[np.minimum(chosen, len(points) - 1)][:, None]
        distance = np.minimum(distance, _squared_distances(points, norms, new)[..., 0])
        centres = np.concatenate([centres, new], axis=1)
    return np.asarray(centres)


def _squared_distances(points: F64, norms: F64, centres: F64) -> F64:
    # |x - c|^2 = |x|^2 + |c|^2 - 2 x.c, (R, N, K)
    squares = np.einsum("rkd,rkd->rk", centres, centres)
    product = np.einsum("nd,rkd->rnk", points, centres, optimize=True)
    return np.asarray(np.maximum(norms[:, None] + squares[:, None] - 2 * product, 0))


def _means(points: F64, nearest: I64, centres: F64) -> F64:
    """Return the mean of each cluster, (R, K, D); the centre of an empty one stays."""
    count = centres.shape[1]
    moved = centres.copy()
    for restart, labels in enumerate(nearest):
        size = np.bincount(labels, minlength=count)
        sums = np.stack([np.bincount(labels, column, count) for column in points.T], axis=1)
        moved[restart, size > 0] = (sums / np.maximum(size, 1)[:, None])[size > 0]
    return moved


def relabel_by_appearance(labels: I64) -> I64:
    """Number labels in the order in which they first appear.

    >>> relabel_by_appearance(np.array([7, 7, 2, 7])).tolist()
    [0, 0, 1, 0]
    """
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse], np.int64)


def match_labels(labels: I64, coarser: I64) -> I64:
    """Rename labels after those they overlap most in a coarser labelling (N,); the others get new numbers.

    The assignment maximises the steps whose label stays (Hungarian algorithm).

    >>> match_labels(np.array([5, 5, 3, 3, 4]), np.array([0, 0, 1, 1, 1])).tolist()
    [0, 0, 1, 1, 2]
    """
    from scipy.optimize import linear_sum_assignment  # half a second; a song that is known needs none of it

    labels = relabel_by_appearance(labels)
    overlap = np.zeros((labels.max() + 1, coarser.max() + 1))  # steps that have both labels
    np.add.at(overlap, (labels, coarser), 1)
    mine, theirs = linear_sum_assignment(-overlap)
    renamed = np.full(len(overlap), -1)
    overlapping = overlap[mine, theirs] > 0
    renamed[mine[overlapping]] = theirs[overlapping]
    new = renamed < 0
    renamed[new] = coarser.max() + 1 + np.arange(new.sum())
    return np.asarray(renamed[labels], np.int64)


def letter_name(number: int) -> str:
    """Write a label as a letter: A, B, ... Z, AA, AB.

    >>> letter_name(0), letter_name(27)
    ('A', 'AB')
    """
    return (letter_name(number // 26 - 1) if number >= 26 else "") + chr(ord("A") + number % 26)
