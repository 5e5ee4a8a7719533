"""A frame's pixels are the same whatever is drawn beside it, and errors are plain."""

import copy
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from clavilux.engine import torch as torch_runner
from clavilux.engine.devices import choose_device, devices
from clavilux.engine.torch import TorchRunner
from clavilux.errors import EngineError, RenderError, SettingError
from clavilux.generator.program import Program

BATCH = 3


@pytest.fixture(scope="module")
def runner(program):
    return TorchRunner(program, batch=BATCH)


def test_pixels_do_not_depend_on_place_or_neighbours(program, runner, inputs):
    whole = runner.run(inputs(program, [0, 1, 2]))
    assert whole.shape == (3, 192, 160)
    assert whole.dtype == np.uint8
    for order in ([2, 1, 0], [1, 9, 8], [5, 2, 2]):
        drawn = runner.run(inputs(program, order))
        for place, n in enumerate(order):
            if n < 3:
                assert np.array_equal(drawn[place], whole[n]), (order, place)


@pytest.mark.parametrize("indices", [[0], [2, 1], [0, 1, 2, 3]])
def test_any_number_of_frames(program, runner, indices, inputs):
    drawn = runner.run(inputs(program, indices))
    assert len(drawn) == len(indices)
    for place, n in enumerate(indices):
        assert np.array_equal(drawn[place], runner.run(inputs(program, [n]))[0])


def test_the_inputs_are_left_alone(program, runner, inputs):
    given = inputs(program, [0, 1])
    before = {name: array.copy() for name, array in given.items()}
    runner.run(given)
    assert all(np.array_equal(before[name], array) for name, array in given.items())


def test_the_network_stays_as_it_was(program, runner, inputs):
    network = program.module.network
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    runner.run(inputs(program, [0]))
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_wrong_inputs(program, runner, inputs):
    given = inputs(program, [0, 1])
    for bad, words in (
        ({name: array for name, array in given.items() if name != "noise/b8.conv0"}, "b8.conv0.*missing"),
        (given | {"ws": given["ws"][:1]}, "number of frames"),
        ({name: array[:0] for name, array in given.items()}, "number of frames"),
        (given | {"ws": given["ws"][:, 1:]}, "'ws' has shape"),
        (given | {"bend/0/angle": given["ws"]}, "takes no input"),
    ):
        with pytest.raises(RenderError, match=words):
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
def test_too_little_memory_is_an_error_of_ours(program, monkeypatch, error, inputs):
    def fail(*_):
        raise error

    runner = TorchRunner(program, batch=1)
    monkeypatch.setattr(program.module.pixels, "forward", fail)
    with pytest.raises(RenderError, match="smaller size"):
        runner.run(inputs(program, [0]))


def test_other_errors_are_not_called_memory(program, monkeypatch, inputs):
    def fail(*_):
        raise RuntimeError("a defect")

    runner = TorchRunner(program, batch=1)
    monkeypatch.setattr(program.module.pixels, "forward", fail)
    with pytest.raises(RuntimeError, match="a defect"):
        runner.run(inputs(program, [0]))


def test_devices():
    assert choose_device("cpu") == "cpu"
    assert choose_device() in {"cpu", "cuda", "mps"}
    for name in ("gpu", "cuda:99", ""):
        with pytest.raises(EngineError, match="cpu"):
            choose_device(name)


def test_where_no_driver_is_torch_is_not_asked_for_cards(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    driver = tmp_path / "nvidiactl"
    monkeypatch.setattr("clavilux.engine.devices.DRIVERS", (driver,))
    assert devices() == ["cpu"]
    driver.touch()
    assert devices()[:3] == ["cuda", "cuda:0", "cuda:1"]
    assert choose_device("cuda:1") == "cuda:1"


def test_empty_batches(program):
    with pytest.raises(SettingError, match="at least 1"):
        TorchRunner(program, batch=0)


def test_many_passes_in_flight_keep_their_order(program, runner, inputs):
    order = [*range(7), 3, 0]
    drawn = runner.run(inputs(program, order))
    single = {n: runner.run(inputs(program, [n]))[0] for n in set(order)}
    assert all(np.array_equal(frame, single[n]) for frame, n in zip(drawn, order, strict=True))


def test_a_later_run_does_not_change_an_earlier_one(program, runner, inputs):
    first = runner.run(inputs(program, [0, 1]))
    kept = first.copy()
    runner.run(inputs(program, [5, 6, 7, 8]))
    assert np.array_equal(first, kept)


def test_half_precision_stays_near_and_leaves_the_model_alone(program, runner, inputs):
    before = {name: tensor.clone() for name, tensor in program.module.network.state_dict().items()}
    half = TorchRunner(program, batch=2, precision="fp16")
    assert (runner.label, half.label) == ("torch f32 on cpu", f"torch {torch.__version__} fp16 on cpu")
    found, wanted = (r.run(inputs(program, [0, 1])).astype(float) for r in (half, runner))
    assert np.abs(found - wanted).mean() < 0.5
    assert not np.array_equal(found, wanted)
    assert all(
        torch.equal(before[name], tensor) for name, tensor in program.module.network.state_dict().items()
    )
    assert np.array_equal(runner.run(inputs(program, [0, 1])), wanted)


def test_half_precision_keeps_huge_styles_and_weights_in_range(small_model, inputs):
    network = copy.deepcopy(small_model.network)
    program = Program(replace(small_model, build=lambda: network), size=(32, 32), cells=(4, 4))
    for block in network.blocks:
        for conv in block.convs:
            conv.weight *= 3000
            conv.power *= 3000**2
            conv.affine.weight *= 500
    given = inputs(program, [0, 1, 2])
    found, wanted = (
        TorchRunner(program, batch=3, precision=precision).run(given).astype(float)
        for precision in ("fp16", "f32")
    )
    assert np.abs(found - wanted).mean() < 0.5


def test_programs_of_one_model_are_independent(small_model, inputs):
    """Neither another precision nor another device moves or changes the network they share."""
    first, second = (Program(small_model, size=size, cells=(4, 4)) for size in ((32, 32), (48, 32)))
    tensors = {
        name: (t.data_ptr(), t.device, t.dtype) for name, t in small_model.network.state_dict().items()
    }
    plain = TorchRunner(first, batch=1)
    wanted = plain.run(inputs(first, [0]))
    half = TorchRunner(second, batch=1, precision="bf16")
    half.run(inputs(second, [0]))
    elsewhere = torch_runner._own_copy(second.module, torch.device("meta"), "f32")
    assert {buffer.device.type for buffer in elsewhere.buffers()} == {"meta"}
    assert elsewhere.network is not small_model.network
    assert tensors == {
        name: (t.data_ptr(), t.device, t.dtype) for name, t in small_model.network.state_dict().items()
    }
    assert small_model.network.feature_dtype == torch.float32
    assert np.array_equal(plain.run(inputs(first, [0])), wanted)
    assert np.array_equal(TorchRunner(first, batch=1).run(inputs(first, [0])), wanted)
