"""The library of rules: each changes images as it promises, and those that do not show are omitted."""

import itertools

import numpy as np
import pytest

from clavilux.colour import srgb_to_lab
from clavilux.generator.generate import seed_inputs
from clavilux.generator.model import load_model
from clavilux.generator.program import Program
from clavilux.make.changes import changes_of
from clavilux.profile.probe import sample_latents
from clavilux.profile.rules import RULES, ruled_layers, rules_of
from clavilux.signals.text import parse
from clavilux.store import Store

LAYER = "b16.conv1"
SIZE = {"size": (64, 64), "cells": (4, 4), "pixels": "rgb24", "stop": 64}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def rules(silk, store):
    return rules_of(silk, store, LAYER)


def test_rules_of_every_kind_are_found_and_sorted(rules):
    assert {rule.op for rule in rules} <= {"mute", "boost", "swap"}
    assert len(rules) >= 4
    assert all(a.change >= b.change for a, b in itertools.pairwise(rules))
    assert all(RULES.change[0] <= rule.change <= RULES.change[1] for rule in rules)


def sweep(model, store, rule, amounts):
    import torch

    made = changes_of([parse(str(rule))], model, SIZE["cells"], store)
    program = Program(model, **SIZE, rewrites=made)
    one = seed_inputs(model, Program(model, **SIZE), 3, psi=0.7)
    one["ws"] = np.repeat(sample_latents(model, 1, "profile/rules")[:, None], model.num_ws, axis=1)
    arrays = {name: np.repeat(array, len(amounts), axis=0) for name, array in one.items()}
    arrays["rewrite/0/amount"] = np.array(amounts, np.float32)
    with torch.inference_mode():
        drawn = program.module(*(torch.from_numpy(arrays[name]) for name in program.inputs))
    return srgb_to_lab(drawn.numpy() / 255)


@pytest.mark.parametrize("name", ["silk", "glass", "ink"])
@pytest.mark.parametrize("op", ["mute", "boost", "swap"])
def test_a_rule_is_written_as_a_patch_takes_it_is_seen_and_does_not_jump(name, op, store):
    model = load_model(name)
    found = [rule for layer in ruled_layers(model)[:2] for rule in rules_of(model, store, layer)]
    chosen = [rule for rule in found if rule.op == op][:3]
    assert chosen, f"{name} has no {op}"
    for rule in chosen:
        lab = sweep(model, store, rule, np.linspace(0, 1, 21))
        distance = np.linalg.norm(lab[-1] - lab[0], axis=-1).mean()
        steps = np.linalg.norm(np.diff(lab, axis=0), axis=-1).mean(axis=(1, 2))
        assert distance > 2.3, (str(rule), distance)
        assert steps.max() < 3 * steps.mean(), (str(rule), steps)
