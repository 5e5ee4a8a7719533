"""Calibrated bends change images as far as their word says, on any layer, and still begin at nothing."""

import numpy as np
import pytest
import torch

from clavilux.make.changes import changes_of
from clavilux.patches.functions import gain, invert, translate, zoom
from clavilux.profile.probe import colours, draw, sample_latents
from clavilux.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


def change(model, bend, amount):
    w = sample_latents(model, 4, "profile/calibration")
    signals = {name: torch.full((4,), 9.0) for name in bend.inputs} | {"amount": torch.full((4,), amount)}
    drawn = colours(draw(model, w, taps={bend.layer: lambda x: bend(x, **signals)}))
    return np.linalg.norm(drawn - colours(draw(model, w)), axis=-1).mean()


@pytest.mark.parametrize("make", [zoom, translate, gain])
@pytest.mark.parametrize("at", ["b8.conv1", "b16.conv0"])
def test_a_word_means_the_same_at_every_layer(make, at, small_model, store):
    changes = {}
    for reach in ("subtle", "medium"):
        (bend,) = changes_of([make(at=at, reach=reach)], small_model, (4, 4), store)
        assert bend.site.reach is not None
        changes[reach] = change(small_model, bend, 1.0)
        assert change(small_model, bend, 0.0) == 0
    if bend.site.reach < 1.9:  # not as far as it can go
        assert changes["subtle"] == pytest.approx(6, abs=1.5)
        assert changes["medium"] == pytest.approx(12, abs=2)
    assert changes["subtle"] < changes["medium"]


def test_a_bend_that_cannot_change_so_much_goes_as_far_as_it_can(small_model, store):
    (bend,) = changes_of([invert(at="b16.conv1", channels="0%", reach="strong")], small_model, (4, 4), store)
    assert bend.site.reach == 1.0
    assert bend.spec != changes_of([invert(at="b16.conv1", channels="0%")], small_model, (4, 4))[0].spec
