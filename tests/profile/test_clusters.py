"""Clusters: planted groups are recovered, what is found is stored, described and used by patches."""

import numpy as np
import pytest
import torch

import clavilux
from clavilux.colour import srgb_to_lab
from clavilux.errors import ModelError
from clavilux.generator.generate import seed_inputs
from clavilux.generator.program import Program
from clavilux.make.changes import changes_of
from clavilux.patches.functions import gain
from clavilux.profile.cluster_search import cluster_maps
from clavilux.profile.clusters import clusters_of
from clavilux.profile.context_search import keys_of
from clavilux.profile.contexts import find_context, layer_before
from clavilux.profile.probe import pooled_features, sample_latents
from clavilux.store import Store


def planted(groups=4, each=16, images=64, side=8):
    """Maps of moving blobs: random sign and gain, a centre that all share, noise as strong as the blob."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[0:side, 0:side]
    centres = random.uniform(0, side, (images, groups, 2))
    distance = (y - centres[..., 0, None, None]) ** 2 + (x - centres[..., 1, None, None]) ** 2
    blobs = np.exp(-distance / 6)
    truth = np.repeat(np.arange(groups), each)
    scale = (random.choice([-1, 1], groups * each) * random.uniform(0.5, 3, groups * each))[:, None, None]
    shared = np.exp(-((y - 3.5) ** 2 + (x - 3.5) ** 2) / 8)
    maps = scale * blobs[:, truth] + shared + 0.25 * random.standard_normal((images, len(truth), side, side))
    order = random.permutation(len(truth))
    return maps[:, order].astype(np.float32), truth[order]


def agreement(first, second):
    """Share of pairs of channels on which two clusterings agree."""
    same = [labels[:, None] == labels[None] for labels in (first, second)]
    return (same[0] == same[1]).mean()


def test_planted_groups_are_found_whatever_their_sign():
    maps, truth = planted()
    assert agreement(cluster_maps(maps, 4), truth) > 0.98
    assert np.array_equal(cluster_maps(maps, 4), cluster_maps(maps, 4))


def test_a_channel_that_shows_nothing_belongs_to_no_cluster():
    maps, _ = planted()
    maps[:, 5] = 0.3
    labels = cluster_maps(maps, 4)
    assert labels[5] == -1
    assert (np.delete(labels, 5) >= 0).all()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


def test_clusters_are_ranked_described_and_stored(small_model, store):
    found = clusters_of(small_model, store, "b8.conv1")
    assert 2 <= len(found) <= 5
    members = np.concatenate([cluster.channels for cluster in found])
    assert len(np.unique(members)) == len(members)
    impacts = [cluster.impact for cluster in found]
    assert impacts == sorted(impacts, reverse=True)
    assert impacts[0] > 1
    assert "of the image" in found[0].words
    assert len(list(store.folder.iterdir())) == 1
    again = clusters_of(small_model, store, "b8.conv1")
    assert [c.channels.tolist() for c in again] == [c.channels.tolist() for c in found]
    assert [c.words for c in again] == [c.words for c in found]


def test_a_bend_acts_on_a_cluster(small_model, store):
    (bend,) = changes_of([gain(at="b8.conv1", db=6, channels="cluster 1")], small_model, (4, 4), store)
    wanted = clusters_of(small_model, store, "b8.conv1")[1].channels
    assert np.array_equal(np.flatnonzero(bend.module.channels.numpy()), wanted)
    with pytest.raises(ModelError, match="no cluster 9"):
        changes_of([gain(at="b8.conv1", channels="cluster 9")], small_model, (4, 4), store)


def test_keys_are_what_the_convolution_takes(small_model):
    w = sample_latents(small_model, 2)
    assert layer_before(small_model, "b8.conv1") == "b8.conv0"
    assert layer_before(small_model, "b4.conv1") == "const"
    keys = keys_of(small_model, "b8.conv1", w)
    x = pooled_features(small_model, w, ["b8.conv0"])["b8.conv0"]
    ratio = keys.cpu().numpy() / x
    assert np.allclose(ratio, ratio[..., :1, :1], rtol=1e-4)  # one style for all places


def test_rules_of_contexts_are_made_from_clusters(small_model, store):
    key, d = find_context(small_model, store, "b8.conv1", "cluster 0")
    assert key @ d == pytest.approx(1, abs=1e-4)
    rewrite = clavilux.rewrite
    nodes = [
        rewrite.mute(at="b8.conv1", context="cluster 0"),
        rewrite.boost(at="b8.conv1", context="cluster 1", gain=3),
        rewrite.swap(at="b8.conv0", context="cluster 0", to="cluster 1"),
    ]
    made = changes_of(nodes, small_model, (4, 4), store)
    assert [type(each.module).__name__ for each in made] == ["Mute", "Boost", "Swap"]
    program = Program(small_model, size=(16, 16), cells=(4, 4), rewrites=made)
    assert sum("rewrite" in name for name in program.inputs) == 3
    with pytest.raises(ModelError, match="'cluster 0' to"):
        find_context(small_model, store, "b8.conv1", "eyes")


@pytest.mark.parametrize("name", ["mute", "boost", "swap"])
def test_a_rule_is_seen(name, silk, silk_store):
    params = {"context": "cluster 0"} | ({"to": "cluster 3"} if name == "swap" else {})
    node = getattr(clavilux.rewrite, name)(at="b16.conv1", **params)
    program = Program(
        silk, size=(64, 64), cells=(4, 4), stop=64, pixels="rgb24",
        rewrites=changes_of([node], silk, (4, 4), silk_store),
    )  # fmt: skip
    amounts = np.linspace(0, 1, 9, dtype=np.float32)
    one = seed_inputs(silk, Program(silk, size=(64, 64), cells=(4, 4), stop=64), 3, psi=0.7)
    given = {key: np.repeat(array, 9, axis=0) for key, array in one.items()} | {"rewrite/0/amount": amounts}
    with torch.inference_mode():
        drawn = program.module(*(torch.from_numpy(given[key]) for key in program.inputs)).numpy()
    lab = srgb_to_lab(drawn / 255)
    assert np.linalg.norm(lab[-1] - lab[0], axis=-1).mean() > 4
    steps = np.linalg.norm(np.diff(lab, axis=0), axis=-1).mean(axis=(1, 2))
    assert steps.max() < 0.5 * steps.sum()


@pytest.fixture(scope="module")
def silk_store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("silk"))
