"""OpenVINO draws what torch draws, the same pixels wherever a frame stands, and compiles once."""

import sys
import tempfile

import numpy as np
import pytest

from clavilux.engine import openvino as module
from clavilux.engine.openvino import OpenVinoRunner, capabilities, is_precise, keep_precise
from clavilux.engine.torch import TorchRunner
from clavilux.errors import EngineError, OutputError, RenderError
from clavilux.generator.program import Program

BATCH = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def runner(program, folder):
    return OpenVinoRunner(program, batch=BATCH, precision="f32", cache=folder)


@pytest.fixture(scope="module")
def given(program, inputs):
    return inputs(program, [0, 1, 2])


@pytest.fixture(scope="module")
def drawn(runner, given):
    return runner.run(given)


def test_pixels_are_those_of_torch(program, given, drawn):
    wanted = TorchRunner(program, batch=BATCH).run(given)
    assert drawn.shape == wanted.shape
    assert drawn.dtype == wanted.dtype == np.uint8
    apart = np.abs(drawn.astype(int) - wanted)
    assert apart.max() <= 1
    assert apart.mean() < 1e-3


@pytest.mark.parametrize("order", [[2, 1, 0], [1], [9, 0], [0, 1, 2, 9, 0]])
def test_pixels_do_not_depend_on_place_or_neighbours(program, runner, inputs, drawn, order):
    found = runner.run(inputs(program, order))
    assert len(found) == len(order)
    for frame, n in zip(found, order, strict=True):
        if n < 3:
            assert np.array_equal(frame, drawn[n])


def test_a_later_run_does_not_change_an_earlier_one(program, runner, inputs, given):
    first = runner.run(given)
    kept = first.copy()
    runner.run(inputs(program, [7, 8, 9]))
    assert np.array_equal(first, kept)


def test_inputs_are_read_however_they_lie(runner, given, drawn):
    """Views, and arrays nobody may write."""
    views = {name: np.repeat(array, 2, axis=0)[::2] for name, array in given.items()}
    for array in views.values():
        array.flags.writeable = False
    assert np.array_equal(runner.run(views | {"ws": np.asfortranarray(given["ws"])}), drawn)


@pytest.mark.parametrize(("pixels", "height"), [("rgb24", 22), ("yuv420p10", 33), ("yuv444p10", 66)])
def test_every_kind_of_pixels(small_model, inputs, pixels, height):
    program = Program(small_model, size=(30, 22), cells=(4, 4), pixels=pixels)
    given = inputs(program, [3])
    found = OpenVinoRunner(program, batch=1, precision="f32").run(given)
    wanted = TorchRunner(program, batch=1).run(given)
    assert found.shape[:3] == wanted.shape[:3] == (1, height, 30)
    assert found.dtype == wanted.dtype
    assert np.abs(found.astype(int) - wanted).max() <= 1


def test_a_second_time_nothing_is_made_again(program, runner, folder, given, drawn, monkeypatch):
    def never(*_):
        raise AssertionError("it was made again")

    monkeypatch.setattr(OpenVinoRunner, "_convert", never)
    again = OpenVinoRunner(program, batch=BATCH, precision="f32", cache=folder)
    assert np.array_equal(again.run(given), drawn)
    with pytest.raises(AssertionError):
        OpenVinoRunner(program, batch=BATCH + 1, precision="f32", cache=folder)


def test_wrong_inputs(runner, given):
    with pytest.raises(RenderError, match="missing"):
        runner.run({"ws": given["ws"], "frame": given["frame"]})
    with pytest.raises(RenderError, match="'ws' has shape"):
        runner.run(given | {"ws": given["ws"][:, :, 1:]})


def test_too_little_memory_is_an_error_of_ours(program, monkeypatch):
    def fail(*_):
        raise RuntimeError("std::bad_alloc")

    monkeypatch.setattr(OpenVinoRunner, "_convert", fail)
    with pytest.raises(RenderError, match="smaller size"):
        OpenVinoRunner(program, batch=1, precision="f32")


def test_bf16_only_where_the_processor_has_it(program, monkeypatch):
    monkeypatch.setattr(module, "capabilities", lambda: ["FP32"])
    with pytest.raises(EngineError, match="bf16"):
        OpenVinoRunner(program, batch=1, precision="bf16")


def test_styles_and_pixels_are_marked_to_stay_float32(program, runner):
    model = keep_precise(runner._convert(program), program.module.feature_modules)
    marked = {
        node.get_friendly_name(): any("recis" in name for name in node.get_rt_info())
        for node in model.get_ordered_ops()
    }
    dense = [name for name in marked if "convs" in name and name.endswith("Convolution")]
    dense += [name for name in marked if ".torgb/" in name and name.endswith("Convolution")]
    assert dense
    assert not any(marked[name] for name in dense)
    for part in (".affine/", "__module.pixels/", "network/aten::_convolution"):
        inside = [name for name in marked if part in name and "Constant" not in name]
        assert any(marked[name] for name in inside), part


def is_precise_by_path(node):
    """The rule before modules were tagged."""
    name = node.get_friendly_name()
    features = (".convs." in name or ".torgb" in name) and ".affine" not in name
    wide = node.get_output_size() and node.get_output_partial_shape(0).rank.get_length() > 3
    return not (features and wide) and node.get_type_name() not in {"Constant", "Parameter", "Result"}


@pytest.mark.parametrize("pixels", ["yuv420p", "rgb24"])
def test_tags_mark_the_same_nodes_as_paths_did(silk, pixels, runner):
    program = Program(silk, size=(64, 48), cells=(4, 5), pixels=pixels)
    nodes = runner._convert(program).get_ordered_ops()
    kept = [is_precise(node, program.module.feature_modules) for node in nodes]
    assert kept == [is_precise_by_path(node) for node in nodes]
    assert 50 < sum(kept) < len(kept)


def test_a_full_temporary_folder_is_named(program, runner):
    resource = pytest.importorskip("resource")
    model = runner._convert(program)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OutputError, match="temporary folder"):
            keep_precise(model, program.module.feature_modules)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_missing_temporary_folder_is_named(program, runner, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(OutputError, match="gone"):
        keep_precise(runner._convert(program), program.module.feature_modules)


@pytest.mark.skipif("BF16" not in capabilities(), reason="this processor does not compute in bf16")
def test_styles_and_pixels_are_float32_under_bf16(program, given, drawn):
    runner = OpenVinoRunner(program, batch=BATCH)
    assert runner.label.startswith("openvino 20")  # its version, and the name of the processor
    assert " bf16 on " in runner.label
    assert np.abs(runner.run(given).astype(int) - drawn).mean() < 2
    kinds = {}
    for node in runner.compiled.get_runtime_model().get_ordered_ops():
        info = node.get_rt_info()
        names = str(info["originalLayersNames"].value) if "originalLayersNames" in info else ""
        if info["layerType"].value == "Convolution":
            names = names.partition(",")[0]  # the last mixing of colours also clamps them
        kinds.setdefault(str(info["runtimePrecision"].value), []).append(names)
    assert any(".convs." in name for name in kinds["bf16"])
    for part in (".affine", "pixels"):
        assert not any(part in name for name in kinds["bf16"]), part


def test_no_telemetry(monkeypatch):
    monkeypatch.delitem(sys.modules, "openvino")
    monkeypatch.delitem(sys.modules, "openvino_telemetry", raising=False)
    seen = []
    monkeypatch.setattr("builtins.__import__", _spy(seen))
    module.load_openvino()
    assert "openvino" in seen
    assert sys.modules["openvino_telemetry"] is None


def _spy(seen):
    def spy(name, *_args, **_more):
        seen.append(name)

    return spy


def test_without_openvino_the_error_has_the_remedy(program, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(EngineError, match="pip install openvino"):
        OpenVinoRunner(program, batch=1)
