"""The tape: an array to whoever reads forwards, whatever the blocks it is made of."""

import numpy as np
import pytest

from clavilux.features.spectrum.stream import SampleStream


@pytest.mark.parametrize("sizes", [[1000], [0, 1, 999], [250] * 4, [0, 600, 0, 400], [300, 300]])
def test_slices_are_those_of_the_array(sizes):
    sound = np.arange(1000, dtype=np.float32)
    sound[sum(sizes) :] = 0
    ends = np.cumsum(sizes)
    tape = SampleStream((sound[end - size : end] for size, end in zip(sizes, ends, strict=True)), 1000)
    assert len(tape) == 1000
    for first, last in ((0, 10), (0, 300), (200, 250), (600, 601), (601, 601), (900, 2000), (1000, 1200)):
        assert np.array_equal(tape[first:last], sound[first:last])


def test_what_was_left_behind_is_gone():
    tape = SampleStream([np.ones(100, np.float32)], 100)
    assert len(tape[50:60]) == 10
    with pytest.raises(ValueError, match="past sample 49"):
        tape[49:60]
