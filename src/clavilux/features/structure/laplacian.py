"""Laplacian structural decomposition: which steps of a song belong together (McFee and Ellis, ISMIR 2014).

Steps that repeat each other and steps that follow each other are linked in a graph; the slow eigenvectors of
its Laplacian are the parts of the song. Graphs are sparse, (N, N) for N steps, so memory grows with the
number of links.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2
from typing import TYPE_CHECKING

import numpy as np
import scipy  # its parts take half a second to import, and are when they are first used

from clavilux import seeds
from clavilux.arrays import F32, F64, I64

__all__ = [
    "LAPLACIAN",
    "affinity",
    "delay_embedding",
    "median_filter_diagonals",
    "nearest_neighbours",
    "recurrence",
    "spectral_embedding",
]

if TYPE_CHECKING:
    Links = scipy.sparse.csr_array


@dataclass(frozen=True)
class LaplacianModel:
    """Parameters of McFee and Ellis (2014).

    Attributes:
        max_labels: eigenvectors that are kept, and so the most labels there can be.
        min_lag_steps: between two steps that may repeat each other.
        median_taps: steps along a diagonal of which more than half must repeat: a repetition has about
            eight beats or more.
    """

    max_labels: int = 10
    min_lag_steps: int = 3
    median_taps: int = 17


LAPLACIAN = LaplacianModel()
BLOCK_STEPS = 512
"""Steps whose distances to all others are held in memory at a time."""
MAX_DENSE_STEPS = 200
"""Steps up to which a dense eigendecomposition is the faster one."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest neighbours of each step.

    Attributes:
        index: int (N, k), nearest first; -1 where there are fewer.
        squared: float32 (N, k + 1), squared distances, of one neighbour more.
    """

    index: I64
    squared: F32

    @property
    def bandwidth(self) -> float:
        """Variance sigma^2 of the Gaussian kernel: the mean squared distance to the (k + 1)-th neighbour."""
        far = self.squared[:, -1]
        far = far[np.isfinite(far)]
        return float(far.mean()) if len(far) else 0.0


def delay_embedding(rows: F32) -> F32:
    """Append to each row the one before it, (N, 2 D); to the first, itself.

    >>> delay_embedding(np.array([[1], [2]], np.float32)).tolist()
    [[1.0, 1.0], [2.0, 1.0]]
    """
    return np.concatenate([rows, np.concatenate([rows[:1], rows[:-1]])], axis=1)


def nearest_neighbours(rows: F32) -> Neighbours:
    """Find the k = 1 + ceil(2 log2 N) nearest rows of each of (N, D), at least 3 steps away from it.

    >>> nearest_neighbours(np.arange(8, dtype=np.float32)[:, None]).index[0, 0].item()
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
        # |x - y|^2 = |x|^2 + |y|^2 - 2 x.y, (block, N)
        distance = np.maximum(norms[here, None] + norms - 2 * (rows[here] @ rows.T), 0)
        distance[np.abs(here[:, None] - np.arange(steps)) < LAPLACIAN.min_lag_steps] = np.inf
        some = np.argpartition(distance, kept - 1, axis=1)[:, :kept]
        far = np.take_along_axis(distance, some, axis=1)
        order = np.lexsort((some, far), axis=1)
        index[here, :kept] = np.take_along_axis(some, order, axis=1)
        squared[here, :kept] = np.take_along_axis(far, order, axis=1)
    index[~np.isfinite(squared)] = -1
    return Neighbours(index[:, :k], squared)


def recurrence(neighbours: Neighbours) -> Links:
    """Link the steps that are mutual nearest neighbours, boolean (N, N).

    >>> recurrence(nearest_neighbours(np.array([[0], [5], [9], [0]], np.float32))).toarray()[0].tolist()
    [False, False, False, True]
    """
    steps, k = neighbours.index.shape
    rows, columns = np.repeat(np.arange(steps), k), neighbours.index.ravel()
    there = columns >= 0
    links = scipy.sparse.csr_array(
        (np.ones(int(there.sum()), bool), (rows[there], columns[there])), shape=(steps, steps)
    )
    return scipy.sparse.csr_array(links.multiply(links.T))


def median_filter_diagonals(links: Links, taps: int = LAPLACIAN.median_taps) -> Links:
    """Filter links (N, N) by the median of ``taps`` steps along each diagonal, outside which there are none.

    Gaps in long repetitions are filled, and isolated links are removed.

    >>> gap = scipy.sparse.csr_array(np.diag([True, True, False, True, False]))
    >>> median_filter_diagonals(gap, 3).diagonal().tolist()
    [True, True, True, False, False]
    """
    steps, reach = links.shape[0], taps // 2
    found = links.tocoo()
    lag, time = found.coords[1] - found.coords[0], found.coords[0]
    # One number line holds all diagonals, each with room enough that none touches the next.
    width = steps + taps
    position = np.sort((lag + steps).astype(np.int64) * width + time)
    candidates = np.unique((position[:, None] + np.arange(-reach, reach + 1)).ravel())
    # The median of booleans is true where more than half of the taps are.
    count = np.searchsorted(position, candidates + reach, "right")
    count -= np.searchsorted(position, candidates - reach)
    kept = candidates[count > reach]
    # A position left of a diagonal's start has borrowed from the one before: its time is negative.
    diagonal = (kept + reach) // width
    time = kept - diagonal * width
    lag = diagonal - steps
    inside = (time >= 0) & (time < steps) & (time + lag >= 0) & (time + lag < steps)
    time, lag = time[inside], lag[inside]
    filtered = scipy.sparse.csr_array((np.ones(len(time), bool), (time, time + lag)), shape=(steps, steps))
    return scipy.sparse.csr_array(filtered.maximum(filtered.T))


def affinity(repeating: F32, local: F32, *, taps: int = LAPLACIAN.median_taps) -> Links:
    """Build the weighted graph of a song's steps: symmetric, non-negative (N, N).

    Args:
        repeating: features that repeat, (N, D): harmony, with its delay embedding.
        local: features that stay similar from step to step, (N, E): timbre.
        taps: see ``median_filter_diagonals``.

    >>> verse = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    >>> links = affinity(np.concatenate([verse, verse]), np.zeros((60, 2), np.float32))
    >>> bool(links[10, 40] > 0), links[10, 45].item()
    (True, 0.0)
    """
    near = nearest_neighbours(repeating)
    found = median_filter_diagonals(recurrence(near), taps).tocoo()
    # S_rep[i, j] = exp(-|x_i - x_j|^2 / 2 sigma^2) where R'[i, j], the filtered recurrence
    row, column = found.coords
    weight = _gaussian(np.square(repeating[row] - repeating[column]).sum(axis=1), near.bandwidth)
    repeats = scipy.sparse.csr_array((weight, (row, column)), shape=found.shape)
    # S_loc[i, i +- 1] = exp(-|y_i - y_{i +- 1}|^2 / 2 sigma^2), the path through the song
    follows = _gaussian(np.square(np.diff(local, axis=0)).sum(axis=1), nearest_neighbours(local).bandwidth)
    step = np.arange(len(follows))
    there = scipy.sparse.csr_array((follows, (step, step + 1)), shape=found.shape)
    path = scipy.sparse.csr_array(there + there.T)
    # A = mu R' S_rep + (1 - mu) D S_loc
    mu = _mu(np.asarray(repeats.sum(axis=1), float), np.asarray(path.sum(axis=1), float))
    return scipy.sparse.csr_array(mu * repeats + (1 - mu) * path)


def _gaussian(squared: F32, bandwidth: float) -> F64:
    """Return exp(-d^2 / 2 sigma^2) of squared distances; at least 1e-6, so that no link vanishes."""
    return np.asarray(np.maximum(np.exp(-squared / (2 * bandwidth or 1.0), dtype=np.float64), 1e-6))


def _mu(repeats: F64, path: F64) -> float:
    """Return the weight at which a random walk takes repetition and path equally often, 0 to 1.

    Where nothing repeats, or nothing follows, only the other counts.
    """
    # mu = <d_loc, d_rep + d_loc> / |d_rep + d_loc|^2, of the degrees d (N,)
    both = repeats + path
    if not repeats.any() or not path.any():
        return float(repeats.any())
    return float(path @ both) / float(both @ both)


def spectral_embedding(links: Links) -> F64:
    """Compute the slowest eigenvectors of the normalised Laplacian, slowest first, (N, up to 10).

    The sign of each is chosen so that its largest value is positive.

    >>> two_pairs = np.kron(np.eye(2), np.ones((2, 2))) + 0.01
    >>> vectors = spectral_embedding(scipy.sparse.csr_array(two_pairs))
    >>> np.sign(vectors[:, 1]).tolist() in ([1, 1, -1, -1], [-1, -1, 1, 1])
    True
    """
    steps = links.shape[0]
    # L = I - D^-1/2 A D^-1/2: its smallest eigenvectors are the largest of D^-1/2 A D^-1/2
    scale = 1 / np.sqrt(np.maximum(links.sum(axis=1), 1e-12))
    normalised = scipy.sparse.csr_array(links.multiply(scale[:, None]).multiply(scale[None, :]))
    count = min(LAPLACIAN.max_labels, steps)
    if steps <= MAX_DENSE_STEPS:
        vectors = scipy.linalg.eigh(normalised.toarray())[1][:, ::-1][:, :count]
    else:
        vectors = _lanczos(normalised, count)
    sign = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])])
    return np.asarray(vectors * np.where(sign == 0, 1, sign))


def _lanczos(matrix: Links, count: int) -> F64:
    """Return the eigenvectors of the ``count`` largest eigenvalues, largest first, from a fixed start."""
    start = seeds.generator(0, "laplacian").standard_normal(matrix.shape[0])
    try:
        values, vectors = scipy.sparse.linalg.eigsh(
            matrix, count, which="LA", v0=start, ncv=4 * count, tol=1e-6
        )
    except scipy.sparse.linalg.ArpackNoConvergence as reached:
        values, vectors = reached.eigenvalues, reached.eigenvectors  # those that converged are exact
    if not len(values):
        return np.ones((matrix.shape[0], 1))
    return np.asarray(vectors[:, np.argsort(-values)])
