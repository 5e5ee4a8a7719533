"""Rewrites: side branches equal materialised weights, neutral is bit-equal, together they stay exact."""

import copy

import numpy as np
import pytest
import torch

from clavilux import seeds
from clavilux.colour import srgb_to_lab
from clavilux.generator.generate import seed_inputs
from clavilux.generator.model import load_model
from clavilux.generator.program import Program
from clavilux.generator.rewrites import Boost, Mute, Rule, Scale, Swap, styled_convs
from clavilux.generator.sites import Place

SIZE = {"size": (32, 32), "cells": (4, 4), "pixels": "rgb24"}


def place(model, layer, **given):
    return Place(layer, **given), styled_convs(model.network)[layer].weight


def context(count, name):
    """A key and the direction that finds it."""
    key, d = (torch.from_numpy(seeds.normal(0, name + part, 0, (count,))) for part in ("key", "d"))
    return torch.stack([key, d / (key @ d)])


def unit(count, name):
    d = torch.from_numpy(seeds.normal(0, name, 0, (count,)))
    return d / d.norm()


def ranked(model, layer, rank):
    out, into = styled_convs(model.network)[layer].weight.shape[:2]
    content = torch.from_numpy(seeds.normal(0, "content", 0, (out, rank, 3, 3)))
    return Rule(*place(model, layer), content, torch.stack([unit(into, f"d{r}") for r in range(rank)]))


def made(name, model, layer):
    into = styled_convs(model.network)[layer].weight.shape[1]
    at, first, second = place(model, layer), context(into, "a"), context(into, "b")
    return {
        "scale": lambda: Scale(*at),
        "mute": lambda: Mute(*at, first),
        "boost": lambda: Boost(*at, first),
        "swap": lambda: Swap(*at, first, second),
        "rank 3": lambda: ranked(model, layer, 3),
    }[name]()


NAMES = ("scale", "mute", "boost", "swap", "rank 3")


def signals_of(rewrite, amount):
    return {name: torch.tensor([amount if name == "amount" else 0.3]) for name in rewrite.inputs}


def materialised(network, rewrites, amount):
    """A copy of the network with the weights that the rewrites stand for."""
    rewritten = copy.deepcopy(network)
    convs = styled_convs(rewritten)
    for rewrite in rewrites:
        c = rewrite.coefficients(**signals_of(rewrite, amount))
        conv = convs[rewrite.layer]
        conv.weight = conv.weight + sum(x * term.dense for x, term in zip(c, rewrite.terms, strict=True))
        conv.power = conv.weight.square().sum(dim=(2, 3))
    return rewritten


def both(model, noise, rewrites, amount):
    network = model.network
    ws = torch.from_numpy(seeds.normal(0, "ws", 0, (1, model.num_ws, model.w_dim)))
    layers = noise(network, (4, 4), 1)
    program = Program(model, **SIZE, rewrites=rewrites)
    given = {
        f"rewrite/{k}/{name}": value
        for k, rewrite in enumerate(rewrites)
        for name, value in signals_of(rewrite, amount).items()
    }
    with torch.inference_mode():
        found = network(ws, layers, rewrites=program.module._bound_rewrites(given))
        wanted = materialised(network, rewrites, amount)(ws, layers)
    return found, wanted


@pytest.mark.parametrize("layer", ["b4.conv1", "b8.conv0", "b16.conv1"])
@pytest.mark.parametrize("name", NAMES)
def test_a_branch_equals_materialised_weights(name, layer, small_model, noise):
    for amount in (0.0, 0.4, 0.5, 1.0):
        found, wanted = both(small_model, noise, [made(name, small_model, layer)], amount)
        assert (found - wanted).abs().max() < 1e-5 * wanted.std()


def test_rewrites_of_one_layer_share_their_cross_terms(small_model, noise):
    rewrites = [made(name, small_model, "b8.conv1") for name in ("mute", "scale", "rank 3")]
    for amount in (0.0, 0.3, 1.0):
        found, wanted = both(small_model, noise, rewrites, amount)
        assert (found - wanted).abs().max() < 1e-5 * wanted.std()


def frames(model, rewrites, amounts, size):
    program = Program(model, **size, rewrites=rewrites)
    one = seed_inputs(model, Program(model, **size), 3, psi=0.7)
    arrays = {name: np.repeat(array, len(amounts), axis=0) for name, array in one.items()}
    for name in program.inputs:
        if name.startswith("rewrite/"):
            arrays[name] = np.array(amounts if name.endswith("amount") else [0.3] * len(amounts), np.float32)
    with torch.inference_mode():
        return program.module(*(torch.from_numpy(arrays[name]) for name in program.inputs)).numpy()


@pytest.mark.parametrize("name", NAMES)
def test_neutral_is_bit_equal_and_every_frame_has_its_own_amount(name, small_model):
    plain = frames(small_model, [], [0, 0, 0], SIZE)
    found = frames(small_model, [made(name, small_model, "b8.conv0")], [0, 1, 0], SIZE)
    assert np.array_equal(found[[0, 2]], plain[[0, 2]])
    assert np.abs(found[1].astype(int) - plain[1]).mean() > 0.5


@pytest.mark.parametrize("layers", [("b16.conv1",), ("b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1")])
@pytest.mark.parametrize("name", ["silk", "glass", "ink"])
def test_scaling_is_seen_at_one_and_does_not_jump_on_the_way(name, layers):
    model = load_model(name)
    size = {"size": (64, 64), "cells": (4, 4), "pixels": "rgb24", "stop": 64}
    rewrites = [Scale(*place(model, layer, number=0)) for layer in layers]
    lab = srgb_to_lab(frames(model, rewrites, np.linspace(0, 1, 21), size) / 255)
    steps = np.linalg.norm(np.diff(lab, axis=0), axis=-1).mean(axis=(1, 2))
    assert np.linalg.norm(lab[-1] - lab[0], axis=-1).mean() > 10, steps
    assert steps.max() < 3 * steps.mean()


def test_scaling_ends_at_the_seeds_formula(small_model):
    scale = Scale(*place(small_model, "b8.conv0"), spread=0.4)
    c = [x.item() for x in scale.coefficients(amount=torch.ones(1), turn=torch.full((1,), 0.25))]
    assert np.allclose(c, [-2, 0, 0.4], atol=1e-6)  # W (-1 + sigma E_2)


def test_places_limit_a_rule(small_model):
    into = styled_convs(small_model.network)["b16.conv1"].weight.shape[1]
    left = np.zeros((16, 16), np.float32)
    left[:, :8] = 1
    muted = Mute(*place(small_model, "b16.conv1", places=left), context(into, "a"))
    x = torch.from_numpy(seeds.normal(0, "x", 0, (1, into, 16, 16)))
    keys = muted.keys(x, amount=torch.tensor([1.0]))
    assert keys[..., 8:].abs().max() == 0
    assert keys[..., :8].abs().max() > 0
