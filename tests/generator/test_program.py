"""A program covers any output size, takes wide constants, and is a pure function of its inputs."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from clavilux import seeds
from clavilux.errors import RenderError, SettingError
from clavilux.generator import canvas
from clavilux.generator.canvas import default_cells, extend
from clavilux.generator.inputs import InputSpec, check_inputs
from clavilux.generator.model import load_model
from clavilux.generator.network import image_sides
from clavilux.generator.pixels import Pixels
from clavilux.generator.program import Program


def draw(program, *, batch=1, seed=0, first=0):
    arrays = [
        torch.arange(first, first + batch)
        if name == "frame"
        else torch.from_numpy(seeds.normal(seed, name, 0, (batch, *spec.shape)))
        for name, spec in program.inputs.items()
    ]
    with torch.inference_mode():
        return program.module(*arrays).numpy()


@pytest.mark.parametrize("size", [(64, 36), (36, 64), (84, 36), (40, 40), (16, 2), (2, 16), (200, 100)])
def test_frames_have_exactly_the_size_asked_for(small_model, size):
    width, height = size
    assert draw(Program(small_model, size=size)).shape == (1, height * 3 // 2, width)
    assert draw(Program(small_model, size=size, pixels="rgb24"), batch=2).shape == (2, height, width, 3)


def test_odd_sizes_are_for_stills_only(small_model):
    assert draw(Program(small_model, size=(33, 17), pixels="rgb24")).shape == (1, 17, 33, 3)
    with pytest.raises(SettingError, match="even"):
        Program(small_model, size=(33, 18))


@pytest.mark.parametrize("size", [(0, 8), (8, -2), (10**6, 8)])
def test_impossible_sizes(small_model, size):
    with pytest.raises(SettingError, match="out of range"):
        Program(small_model, size=size)


def test_impossible_cells_and_formats(small_model):
    with pytest.raises(SettingError, match="cells"):
        Program(small_model, size=(8, 8), cells=(3, 8))
    with pytest.raises(SettingError, match="cells"):
        Program(small_model, size=(8, 8), cells=(8, 65))
    with pytest.raises(SettingError, match="pixel format"):
        Program(small_model, size=(8, 8), pixels="nv12")


def test_programs_are_pure(small_model):
    program = Program(small_model, size=(64, 36))
    first = draw(program, batch=2)
    draw(program, batch=2, seed=1)
    assert np.array_equal(first, draw(program, batch=2))
    assert not np.array_equal(first, draw(program, batch=2, first=1))


def test_noise_shapes_follow_the_cells(small_model):
    inputs = Program(small_model, size=(64, 36), cells=(5, 9)).inputs
    layers = ["b4.conv1", "b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1"]
    assert list(inputs) == ["ws", *(f"noise/{layer}" for layer in layers), "frame"]
    assert inputs["ws"] == InputSpec((6, 8), "float32", "linear")
    assert inputs["frame"] == InputSpec((), "int64", "step")
    sides = [(5, 9), (10, 18), (10, 18), (20, 36), (20, 36)]
    assert [inputs[f"noise/{layer}"] for layer in layers] == [
        InputSpec((1, *side), "float32", "power") for side in sides
    ]


def test_a_preview_stops_early_and_needs_less_noise(small_model):
    whole, preview = (Program(small_model, size=(64, 36), cells=(5, 9), stop=stop) for stop in (None, 8))
    assert preview.spec.resolution == 8
    assert list(preview.inputs) == ["ws", "noise/b4.conv1", "noise/b8.conv0", "noise/b8.conv1", "frame"]
    assert draw(preview).shape == draw(whole).shape
    assert not np.array_equal(draw(preview), draw(whole))
    assert (
        Program(small_model, size=(64, 36), stop=15).spec == Program(small_model, size=(64, 36), stop=8).spec
    )
    assert np.array_equal(draw(Program(small_model, size=(64, 36), cells=(5, 9), stop=16)), draw(whole))
    with pytest.raises(SettingError, match="4 px"):
        Program(small_model, size=(64, 36), stop=3)


def test_a_preview_is_the_image_so_far(small_model, noise):
    program = Program(small_model, size=(8, 8), cells=(4, 4), pixels="rgb24", stop=8)
    ws = torch.from_numpy(seeds.normal(0, "ws", 0, (1, small_model.num_ws, small_model.w_dim)))
    layers = noise(small_model.network, (4, 4), 1)
    given = {"ws": ws, "frame": torch.zeros(1, dtype=torch.int64)}
    given |= {f"noise/{name}": maps for name, maps in layers.items()}
    with torch.inference_mode():
        found = program.module(*(given[name] for name in program.inputs))
        image = small_model.network(ws, layers, stop=8)
    exact = 127.5 * (image.clamp(-1, 1) + 1).permute(0, 2, 3, 1)
    assert (found - exact).abs().max() <= 1


def test_specs_are_values(small_model, silk):
    first, again = (Program(small_model, size=(64, 36)).spec for _ in range(2))
    assert first == again
    assert hash(first) == hash(again)
    others = [
        Program(small_model, size=(64, 38)).spec,
        Program(small_model, size=(64, 36), cells=(8, 8)).spec,
        Program(small_model, size=(64, 36), pixels="rgb24").spec,
        Program(small_model, size=(64, 36), stop=8).spec,
        Program(silk, size=(64, 36)).spec,
    ]
    assert len({first, *others}) == 6


def test_inputs_are_checked_by_name_shape_type_and_number():
    specs = {"ws": InputSpec((2, 3), "float32", "linear"), "frame": InputSpec((), "int64", "step")}
    good = {"ws": np.zeros((4, 2, 3), np.float32), "frame": np.arange(4)}
    assert check_inputs(good, specs) == 4
    for change, words in (
        ({"noise/b4": np.zeros(4)}, "takes no input 'noise/b4'; it takes ws, frame"),
        ({"ws": np.zeros((4, 2, 2), np.float32)}, r"'ws' has shape \(4, 2, 2\).*takes \(4, 2, 3\)"),
        ({"ws": np.zeros((4, 2, 3))}, "float64.*float32"),
        ({"frame": np.arange(3)}, "number of frames"),
        ({"frame": np.array(3)}, "number of frames"),
    ):
        with pytest.raises(RenderError, match=words):
            check_inputs(good | change, specs)
    with pytest.raises(RenderError, match="'frame' is missing"):
        check_inputs({"ws": good["ws"]}, specs)
    with pytest.raises(RenderError, match="number of frames"):
        check_inputs({name: array[:0] for name, array in good.items()}, specs)


@pytest.mark.parametrize(
    ("resolution", "size", "cells"),
    [
        (512, (1280, 720), (4, 7)),
        (512, (1080, 1920), (7, 4)),
        (1024, (1000, 1000), (4, 4)),
        (256, (2560, 1080), (4, 9)),
        (128, (1280, 720), (8, 14)),
        (128, (720, 1280), (14, 8)),
        (512, (100000, 2), (4, 64)),
        (512, (1, 16384), (64, 4)),
    ],
)
def test_default_cells(resolution, size, cells):
    network = SimpleNamespace(resolution=resolution, cells=(4, 4), repeats=True)
    assert default_cells(network, size) == cells


def test_the_constant_is_untouched_at_its_own_size(small_model):
    const = small_model.network.const.numpy()
    assert np.array_equal(Program(small_model, size=(16, 16), cells=(4, 4)).module.const.numpy(), const)


@pytest.mark.parametrize(
    ("how", "row"),
    [
        ("mirror", [1, 0, 0, 1, 2, 3, 3, 2]),
        ("replicate", [0, 0, 0, 1, 2, 3, 3, 3]),
        ("tile", [2, 3, 0, 1, 2, 3, 0, 1]),
    ],
)
def test_ways_to_extend(monkeypatch, how, row):
    monkeypatch.setattr(canvas, "CANVAS", replace(canvas.CANVAS, noise_std=0.0))
    const = np.tile(np.arange(4, dtype=np.float32), (3, 4, 1))
    assert extend(const, (4, 8), how)[1, 2].tolist() == row
    assert np.array_equal(extend(const.transpose(0, 2, 1), (8, 4), how)[1, :, 2], row)


def test_repetitions_are_uneven_but_the_same_every_time(silk):
    const = silk.network.const.numpy()
    wide = extend(const, (4, 12), "tile")
    assert np.array_equal(wide, extend(const, (4, 12), "tile"))
    assert np.abs(wide[:, :, :4] - wide[:, :, 4:8]).mean() > 0.1 * const.std()


def correlation(a, b) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_wide_images_are_one_image_not_two(silk):
    """Neither a half and the mirrored other half nor two repetitions of the constant correlate."""
    program = Program(silk, size=(448, 256), cells=(8, 14), pixels="rgb24")
    ws = silk.w_avg + 0.8 * (silk.map(seeds.normal(0, "wide", 0, (4, silk.z_dim))) - silk.w_avg)
    ws = np.repeat(ws[:, None], silk.num_ws, axis=1).astype(np.float32)
    noise = [torch.zeros(4, *spec.shape) for name, spec in program.inputs.items() if "noise" in name]
    with torch.inference_mode():
        luma = program.module(torch.from_numpy(ws), *noise, torch.arange(4)).numpy().mean(axis=3)
    halves = [correlation(p[:, :224], p[:, :223:-1]) for p in luma]
    around_the_seam = [correlation(p[:, 128:288], p[:, 447:287:-1]) for p in luma]
    repeated = [correlation(p[:, :192], p[:, 256:]) for p in luma]
    for found in (halves, around_the_seam, repeated):
        assert abs(np.mean(found)) < 0.3


FAMILIES = sorted(
    path
    for path in (Path(__file__).parent / "data" / "checkpoints").iterdir()
    if path.suffix in {".pkl", ".pt", ".pth", ".safetensors"}
)


@pytest.mark.parametrize("path", FAMILIES, ids=lambda path: path.name)
def test_a_preview_of_any_network_is_its_own_image_at_a_lower_resolution(path):
    model = load_model(path)
    network, whole = model.network, Program(model, size=(96, 64), pixels="rgb24")
    sides = image_sides(network.layers)
    for height in (64, 40, 20, 16):
        preview = whole.preview(height)
        lower = [side for side in sides if network.canvas(whole.cells)[0] * side <= height * model.resolution]
        stop = max(lower, default=sides[0])
        assert (preview.spec.size, preview.spec.cells) == ((1.5 * height, height), whole.spec.cells)
        assert preview.spec.resolution == stop
        given = {
            name: torch.from_numpy(seeds.normal(0, name, 0, (1, *spec.shape)))
            for name, spec in preview.inputs.items()
            if name != "frame"
        }
        frame = torch.tensor([5])
        noise = {name.removeprefix("noise/"): maps for name, maps in given.items() if name != "ws"}
        with torch.inference_mode():
            image = network(given["ws"], noise, const=preview.module.const, stop=stop)
            expected = Pixels(tuple(image.shape[2:]), preview.size, "rgb24")(image, frame)
            assert torch.equal(preview.module(*given.values(), frame), expected)


def test_a_preview_is_never_larger_and_may_have_another_format(small_model):
    whole = Program(small_model, size=(64, 36), cells=(5, 9), pixels="rgb24")
    assert whole.preview(100).spec == whole.spec
    assert whole.preview(18, "yuv420p").spec.pixels == "yuv420p"
    assert whole.preview(18).preview(36).spec == whole.preview(18).spec
    assert whole.preview(1).spec.size == (16, 16)


def test_a_preview_keeps_the_bends_of_its_layers(small_model, changes):
    taps = [changes.Gain("b16.conv0"), changes.Gain("b4.conv1")]
    preview = Program(small_model, size=(64, 36), cells=(4, 7), taps=taps).preview(16)
    assert [name for name in preview.inputs if "amount" in name] == ["bend/0/amount", "bend/1/amount"]
    lower = Program(small_model, size=(64, 36), cells=(8, 14), taps=taps).preview(16)
    assert lower.spec.resolution == 8
    assert [name for name in lower.inputs if "amount" in name] == ["bend/1/amount"]
