"""What is measured of a drawn frame."""

import numpy as np
import pytest

from clavilux.array_files import hash_of_arrays
from clavilux.metrics.trace import LINEAR, TracePart, TracePartBuilder, cells_of


@pytest.mark.parametrize("size", [(144, 256), (256, 144), (36, 64), (150, 201), (3, 5)])
def test_cells_are_means_to_the_last_bit(size):
    frames = np.random.default_rng(0).integers(0, 256, (3, *size, 3)).astype(np.uint8)
    cells = cells_of(frames)
    rows, columns = cells.shape[1:3]
    high, wide = size[0] // rows, size[1] // columns
    cut = LINEAR[frames[:, : rows * high, : columns * wide]]
    means = cut.reshape(3, rows, high, columns, wide, 3).mean(axis=(2, 4))
    np.testing.assert_array_equal(cells, means)


def test_parts_that_are_measured_apart_are_joined_exactly():
    frames = np.random.default_rng(0).integers(0, 255, (9, 72, 128, 3)).astype(np.uint8)
    whole, joined = TracePartBuilder(), TracePartBuilder()
    whole.add(frames, cells_of(frames))
    for some in np.split(frames, [4, 5]):
        alone = TracePartBuilder()
        for frame in some:
            alone.add(frame[None], cells_of(frame[None]))
        joined.join(TracePart.from_arrays({**alone.part.arrays, "cells": np.zeros(1)}))
    assert len(joined.part) == len(frames)
    assert hash_of_arrays(joined.part.arrays) == hash_of_arrays(whole.part.arrays)
    assert (whole.part.values[1:, 0] > 0.1).all()
