"""Bends and rewrites: neutral is bit-equal, real ones change images, each frame has its own amount."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from clavilux import seeds
from clavilux.errors import ModelError
from clavilux.generator.inputs import InputSpec
from clavilux.generator.network import bendable, rewritable
from clavilux.generator.program import Program

SIZE = {"size": (32, 32), "cells": (4, 4), "pixels": "rgb24"}


def draw(program, amounts, only=None):
    """Draw as many equal frames as there are amounts, each with its own amount."""
    arrays = []
    for name, spec in program.inputs.items():
        if name == "frame":
            array = np.zeros(len(amounts), np.int64)
        elif name.endswith("/amount"):
            array = np.array(amounts if only in {None, name} else np.zeros(len(amounts)), np.float32)
        else:
            array = np.repeat(seeds.normal(0, name, 0, (1, *spec.shape)), len(amounts), axis=0)
        arrays.append(torch.from_numpy(array))
    with torch.inference_mode():
        return program.module(*arrays).numpy().astype(int)


def conv_of(network, layer):
    return next(block.convs[block.names.index(layer)] for block in network.blocks if layer in block.names)


@pytest.fixture
def gain(changes):
    return changes.Gain


@pytest.fixture
def rule(changes):
    return lambda model, layer: changes.Rule(layer, conv_of(model.network, layer).weight)


@pytest.mark.parametrize("layer", ["const", "b4.conv1", "b8.conv0", "b16.conv1"])
def test_a_neutral_bend_is_bit_equal_and_a_real_one_changes_its_frame_alone(small_model, layer, gain):
    plain = draw(Program(small_model, **SIZE), [0])
    program = Program(small_model, **SIZE, taps=[gain(layer)])
    assert list(program.inputs)[-2:] == ["frame", "bend/0/amount"]
    assert program.inputs["bend/0/amount"] == InputSpec((), "float32", "linear")
    none, some, more = draw(program, [0, 0.5, 1])
    assert np.array_equal(none, plain[0])
    assert np.abs(some - none).mean() > 0.1
    assert np.abs(more - some).mean() > 0.1


def test_bends_of_one_layer_follow_each_other_and_have_their_own_inputs(small_model, gain):
    twice = Program(small_model, **SIZE, taps=[gain("b8.conv1", 2.0), gain("b8.conv1", 3.0)])
    once = Program(small_model, **SIZE, taps=[gain("b8.conv1", 6.0)])
    second = Program(small_model, **SIZE, taps=[gain("b8.conv1", 3.0)])
    assert list(twice.inputs)[-2:] == ["bend/0/amount", "bend/1/amount"]
    assert np.abs(draw(twice, [1]) - draw(once, [1])).max() <= 1
    assert np.array_equal(draw(twice, [1], only="bend/1/amount"), draw(second, [1]))


@pytest.mark.parametrize("layer", ["b4.conv1", "b8.conv0", "b16.conv1"])
def test_a_side_branch_equals_materialised_weights(small_model, noise, layer, rule):
    network = small_model.network
    branch = rule(small_model, layer)
    ws = torch.from_numpy(seeds.normal(0, "ws", 0, (1, small_model.num_ws, small_model.w_dim)))
    layers = noise(network, (4, 4), 1)
    for amount in (0.0, 0.7, -1.3):
        a = torch.tensor([amount])
        program = Program(small_model, **SIZE, rewrites=[branch])
        bound = program.module._bound_rewrites({"rewrite/0/amount": a})
        with torch.inference_mode():
            found = network(ws, layers, rewrites=bound)
            rewritten = copy.deepcopy(network)
            conv = conv_of(rewritten, layer)
            conv.weight = conv.weight + amount * branch.weight * branch.direction[:, None, None]
            conv.power = conv.weight.square().sum(dim=(2, 3))
            wanted = rewritten(ws, layers)
        assert (found - wanted).abs().max() < 1e-5 * wanted.std()


@pytest.mark.parametrize("layer", ["b4.conv1", "b8.conv0"])
def test_a_neutral_rewrite_changes_nothing_and_each_frame_has_its_own_amount(small_model, layer, rule):
    program = Program(small_model, **SIZE, rewrites=[rule(small_model, layer)])
    none, some, again = draw(program, [0, 1, 0])
    assert np.array_equal(none, draw(Program(small_model, **SIZE), [0])[0])
    assert np.array_equal(none, again)
    assert np.abs(some - none).mean() > 0.5


def test_changes_work_in_lower_precision(small_model, gain, rule):
    given = {"taps": [gain("b8.conv0")], "rewrites": [rule(small_model, "b8.conv1")]}
    program = Program(small_model, **SIZE, **given)
    network = copy.deepcopy(small_model.network)
    low = Program(replace(small_model, build=lambda: network), **SIZE, **given)
    low.module.to_precision(torch.float16)
    assert np.abs(draw(low, [0.5, -0.5]) - draw(program, [0.5, -0.5])).mean() < 1


def test_a_preview_omits_the_changes_above_it_and_keeps_their_numbers(small_model, gain, rule):
    taps = [gain("b16.conv0"), gain("b4.conv1")]
    program = Program(small_model, **SIZE, taps=taps, rewrites=[rule(small_model, "b16.conv1")], stop=8)
    assert [name for name in program.inputs if "amount" in name] == ["bend/1/amount"]
    assert draw(program, [1.0]).shape == (1, 32, 32, 3)


def test_which_layers_can_change(small_model, gain, rule):
    layers = small_model.network.layers
    assert bendable(layers) == ["const", "b4.conv1", "b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1"]
    assert rewritable(layers) == bendable(layers)[1:]
    with pytest.raises(ModelError, match=r"'b8.conv2' cannot be bent; did you mean"):
        Program(small_model, **SIZE, taps=[gain("b8.conv2")])
    with pytest.raises(ModelError, match="'const' cannot be rewritten"):
        Program(small_model, **SIZE, rewrites=[replace_layer(rule(small_model, "b4.conv1"), "const")])
    with pytest.raises(ModelError, match="rewritten twice"):
        Program(small_model, **SIZE, rewrites=[rule(small_model, "b4.conv1"), rule(small_model, "b4.conv1")])


def replace_layer(change, layer):
    change.layer = layer
    return change


def test_changes_are_part_of_what_a_program_is(small_model, gain, rule):
    specs = {
        Program(small_model, **SIZE).spec,
        Program(small_model, **SIZE, taps=[gain("const")]).spec,
        Program(small_model, **SIZE, taps=[gain("const", 2.0)]).spec,
        Program(small_model, **SIZE, rewrites=[rule(small_model, "b4.conv1")]).spec,
    }
    assert len(specs) == 4
    assert Program(small_model, **SIZE, taps=[gain("const")]).spec in specs


def test_a_bend_declares_whether_it_is_features(small_model, gain):
    taps = [gain("const"), gain("const", is_features=False)]
    tagged = Program(small_model, **SIZE, taps=taps).module.feature_modules
    assert "taps.0" in tagged
    assert "taps.1" not in tagged
    assert "network.blocks.1.convs.0" in tagged
    assert tagged.isdisjoint({"", "network", "pixels", "network.blocks.1.convs.0.affine"})
