"""StyleGAN3 is bent through its input and its features, margins included; what it cannot do is said."""

from pathlib import Path

import numpy as np
import pytest
import torch

import clavilux
from clavilux.errors import ModelError
from clavilux.generator.bends import BENDS
from clavilux.generator.generate import seed_inputs
from clavilux.generator.model import load_model
from clavilux.generator.program import Program
from clavilux.make.changes import changes_of
from clavilux.patches.functions import disc, rotate, translate, zoom

FILE = Path(__file__).parent / "data" / "checkpoints" / "sg3t64.pkl"
SIZE = {"size": (64, 64), "pixels": "rgb24"}


@pytest.fixture(scope="module")
def model():
    return load_model(FILE)


def draw(model, node, strengths):
    made = changes_of([node], model, model.network.cells)
    program = Program(model, cells=model.network.cells, **SIZE, taps=made)
    one = seed_inputs(model, Program(model, cells=model.network.cells, **SIZE), 1, psi=1)
    given = {name: np.repeat(array, len(strengths), axis=0) for name, array in one.items()}
    for name, spec in program.inputs.items():
        if name.startswith("bend/"):
            values = [BENDS[node.op].at_strength(s)[name.rpartition("/")[2]] for s in strengths]
            given[name] = np.array(values, spec.dtype)
    with torch.inference_mode():
        return program(*(torch.from_numpy(given[name]) for name in program.inputs)).numpy().astype(int)


@pytest.mark.parametrize("layer", ["input", "L1", "L6"])
@pytest.mark.parametrize("make", [zoom, rotate, translate])
def test_it_is_bent_at_its_input_and_at_its_layers(model, make, layer):
    none, full, again = draw(model, make(at=layer), [0, 1, 0])
    assert np.array_equal(none, again)
    assert np.abs(full - none).mean() > 0.1


def test_a_mask_covers_the_margin_as_well(model):
    (bend,) = changes_of([zoom(at="L1", where=disc(radius=0.2, soft=0))], model, model.network.cells)
    layer = model.network.layers["L1"]
    side = layer.resolution + layer.margin
    assert layer.margin > 0
    assert bend.places.shape == (side, side)
    assert bend.places[side // 2, side // 2] == 1
    inside = bend.places.sum().item() / layer.resolution**2
    assert inside == pytest.approx(np.pi * 0.2**2, abs=0.06)
    draw(model, zoom(at="L1", where=disc(radius=0.2)), [0.5])


def test_its_weights_are_not_rewritten(model):
    with pytest.raises(ModelError, match="cannot be rewritten; bend its features instead"):
        changes_of([clavilux.rewrite.scale(at="L1")], model, model.network.cells)
