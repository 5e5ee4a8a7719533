"""The engine is the fastest there is; one that cannot be used has its reason."""

import sys

import numpy as np
import pytest

from clavilux.engine.choose import engines, open_runner
from clavilux.errors import EngineError
from clavilux.generator.program import Program


@pytest.fixture(scope="module")
def program(small_model):
    return Program(small_model, size=(32, 18), cells=(4, 6))


def test_processors_draw_with_openvino(program, tmp_path):
    runner = open_runner(program, device="cpu", cache=tmp_path)
    assert runner.label.startswith("openvino")
    assert list(tmp_path.iterdir())
    assert (
        open_runner(program, device="cpu", precision="exact", cache=tmp_path).label == "openvino f32 on cpu"
    )


def test_torch_stands_in_for_openvino(program, inputs, monkeypatch):
    given = inputs(program, [0])
    wanted = open_runner(program, device="cpu", precision="exact").run(given)
    monkeypatch.setitem(sys.modules, "openvino", None)
    runner = open_runner(program, device="cpu")
    assert runner.label == "torch f32 on cpu"
    assert np.abs(runner.run(given).astype(int) - wanted).max() <= 1
    (missing,) = [engine for engine in engines() if engine.name == "openvino"]
    assert "pip install openvino" in missing.missing


def test_unknown_devices_and_precisions(program):
    with pytest.raises(EngineError, match="auto or exact"):
        open_runner(program, precision="half")
    with pytest.raises(EngineError, match="no device"):
        open_runner(program, device="cuda:77")


def test_every_engine_is_listed_with_its_reason():
    found = engines()
    assert [(engine.name, engine.device) for engine in found] == [
        ("torch", "cuda"),
        ("torch", "mps"),
        ("openvino", "cpu"),
        ("torch", "cpu"),
    ]
    assert found[-1].missing is None
    assert all(engine.missing is None or len(engine.missing) > 10 for engine in found)
