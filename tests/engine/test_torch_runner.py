"""A frame's pixels are the same whatever is drawn beside it, and trouble is said plainly."""

import numpy as np
import pytest
import torch

from clavilux import seeds
from clavilux.engine.torch_runner import TorchRunner, choose_device
from clavilux.errors import RenderError, SettingError
from clavilux.generator.model import load_model
from clavilux.generator.program import FrameInputs, Program

BATCH = 3


@pytest.fixture(scope="module")
def program():
    return Program(load_model("silk"), size=(160, 128), cells=(4, 5))


@pytest.fixture(scope="module")
def runner(program):
    return TorchRunner(program, batch=BATCH)


def inputs(program: Program, indices: list[int]) -> FrameInputs:
    """Frames that are functions of their index alone."""
    network = program.network
    model = load_model("silk")
    zs = np.concatenate([seeds.normal(0, "z", n, (1, model.z_dim)) for n in indices])
    ws = np.repeat(np.concatenate([model.map(z[None]) for z in zs])[:, None], network.sizes.num_ws, axis=1)
    noise = {
        name: np.concatenate([seeds.normal(0, name, n, (1, 1, *shape)) for n in indices])
        for name, shape in program.noise_shapes.items()
    }
    return FrameInputs(ws, noise, np.array(indices, np.int64))


def test_pixels_do_not_depend_on_place_or_neighbours(program, runner):
    whole = runner.run(inputs(program, [0, 1, 2]))
    assert whole.shape == (3, 192, 160)
    assert whole.dtype == np.uint8
    for order in ([2, 1, 0], [1, 9, 8], [5, 2, 2]):
        drawn = runner.run(inputs(program, order))
        for place, n in enumerate(order):
            if n < 3:
                assert np.array_equal(drawn[place], whole[n]), (order, place)


@pytest.mark.parametrize("indices", [[0], [2, 1], [0, 1, 2, 3]])
def test_any_number_of_frames(program, runner, indices):
    drawn = runner.run(inputs(program, indices))
    assert len(drawn) == len(indices)
    for place, n in enumerate(indices):
        assert np.array_equal(drawn[place], runner.run(inputs(program, [n]))[0])


def test_the_inputs_are_left_alone(program, runner):
    given = inputs(program, [0, 1])
    before = [given.ws.copy(), *(noise.copy() for noise in given.noise.values())]
    runner.run(given)
    for kept, now in zip(before, [given.ws, *given.noise.values()], strict=True):
        assert np.array_equal(kept, now)


def test_the_network_stays_as_it_was(program, runner):
    network = program.network
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    runner.run(inputs(program, [0]))
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_wrong_inputs(program, runner):
    given = inputs(program, [0, 1])
    short = dict(list(given.noise.items())[:-1])
    for bad in (
        FrameInputs(given.ws, short, given.frame_index),
        FrameInputs(given.ws[:1], given.noise, given.frame_index),
        FrameInputs(given.ws[:0], {n: a[:0] for n, a in given.noise.items()}, given.frame_index[:0]),
    ):
        with pytest.raises(RenderError, match="noise"):
            runner.run(bad)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"
        ),
        MemoryError(),
    ],
)
def test_too_little_memory_is_said_plainly(program, monkeypatch, error):
    def fail(*_):
        raise error

    runner = TorchRunner(program, batch=1)
    monkeypatch.setattr(program.pixels, "forward", fail)
    with pytest.raises(RenderError, match="smaller --size"):
        runner.run(inputs(program, [0]))


def test_other_errors_are_not_called_memory(program, monkeypatch):
    def fail(*_):
        raise RuntimeError("a defect")

    runner = TorchRunner(program, batch=1)
    monkeypatch.setattr(program.pixels, "forward", fail)
    with pytest.raises(RuntimeError, match="a defect"):
        runner.run(inputs(program, [0]))


def test_devices():
    assert choose_device("cpu") == "cpu"
    assert choose_device() in {"cpu", "cuda", "mps"}
    for name in ("gpu", "cuda:99", ""):
        with pytest.raises(SettingError, match="cpu"):
            choose_device(name)


def test_empty_batches(program):
    with pytest.raises(SettingError, match="at least 1"):
        TorchRunner(program, batch=0)
