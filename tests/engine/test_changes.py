"""Bends and rewrites run on every engine alike, and a change of their code makes a new key."""

import sys
import types

import numpy as np
import pytest
import torch

from clavilux.engine.cache import key
from clavilux.engine.openvino import OpenVinoRunner, capabilities, is_precise
from clavilux.engine.torch import TorchRunner
from clavilux.generator.program import Program

AMOUNTS = np.array([0, 0.4, 1], np.float32)


@pytest.fixture(scope="module")
def bent(silk, changes):
    weight = silk.network.blocks[1].convs[1].weight
    return Program(
        silk,
        size=(64, 64),
        cells=(4, 4),
        stop=64,
        taps=[changes.Gain("const"), changes.Gain("b16.conv0", is_features=False)],
        rewrites=[changes.Rule("b8.conv1", weight)],
    )


@pytest.fixture(scope="module")
def given(bent, inputs):
    """The same frame three times, with growing amounts."""
    same = {name: np.repeat(array, 3, axis=0) for name, array in inputs(bent, [0]).items()}
    return same | {name: AMOUNTS for name in bent.inputs if name.endswith("/amount")}


@pytest.fixture(scope="module")
def wanted(bent, given):
    return TorchRunner(bent, batch=2).run(given).astype(int)


def test_amounts_differ_within_a_pass(silk, wanted, given):
    plain = Program(silk, size=(64, 64), cells=(4, 4), stop=64)
    unchanged = TorchRunner(plain, batch=2).run({name: given[name] for name in plain.inputs})
    assert np.array_equal(wanted[0], unchanged[0])
    assert np.abs(wanted[1] - wanted[0]).mean() > 1
    assert np.abs(wanted[2] - wanted[1]).mean() > 1


def test_openvino_draws_what_torch_draws(bent, given, wanted):
    runner = OpenVinoRunner(bent, batch=2, precision="f32")
    assert np.abs(runner.run(given) - wanted).max() <= 1


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_lower_precision_stays_near(bent, given, wanted, precision):
    runner = TorchRunner(bent, batch=2, precision=precision)
    assert np.abs(runner.run(given) - wanted).mean() < 4
    assert bent.module.network.feature_dtype == torch.float32


@pytest.mark.skipif("BF16" not in capabilities(), reason="this processor does not compute in bf16")
def test_bf16_marks_bends_as_they_declare(bent, given, wanted, monkeypatch):
    marked = {}
    monkeypatch.setattr(
        "clavilux.engine.openvino.keep_precise",
        lambda model, paths: (
            marked.update({n.get_friendly_name(): is_precise(n, paths) for n in model.get_ordered_ops()})
            or model
        ),
    )
    OpenVinoRunner(bent, batch=2, precision="bf16")._convert(bent)
    first = {name: kept for name, kept in marked.items() if name.startswith("__module.taps.0/")}
    second = {name: kept for name, kept in marked.items() if name.startswith("__module.taps.1/")}
    assert not all(first.values())
    assert [name for name, kept in second.items() if kept]
    assert all(kept for name, kept in second.items() if "aten::mul/Multiply" in name)


@pytest.mark.skipif("BF16" not in capabilities(), reason="this processor does not compute in bf16")
def test_bf16_stays_near(bent, given, wanted):
    assert np.abs(OpenVinoRunner(bent, batch=2, precision="bf16").run(given) - wanted).mean() < 4


def test_the_code_of_a_bend_from_anywhere_is_part_of_the_key(silk, tmp_path):
    def bend(text):
        (tmp_path / "plugin.py").write_text(text)
        made = {"__name__": "plugin"}
        exec(compile(text, tmp_path / "plugin.py", "exec"), made)
        return Program(silk, size=(64, 64), taps=[made["Bend"]()])

    module = types.ModuleType("plugin")
    module.__file__ = str(tmp_path / "plugin.py")
    sys.modules["plugin"] = module
    try:
        text = (
            "from torch import nn\n"
            "class Bend(nn.Module):\n"
            "    layer, inputs, spec, is_features = 'const', {}, 'plugin', True\n"
            "    def forward(self, x):\n        return x + FACTOR\n"
        )
        keys = [key(bend(text.replace("FACTOR", factor)), 1) for factor in ("1", "2", "2")]
    finally:
        del sys.modules["plugin"]
    assert keys[0] != keys[1] == keys[2]
