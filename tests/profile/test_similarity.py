"""Distances between images are those that SciPy computes, to the last bit."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from clavilux.profile.similarity import _colours, _distances, colour_distances


@pytest.mark.parametrize("shape", [(40, 512), (24, 64), (30, 1), (2, 3)])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_distances_are_those_of_scipy(shape, kind):
    random = np.random.default_rng(0)
    first = (50 * random.standard_normal(shape)).astype(kind)
    second = (50 * random.standard_normal((7, shape[1]))).astype(kind)
    np.testing.assert_array_equal(_distances(first, second), cdist(first, second))
    np.testing.assert_array_equal(_distances(first, first), cdist(first, first))


def test_colours_are_compared_as_distributions():
    lab = np.random.default_rng(1).uniform(0, 100, (5, 16, 16, 3)).astype(np.float32)
    turned = lab[:, ::-1, ::-1]
    assert np.allclose(np.diagonal(colour_distances(lab, turned)), 0, atol=1e-9)
    np.testing.assert_array_equal(colour_distances(lab, lab[:2]), cdist(_colours(lab), _colours(lab[:2])))
