"""Bars of different length, and sections: what they hold, what they reject."""

import numpy as np
import pytest

from clavilux.curves import Grid, Sections


def test_bars_are_every_nth_beat_by_default():
    grid = Grid(np.arange(10.0), first_downbeat=5, beats_per_bar=3)
    assert grid.bars.tolist() == [2, 5, 8]
    assert grid.first_downbeat == 2


def test_bars_of_different_length_pass_at_the_pace_of_their_beats():
    grid = Grid(np.arange(12.0), bars=np.array([1, 5, 7, 11]))
    assert grid.downbeats.tolist() == [1.0, 5.0, 7.0, 11.0]
    assert grid.bar_at([1, 3, 5, 6, 7, 11]).tolist() == [0, 0.5, 1, 1.5, 2, 3]
    assert grid.bar_at([-3, 15]).tolist() == [-1, 4]
    assert np.all(np.diff(grid.bar_at(np.linspace(-5, 20, 500))) > 0)


@pytest.mark.parametrize("bars", [[], [3, 3], [4, 2], [-1, 3], [0, 12]])
def test_impossible_bars_are_rejected(bars):
    with pytest.raises(ValueError, match="bars begin on increasing beats"):
        Grid(np.arange(12.0), bars=np.array(bars, int))


def test_sections_are_found_by_time_and_label():
    parts = Sections(np.array([0.0, 4, 8, 9]), ("A", "B", "A"), np.array([0.2, 1, 0.3]))
    assert len(parts) == 3
    assert parts.loudest == "B"
    assert parts.find("A") == (0.0, 4.0)
    assert parts.find("A", 2) == (8.0, 9.0)
    assert parts.index_at([-1, 4, 8.5, 99]).tolist() == [0, 1, 2, 2]
    with pytest.raises(KeyError):
        parts.find("A", 3)


@pytest.mark.parametrize(
    ("bounds", "labels", "energies"),
    [([0], (), None), ([0, 0], ("A",), None), ([0, 1], ("A", "B"), None), ([0, 1], ("A",), [1, 1])],
)
def test_impossible_sections_are_rejected(bounds, labels, energies):
    with pytest.raises(ValueError, match=r"sections need|labels and"):
        Sections(np.array(bounds, float), labels, energies)
