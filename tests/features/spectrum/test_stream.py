"""A stream of samples: reads are those of the array, whatever the blocks."""

import numpy as np
import pytest

from clavilux.features.spectrum.spectra import excerpt
from clavilux.features.spectrum.stream import SampleStream


@pytest.mark.parametrize("sizes", [[1000], [0, 1, 999], [250] * 4, [0, 600, 0, 400], [300, 300]])
def test_reads_are_excerpts_of_the_array(sizes):
    samples = 1 + np.arange(1000, dtype=np.float32)
    samples[sum(sizes) :] = 0
    ends = np.cumsum(sizes)
    blocks = (samples[end - size : end] for size, end in zip(sizes, ends, strict=True))
    stream = SampleStream(blocks, 1000)
    assert len(stream) == 1000
    spans = ((-20, -5), (-3, 10), (0, 300), (200, 250), (600, 601), (601, 601), (900, 2000), (1100, 1200))
    for first, last in spans:
        assert np.array_equal(stream.read(first, last), excerpt(samples, first, last))


def test_an_array_is_read_as_a_stream_and_a_stream_is_kept():
    stream = SampleStream.of(np.arange(5, dtype=np.float32))
    assert SampleStream.of(stream) is stream
    assert stream.read(2, 7).tolist() == [2, 3, 4, 0, 0]


def test_samples_already_passed_cannot_be_read():
    stream = SampleStream([np.ones(100, np.float32)], 100)
    assert len(stream.read(50, 60)) == 10
    with pytest.raises(ValueError, match="sample 49 has been dropped"):
        stream.read(49, 60)
