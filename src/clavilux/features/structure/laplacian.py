"""Laplacian structural decomposition (McFee and Ellis, ISMIR 2014).

Steps that repeat each other and steps that follow each other are linked; the first eigenvectors of the
graph's normalised Laplacian are the song's segments. Everything is sparse: memory grows with the number of
links.
"""

from dataclasses import dataclass
from math import ceil, log2

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg

from clavilux import seeds
from clavilux.arrays import F32, F64, I64

__all__ = ["MAX_LABELS", "affinity", "along_diagonals", "delayed", "embed", "nearest", "recurrence"]

Links = scipy.sparse.csr_array

MAX_LABELS = 10
"""Eigenvectors that are kept, and so the most labels there can be."""
MIN_LAG_STEPS = 3
"""Steps between two moments that may repeat each other."""
MEDIAN_TAPS = 17
"""Steps along a diagonal of which more than half must repeat: eight beats and more are a repetition."""
BLOCK_STEPS = 512
"""Steps whose distances to all others are held at a time."""
MAX_DENSE_STEPS = 200
"""Steps up to which a dense decomposition is the faster one."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Those steps that sound most like each step.

    Attributes:
        index: int (N, k), nearest first; -1 where there are fewer.
        squared: float32 (N, k + 1), squared distances, one neighbour more.
    """

    index: I64
    squared: F32

    @property
    def spread(self) -> float:
        """Mean squared distance to the (k + 1)-th neighbour."""
        far = self.squared[:, -1]
        far = far[np.isfinite(far)]
        return float(far.mean()) if len(far) else 0.0


def delayed(rows: F32) -> F32:
    """Put behind each row the one before it, (N, 2 D); the first goes before itself.

    >>> delayed(np.array([[1], [2]], np.float32)).tolist()
    [[1.0, 1.0], [2.0, 1.0]]
    """
    return np.concatenate([rows, np.concatenate([rows[:1], rows[:-1]])], axis=1)


def nearest(rows: F32) -> Neighbours:
    """Find the k = 1 + ceil(2 log2 N) nearest rows of each of (N, D), at least 3 steps away from it.

    >>> nearest(np.arange(8, dtype=np.float32)[:, None]).index[0, 0].item()
    3
    """
    steps = len(rows)
    k = 1 + ceil(2 * log2(max(steps, 2)))
    rows = rows - rows.mean(axis=0)
    norms = np.einsum("nd,nd->n", rows, rows)
    index = np.full((steps, k + 1), -1, np.int64)
    squared = np.full((steps, k + 1), np.inf, np.float32)
    kept = min(k + 1, steps)
    for first in range(0, steps, BLOCK_STEPS):
        here = np.arange(first, min(first + BLOCK_STEPS, steps))
        distance = np.maximum(norms[here, None] + norms - 2 * (rows[here] @ rows.T), 0)
        distance[np.abs(here[:, None] - np.arange(steps)) < MIN_LAG_STEPS] = np.inf
        some = np.argpartition(distance, kept - 1, axis=1)[:, :kept]
        far = np.take_along_axis(distance, some, axis=1)
        order = np.lexsort((some, far), axis=1)
        index[here, :kept] = np.take_along_axis(some, order, axis=1)
        squared[here, :kept] = np.take_along_axis(far, order, axis=1)
    index[~np.isfinite(squared)] = -1
    return Neighbours(index[:, :k], squared)


def recurrence(neighbours: Neighbours) -> Links:
    """Link the steps that are neighbours of each other, boolean (N, N).

    >>> recurrence(nearest(np.array([[0], [5], [9], [0]], np.float32))).toarray()[0].tolist()
    [False, False, False, True]
    """
    steps, k = neighbours.index.shape
    rows, columns = np.repeat(np.arange(steps), k), neighbours.index.ravel()
    there = columns >= 0
    links = scipy.sparse.csr_array(
        (np.ones(int(there.sum()), bool), (rows[there], columns[there])), shape=(steps, steps)
    )
    return scipy.sparse.csr_array(links.multiply(links.T))


def along_diagonals(links: Links, taps: int = MEDIAN_TAPS) -> Links:
    """Filter links (N, N) by the median of ``taps`` steps along each diagonal, outside which there are none.

    A stretch that repeats for long gets its gaps filled, and a chance similarity goes.

    >>> gap = scipy.sparse.csr_array(np.diag([True, True, False, True, False]))
    >>> along_diagonals(gap, 3).diagonal().tolist()
    [True, True, True, False, False]
    """
    steps, reach = links.shape[0], taps // 2
    found = links.tocoo()
    lag, time = found.coords[1] - found.coords[0], found.coords[0]
    # One number line holds all diagonals, each with room enough that none touches the next.
    width = steps + taps
    place = np.sort((lag + steps).astype(np.int64) * width + time)
    candidates = np.unique((place[:, None] + np.arange(-reach, reach + 1)).ravel())
    count = np.searchsorted(place, candidates + reach, "right") - np.searchsorted(place, candidates - reach)
    kept = candidates[count > reach]
    # A place left of a diagonal's start has borrowed from the one before: its time is negative.
    diagonal = (kept + reach) // width
    time = kept - diagonal * width
    lag = diagonal - steps
    inside = (time >= 0) & (time < steps) & (time + lag >= 0) & (time + lag < steps)
    time, lag = time[inside], lag[inside]
    filtered = scipy.sparse.csr_array((np.ones(len(time), bool), (time, time + lag)), shape=(steps, steps))
    return scipy.sparse.csr_array(filtered.maximum(filtered.T))


def affinity(repeating: F32, local: F32, *, taps: int = MEDIAN_TAPS) -> Links:
    """Weigh the links between the steps of a song: symmetric, non-negative (N, N).

    Args:
        repeating: what repeats, (N, D): harmony, with its past.
        local: what changes slowly from step to step, (N, E): timbre.
        taps: see ``along_diagonals``.

    >>> verse = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    >>> links = affinity(np.concatenate([verse, verse]), np.zeros((60, 2), np.float32))
    >>> bool(links[10, 40] > 0), links[10, 45].item()
    (True, 0.0)
    """
    near = nearest(repeating)
    found = along_diagonals(recurrence(near), taps).tocoo()
    row, column = found.coords
    weight = _alike(np.square(repeating[row] - repeating[column]).sum(axis=1), near.spread)
    repeats = scipy.sparse.csr_array((weight, (row, column)), shape=found.shape)
    follows = _alike(np.square(np.diff(local, axis=0)).sum(axis=1), nearest(local).spread)
    step = np.arange(len(follows))
    there = scipy.sparse.csr_array((follows, (step, step + 1)), shape=found.shape)
    path = scipy.sparse.csr_array(there + there.T)
    mixed = _balance(np.asarray(repeats.sum(axis=1), float), np.asarray(path.sum(axis=1), float))
    return scipy.sparse.csr_array(mixed * repeats + (1 - mixed) * path)


def _alike(squared: F32, spread: float) -> F64:
    """Turn squared distances into similarity, 1 for the same; links never vanish altogether."""
    return np.asarray(np.maximum(np.exp(-squared / (2 * spread or 1.0), dtype=np.float64), 1e-6))


def _balance(repeats: F64, path: F64) -> float:
    """Weigh repetition against succession so that a random walk takes either as often, 0 to 1.

    Where nothing repeats, or nothing follows, only the other counts.
    """
    both = repeats + path
    if not repeats.any() or not path.any():
        return float(repeats.any())
    return float(path @ both) / float(both @ both)


def embed(links: Links) -> F64:
    """Place each step in (N, up to 10): the slowest eigenvectors of the normalised Laplacian, slowest first.

    They are the largest of D^-1/2 A D^-1/2, which Lanczos iteration finds without a dense matrix. Each is
    turned so that its largest value is positive.

    >>> two_pairs = np.kron(np.eye(2), np.ones((2, 2))) + 0.01
    >>> np.sign(embed(scipy.sparse.csr_array(two_pairs))[:, 1]).tolist() in ([1, 1, -1, -1], [-1, -1, 1, 1])
    True
    """
    steps = links.shape[0]
    scale = 1 / np.sqrt(np.maximum(links.sum(axis=1), 1e-12))
    walk = scipy.sparse.csr_array(links.multiply(scale[:, None]).multiply(scale[None, :]))
    count = min(MAX_LABELS, steps)
    if steps <= MAX_DENSE_STEPS:
        vectors = scipy.linalg.eigh(walk.toarray())[1][:, ::-1][:, :count]
    else:
        vectors = _lanczos(walk, count)
    turned = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])])
    return np.asarray(vectors * np.where(turned == 0, 1, turned))


def _lanczos(walk: Links, count: int) -> F64:
    start = seeds.generator(0, "laplacian").standard_normal(walk.shape[0])
    try:
        values, vectors = scipy.sparse.linalg.eigsh(
            walk, count, which="LA", v0=start, ncv=4 * count, tol=1e-6
        )
    except scipy.sparse.linalg.ArpackNoConvergence as reached:
        values, vectors = reached.eigenvalues, reached.eigenvectors  # those that are found are exact
    if not len(values):
        return np.ones((walk.shape[0], 1))
    return np.asarray(vectors[:, np.argsort(-values)])
