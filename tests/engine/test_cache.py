"""A kept program is used only whole, and only for what it was made for."""

import copy
import importlib
import io
import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from clavilux.engine import cache
from clavilux.engine.cache import MAX_ENTRIES, Compiled, key, source_digest
from clavilux.generator.builtin_changes import bend_change
from clavilux.generator.model import Model, load_model
from clavilux.generator.program import Program
from clavilux.generator.sites import Site


class Engine:
    """Compiles texts to themselves."""

    def __init__(self, *, refuses: bool = False):
        self.refuses = refuses

    def compile_model(self, model, _device, _config):
        return Text(model)

    def import_model(self, blob, _device, _config):
        if self.refuses:
            raise RuntimeError("made by another version")
        return Text(blob.decode())


class Text(str):
    __slots__ = ()

    def export_model(self):
        return io.BytesIO(self.encode())


def fetch(folder, name="a", text="made", **more):
    return Compiled(folder, name).fetch(Engine(**more), {}, lambda: text)


def test_what_is_kept_comes_back(tmp_path):
    assert fetch(tmp_path / "new", text="first") == "first"
    assert fetch(tmp_path / "new", text="second") == "first"
    assert fetch(tmp_path / "new", "b", text="second") == "second"
    assert not list(tmp_path.rglob("*.clavilux-part"))


def test_nothing_is_kept_without_a_folder():
    assert fetch(None, text="first") == "first"
    assert fetch(None, text="second") == "second"


@pytest.mark.parametrize("cut", [0, 10, 32, 35])
def test_a_damaged_entry_counts_as_missing(tmp_path, cut):
    fetch(tmp_path, text="first")
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:cut])
    assert fetch(tmp_path, text="second") == "second"
    assert fetch(tmp_path, text="third") == "second"


def test_a_changed_entry_counts_as_missing(tmp_path):
    fetch(tmp_path, text="first")
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert fetch(tmp_path, text="second") == "second"


def test_an_entry_the_engine_refuses_is_made_again(tmp_path):
    fetch(tmp_path, text="first")
    assert fetch(tmp_path, text="second", refuses=True) == "second"


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert fetch(tmp_path / "file" / "cache", text="first") == "first"


def test_only_the_latest_used_stay(tmp_path):
    for n in range(MAX_ENTRIES):
        fetch(tmp_path, f"old{n}")
    for age, path in enumerate(sorted(tmp_path.iterdir())):
        os.utime(path, (1000 + age, 1000 + age))
    assert fetch(tmp_path, "old0", text="again") == "made"  # used just now
    fetch(tmp_path, "new")
    assert len(list(tmp_path.iterdir())) == MAX_ENTRIES
    assert fetch(tmp_path, "old0", text="again") == "made"
    assert fetch(tmp_path, "old1", text="again") == "again"


def test_a_key_is_for_one_program():
    silk = load_model("silk")
    program = Program(silk, size=(64, 64))
    keys = {
        key(program, 1),
        key(program, 2),
        key(Program(silk, size=(66, 64)), 1),
        key(Program(silk, size=(64, 64), cells=(4, 5)), 1),
        key(Program(silk, size=(64, 64), pixels="rgb24"), 1),
        key(Program(silk, size=(64, 64), stop=256), 1),
    }
    assert len(keys) == 6
    assert key(Program(load_model("silk"), size=(64, 64)), 1) in keys
    network = copy.deepcopy(silk.network)
    with torch.no_grad():
        network.blocks[0].convs[0].bias[0] += 1
    changed = Model.of_network("silk", network, silk.card)
    assert key(Program(changed, size=(64, 64)), 1) not in keys
    clamped = replace(silk, sizes=replace(silk.sizes, clamp=1.0))
    assert key(Program(clamped, size=(64, 64)), 1) not in keys


def test_a_changed_file_in_a_sub_folder_changes_the_key(small_model, tmp_path, monkeypatch):
    program = Program(small_model, size=(64, 64))
    below = tmp_path / "generator" / "transforms" / "affine.py"
    below.parent.mkdir(parents=True)
    below.write_text("a = 1\n")
    monkeypatch.setattr(cache, "SOURCES", (tmp_path / "generator",))
    first = key(program, 1)
    assert key(program, 1) == first
    below.write_text("a = 2\n")
    second = key(program, 1)
    below.rename(below.with_name("other.py"))
    assert len({first, second, key(program, 1)}) == 3


def test_the_key_covers_every_file_that_decides_pixels(monkeypatch):
    read = []
    monkeypatch.setattr(cache.Path, "read_bytes", lambda path: read.append(path) or b"")
    source_digest(cache.SOURCES)
    names = {path.relative_to(cache.SOURCES[0].parent).as_posix() for path in read}
    assert {"generator/checkpoints/native.py", "generator/program.py", "engine/openvino.py"} <= names
    assert {"colour.py", "pixel_formats.py", "seeds.py"} <= names


def test_a_bend_without_a_file_is_drawn_and_never_taken_for_another(small_model):
    source = """
class Double(nn.Module):
    layer, inputs, spec, is_features = "b8.conv0", {}, ("double",), True

    def forward(self, x):
        return 2 * x
"""
    typed = {"nn": nn, "__name__": "__console__"}
    exec(source, typed)
    program = Program(small_model, size=(64, 64), taps=[typed["Double"]()])
    assert key(program) != key(program)


def test_what_a_bend_derives_from_is_part_of_the_key(small_model, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    base = tmp_path / "base_of_bends.py"
    base.write_text(
        "from torch import nn\nclass Base(nn.Module):\n"
        "    layer, inputs, spec, is_features = 'b8.conv0', {}, ('base',), True\n"
    )
    module = importlib.import_module("base_of_bends")

    class Derived(module.Base):
        def forward(self, x):
            return x

    program = Program(small_model, size=(64, 64), taps=[Derived()])
    first = key(program)
    assert key(program) == first
    base.write_text(base.read_text() + "# changed\n")
    assert key(program) != first


def test_the_order_of_inputs_and_which_are_shared_are_part_of_the_key(small_model):
    def changed(signals, numbers=(None, None)):
        sites = [Site("b8.conv0", np.ones(8, np.float32), number=number) for number in numbers]
        taps = [bend_change("zoom", site, signals) for site in sites]
        return key(Program(small_model, size=(64, 64), taps=taps))

    keys = [changed(["by", "amount"]), changed(["amount", "by"]), changed(["by", "amount"], (0, 0))]
    assert len(set(keys)) == 3
    assert len({each.partition("-")[0] for each in keys}) == 1
