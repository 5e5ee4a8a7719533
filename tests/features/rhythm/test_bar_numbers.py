"""Beats are counted from the first bar of the song, whatever the grid does before it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clavilux.curves import Grid
from clavilux.features.rhythm.bar_numbers import bars_between, number_beats


@given(st.integers(2, 7), st.integers(0, 6), st.floats(-3, 0), st.floats(0.0, 40))
def test_bars_count_up_from_one(metre, first, start, duration):
    grid = Grid(start + np.arange(100) * 0.5, first, metre)
    count = number_beats(grid, duration)
    assert ((count.times >= 0) & (count.times <= duration)).all()
    assert count.downbeats.bars.tolist() == list(range(1, len(count.downbeats) + 1))
    assert (np.diff(count.beats) % metre == 1 % metre).all()
    inside = grid.downbeats[(grid.downbeats >= 0) & (grid.downbeats <= duration)]
    assert set(inside) <= set(count.downbeats.times)


def test_bars_of_different_lengths_are_counted_each_from_one():
    grid = Grid(np.arange(12.0), beats_per_bar=4, bars=np.array([1, 5, 8]))
    count = number_beats(grid, 11)
    assert count.bars.tolist() == [0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3]
    assert count.beats.tolist() == [4, 1, 2, 3, 4, 1, 2, 3, 1, 2, 3, 4]


def test_a_beat_just_before_the_song_is_its_first():
    count = number_beats(Grid(np.arange(-0.02, 4, 0.5)), 2.0)
    assert (count.times[0], count.names[0]) == (0, "1.1")


def test_no_beat_at_all_is_counted():
    assert len(number_beats(Grid(np.array([-2.0, -1.0])), 10)) == 0


def test_lengths_are_told_to_half_a_beat():
    grid = Grid(np.arange(0, 20, 0.5), first_downbeat=2)
    assert bars_between(grid, 1.0, 9.0) == 4
    assert bars_between(grid, 1.0, 9.3) == 4.125
