"""Corrections of tempo, bars and sections by the user, and what they change in what was detected."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavilux.curves import Grid, Sections
from clavilux.errors import SettingError
from clavilux.features.corrections import Corrections

DURATION = 60.0
DETECTED = Grid(np.arange(-0.2, 60.6, 0.5), first_downbeat=2, confidence=0.6)
TIMES = st.floats(0, 3600, allow_nan=False)
GAPS = st.lists(st.floats(0.05, 10), min_size=1, max_size=20)
LABELS = st.text(min_size=1, max_size=8)


@st.composite
def grids(draw):
    times = draw(TIMES) + np.cumsum([0.1, *(gap + 0.001 for gap in draw(GAPS))])
    metre = draw(st.integers(2, 7))
    bars = draw(st.sets(st.integers(0, len(times) - 1), min_size=1))
    return Grid(times, beats_per_bar=metre, bars=np.array(sorted(bars)))


@st.composite
def parts(draw):
    lengths = draw(GAPS)
    labels = draw(st.lists(LABELS, min_size=len(lengths), max_size=len(lengths)))
    return Sections(np.cumsum([0.0, *lengths]), tuple(labels))


CORRECTIONS = st.one_of(
    st.builds(
        Corrections,
        bpm=st.none() | st.floats(20, 400),
        first_downbeat=st.none() | TIMES,
        beats_per_bar=st.none() | st.integers(2, 7),
        sections=st.none() | parts(),
    ),
    st.builds(Corrections, tempo_factor=st.sampled_from([0.5, 1.0, 2.0]), first_downbeat=st.none() | TIMES),
    st.builds(Corrections, beats=grids(), sections=st.none() | parts()),
)


@given(CORRECTIONS)
def test_corrections_survive_json_exactly(corrections):
    again = Corrections.from_dict(json.loads(json.dumps(corrections.to_dict())))
    assert again == corrections
    assert hash(again) == hash(corrections)
    assert corrections.none == (corrections == Corrections())
    if corrections.beats is not None:
        assert again.beats.beats.tolist() == corrections.beats.beats.tolist()


@given(CORRECTIONS, CORRECTIONS)
def test_later_corrections_replace_earlier_ones(first, later):
    both = first.merged(later)
    assert later.to_dict().items() <= both.to_dict().items()
    assert both.merged(later) == both
    assert first.merged(Corrections()) == first
    assert Corrections().merged(first) == first


@given(CORRECTIONS.filter(lambda corrections: corrections.sections is None), st.floats(1, 300))
def test_every_corrected_grid_covers_the_song(corrections, duration):
    detected = Grid(np.arange(0, duration + 0.5, 0.5), first_downbeat=1, confidence=0.5)
    if (corrections.first_downbeat or 0) > duration:
        with pytest.raises(SettingError, match="past the end"):
            corrections.apply_to_grid(detected, duration)
        return
    grid = corrections.apply_to_grid(detected, duration)
    assert grid.beats[0] <= 1e-6
    assert grid.beats[-1] >= duration - 1e-6
    if corrections.first_downbeat is not None:
        assert np.abs(grid.downbeats - corrections.first_downbeat).min() <= 0.07


@pytest.mark.parametrize("bpm", [60, 120, 240])
def test_a_tempo_fits_the_phase_of_the_detected_beats(bpm):
    grid = Corrections(bpm=bpm).apply_to_grid(DETECTED, DURATION)
    assert grid.tempo == pytest.approx(bpm)
    assert grid.confidence == 1
    assert np.abs(grid.beats[:, None] - DETECTED.downbeats).min(axis=0).max() < 1e-9
    assert np.abs(DETECTED.downbeats[:, None] - grid.downbeats).min() < 1e-9


def test_a_tempo_fits_beats_that_jitter():
    jitter = np.random.default_rng(0).normal(0, 0.02, len(DETECTED.beats))
    grid = Corrections(bpm=120).apply_to_grid(Grid(np.sort(DETECTED.beats + jitter)), DURATION)
    assert np.abs(grid.beats[:100] - DETECTED.beats[:100]).max() < 0.01


@pytest.mark.parametrize("first", [0.0, 1.31, 3.21, 59.9])
def test_a_tempo_passes_through_the_given_first_downbeat(first):
    grid = Corrections(bpm=120, first_downbeat=first).apply_to_grid(DETECTED, DURATION)
    assert np.diff(grid.beats) == pytest.approx(0.5)
    assert np.abs(grid.downbeats - first).min() < 1e-9


def test_double_and_half_tempo_keep_the_detected_bars():
    double = Corrections(tempo_factor=2).apply_to_grid(DETECTED, DURATION)
    assert double.tempo == pytest.approx(240)
    assert set(DETECTED.downbeats.round(6)) <= set(double.downbeats.round(6))
    half = Corrections(tempo_factor=0.5).apply_to_grid(DETECTED, DURATION)
    assert half.tempo == pytest.approx(60)
    assert set(half.downbeats[:-1].round(6)) <= set(DETECTED.downbeats.round(6))
    assert Corrections(tempo_factor=0.5).apply_to_grid(Grid(np.array([0, 0.5])), 0.3).beats.tolist() == [0, 1]


def test_a_first_downbeat_moves_bars_and_only_from_afar_the_beats():
    near = Corrections(first_downbeat=1.34).apply_to_grid(DETECTED, DURATION)
    assert near.beats.tolist() == DETECTED.beats.tolist()
    assert near.downbeats[0] == pytest.approx(1.3)
    far = Corrections(first_downbeat=1.5).apply_to_grid(DETECTED, DURATION)
    assert np.abs(far.downbeats - 1.5).min() < 1e-9
    assert far.tempo == pytest.approx(120)


def test_no_corrections_change_nothing():
    grid = Corrections().apply_to_grid(DETECTED, DURATION)
    assert grid.beats.tolist() == DETECTED.beats.tolist()
    assert grid.downbeats.tolist() == DETECTED.downbeats.tolist()
    assert (grid.beats_per_bar, grid.confidence) == (4, 0.6)


def test_a_clock_stays_a_clock_until_a_tempo_is_given():
    clock = Grid(np.arange(0, 61, 0.5), confidence=0)
    assert Corrections(first_downbeat=1).apply_to_grid(clock, DURATION).confidence == 0
    assert Corrections(bpm=90).apply_to_grid(clock, DURATION).confidence == 1


def test_beats_given_by_hand_override_and_continue():
    corrections = Grid(np.array([10, 10.6, 11.2, 11.8, 12.4]), 1, 3)
    grid = Corrections(beats=corrections).apply_to_grid(DETECTED, 20.0)
    assert np.abs(grid.beats[:, None] - corrections.beats).min(axis=0).max() == 0
    assert np.diff(grid.beats) == pytest.approx(0.6)
    assert np.abs(grid.downbeats - 10.6).min() < 1e-9
    assert (grid.beats_per_bar, grid.confidence) == (3, 1)


def test_bars_of_different_lengths_stay_and_continue():
    corrections = Grid(np.arange(4, 14.0), beats_per_bar=4, bars=np.array([0, 4, 7]))
    grid = Corrections(beats=corrections).apply_to_grid(DETECTED, 20.0)
    assert grid.downbeats.tolist() == [0, 4, 8, 11, 15, 19]


def test_sections_are_fitted_to_the_song():
    detected = Sections(np.array([0, 60.0]), ("A",))
    corrections = Sections(np.array([0, 20, 40.0]), ("verse", "chorus"))
    assert Corrections().apply_to_sections(detected, DURATION) is detected
    longer = Corrections(sections=corrections).apply_to_sections(detected, DURATION)
    assert longer.labels == ("verse", "chorus", "-")
    nearly = Corrections(sections=corrections).apply_to_sections(detected, 40.5)
    assert nearly.bounds.tolist() == [0, 20, 40.5]
    cut = Corrections(sections=corrections).apply_to_sections(detected, 30.0)
    assert cut.bounds.tolist() == [0, 20, 30]
    with pytest.raises(SettingError, match="'chorus' begins at 0:20, after the song"):
        Corrections(sections=corrections).apply_to_sections(detected, 15.0)


@pytest.mark.parametrize(
    ("corrections", "message"),
    [
        ({"bpm": 19}, "bpm must be a number from 20 to 400, not 19"),
        ({"bpm": float("nan")}, "bpm"),
        ({"bpm": "fast"}, "'fast'"),
        ({"bpm": True}, "True"),
        ({"first_downbeat": -1.0}, "first_downbeat"),
        ({"beats_per_bar": 8}, "2 to 7"),
        ({"beats_per_bar": 3.5}, "whole number"),
        ({"tempo_factor": 3}, "halved"),
        ({"bpm": 120, "tempo_factor": 2}, "not both"),
        ({"bpm": 120, "beats": {"times": [0, 1], "bars": [0], "beats_per_bar": 4}}, "omit bpm"),
        ({"beats": {"times": [0, 1e-9], "bars": [0], "beats_per_bar": 4}}, "apart"),
        ({"beats": {"times": [0, float("inf")], "bars": [0], "beats_per_bar": 4}}, "24 hours"),
        ({"beats": {"times": [1, 0], "bars": [0], "beats_per_bar": 4}}, "increasing"),
        ({"beats": [1, 2]}, "cannot be read"),
        ({"sections": {"bounds": [0, 1]}}, "cannot be read"),
        ({"swing": 0.5}, "swing"),
    ],
)
def test_an_impossible_correction_is_one_sentence(corrections, message):
    with pytest.raises(SettingError, match=message) as caught:
        Corrections.from_dict(corrections)
    assert "\n" not in str(caught.value)


def test_it_reads_as_a_sentence():
    corrections = Corrections(bpm=128, first_downbeat=0.52, beats_per_bar=3)
    assert str(corrections) == "128 bpm, a bar at 0.52 s, 3 beats a bar"
    assert str(Corrections(tempo_factor=2)) == "double the detected tempo"
