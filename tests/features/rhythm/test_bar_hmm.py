"""The bar-pointer HMM and the grid made of its path: exact on clean beats, robust, the same in stretches."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clavilux.features.rhythm import bar_hmm
from clavilux.features.rhythm.bar_hmm import decode_bars
from clavilux.features.rhythm.grid import extrapolate_beats, grid_from_path, smooth_beats

BUMP = np.array([0.3, 0.7, 1, 0.7, 0.3])


def activation(times, seconds, heights=0.9, floor=0.02):
    ticks = np.full(round(seconds * 100), floor)
    for time, height in zip(times, np.broadcast_to(heights, len(times)), strict=True):
        centre = round(time * 100)
        if 2 <= centre < len(ticks) - 2:
            around = ticks[centre - 2 : centre + 3]
            around[:] = np.maximum(around, height * BUMP)
    return ticks


def brute_force(beat, downbeat, period, metre):
    """Score every phase and bar position of a steady pulse, as the model without transition costs."""
    observations = bar_hmm._Observations.of(beat, downbeat)
    scores = {}
    for phase, position in itertools.product(range(period), range(metre)):
        ticks = np.arange(phase, len(beat), period)
        states = (np.arange(len(ticks)) + position) % metre + (4 if metre == 3 else 0)
        near = np.concatenate([ticks + d for d in range(-3, 4)])
        quiet = np.setdiff1d(np.arange(len(beat)), near)
        silence = np.diff(observations.silence)
        scores[phase, position] = observations.beats[ticks, states].sum() + silence[quiet].sum()
    return max(scores, key=scores.get)


@pytest.mark.parametrize(("bpm", "metre"), [(60, 4), (93, 3), (128, 4), (170, 4), (200, 3)])
def test_clean_beats_are_found_exactly(bpm, metre):
    beats = 0.31 + np.arange(0, 40, 60 / bpm)
    path = decode_bars(activation(beats, 41), activation(beats[1::metre], 41))
    assert set(path.metres) == {metre}
    for truth, found in ((beats, path.ticks), (beats[1::metre], path.ticks[path.positions == 0])):
        inside = found[(found > 20) & (found < 100 * truth[-1] + 5)] / 100
        assert len(inside) == len(truth)
        assert np.abs(inside - truth).max() < 0.021


def test_the_path_is_the_best_one_by_brute_force():
    dice = np.random.default_rng(3)
    for metre in (3, 4):
        beats = np.arange(0.2, 12, 0.5)
        beat = activation(beats, 12, dice.uniform(0.1, 0.6, len(beats))) + dice.uniform(0, 0.05, 1200)
        down = activation(beats[2::metre], 12, 0.4)
        phase, position = brute_force(beat, down, 50, metre)
        path = decode_bars(beat, down)
        assert abs(path.ticks[0] % 50 - phase) <= 1
        assert path.metres[0] == metre
        assert path.positions[0] == position


def test_a_break_is_bridged_and_a_tempo_jump_followed():
    first, second = np.arange(0.2, 30, 0.5), np.arange(30.3, 60, 0.36)
    gap = first[(first < 12) | (first > 17)]
    beats = np.concatenate((gap, second))
    path = decode_bars(activation(beats, 60), activation(np.concatenate((first[::4], second[::4])), 60))
    for beat in (*first[first < 29], *second[second > 32]):
        assert np.abs(path.ticks / 100 - beat).min() < 0.04, beat


def test_stretches_give_the_same_path_as_the_whole(monkeypatch):
    dice = np.random.default_rng(0)
    beats = 0.2 + np.cumsum(dice.normal(0.47, 0.01, 120))
    beat = activation(beats, 60, dice.uniform(0.2, 0.9, 120))
    down = activation(beats[::4], 60, 0.5)
    whole = decode_bars(beat, down)
    monkeypatch.setattr(bar_hmm, "STRETCH_TICKS", 700)
    pieces = decode_bars(beat, down)
    assert np.array_equal(whole.ticks, pieces.ticks)
    assert np.array_equal(whole.positions, pieces.positions)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 400), st.integers(0, 2**31))
def test_any_activation_has_a_path_in_order(ticks, seed):
    values = np.random.default_rng(seed).random((2, ticks))
    path = decode_bars(*values)
    assert len(path.ticks) == len(path.positions) == len(path.metres)
    assert np.all(np.diff(path.ticks) >= bar_hmm.MIN_INTERVAL)
    assert np.all((path.positions >= 0) & (path.positions < path.metres))
    assert len(path.ticks) == 0 or (path.ticks[0] >= 0 and path.ticks[-1] < ticks)


def test_steady_beats_are_put_on_straight_lines():
    dice = np.random.default_rng(1)
    truth = np.concatenate((0.4 + np.arange(60) * 0.5, 30.4 + np.arange(80) * 0.4))
    found = np.round((truth + dice.normal(0, 0.008, 140)) * 100) / 100
    smoothed = smooth_beats(found, np.ones(140))
    assert np.abs(smoothed - truth).max() < 0.012
    assert np.diff(smoothed[:55]).std() < 1e-6


def test_a_ritardando_stays_curved():
    slowing = np.cumsum(0.5 + 0.004 * np.arange(80))
    assert np.abs(smooth_beats(slowing, np.ones(80)) - slowing).max() < 0.03


def test_bars_are_extrapolated_over_the_song():
    beats = 3.2 + np.arange(40) * 0.5
    ticks = activation(beats, 26)
    path = decode_bars(ticks, activation(beats[2::4], 26))
    grid = grid_from_path(path, ticks, 26.0, 1.0)
    assert grid.beats[0] <= 0 < grid.beats[1]
    assert grid.beats[-1] > 26
    assert np.diff(grid.bars).tolist() == [4] * (len(grid.bars) - 1)
    assert np.abs(grid.downbeats - 4.2).min() < 0.01


def test_extrapolated_beats_cover_the_song():
    beats = extrapolate_beats(np.array([3.0, 3.5, 4.0]), 6.0)
    assert beats.tolist() == np.arange(0, 6.6, 0.5).tolist()
