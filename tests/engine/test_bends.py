"""Every bend is computed alike on OpenVINO and in torch, whatever the size of a pass."""

import numpy as np
import openvino as ov
import pytest
import torch

from clavilux import seeds
from clavilux.engine.openvino import OpenVinoRunner, capabilities
from clavilux.engine.torch import TorchRunner
from clavilux.generator.bends import BENDS
from clavilux.generator.model import load_model
from clavilux.generator.program import Program
from clavilux.generator.rewrites import Mute, Scale, styled_convs
from clavilux.generator.sites import Place, Site
from clavilux.make.changes import changes_of
from clavilux.patches.functions import rewrite

BATCH, SHAPE = 3, (6, 8, 14)
STRENGTHS = (0.0, 0.4, 1.0)


class Alone(torch.nn.Module):
    """A bend whose signals are positional."""

    def __init__(self, bend):
        super().__init__()
        self.bend = bend

    def forward(self, x, *signals):
        return self.bend(x, **dict(zip(self.bend.inputs, signals, strict=True)))


def signals(bend):
    each = [type(bend).at_strength(s) for s in STRENGTHS]
    return [np.array([one[name] for one in each], np.float32) for name in bend.inputs]


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace:DeprecationWarning")
@pytest.mark.parametrize("name", BENDS)
def test_openvino_computes_what_torch_computes(name):
    bend = BENDS[name](Site("b8.conv0", np.ones(SHAPE[0], np.float32), guard=0.5)).eval()
    x, given = seeds.normal(0, "x", 0, (BATCH, *SHAPE)), signals(bend)
    alone = Alone(bend)
    example = (torch.zeros(1, *SHAPE), *(torch.ones(1) for _ in given))
    with torch.inference_mode():
        wanted = alone(torch.from_numpy(x), *map(torch.from_numpy, given)).numpy()
        model = ov.convert_model(torch.jit.trace(alone, example, check_trace=False), example_input=example)
    shapes = [(BATCH, *SHAPE), *((BATCH,) for _ in given)]
    model.reshape({port: ov.PartialShape(shape) for port, shape in zip(model.inputs, shapes, strict=True)})
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled([x, *given])[0]
    assert np.array_equal(found[0], x[0])
    assert np.abs(found - wanted).max() < 1e-4 * max(1, np.abs(wanted).max())


def bent(silk, names, layer):
    count = silk.network.layers[layer].channels
    taps = [BENDS[name](Site(layer, np.ones(count, np.float32))) for name in names]
    return Program(silk, size=(64, 64), cells=(4, 4), stop=64, taps=taps)


def given_to(program, inputs):
    same = {name: np.repeat(array, BATCH, axis=0) for name, array in inputs(program, [0]).items()}
    for k, bend in enumerate(program.taps):
        same |= {f"bend/{k}/{name}": s for name, s in zip(bend.inputs, signals(bend.module), strict=True)}
    return same


@pytest.mark.parametrize("names", [("zoom", "rotate"), ("translate", "gain"), ("kaleidoscope",)])
def test_a_bent_program_draws_the_same_on_both(silk, inputs, names):
    program = bent(silk, names, "b16.conv0")
    given = given_to(program, inputs)
    wanted = TorchRunner(program, batch=2).run(given).astype(int)
    assert np.abs(OpenVinoRunner(program, batch=2, precision="f32").run(given) - wanted).max() <= 2
    plain = Program(silk, size=(64, 64), cells=(4, 4), stop=64)
    unbent = TorchRunner(plain, batch=2).run({name: given[name] for name in plain.inputs})
    assert np.array_equal(wanted[0], unbent[0])


@pytest.mark.skipif("BF16" not in capabilities(), reason="this processor does not compute in bf16")
def test_positions_stay_exact_in_bf16(silk, inputs):
    program = bent(silk, ("zoom", "rotate"), "b64.conv0")
    given = given_to(program, inputs)
    wanted = TorchRunner(program, batch=2).run(given).astype(int)
    assert np.abs(OpenVinoRunner(program, batch=2, precision="bf16").run(given) - wanted).mean() < 4


def test_rewrites_are_computed_alike_on_both(silk, inputs):
    convs = styled_convs(silk.network)
    direction = torch.ones(convs["b8.conv1"].weight.shape[1])
    rewrites = [
        Scale(Place("b8.conv0"), convs["b8.conv0"].weight),
        Mute(
            Place("b8.conv1"), convs["b8.conv1"].weight, torch.stack([direction, direction / len(direction)])
        ),
        Scale(Place("b8.conv1"), convs["b8.conv1"].weight),
    ]
    program = Program(silk, size=(64, 64), cells=(4, 4), stop=64, rewrites=rewrites)
    given = {name: np.repeat(array, BATCH, axis=0) for name, array in inputs(program, [0]).items()}
    for name in program.inputs:
        if name.startswith("rewrite/"):
            given[name] = np.array(STRENGTHS if name.endswith("amount") else [0.1] * BATCH, np.float32)
    wanted = TorchRunner(program, batch=2).run(given).astype(int)
    assert np.abs(OpenVinoRunner(program, batch=2, precision="f32").run(given) - wanted).max() <= 2
    assert np.abs(wanted[2] - wanted[0]).mean() > 2
    half = TorchRunner(program, batch=2, precision="fp16").run(given)
    assert np.abs(half - wanted).mean() < 4


def test_mixed_models_are_computed_alike_on_both(silk, inputs):
    glass = load_model("glass")
    node = rewrite.blend(at="8-32 px", model="glass")
    made = changes_of([node, rewrite.blend(at="const", model="glass")], silk, (4, 4))
    program = Program(silk, size=(64, 64), cells=(4, 4), stop=64, rewrites=made)
    given = {name: np.repeat(array, BATCH, axis=0) for name, array in inputs(program, [0]).items()}
    for name in program.inputs:
        if name.startswith("rewrite/"):
            given[name] = np.array(STRENGTHS, np.float32)
    wanted = TorchRunner(program, batch=2).run(given).astype(int)
    assert np.abs(OpenVinoRunner(program, batch=2, precision="f32").run(given) - wanted).max() <= 2
    plain = Program(silk, size=(64, 64), cells=(4, 4), stop=64)
    unmixed = TorchRunner(plain, batch=2).run({name: given[name] for name in plain.inputs})
    assert np.array_equal(wanted[0], unmixed[0])
    assert np.abs(wanted[2] - wanted[0]).mean() > 4
    half = TorchRunner(program, batch=2, precision="fp16").run(given)
    assert np.abs(half - wanted).mean() < 4
    assert glass.digest in repr(program.spec)


def test_colours_and_noise_are_moved_alike_on_both(silk, inputs):
    count = silk.network.layers["b16.conv0"].channels
    site = Site("b16.conv0", np.ones(count, np.float32), along="all")
    program = Program(silk, size=(64, 64), cells=(4, 4), stop=64, taps=[BENDS["zoom"](site)])
    given = given_to(program, inputs)
    wanted = TorchRunner(program, batch=2).run(given).astype(int)
    assert np.abs(OpenVinoRunner(program, batch=2, precision="f32").run(given) - wanted).max() <= 2
