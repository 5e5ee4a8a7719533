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
from clavilux.generator.network import rewritable, styled_convolutions
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
        return program.module(*(torch.from_numpy(given[name]) for name in program.inputs)).numpy().astype(int)


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
    assert bend.module.places.shape == (side, side)
    assert bend.module.places[side // 2, side // 2] == 1
    inside = bend.module.places.sum().item() / layer.resolution**2
    assert inside == pytest.approx(np.pi * 0.2**2, abs=0.06)
    draw(model, zoom(at="L1", where=disc(radius=0.2)), [0.5])


def test_rewrites_of_plugins_may_be_of_its_layers(model):
    assert rewritable(model.sizes.layers)[:2] == ["input", "L0"]
    assert not styled_convolutions(model.sizes.layers)


def test_its_weights_are_not_rewritten(model):
    with pytest.raises(ModelError, match="cannot be rewritten; bend its features instead"):
        changes_of([clavilux.rewrite.scale(at="L1")], model, model.network.cells)


@pytest.mark.parametrize(
    ("node", "values", "matrix"),
    [
        (translate(at="input"), {"x": 0.1, "y": -0.3, "amount": 1}, [[1, 0, -0.1], [0, 1, 0.3], [0, 0, 1]]),
        (zoom(at="input"), {"by": 2, "amount": 1}, [[0.5, 0, 0], [0, 0.5, 0], [0, 0, 1]]),
        (rotate(at="input"), {"by": 90, "amount": 1}, [[0, -1, 0], [1, 0, 0], [0, 0, 1]]),
    ],
)
def test_the_image_is_moved_exactly_at_the_input(model, node, values, matrix):
    """What is moved there is drawn from elsewhere, not sampled from features."""
    made = changes_of([node], model, model.network.cells)
    program = Program(model, cells=model.network.cells, **SIZE, taps=made)
    w = torch.from_numpy(model.map(np.ones((1, model.z_dim), np.float32)))
    inputs = {"ws": w[:, None].expand(-1, model.num_ws, -1), "frame": torch.zeros(1, dtype=torch.int64)}
    bend = {f"bend/0/{name}": torch.tensor([float(value)]) for name, value in values.items()}
    given = inputs | bend
    with torch.inference_mode():
        found = program.module(*(given[name] for name in program.inputs))
        image = model.network(inputs["ws"], transform=torch.tensor([matrix], dtype=torch.float32))
        wanted = program.module.pixels(image, inputs["frame"])
    assert np.abs(found.numpy().astype(int) - wanted.numpy()).max() <= 1


def test_moves_at_the_input_follow_one_another(model):
    """A shift and a turn are not a turn and a shift."""
    shift, turn = translate(x=0.25, at="input"), rotate(by=90, at="input")
    frames = []
    for nodes in ([shift, turn], [turn, shift]):
        made = changes_of(nodes, model, model.network.cells)
        program = Program(model, cells=model.network.cells, **SIZE, taps=made)
        w = torch.from_numpy(model.map(np.ones((1, model.z_dim), np.float32)))
        given = {"ws": w[:, None].expand(-1, model.num_ws, -1), "frame": torch.zeros(1, dtype=torch.int64)}
        for k, node in enumerate(nodes):
            values = {"amount": 1.0, "x": 0.25, "y": 0.0, "by": 90.0}
            for name in (*BENDS[node.op].moved, "amount"):
                given[f"bend/{k}/{name}"] = torch.tensor([values[name]])
        with torch.inference_mode():
            frames.append(program.module(*(given[name] for name in program.inputs)).numpy().astype(int))
    # turned after it was shifted to the right: it is shifted up
    up = torch.tensor([[[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]])
    matrix = torch.tensor([[[1.0, 0, -0.25], [0, 1, 0], [0, 0, 1]]]) @ up
    with torch.inference_mode():
        wanted = program.module.pixels(model.network(given["ws"], transform=matrix), given["frame"]).numpy()
    assert np.abs(frames[0] - wanted).max() <= 1
    assert np.abs(frames[0] - frames[1]).mean() > 1
