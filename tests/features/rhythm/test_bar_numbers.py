"""Bars are numbered from the first downbeat of the song, whatever the grid does before it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clavilux.curves import Grid
from clavilux.features.rhythm.bar_numbers import bars_between, number_beats


@given(st.integers(2, 7), st.integers(0, 6), st.floats(-3, 0), st.floats(0.0, 40))
def test_bar_numbers_increase_from_one(metre, first, start, duration):
    grid = Grid(start + np.arange(100) * 0.5, first, metre)
    numbers = number_beats(grid, duration)
    assert ((numbers.times >= 0) & (numbers.times <= duration)).all()
    assert numbers.downbeats.bars.tolist() == list(range(1, len(numbers.downbeats) + 1))
    assert (np.diff(numbers.beats) % metre == 1 % metre).all()
    inside = grid.downbeats[(grid.downbeats >= 0) & (grid.downbeats <= duration)]
    assert set(inside) <= set(numbers.downbeats.times)


def test_beats_of_each_bar_are_numbered_from_one():
    grid = Grid(np.arange(12.0), beats_per_bar=4, bars=np.array([1, 5, 8]))
    numbers = number_beats(grid, 11)
    assert numbers.bars.tolist() == [0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3]
    assert numbers.beats.tolist() == [4, 1, 2, 3, 4, 1, 2, 3, 1, 2, 3, 4]


def test_a_beat_just_before_the_song_is_its_first():
    numbers = number_beats(Grid(np.arange(-0.02, 4, 0.5)), 2.0)
    assert (numbers.times[0], numbers.names[0]) == (0, "1.1")


def test_a_song_without_beats_has_no_numbers():
    assert len(number_beats(Grid(np.array([-2.0, -1.0])), 10)) == 0


def test_lengths_are_rounded_to_half_a_beat():
    grid = Grid(np.arange(0, 20, 0.5), first_downbeat=2)
    assert bars_between(grid, 1.0, 9.0) == 4
    assert bars_between(grid, 1.0, 9.3) == 4.125
