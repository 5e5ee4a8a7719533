"""Colours whose values are published."""

import numpy as np

from clavilux.colour import srgb_to_lab


def test_lab_of_known_colours():
    known = np.array([[1.0, 1, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0]])
    wanted = [[100, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86], [0, 0, 0]]
    assert np.abs(srgb_to_lab(known) - wanted).max() < 0.05
