from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clavilux.features.structure.clusters import kmeans, letter_name, match_labels, relabel_by_appearance
from clavilux.features.structure.hierarchy import label_levels


@given(seed=st.integers(0, 500), count=st.integers(1, 6))
@settings(max_examples=25)
def test_clouds_are_separated(seed, count):
    dice = np.random.default_rng(seed)
    cloud = dice.permutation(np.repeat(np.arange(count), 5))
    centres = 30.0 * np.stack([np.arange(count), np.arange(count) % 2], axis=1)
    points = centres[cloud] + dice.normal(size=(len(cloud), 2))
    assert kmeans(points, count).tolist() == relabel_by_appearance(cloud).tolist()


@given(seed=st.integers(0, 500), count=st.integers(2, 5))
@settings(max_examples=25)
def test_every_point_is_nearest_to_its_own_mean(seed, count):
    points = np.random.default_rng(seed).normal(size=(40, 3))
    labels = kmeans(points, count)
    means = np.stack([points[labels == each].mean(axis=0) for each in range(labels.max() + 1)])
    distance = np.square(points[:, None] - means).sum(axis=2)
    assert np.array_equal(distance.argmin(axis=1), labels)


def test_more_clusters_than_points():
    assert kmeans(np.zeros((3, 2)), 5).tolist() == [0, 0, 0]
    assert kmeans(np.array([[0.0], [9.0]]), 5).tolist() == [0, 1]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_numbers_follow_appearance(labels):
    numbered = relabel_by_appearance(np.array(labels))
    assert numbered[0] == 0
    assert np.all(np.diff(np.maximum.accumulate(numbered)) <= 1)
    assert len({*zip(labels, numbered.tolist(), strict=True)}) == len(set(labels))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=30))
def test_matched_labels_stay(pairs):
    labels, before = (relabel_by_appearance(np.array(side)) for side in zip(*pairs, strict=True))
    named = match_labels(labels, before)
    assert np.array_equal(relabel_by_appearance(named), labels)
    assert np.array_equal(match_labels(before, before), before)
    new = set(named.tolist()) - set(before.tolist())
    assert new == set(range(before.max() + 1, before.max() + 1 + len(new)))


def test_letters_continue_after_z():
    assert [letter_name(number) for number in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]


@pytest.fixture(scope="module")
def play():
    """Make steps (N, 8) of a song of parts with their own timbre, each 36 different steps long."""
    dice = np.random.default_rng(3)
    parts = dice.normal(size=(3, 1, 8)) + 0.3 * dice.normal(size=(3, 36, 8))
    return lambda form: np.concatenate([parts["ABC".index(each)] for each in form]).astype(np.float32)


def test_a_level_is_the_form(play):
    song = play("ABCABA")
    levels = label_levels(song, song)
    assert [len(set(labels.tolist())) for labels in levels[:2]] == [2, 3]
    inner = relabel_by_appearance(levels[1]).reshape(6, 36)[:, 2:-2]
    assert inner.tolist() == [[each] * 32 for each in (0, 1, 2, 0, 1, 0)]


def test_labels_keep_their_numbers_from_level_to_level(play):
    song = play("ABCABA")
    for coarse, fine in pairwise(label_levels(song, song)):
        renamed = relabel_by_appearance(fine)
        assert np.mean(coarse == fine) >= np.mean(coarse == renamed)
        assert np.mean(coarse == fine) > 0.3


def test_steps_of_a_long_song_are_averaged(play, monkeypatch):
    song = play("ABA")[:-1]
    every = label_levels(song, song)[0]
    monkeypatch.setattr("clavilux.features.structure.hierarchy.MAX_STEPS", 80)
    pairs = label_levels(song, song)[0]
    assert len(pairs) == len(song)
    assert np.mean(pairs == every) > 0.95
