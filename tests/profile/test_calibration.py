"""Calibrated bends change images as far as their word says, on any layer, and still begin at nothing."""

import numpy as np
import pytest
import torch

from clavilux.generator.model import load_model
from clavilux.generator.program import Program
from clavilux.make.changes import changes_of
from clavilux.patches.functions import gain, invert, rotate, translate, zoom
from clavilux.profile.probe import colours, draw, fixed_noise, sample_latents
from clavilux.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


def change(model, bend, amount):
    w = sample_latents(model, 4, "profile/calibration")
    signals = {name: torch.full((4,), 9.0) for name in bend.inputs} | {"amount": torch.full((4,), amount)}
    drawn = colours(draw(model, w, taps={bend.layer: lambda x: bend.module(x, **signals)}))
    return np.linalg.norm(drawn - colours(draw(model, w)), axis=-1).mean()


@pytest.mark.parametrize("make", [zoom, translate, gain])
@pytest.mark.parametrize("at", ["b8.conv1", "b16.conv0"])
def test_a_word_means_the_same_at_every_layer(make, at, small_model, store):
    changes = {}
    for reach in ("subtle", "medium"):
        (bend,) = changes_of([make(at=at, reach=reach)], small_model, (4, 4), store)
        assert bend.module.site.reach is not None
        changes[reach] = change(small_model, bend, 1.0)
        assert change(small_model, bend, 0.0) == 0
    if bend.module.site.reach < 1.9:  # not as far as it can go
        assert changes["subtle"] == pytest.approx(6, abs=1.5)
        assert changes["medium"] == pytest.approx(12, abs=2)
    assert changes["subtle"] < changes["medium"]


def drawn_change(model, bends):
    """What a patch with these bends, at amount 1, changes in the images that calibration looks at."""
    side = min(128, model.resolution)
    size = {"size": (side, side), "cells": model.network.cells, "stop": side, "pixels": "rgb24"}
    w = sample_latents(model, 4, "profile/calibration")
    noise = fixed_noise(model, side)
    labs = []
    for amount in (0.0, 1.0):
        program = Program(model, **size, taps=bends)
        given = {"ws": torch.from_numpy(w)[:, None].expand(-1, model.num_ws, -1), "frame": torch.arange(4)}
        given |= {f"noise/{name}": each.expand(4, -1, -1, -1) for name, each in noise.items()}
        given |= {name: torch.full((4,), amount) for name in program.inputs if name.startswith("bend/")}
        with torch.inference_mode():
            labs.append(program.module(*(given[name] for name in program.inputs)))
    first, second = (colours(lab.permute(0, 3, 1, 2).float() / 127.5 - 1) for lab in labs)
    return np.linalg.norm(second - first, axis=-1).mean()


@pytest.mark.parametrize("name", ["silk", "glass", "ink"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: zoom(at="b16.conv1", reach="medium", along="all"),
        lambda: translate(at="b8.conv1", reach="medium", along="colours"),
        lambda: gain(at="8-32 px", reach="medium"),
        lambda: zoom(at="8-64 px", reach="medium"),
        lambda: rotate(at="16-32 px", reach="medium", along="all"),
    ],
)
def test_a_word_means_what_is_drawn_with_what_is_moved_along_and_at_all_layers(name, make, store):
    model = load_model(name)
    bends = changes_of([make()], model, (4, 4), store)
    assert drawn_change(model, bends) == pytest.approx(12, rel=0.15)


def test_a_bend_that_cannot_change_so_much_goes_as_far_as_it_can(small_model, store):
    (bend,) = changes_of([invert(at="b16.conv1", channels="0%", reach="strong")], small_model, (4, 4), store)
    assert bend.module.site.reach == 1.0
    assert bend.spec != changes_of([invert(at="b16.conv1", channels="0%")], small_model, (4, 4))[0].spec
