"""Songs of known truth: the same for a number, apart between splits, and in keeping with their plan."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "truth"))

from grooves import STYLES, styles_of
from packages import Packages
from songs import write_song
from tunes import TUNES
from written import truth_of

OWN = [number for number, style in enumerate(styles_of("train")) if style.own]
"""Songs that are played without mma."""


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Some songs of our own players, with their truths; asking for a package would fail."""
    folder = tmp_path_factory.mktemp("songs")
    made = {}
    for number in OWN:
        plan, written = write_song("train", number, Packages(folder / "none"), folder)
        made[number] = plan, written, truth_of(written, ("", "train", "", ""), 300.0)
    return made


def test_no_groove_file_is_in_both_splits():
    files = {split: {style.file for style in styles if not style.own} for split, styles in STYLES.items()}
    assert not (files["train"] | files["heavy"]) & files["test"]
    assert min(len(files["train"]), len(files["test"])) > 30


def test_no_tune_is_in_both_splits():
    assert not set(TUNES["train"]) & set(TUNES["test"])


def test_every_test_song_begins_from_a_groove():
    assert not any(style.own for style in STYLES["test"])


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_style_has_its_turn_and_a_fifth_is_in_three(split):
    turns = styles_of(split)
    assert set(turns) == set(STYLES[split])
    assert 0.15 < np.mean([style.beats_per_bar == 3 for style in turns]) < 0.25


def test_a_number_is_always_the_same_song(songs, tmp_path):
    number = OWN[0]
    plan, written = write_song("train", number, Packages(tmp_path), tmp_path)
    assert plan == songs[number][0]
    np.testing.assert_array_equal(written.score.notes, songs[number][1].score.notes)


def test_sections_cover_the_song_and_neighbours_differ(songs):
    for plan, written, _ in songs.values():
        assert written.bounds[0] == 0
        assert written.bounds[-1] == written.score.beats == plan.bars * plan.style.beats_per_bar
        assert all(a != b for a, b in zip(written.labels, written.labels[1:], strict=False))
        assert set(written.bounds) <= set(written.downbeats)


def test_a_label_always_has_its_chords(songs):
    for plan, written, _ in songs.values():
        heard: dict[str, set[tuple[str, ...]]] = {}
        begin = 0.0
        for section in plan.sections:
            end = begin + section.bars * plan.style.beats_per_bar
            inside = (written.chord_bounds[:-1] >= begin) & (written.chord_bounds[:-1] < end)
            heard.setdefault(section.label, set()).add(tuple(np.array(written.chords)[inside]))
            begin = end
        assert all(len(chords) == 1 for chords in heard.values())
        assert len(set.union(*heard.values())) == len(heard)


def test_the_bass_plays_roots_on_most_downbeats(songs):
    shares = []
    for _, written, truth in songs.values():
        roots = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
        names = np.array(written.chords)[np.searchsorted(truth.chord_bounds, truth.downbeats + 1e-6) - 1]
        due = [(roots[name[0]] + name[1:].startswith("#") - name[1:].startswith("b")) % 12 for name in names]
        played = truth.bass_at(truth.downbeats + 0.04)
        shares.append(np.mean(played[played >= 0] == np.array(due)[played >= 0]))
    assert np.mean(shares) > 0.9


def test_drums_are_on_the_grid_and_most_kicks_on_beats(songs):
    for plan, _, truth in songs.values():
        beats = np.interp(truth.kick, truth.beats, np.arange(len(truth.beats)))
        sixteenths = np.abs(beats * 4 - np.round(beats * 4))
        if plan.swing == 0:
            assert np.quantile(sixteenths, 0.9) < 0.15
        on_beats = np.mean(np.abs(beats - np.round(beats)) < 0.06)
        assert on_beats > 0.2


def test_tempi_and_metres_vary(songs):
    plans = [plan for plan, _, _ in songs.values()]
    assert {plan.style.beats_per_bar for plan in plans} == {3, 4}
    assert len({plan.bpm for plan in plans}) == len(plans)
    assert len({plan.key for plan in plans}) > 4


def test_bars_have_as_many_beats_as_the_metre(songs):
    for plan, _, truth in songs.values():
        places = np.searchsorted(truth.beats, truth.downbeats - 1e-6)
        assert set(np.diff(places)) == {truth.beats_per_bar} == {plan.style.beats_per_bar}
