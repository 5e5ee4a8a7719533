"""Labels of steps: k-means, labels that stay the same from level to level, letter names.

I64 are int (N,), one per step of a song. Nothing depends on chance: restarts draw from a fixed seed.
"""

import numpy as np
import scipy.optimize

from clavilux import seeds
from clavilux.arrays import F64, I64

__all__ = ["by_appearance", "consistent", "kmeans", "letter_name"]


RESTARTS = 10
MAX_ITERATIONS = 60


def kmeans(places: F64, count: int) -> I64:
    """Divide points (N, D) into at most ``count`` groups by k-means, the best of 10 starts; labels (N,).

    Starts are drawn as k-means++ does (Arthur and Vassilvitskii 2007).

    >>> kmeans(np.array([[0.0], [0.1], [5.0]]), 2).tolist()
    [0, 0, 1]
    """
    centres = _starts(places, min(count, len(places)))
    norms = np.einsum("nd,nd->n", places, places)
    previous = np.full(RESTARTS, np.inf)
    for _ in range(MAX_ITERATIONS):
        distance = _distances(places, norms, centres)
        nearest = distance.argmin(axis=2)
        costs = np.take_along_axis(distance, nearest[..., None], axis=2).sum(axis=(1, 2))
        if np.all(costs >= previous * (1 - 1e-9)):
            break
        previous = costs
        centres = _means(places, nearest, centres)
    return by_appearance(nearest[costs.argmin()])


def _starts(places: F64, count: int) -> F64:
    """Draw first centres (restarts, count, D) by k-means++: p(x) proportional to its squared distance."""
    dice = seeds.generator(0, "k-means", count).random((count, RESTARTS))
    centres = places[(dice[0] * len(places)).astype(int)][:, None]
    norms = np.einsum("nd,nd->n", places, places)
    distance = _distances(places, norms, centres)[..., 0]
    for draw in dice[1:]:
        reached = np.cumsum(distance, axis=1)
        chosen = [np.searchsorted(row, at * row[-1]) for row, at in zip(reached, draw, strict=True)]
        new = places[np.minimum(chosen, len(places) - 1)][:, None]
        distance = np.minimum(distance, _distances(places, norms, new)[..., 0])
        centres = np.concatenate([centres, new], axis=1)
    return np.asarray(centres)


def _distances(places: F64, norms: F64, centres: F64) -> F64:
    """Squared distance of every place to every centre of every restart, (restarts, N, count)."""
    # |x - c|^2 = |x|^2 + |c|^2 - 2 x . c
    squares = np.einsum("rkd,rkd->rk", centres, centres)
    product = np.einsum("nd,rkd->rnk", places, centres, optimize=True)
    return np.asarray(np.maximum(norms[:, None] + squares[:, None] - 2 * product, 0))


def _means(places: F64, nearest: I64, centres: F64) -> F64:
    """Move each centre to the mean of its places; one that has none stays."""
    count = centres.shape[1]
    moved = centres.copy()
    for restart, labels in enumerate(nearest):
        size = np.bincount(labels, minlength=count)
        sums = np.stack([np.bincount(labels, column, count) for column in places.T], axis=1)
        moved[restart, size > 0] = (sums / np.maximum(size, 1)[:, None])[size > 0]
    return moved


def by_appearance(labels: I64) -> I64:
    """Number labels in the order in which they first appear.

    >>> by_appearance(np.array([7, 7, 2, 7])).tolist()
    [0, 0, 1, 0]
    """
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse], np.int64)


def consistent(labels: I64, before: I64) -> I64:
    """Match labels to those they overlap most in a coarser labelling (N,) (Hungarian method); others are new.

    >>> consistent(np.array([5, 5, 3, 3, 4]), np.array([0, 0, 1, 1, 1])).tolist()
    [0, 0, 1, 1, 2]
    """
    labels = by_appearance(labels)
    shared = np.zeros((labels.max() + 1, before.max() + 1))
    np.add.at(shared, (labels, before), 1)
    mine, theirs = scipy.optimize.linear_sum_assignment(-shared)
    names = np.full(len(shared), -1)
    overlapping = shared[mine, theirs] > 0
    names[mine[overlapping]] = theirs[overlapping]
    new = names < 0
    names[new] = before.max() + 1 + np.arange(new.sum())
    return np.asarray(names[labels], np.int64)


def letter_name(number: int) -> str:
    """Write a label as a letter: A, B, ... Z, AA, AB.

    >>> letter_name(0), letter_name(27)
    ('A', 'AB')
    """
    return (letter_name(number // 26 - 1) if number >= 26 else "") + chr(ord("A") + number % 26)
