"""Palettes are deterministic, in the mood, in the best order, and come from any model."""

from dataclasses import replace
from itertools import pairwise, permutations

import numpy as np
import pytest

from clavilux import seeds
from clavilux.errors import ModelError
from clavilux.generator.model import builtin_models, load_model
from clavilux.profile import palettes as profile
from clavilux.profile import survey as survey_module
from clavilux.profile.palettes import choose_palette
from clavilux.profile.similarity import distances_of
from clavilux.profile.survey import Survey, survey
from clavilux.store import Store

FIFTHS = [7 * k % 12 for k in range(12)]


@pytest.fixture(scope="module")
def pool(silk, tmp_path_factory):
    return survey(silk, Store(tmp_path_factory.mktemp("store")), count=48)


def indices(pool, latents):
    return [int(np.flatnonzero((pool.ws == w).all(axis=1))[0]) for w in np.atleast_2d(latents)]


def everything(palette):
    return np.concatenate([palette.ring, palette.rest[None], palette.accent[None]])


@pytest.mark.parametrize("name", list(builtin_models()))
def test_the_survey_of_a_builtin_model_comes_with_it(name, monkeypatch):
    model = load_model(name)
    with monkeypatch.context() as patch:
        patch.setattr(survey_module, "_draw_pool", None)
        shipped = survey(model, Store())
    codes = seeds.normal(0, "generator/survey", 0, (len(shipped.ws), model.z_dim))
    np.testing.assert_allclose(shipped.ws, model.map(codes), atol=1e-4)
    drawn = survey_module.describe(model, shipped.ws[:4], Store())
    np.testing.assert_allclose(shipped.lab[:4], drawn.lab, atol=0.1)
    np.testing.assert_allclose(shipped.energy[:4], drawn.energy, rtol=1e-3)


def test_another_model_of_the_name_of_a_builtin_one_is_drawn(small_model):
    other = replace(small_model, name="silk")
    assert survey(other, Store(), count=24).ws.shape == (24, small_model.network.w_avg.shape[-1])


def test_palettes_are_deterministic(pool):
    first, again = choose_palette(pool, seed=3), choose_palette(pool, seed=3)
    assert np.array_equal(everything(first), everything(again))


def test_seeds_give_different_palettes(pool):
    rings = {tuple(indices(pool, choose_palette(pool, seed=seed).ring)) for seed in range(6)}
    assert len(rings) >= 4


@pytest.mark.parametrize("mood", [None, "warm", "cool", "calm", "wild"])
def test_a_palette_has_fourteen_different_images(pool, mood):
    palette = choose_palette(pool, seed=1, mood=mood)
    assert palette.ring.shape == (12, pool.ws.shape[1])
    assert palette.ring.dtype == np.float32
    assert len(set(indices(pool, everything(palette)))) == 14


def test_moods_select_by_colour_and_vividness(pool):
    def ring(mood, seed):
        return indices(pool, choose_palette(pool, seed=seed, mood=mood).ring)

    warmth = pool.lab[..., 1:].mean(axis=(1, 2)) @ [np.cos(np.deg2rad(50)), np.sin(np.deg2rad(50))]
    chroma = np.hypot(pool.lab[..., 1], pool.lab[..., 2]).mean(axis=(1, 2))
    for seed in range(3):
        assert warmth[ring("warm", seed)].mean() > warmth.mean() > warmth[ring("cool", seed)].mean()
        assert chroma[ring("wild", seed)].mean() > chroma[ring("calm", seed)].mean()


def test_rest_is_calmer_and_accent_brighter(pool):
    lightness = pool.lab[..., 0].mean(axis=(1, 2))
    vivid = pool.lab[..., 0].std(axis=(1, 2)) + np.hypot(pool.lab[..., 1], pool.lab[..., 2]).mean(axis=(1, 2))
    for seed in range(3):
        palette = choose_palette(pool, seed=seed)
        ring, rest, accent = (indices(pool, w) for w in (palette.ring, palette.rest, palette.accent))
        assert vivid[rest[0]] < vivid[ring].mean()
        assert lightness[accent[0]] > lightness[ring].mean()


def test_neighbours_in_fifths_look_alike(pool):
    distances = distances_of(pool)
    palette = choose_palette(pool, seed=0)
    ring = indices(pool, palette.ring)
    tour = [ring[k] for k in FIFTHS]

    def length(order):
        return sum(distances[a, b] for a, b in pairwise([*order, order[0]]))

    shuffled = [length(seeds.generator(0, "shuffle", k).permutation(tour)) for k in range(200)]
    assert length(tour) <= min(shuffled)


def test_the_tour_is_the_shortest():
    points = seeds.uniform(0, "points", 0, (8, 2)).astype(np.float64)
    distances = np.linalg.norm(points[:, None] - points, axis=2)

    def length(order):
        return sum(distances[a, b] for a, b in pairwise([*order, order[0]]))

    tour = profile._shortest_tour(distances)
    assert sorted(tour) == list(range(8))
    assert length(tour) == pytest.approx(min(length((0, *rest)) for rest in permutations(range(1, 8))))


def test_surveys_are_kept(silk, small_model, tmp_path, monkeypatch):
    store = Store(tmp_path)
    first = survey(small_model, store, count=24)
    monkeypatch.setattr(survey_module, "_draw_pool", None)
    again = survey(small_model, store, count=24)
    assert np.array_equal(first.lab, again.lab)
    assert first.ws.shape == (24, small_model.w_dim)
    with pytest.raises(TypeError):
        survey(small_model, store, count=24, seed=1)


@pytest.mark.parametrize("count", [0, 23])
def test_pools_too_small(small_model, count):
    with pytest.raises(ModelError, match="24"):
        survey(small_model, Store(), count=count)


def test_a_model_that_draws_one_image_still_has_a_palette():
    same = Survey(
        ws=seeds.normal(0, "ws", 0, (30, 5)),
        lab=np.zeros((30, 16, 16, 3), np.float32),
        energy=np.zeros(30, np.float32),
    )
    for mood in (None, "warm", "calm"):
        palette = choose_palette(same, mood=mood)
        assert len(np.unique(everything(palette), axis=0)) == 14


def test_unknown_mood(pool):
    with pytest.raises(ModelError, match="warm, cool"):
        choose_palette(pool, mood="sad")
