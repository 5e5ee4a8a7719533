"""Directions: the regression finds planted ones, what a push promises is measured on images not seen."""

import numpy as np
import pytest

from clavilux import seeds
from clavilux.errors import ModelError
from clavilux.frames.bind import choose_directions
from clavilux.patches.functions import drift, palette
from clavilux.patches.moments import Moments
from clavilux.patches.patch import Patch
from clavilux.profile import direction_search as module
from clavilux.profile.direction_search import describe_images, regress
from clavilux.profile.directions import Direction, directions_of, find_direction
from clavilux.profile.probe import colours, draw, sample_latents
from clavilux.signals.sources import song
from clavilux.signals.table import OPS
from clavilux.store import Store


def test_descriptors_that_go_together_are_taken_apart():
    w = seeds.normal(0, "w", 0, (600, 24)).astype(np.float64)
    first = w[:, 0] + 0.8 * w[:, 1]
    y = np.stack([np.exp(first / 2), (w[:, 1] + 0.2 * w[:, 2]) ** 3], axis=1)
    b, r2 = regress(w, y)
    assert r2.min() > 0.8
    leak = abs(b[:, 0] @ [0, 1, 0.2, *[0] * 21]) / abs(b[:, 0] @ [1, 0.8, *[0] * 22])
    assert leak < 0.2


def test_noise_is_said_to_be_no_control():
    w = seeds.normal(0, "w", 0, (400, 24)).astype(np.float64)
    _, r2 = regress(w, seeds.normal(1, "y", 0, (400, 2)).astype(np.float64))
    assert r2.max() < 0.2
    assert not Direction("warmth", np.zeros((1, 1), np.float32), "all", 0.1, 0.5).works


def test_descriptors_are_what_they_are_called():
    flat = np.full((1, 16, 16, 3), [50.0, 0, 0])
    warm = flat + np.array([0, 30, 40])
    rough = flat + np.array([20.0, 0, 0]) * (-1) ** np.arange(16)[None, None, :, None]
    energy, warmth, contrast, lightness, chroma = range(5)
    base, other = describe_images(flat)[0], describe_images(warm)[0]
    assert other[warmth] > base[warmth] + 40
    assert other[chroma] == pytest.approx(50)
    noisy = describe_images(rough)[0]
    assert noisy[energy] > base[energy] + 3
    assert noisy[contrast] == pytest.approx(20)
    assert noisy[lightness] == base[lightness]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


def test_a_push_changes_images_not_seen_as_it_promises(small_model, store):
    found = directions_of(small_model, store)
    groups = [f"{group} {k}" for group in ("coarse", "middle", "fine") for k in (1, 2, 3)]
    assert [name for name in found if "principal" not in name] == ["energy", "warmth", "contrast", *groups]
    assert len(found) == 3 + small_model.w_dim + len(groups)
    for k, name in enumerate(module.NAMED):
        direction = found[name]
        if not direction.works:
            continue
        w = sample_latents(small_model, 16, "unseen")
        ws = np.repeat(w[:, None], small_model.num_ws, axis=1)
        low, high = (
            describe_images(
                colours(
                    draw(small_model, (ws + sign * 0.5 * module.PSI * direction.shift).astype(np.float32))
                )
            )
            for sign in (-1, 1)
        )
        assert (high - low)[:, k].mean() > 0, name
    assert any(direction.works for direction in found.values())


def test_a_patch_pushes_by_name_and_an_unknown_direction_is_an_error(small_model, store):
    patch = Patch(palette().loop(bars=8).push("principal 1", by=song.bass.rms()), drift(seconds=4))
    assert Patch.parse(str(patch)) == patch
    assert set(choose_directions(patch, small_model, store)) == {"principal 1"}
    with pytest.raises(ModelError, match="no direction 'warmht'; did you mean 'warmth'"):
        find_direction(small_model, store, "warmht")


def test_a_push_adds_its_shift(small_model):
    shift = np.ones((6, 4), np.float32)
    moments = Moments(np.arange(4.0), None, 6, {}, {}, frozenset(), {}, {"warmth": shift})
    base = np.zeros((3, 1, 4))
    pushed = OPS["latent.push"].compute(
        moments, [base, np.array([[0.0], [0.5], [99.0]])], [("direction", "warmth")]
    )
    assert pushed.shape == (3, 6, 4)
    assert pushed[:, 0, 0].tolist() == [0, 0.5, 8]


def test_principal_directions_of_a_group_move_its_layers_and_explain_its_styles(small_model, store):
    found = directions_of(small_model, store)
    w = sample_latents(small_model, 200, "unseen").astype(np.float64)
    for group in ("coarse", "middle", "fine"):
        layers = small_model.group(group)
        first, second = found[f"{group} 1"], found[f"{group} 2"]
        moved = np.flatnonzero(np.abs(first.shift).sum(axis=1))
        assert list(moved) == list(layers)
        assert 0 < second.r2 < first.r2 < 1
        # one coordinate explains on other latents what was promised
        affine = module.style_weights(small_model, layers)
        styles = (w - w.mean(axis=0)) @ affine.T
        along = first.shift[layers.start].astype(np.float64) @ affine.T
        shares = styles @ along / (along @ along)
        explained = 1 - ((styles - np.outer(shares, along)) ** 2).sum() / (styles**2).sum()
        assert explained > first.r2 - 0.15
    shifts = [found[f"principal {k}"].shift[0] for k in (1, 2)]
    assert abs(shifts[0] @ shifts[1]) < 1e-3 * np.linalg.norm(shifts[0]) * np.linalg.norm(shifts[1])


def test_a_random_direction_explains_less_than_the_principal_one(small_model, store):
    affine = module.style_weights(small_model, small_model.group("coarse"))
    w = sample_latents(small_model, 200, "unseen").astype(np.float64)
    styles = (w - w.mean(axis=0)) @ affine.T
    along = seeds.normal(0, "along", 0, (small_model.w_dim,)) @ affine.T
    shares = styles @ along / (along @ along)
    explained = 1 - ((styles - np.outer(shares, along)) ** 2).sum() / (styles**2).sum()
    assert explained < directions_of(small_model, store)["coarse 1"].r2
