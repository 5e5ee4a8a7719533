"""Curves, events and the grid of beats."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clavilux.curves import Curve, Events, Grid

VALUES = arrays(
    np.float32, st.tuples(st.integers(2, 60), st.integers(1, 3)), elements=st.floats(-10, 10, width=32)
)


def dense(curve, first, last, steps=4001):
    return curve.at(np.linspace(first, last, steps)).astype(np.float64)


@settings(max_examples=100)
@given(values=VALUES, start=st.floats(-0.1, 0.7), step=st.floats(0.002, 0.2))
def test_frame_values_are_the_mean_and_the_maximum_of_all_time_within(values, start, step):
    curve = Curve(values)
    edges = start + step * np.arange(4)
    mean, highest = curve.mean_between(edges), curve.max_between(edges)
    for frame in range(3):
        inside = dense(curve, edges[frame], edges[frame + 1])
        np.testing.assert_allclose(mean[frame], inside.mean(axis=0), atol=0.05)
        np.testing.assert_allclose(highest[frame], inside.max(axis=0), atol=0.05)
        assert (highest[frame] >= mean[frame] - 1e-5).all()


@given(values=VALUES, count=st.integers(1, 20), offset=st.integers(0, 30))
def test_frame_values_are_bit_equal_in_every_window(values, count, offset):
    curve = Curve(values)
    edges = np.arange(60) / 30
    part = slice(offset, offset + count + 1)
    for sample in (curve.mean_between, curve.max_between):
        np.testing.assert_array_equal(sample(edges)[offset : offset + count], sample(edges[part]))


def test_no_hit_is_lost_between_two_frames():
    values = np.zeros(300, np.float32)
    values[157] = 1
    for fps in (10, 24, 30, 60, 144):
        assert Curve(values).max_between(np.arange(3 * fps + 1) / fps).max() == 1


def test_a_curve_is_finite_and_read_only():
    source = np.ones(5, np.float32)
    curve = Curve(source)
    source[0] = 7
    assert curve.values[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        curve.values[0, 0] = 2
    for wrong in (np.array([np.nan]), np.empty((0, 3))):
        with pytest.raises(ValueError, match="curve"):
            Curve(wrong)
    with pytest.raises(ValueError, match="labels"):
        Curve(np.ones((4, 2)), ("one",))


def test_events_are_in_order_with_one_strength_each():
    assert Events(np.array([1.0, 2.0])).strengths.tolist() == [1, 1]
    assert len(Events([])) == 0
    with pytest.raises(ValueError, match="decrease"):
        Events(np.array([2.0, 1.0]))
    with pytest.raises(ValueError, match="strength"):
        Events(np.array([1.0]), np.array([1.0, 0.5]))
    with pytest.raises(ValueError, match="strength"):
        Events(np.array([1.0]), [])


@given(
    intervals=st.lists(st.floats(0.2, 2), min_size=5, max_size=40),
    first=st.integers(0, 3),
    times=st.lists(st.floats(-50, 150), min_size=1, max_size=20),
)
def test_beats_and_bars_grow_with_time_and_are_whole_on_the_beat(intervals, first, times):
    beats = np.cumsum(intervals)
    grid = Grid(beats, first_downbeat=first)
    np.testing.assert_allclose(grid.beat_at(beats), np.arange(len(beats)), atol=1e-6)
    np.testing.assert_allclose(grid.bar_at(grid.downbeats), np.arange(len(grid.downbeats)), atol=1e-6)
    assert (np.diff(grid.beat_at(np.sort(times))) >= 0).all()


def test_the_tempo_is_the_median_so_one_break_does_not_change_it():
    beats = np.append(np.arange(20) * 0.5, 30.0)
    assert Grid(beats).tempo == 120


def test_a_changed_copy_of_a_grid_keeps_its_bars():
    grid = Grid(np.arange(12.0), beats_per_bar=3, bars=np.array([1, 5, 7]))
    copy = replace(grid, confidence=0.5)
    assert (copy.bars.tolist(), copy.beats_per_bar, copy.confidence) == ([1, 5, 7], 3, 0.5)
    assert copy.first_downbeat == 1
