"""Sections are ranked by loudness, and the drift is followed through them."""

import numpy as np
import pytest

from clavilux.curves import Sections
from clavilux.director.sections import rank_sections, ring_shares

BOUNDS = [0.0, 10.0, 14.0, 40.0, 50.0]


def sections(energies):
    return Sections(BOUNDS, ("A", "B", "C", "B"), energies)


def test_the_quietest_the_loudest_and_the_longest_have_looks_of_their_own():
    found = rank_sections(sections([0.1, 0.9, 0.5, 0.9]), 3)
    assert found.ranked == ("A", "C", "B")
    few = rank_sections(sections([0.1, 0.9, 0.6, 0.9]), 2)
    assert few.ranked == ("A", "B")
    assert few.shared == {"A": "A", "B": "B", "C": "B"}  # about as loud


@pytest.mark.parametrize("bars", [1.5, 32.0])
def test_a_look_has_the_share_of_the_song_that_its_sections_last(song, bars):
    ranked = rank_sections(song.sections, 5)
    shares = ring_shares(song, ranked, bars)
    lengths = dict.fromkeys(ranked.ranked, 0.0)
    for label, length in zip(song.sections.labels, np.diff(song.sections.bounds), strict=True):
        lengths[ranked.shared[label]] += length
    assert sum(share.sum() for share in shares.values()) == pytest.approx(1)
    for label, share in shares.items():
        assert share.min() >= 0
        assert share.sum() == pytest.approx(lengths[label] / song.duration, abs=0.05)


def test_a_slow_drift_stays_at_its_first_places(song):
    ranked = rank_sections(song.sections, 5)
    last = float(song.grid.bar_at(np.array([song.duration]))[0])
    slow = sum(ring_shares(song, ranked, 12 * last).values())
    quick = sum(ring_shares(song, ranked, last / 4).values())
    assert slow[3:-1].max() == pytest.approx(0)
    assert slow[0] == pytest.approx(0.5, abs=0.1)  # it is on its way from the first to the second
    np.testing.assert_allclose(quick, 1 / 12, atol=0.03)
