"""Model mixing: 0 is bit-equal to the first model, 1 is the second, between them weights are blended."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from clavilux import seeds
from clavilux.colour import srgb_to_lab
from clavilux.errors import ModelError, PatchError
from clavilux.generator.checkpoints.native import write_native
from clavilux.generator.generate import seed_inputs
from clavilux.generator.model import load_model
from clavilux.generator.program import Program
from clavilux.generator.stylegan2_config import StyleGAN2Config
from clavilux.make.changes import changes_of
from clavilux.patches.functions import disc, rewrite

SIZE = {"size": (32, 32), "cells": (4, 4), "pixels": "rgb24"}
CHANNELS = (12, 8, 6)


@pytest.fixture(scope="module", params=["skip", "resnet"])
def pair(request, tmp_path_factory, random_arrays):
    """Two untrained models of one architecture."""
    folder = tmp_path_factory.mktemp("pair")
    config = StyleGAN2Config(6, 8, 2, CHANNELS, colours=request.param)
    for name, seed in (("first", 1), ("second", 2)):
        arrays = random_arrays(config, seed)
        arrays["synthesis.b4.const"][...] *= seed
        write_native(folder / f"{name}.safetensors", arrays, {"licence": "CC0-1.0"}, config=config)
    return tuple(load_model(folder / f"{name}.safetensors") for name in ("first", "second"))


def inputs_of(program, amounts):
    given = []
    for name, spec in program.inputs.items():
        if name == "frame":
            given.append(torch.zeros(len(amounts), dtype=torch.int64))
        elif name.endswith("/amount"):
            given.append(torch.tensor(amounts, dtype=torch.float32))
        else:
            one = seeds.normal(0, name, 0, (1, *spec.shape))
            given.append(torch.from_numpy(np.repeat(one, len(amounts), axis=0)))
    return given


def draw(program, amounts=(0.0,)):
    with torch.inference_mode():
        return program.module(*inputs_of(program, amounts)).numpy().astype(int)


def program_of(pair, *nodes):
    first, second = pair
    made = changes_of(nodes, first, SIZE["cells"], load=lambda _: second)
    return Program(first, **SIZE, rewrites=made)


def blend(at="all", **given):
    return rewrite.blend(at=at, model="second", **given)


def test_nothing_is_the_first_model_bit_for_bit_and_all_is_the_second(pair):
    none, half, whole = draw(program_of(pair, blend()), [0, 0.5, 1])
    first, second = (draw(Program(model, **SIZE))[0] for model in pair)
    assert np.array_equal(none, first)
    assert np.abs(whole - second).max() <= 1
    assert np.abs(half - first).mean() > 2 < np.abs(half - second).mean()
    assert np.abs(first - second).mean() > 10


def test_halfway_equals_a_network_of_blended_weights(pair):
    mixed = copy.deepcopy(pair[0].network)
    with torch.no_grad():
        for own, other in zip(mixed.buffers(), pair[1].network.buffers(), strict=True):
            own.copy_((own + other) / 2)
        for block in mixed.blocks:
            for conv in block.convs:
                conv.power = conv.weight.square().sum(dim=(2, 3))
    mixed.mapping = pair[0].network.mapping
    model = replace(pair[0], build=lambda: mixed)
    wanted, found = draw(Program(model, **SIZE))[0], draw(program_of(pair, blend()), [0.5])[0]
    assert np.abs(wanted - found).max() <= 1


def test_groups_are_mixed_apart_and_add_up(pair):
    apart = [draw(program_of(pair, blend(group)), [1])[0] for group in ("coarse", "middle", "fine")]
    first, second = (draw(Program(model, **SIZE))[0] for model in pair)
    for image in apart:
        assert np.abs(image - first).mean() > 1
        assert np.abs(image - second).mean() > 1
    together = draw(program_of(pair, *map(blend, ("coarse", "middle", "fine"))), [1])[0]
    assert np.abs(together - second).max() <= 1


def test_a_rule_acts_on_mixed_weights(pair):
    first = pair[0]
    scale = rewrite.scale(at="b8.conv1", amount=1, spread=0.1)
    both = draw(program_of(pair, blend("b8.conv1"), scale), [1])[0]
    made = changes_of([scale], first, SIZE["cells"])
    alone = draw(Program(first, **SIZE, rewrites=made), [1])[0]
    assert np.abs(both - alone).mean() > 1
    unscaled = draw(program_of(pair, blend("b8.conv1")), [1])[0]
    assert np.abs(both - unscaled).mean() > 1


def test_what_cannot_be_mixed_is_said(pair, silk, small_model):
    first, second = pair
    with pytest.raises(
        ModelError, match=r"silk cannot be mixed: one is .* the other stylegan2-skip of 512 px"
    ):
        changes_of([blend()], first, (4, 4), load=lambda _: silk)
    with pytest.raises(PatchError, match="acts everywhere"):
        changes_of([blend(where=disc())], first, (4, 4), load=lambda _: second)
    with pytest.raises(ModelError, match="no layer 'b7'"):
        changes_of([blend("b7")], first, (4, 4), load=lambda _: second)


def test_mixing_is_seen_and_does_not_jump(silk):
    glass, size = load_model("glass"), {"size": (64, 64), "cells": (4, 4), "pixels": "rgb24", "stop": 64}
    made = changes_of([rewrite.blend(at="all", model="glass")], silk, (4, 4), load=lambda _: glass)
    program = Program(silk, **size, rewrites=made)
    amounts = np.linspace(0, 1, 17, dtype=np.float32)
    one = seed_inputs(silk, Program(silk, **size), 3, psi=0.7)
    given = {name: np.repeat(array, len(amounts), axis=0) for name, array in one.items()}
    given["rewrite/0/amount"] = amounts
    with torch.inference_mode():
        drawn = program.module(*(torch.from_numpy(given[name]) for name in program.inputs)).numpy()
    lab = srgb_to_lab(drawn / 255)
    steps = np.linalg.norm(np.diff(lab, axis=0), axis=-1).mean(axis=(1, 2))
    assert np.linalg.norm(lab[-1] - lab[0], axis=-1).mean() > 10
    assert steps.max() < 0.2 * steps.sum()
