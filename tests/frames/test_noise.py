"""Noise is a sum of knots, each of which is drawn once while it is near."""

from collections import Counter

import numpy as np
import pytest

from clavilux import seeds
from clavilux.curves import Grid
from clavilux.frames import noise as module
from clavilux.frames.noise import NoiseSource
from clavilux.patches.ops.noise import Term, Track

SIZES = {"b4.conv1": (4, 6), "b8.conv0": (200, 100)}
GRID = Grid([0.0, 1.0])
SLOW = Term(Track(1.0, "seconds", "slow"))


def knots(track, layer, numbers):
    height, width = SIZES[layer]
    return [seeds.normal(3, f"noise/{track}/{layer}", number, (height, width)) for number in numbers]


@pytest.mark.parametrize("times", [[2.25], [2.25, 2.5], np.linspace(0, 4, 19)])
def test_a_frame_is_a_cubic_b_spline_of_four_knots(times):
    amount = np.linspace(1, 2, len(times))
    found = NoiseSource(SIZES, 3).at([Term(SLOW.track, (amount,))], np.array(times), GRID)
    for row, time in enumerate(times):
        first, t = int(time), time % 1
        weights = np.array([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3])
        weights *= amount[row] / np.sqrt((weights**2).sum())
        for layer, maps in found.items():
            wanted = np.tensordot(weights, knots("slow", layer, range(first, first + 4)), 1)
            np.testing.assert_allclose(maps[row, 0], wanted, atol=1e-5)


def test_every_knot_is_drawn_once_on_both_sides_of_a_crossfade(monkeypatch):
    drawn = Counter()

    def counted(seed, key, number, shape, *, out):
        drawn[key, number] += 1
        return seeds.normal(seed, key, number, shape, out=out)

    monkeypatch.setattr(module, "normal", counted)
    source = NoiseSource(SIZES, 3)
    for k in range(60):
        for start in (0.0, 100.35):  # the other side comes to its next knot before this one does
            source.at([SLOW], start + (8 * k + np.arange(8)) / 60, GRID)
    assert len(drawn) > 2 * len(SIZES) * 8
    assert set(drawn.values()) == {1}


def test_terms_of_one_track_share_their_knots_though_each_needs_others(monkeypatch):
    """As in a crossfade of two looks of one noise, of which one is silent in a part of the window."""
    drawn = Counter()

    def counted(seed, key, number, shape, *, out):
        drawn[key, number] += 1
        return seeds.normal(seed, key, number, shape, out=out)

    monkeypatch.setattr(module, "normal", counted)
    source, track = NoiseSource(SIZES, 3), Track(0.12, "seconds", "fast")
    silent_later, whole = np.repeat([1.0, 0.0], 4), np.ones(8)
    for k in range(10):
        times = (8 * k + np.arange(8)) / 30
        source.at([Term(track, (whole,)), Term(track, (silent_later,))], times, GRID)
    assert set(drawn.values()) == {1}


@pytest.mark.parametrize("spacing", [1.0, 0.12, 0.03])  # up to 12 knots in eight frames at 30 fps
def test_a_frame_rounds_alike_in_any_window(spacing):
    term, times = Term(Track(spacing, "seconds", "fast")), np.arange(40) / 30
    whole = NoiseSource(SIZES, 3).at([SLOW, term], times, GRID)
    for first, count in ((0, 8), (3, 8), (11, 1), (17, 23)):
        part = NoiseSource(SIZES, 3).at([SLOW, term], times[first : first + count], GRID)
        for layer, maps in part.items():
            np.testing.assert_array_equal(maps, whole[layer][first : first + count])


def test_each_layer_has_the_sum_of_the_terms_that_are_on_it():
    def left(x, y):
        return (x < 0.5) + 0 * y

    times = np.arange(8) / 30
    terms = [
        Term(SLOW.track, (), frozenset({"b4.conv1"})),
        Term(SLOW.track, (np.full(8, 0.5),), frozenset({"b8.conv0"})),
        Term(Track(0.12, "seconds", "fast"), (), None, (left,)),
    ]
    slow, fast = (NoiseSource(SIZES, 3).at([Term(term.track)], times, GRID) for term in terms[1:])
    found = NoiseSource(SIZES, 3).at(terms, times, GRID)
    for layer, share in (("b4.conv1", 1), ("b8.conv0", 0.5)):
        width = SIZES[layer][1]
        masked = fast[layer] * (np.arange(width) < width / 2)
        np.testing.assert_allclose(found[layer], share * slow[layer] + masked, atol=1e-5)
    alone = NoiseSource(SIZES, 3).at(terms[:1], times, GRID)
    assert not alone["b8.conv0"].any()
    np.testing.assert_array_equal(alone["b4.conv1"], slow["b4.conv1"])


def test_a_window_of_silence_has_no_noise():
    amount = np.concatenate([np.zeros(8), np.ones(8)])
    found = NoiseSource(SIZES, 3).at([Term(SLOW.track, (amount,))], np.arange(16) / 30, GRID)
    for maps in found.values():
        assert not maps[:8].any()
        assert maps[8:].std() > 0.5
