"""Interpolated peaks and the background of spectra."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavilux.features.spectrum.peaks import above_neighbours, parabolic_peak


@given(st.floats(-0.5, 0.5), st.floats(0.1, 10), st.floats(-5, 5))
def test_the_vertex_of_a_parabola_is_found(vertex, steepness, height):
    before, here, after = (np.array([height - steepness * (x - vertex) ** 2]) for x in (-1, 0, 1))
    assert parabolic_peak(before, here, after, limit=0.5)[0] == pytest.approx(vertex, abs=1e-6)


@pytest.mark.parametrize(
    ("points", "limit", "offset"), [((1, 1, 1), 1, 0), ((3, 1, 3), 1, 0), ((0, 3, 5), 1, 1)]
)
def test_a_vertex_stays_within_the_limit_and_needs_a_maximum(points, limit, offset):
    assert parabolic_peak(*(np.array([float(point)]) for point in points), limit=limit).tolist() == [offset]


def test_tones_stand_out_and_an_even_background_hardly_does():
    spectrum = np.ones((3, 50), np.float32)
    spectrum[:, 20] = 30
    rest = above_neighbours(spectrum, 4)
    assert rest[:, 40] == pytest.approx([0.2] * 3, abs=1e-6)
    assert rest[:, 20].min() > 25
    assert rest[:, 18].max() == 0
