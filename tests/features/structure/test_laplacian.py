import numpy as np
import pytest
import scipy.linalg
import scipy.ndimage
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from clavilux.features.structure import laplacian
from clavilux.features.structure.laplacian import (
    affinity,
    delay_embedding,
    median_filter_diagonals,
    nearest_neighbours,
    recurrence,
    spectral_embedding,
)


@pytest.fixture(scope="module")
def rows():
    """A verse, a chorus and the verse again, no two steps the same: 530 steps, more than one block."""
    dice = np.random.default_rng(1)
    verse, chorus = dice.normal(size=(2, 1, 6)) + 0.5 * dice.normal(size=(2, 200, 6))
    song = np.concatenate([verse, chorus, verse[:130]])
    return (song + 0.1 * dice.normal(size=song.shape)).astype(np.float32)


def dense_neighbours(rows, k):
    """Boolean (N, N): the k nearest rows at least three steps away."""
    distance = cdist(rows, rows, "sqeuclidean")
    steps = np.arange(len(rows))
    distance[np.abs(steps[:, None] - steps) < 3] = np.inf
    order = np.argsort(distance, axis=1)
    near = np.zeros(distance.shape, bool)
    np.put_along_axis(near, order[:, :k], True, axis=1)
    return near, np.take_along_axis(distance, order[:, k : k + 1], axis=1).mean()


def test_neighbours_are_those_of_all_distances(rows):
    k = 1 + int(np.ceil(2 * np.log2(len(rows))))
    near, bandwidth = dense_neighbours(rows, k)
    found = nearest_neighbours(rows)
    assert found.index.shape == (len(rows), k)
    assert np.array_equal(np.sort(found.index), np.argwhere(near)[:, 1].reshape(len(rows), k))
    assert found.bandwidth == pytest.approx(bandwidth, rel=1e-3)


def test_links_are_mutual(rows):
    near, _ = dense_neighbours(rows, nearest_neighbours(rows).index.shape[1])
    assert np.array_equal(recurrence(nearest_neighbours(rows)).toarray(), near & near.T)


@given(
    seed=st.integers(0, 1000),
    steps=st.integers(1, 40),
    taps=st.sampled_from([1, 3, 5, 17]),
    share=st.floats(0.05, 0.9),
)
@settings(max_examples=40)
def test_filter_is_the_median_of_every_diagonal(seed, steps, taps, share):
    links = np.random.default_rng(seed).random((steps, steps)) < share
    links &= links.T
    expected = np.zeros_like(links)
    for lag in range(-steps + 1, steps):
        line = np.diagonal(links, lag).astype(int)
        rows = np.arange(len(line)) + max(0, -lag)
        expected[rows, rows + lag] = scipy.ndimage.median_filter(line, taps, mode="constant")
    found = median_filter_diagonals(scipy.sparse.csr_array(links), taps).toarray()
    assert np.array_equal(found, expected | expected.T)


def test_affinity_is_that_of_the_paper(rows):
    local = rows[:, :3]
    repeats = median_filter_diagonals(recurrence(nearest_neighbours(rows))).toarray()
    k = nearest_neighbours(rows).index.shape[1]
    similar = [
        np.exp(-cdist(each, each, "sqeuclidean") / (2 * dense_neighbours(each, k)[1]))
        for each in (rows, local)
    ]
    path = np.eye(len(rows), k=1) + np.eye(len(rows), k=-1)
    degree = [(links * weight).sum(axis=1) for links, weight in zip((repeats, path), similar, strict=True)]
    both = degree[0] + degree[1]
    mu = degree[1] @ both / (both @ both)
    expected = mu * repeats * similar[0] + (1 - mu) * path * similar[1]
    assert np.allclose(affinity(rows, local).toarray(), expected, atol=1e-4)


def test_embedding_is_that_of_the_dense_laplacian(rows, monkeypatch):
    links = affinity(delay_embedding(rows), rows)
    scale = np.diag(1 / np.sqrt(links.sum(axis=1)))
    slowest = scipy.linalg.eigh(np.eye(len(rows)) - scale @ links.toarray() @ scale)[1][:, :10]
    sparse = spectral_embedding(links)
    assert np.allclose(np.linalg.svd(slowest.T @ sparse)[1], 1, atol=1e-3)
    monkeypatch.setattr(laplacian, "MAX_DENSE_STEPS", 10_000)
    assert np.allclose(spectral_embedding(links), sparse, atol=1e-3)


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 300])
def test_nothing_repeats_in_a_constant(steps):
    places = spectral_embedding(affinity(np.zeros((steps, 4), np.float32), np.zeros((steps, 2), np.float32)))
    assert len(places) == steps
    assert np.isfinite(places).all()
