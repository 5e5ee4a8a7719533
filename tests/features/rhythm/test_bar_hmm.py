"""The bar-pointer HMM and its grid: exact on clean beats, steady on noisy ones, the same in pieces."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clavilux.features.rhythm import bar_hmm
from clavilux.features.rhythm.bar_hmm import BarModel, decode_bars
from clavilux.features.rhythm.grid import bar_grid, extrapolated, smoothed

BUMP = np.array([0.3, 0.7, 1, 0.7, 0.3])


def likelihood(times, seconds, heights=0.9, floor=0.02):
    ticks = np.full(round(seconds * 100), floor)
    for time, height in zip(times, np.broadcast_to(heights, len(times)), strict=True):
        centre = round(time * 100)
        if 2 <= centre < len(ticks) - 2:
            around = ticks[centre - 2 : centre + 3]
            around[:] = np.maximum(around, height * BUMP)
    return ticks


def brute_force(beat, downbeat, period, metre):
    """Score every phase and place of a steady pulse, as the model does but without transition costs."""
    observations = bar_hmm._Observations.of(beat, downbeat)
    scores = {}
    for phase, place in itertools.product(range(period), range(metre)):
        ticks = np.arange(phase, len(beat), period)
        rows = (np.arange(len(ticks)) + place) % metre + (4 if metre == 3 else 0)
        near = np.concatenate([ticks + d for d in range(-3, 4)])
        quiet = np.setdiff1d(np.arange(len(beat)), near)
        silence = np.diff(observations.silence)
        scores[phase, place] = observations.rows[ticks, rows].sum() + silence[quiet].sum()
    return max(scores, key=scores.get)


@pytest.mark.parametrize(("bpm", "metre"), [(60, 4), (93, 3), (128, 4), (170, 4), (200, 3)])
def test_clean_beats_are_found_exactly(bpm, metre):
    beats = 0.31 + np.arange(0, 40, 60 / bpm)
    path = decode_bars(likelihood(beats, 41), likelihood(beats[1::metre], 41))
    assert set(path.metres) == {metre}
    for truth, found in ((beats, path.ticks), (beats[1::metre], path.ticks[path.places == 0])):
        inside = found[(found > 20) & (found < 100 * truth[-1] + 5)] / 100
        assert len(inside) == len(truth)
        assert np.abs(inside - truth).max() < 0.021


def test_the_path_is_the_best_one_by_brute_force():
    dice = np.random.default_rng(3)
    for metre in (3, 4):
        beats = np.arange(0.2, 12, 0.5)
        beat = likelihood(beats, 12, dice.uniform(0.1, 0.6, len(beats))) + dice.uniform(0, 0.05, 1200)
        down = likelihood(beats[2::metre], 12, 0.4)
        phase, place = brute_force(beat, down, 50, metre)
        path = decode_bars(beat, down)
        assert abs(path.ticks[0] % 50 - phase) <= 1
        assert path.metres[0] == metre
        assert path.places[0] == place


def test_a_break_is_bridged_and_a_jump_of_tempo_followed():
    first, second = np.arange(0.2, 30, 0.5), np.arange(30.3, 60, 0.36)
    gap = first[(first < 12) | (first > 17)]
    beats = np.concatenate((gap, second))
    path = decode_bars(likelihood(beats, 60), likelihood(np.concatenate((first[::4], second[::4])), 60))
    for beat in (*first[first < 29], *second[second > 32]):
        assert np.abs(path.ticks / 100 - beat).min() < 0.04, beat


def test_a_long_song_is_decoded_in_stretches_as_if_whole(monkeypatch):
    dice = np.random.default_rng(0)
    beats = 0.2 + np.cumsum(dice.normal(0.47, 0.01, 120))
    beat = likelihood(beats, 60, dice.uniform(0.2, 0.9, 120))
    down = likelihood(beats[::4], 60, 0.5)
    whole = decode_bars(beat, down)
    monkeypatch.setattr(bar_hmm, "HMM", BarModel(stretch_ticks=700))
    pieces = decode_bars(beat, down)
    assert np.array_equal(whole.ticks, pieces.ticks)
    assert np.array_equal(whole.places, pieces.places)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 400), st.integers(0, 2**31))
def test_any_likelihood_has_a_path_in_order(ticks, seed):
    values = np.random.default_rng(seed).random((2, ticks))
    path = decode_bars(*values)
    assert len(path.ticks) == len(path.places) == len(path.metres)
    assert np.all(np.diff(path.ticks) >= bar_hmm.MIN_INTERVAL_TICKS)
    assert np.all((path.places >= 0) & (path.places < path.metres))
    assert len(path.ticks) == 0 or (path.ticks[0] >= 0 and path.ticks[-1] < ticks)


def test_a_grid_is_straight_where_the_music_is():
    dice = np.random.default_rng(1)
    truth = np.concatenate((0.4 + np.arange(60) * 0.5, 30.4 + np.arange(80) * 0.4))
    heard = np.round((truth + dice.normal(0, 0.008, 140)) * 100) / 100
    moved = smoothed(heard, np.ones(140))
    assert np.abs(moved - truth).max() < 0.012
    assert np.diff(moved[:55]).std() < 1e-6


def test_gradual_changes_of_tempo_stay():
    slowing = np.cumsum(0.5 + 0.004 * np.arange(80))
    assert np.abs(smoothed(slowing, np.ones(80)) - slowing).max() < 0.03


def test_bars_are_extrapolated_beyond_detected_ones():
    beats = 3.2 + np.arange(40) * 0.5
    ticks = likelihood(beats, 26)
    path = decode_bars(ticks, likelihood(beats[2::4], 26))
    grid = bar_grid(path, ticks, 26.0, 1.0)
    assert grid.beats[0] <= 0 < grid.beats[1]
    assert grid.beats[-1] > 26
    assert np.diff(grid.bars).tolist() == [4] * (len(grid.bars) - 1)
    assert np.abs(grid.downbeats - 4.2).min() < 0.01


def test_extrapolating_covers_the_song():
    beats = extrapolated(np.array([3.0, 3.5, 4.0]), 6.0)
    assert beats.tolist() == np.arange(0, 6.6, 0.5).tolist()
