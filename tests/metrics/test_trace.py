"""What is measured of a drawn frame."""

import numpy as np
import pytest

from clavilux.metrics.trace import LINEAR, cells_of


@pytest.mark.parametrize("size", [(144, 256), (256, 144), (36, 64), (150, 201), (3, 5)])
def test_cells_are_means_to_the_last_bit(size):
    frames = np.random.default_rng(0).integers(0, 256, (3, *size, 3)).astype(np.uint8)
    cells = cells_of(frames)
    rows, columns = cells.shape[1:3]
    high, wide = size[0] // rows, size[1] // columns
    cut = LINEAR[frames[:, : rows * high, : columns * wide]]
    means = cut.reshape(3, rows, high, columns, wide, 3).mean(axis=(2, 4))
    np.testing.assert_array_equal(cells, means)
