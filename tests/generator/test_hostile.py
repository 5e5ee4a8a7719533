"""Hostile and damaged checkpoints are refused in one sentence, within bounds, and nothing in them runs."""

import codecs
import io
import os
import pickle
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from clavilux.errors import ModelError
from clavilux.generator.checkpoints import averages, read_checkpoint
from clavilux.generator.checkpoints.native import write_native
from clavilux.generator.checkpoints.torch_files import LEGACY_MAGIC
from foreign import Made, Name, persistent, pickled

FILES = Path(__file__).parent / "data" / "checkpoints"
MAX_BYTES = 50e6


def refused(path, *words):
    """Read a file that must be refused, without the memory that it claims."""
    tracemalloc.start()
    try:
        with pytest.raises(ModelError) as caught:
            read_checkpoint(path)
        assert tracemalloc.get_traced_memory()[1] < MAX_BYTES + 20 * path.stat().st_size
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 1200
    for word in words:
        assert word in message, message


def persistent_of(**values):
    """A StyleGAN2 with one layer of these plain attributes."""
    layer = persistent("SynthesisLayer", {"bias": np.zeros(3, np.float32)}, {}, **values)
    dense = {name: np.zeros((3, 3)[: 2 - (name == "bias")], np.float32) for name in ("weight", "bias")}
    fc = persistent("FullyConnectedLayer", dense, {}, bias_gain=1)
    mapping = persistent("MappingNetwork", {"w_avg": np.zeros(3, np.float32)}, {"fc0": fc})
    block = persistent("SynthesisBlock", {}, {"conv1": layer})
    synthesis = persistent("SynthesisNetwork", {}, {"b4": block})
    return persistent("Generator", {}, {"mapping": mapping, "synthesis": synthesis})


def network_of(**changed):
    """A network of TensorFlow with these parts of its state."""
    state = {"name": "G", "static_kwargs": {}, "variables": [], "components": {}}
    part = Made(Name("dnnlib.tflib.network", "Network"), (), dict(state))
    state["components"] = {"mapping": part, "synthesis": part}
    return Made(Name("dnnlib.tflib.network", "Network"), (), state | changed)


class Call:
    """Something whose unpickling calls a function."""

    def __init__(self, called, *arguments, state=None):
        self.reduced = (called, arguments) if state is None else (called, arguments, state)

    def __reduce__(self):
        return self.reduced


def raw(module, name, arguments=b"(", end=b"R."):
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + arguments + b"t" + end


def stack_name(module, name):
    def text(s):
        return b"\x8c" + bytes([len(s)]) + s.encode()

    return b"\x80\x04" + text(module) + text(name) + b"\x93)R."


HOSTILE = {
    "system": (pickle.dumps(Call(os.system, "touch pwned")), "system"),
    "eval": (pickle.dumps(Call(eval, "1")), "builtins.eval"),
    "exec": (pickle.dumps(Call(exec, "1"), 0), "builtin"),
    "open": (pickle.dumps(Call(open, "pwned", "w")), "open"),
    "popen": (pickle.dumps(Call(subprocess.Popen, "true")), "subprocess.Popen"),
    "getattr": (pickle.dumps(Call(getattr, "", "upper")), "builtins.getattr"),
    "import": (raw("builtins", "__import__"), "builtins.__import__"),
    "instance": (b"(S'true'\nios\nsystem\n.", "os.system"),
    "instance in torch": (b"(c__main__\nX\no.", "__main__.X"),
    "dotted": (stack_name("torch", "serialization.os.system"), "os.system"),
    "dotted inert": (stack_name("collections", "OrderedDict.__init__"), "OrderedDict.__init__"),
    "numpy exec": (raw("numpy.testing._private.utils", "runstring"), "runstring"),
    "functools": (raw("functools", "partial"), "functools.partial"),
    "torch load": (raw("torch", "load"), "torch.load"),
    "torch hub": (raw("torch.hub", "load"), "torch.hub.load"),
    "extension": (b"\x80\x02\x82\x01.", "instruction"),
    "buffer": (b"\x80\x05\x97.", "instruction"),
    "unknown instruction": (b"\x80\x02\xff.", "instruction"),
    "persistent text": (b"\x80\x02Pabc\n.", "instruction"),
    "persistent": (b"\x80\x02NQ.", "outside"),
    "calls a value": (b"\x80\x02}(tR.", "calls"),
    "calls a record": (raw("argparse", "Namespace", end=b"R)R."), "calls"),
    "unhashable key": (b"\x80\x02}]Ns.", "keys"),
    "key of records": (raw("argparse", "Namespace", end=b"R\x85N\x86\x85."), ""),
    "stack underflow": (b"\x80\x02tttt.", "damaged"),
    "memo": (b"\x80\x02h\x05.", "damaged"),
    "huge bytes": (b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"a.", "claims"),
    "huge text": (b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"a.", "MB of text"),
    "huge bytearray": (b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"a.", "claims"),
    "huge memo": (b"\x80\x02Nr" + b"\xff\xff\xff\xff" + b".", "generator"),
    "huge number": (b"\x80\x02\x8b" + struct.pack("<I", 10**6) + b"\xff" * 10**6 + b".", "number"),
    "long digits": (b"\x80\x02I" + b"9" * 4000 + b"\n.", "digits"),
    "endless line": (b"\x80\x02V" + b"a" * 100_000, "line"),
    "deep marks": (b"\x80\x02" + b"(" * 10**5 + b".", "nested"),
    "deep tuples": (b"\x80\x02N" + b"\x85" * 10**5 + b".", "generator"),
    "deep key": (b"\x80\x02}N" + b"\x85" * 10**5 + b"Ns.", "keys"),
    "endless": (b"\x80\x02" + b"N0" * 500_000 + b".", "instructions"),
    "doubling lists": (b"\x80\x02]" + b"2e" * 50 + b".", ""),
    "no end": (b"\x80\x02", "cut short"),
    "text only": (b"\x80\x02X\x01\x00\x00\x00\xff.", "damaged"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    content, word = HOSTILE[name]
    file = tmp_path / "bad.pkl"
    file.write_bytes(content)
    refused(file, *([word] if word else []))
    assert sorted(tmp_path.iterdir()) == [file]  # nothing ran


@pytest.mark.parametrize("name", ["system", "eval", "getattr", "huge bytes", "endless"])
def test_hostile_pickles_inside_archives(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    content, word = HOSTILE[name]
    file = tmp_path / "bad.pt"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("net/data.pkl", content)
    refused(file, word)
    legacy = tmp_path / "old.pt"
    head = [pickle.dumps(part, 2) for part in (LEGACY_MAGIC, 1001, {"little_endian": True})]
    legacy.write_bytes(b"".join(head) + content)
    refused(legacy, word)
    assert sorted(tmp_path.iterdir()) == [file, legacy]


def call_of_persistent(state):
    meta = {
        "type": "class",
        "version": 6,
        "module_src": "raise SystemExit",
        "class_name": "G",
        "state": state,
    }
    return b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n", meta


def test_source_code_inside_is_never_run(tmp_path):
    call, meta = call_of_persistent({"_modules": {}})
    inner = pickle.dumps(meta, 2)[2:-1]
    file = tmp_path / "bad.pkl"
    file.write_bytes(b"\x80\x02}X\x05\x00\x00\x00G_ema" + call + inner + b"\x85Rs.")
    refused(file, "no StyleGAN")


def test_modules_within_themselves(tmp_path):
    call, _ = call_of_persistent({"_modules": {}})
    # a dictionary of modules that holds two modules with that same dictionary: 2^n of them
    modules = b"}q\x01"
    module = call + b"}(X\x0a\x00\x00\x00class_nameX\x01\x00\x00\x00GX\x05\x00\x00\x00state}"
    module += b"X\x08\x00\x00\x00_modulesh\x01su\x85R"
    ring = modules + b"(X\x01\x00\x00\x00a" + module + b"X\x01\x00\x00\x00b" + module + b"u0"
    file = tmp_path / "bad.pkl"
    file.write_bytes(b"\x80\x02" + ring + b"}X\x05\x00\x00\x00G_ema" + module + b"s.")
    refused(file, "without end")


def torch_file(tmp_path, value, *, legacy=False):
    file = tmp_path / "net.pt"
    torch.save(value, file, _use_new_zipfile_serialization=not legacy)
    return file


def replaced(file, old, new):
    content = file.read_bytes()
    assert old in content
    file.write_bytes(content.replace(old, new))


@pytest.mark.parametrize("legacy", [False, True])
def test_shapes_of_billions(tmp_path, legacy):
    file = torch_file(tmp_path, {"g_ema": {"input.input": torch.zeros(251)}}, legacy=legacy)
    replaced(file, b"K\xfb\x85", b"J\xff\xff\xff\x7f\x85"[:3].ljust(3, b"N"))
    refused(file)


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (2**40,), (1,)),
        (0, (2**20, 2**20), (0, 0)),
        (0, (5,), (1,)),
        (-1, (2,), (1,)),
        (2**62, (1,), (1,)),
        (0, (2,), (-1,)),
        (0, (2,), (1, 1)),
        (0, (1.5,), (1,)),
        (0, "x", "y"),
        (0, (1,) * 99, (1,) * 99),
        (0, (2,), (2**62,)),
    ],
)
def test_tensors_outside_their_storage(tmp_path, offset, shape, strides):
    class Pickler(pickle._Pickler):
        def persistent_id(self, value):
            return ("storage", torch.FloatStorage, "0", "cpu", 4) if value is STORAGE else None

    STORAGE = object()  # noqa: N806
    out = io.BytesIO()
    tensor = Call(torch._utils._rebuild_tensor_v2, STORAGE, offset, shape, strides, False, {})
    Pickler(out, 2).dump({"g_ema": {"input.input": tensor}})
    file = tmp_path / "net.pt"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("net/data.pkl", out.getvalue())
        archive.writestr("net/data/0", bytes(16))
    refused(file, "damaged")


@pytest.mark.parametrize("shape", [(10**12,), (2**31, 2**31), (0, 10**9), (-1,), (3,)])
def test_numpy_shapes(tmp_path, shape):
    content = pickle.dumps({"G_ema": np.zeros(2, np.float32)}, 4)
    content = content.replace(pickle.dumps((2,), 4)[11:-2], pickle.dumps(shape, 4)[11:-2])
    file = tmp_path / "bad.pkl"
    file.write_bytes(content)
    refused(file)


def test_archives_that_are_bombs(tmp_path):
    file = tmp_path / "bomb.pt"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", b"\x80\x02}." + bytes(10**8))
    refused(file, "compressed")
    with zipfile.ZipFile(file, "w") as archive:
        for k in range(30_000):
            archive.writestr(f"net/data/{k}", b"")
        archive.writestr("net/data.pkl", b"\x80\x02}.")
    refused(file, "zip archive")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", b"")
    refused(file, "zip archive")


def doubled():
    """A tuple whose text and hash would take 2^60 steps."""
    value = ("x",)
    for _ in range(60):
        value = (value, value)
    return value


@pytest.mark.parametrize(
    "value",
    [
        doubled(),
        {"G_ema": persistent_of(activation=doubled())},
        {"G_ema": persistent_of(conv_clamp=doubled())},
        Call(np.dtype, doubled(), False, True),
        Call(np.dtype, "f4", False, True, state=(3, doubled(), None, None, None, -1, -1, 0)),
        Call(codecs.encode, "a", doubled()),
        network_of(name=doubled()),
        network_of(static_kwargs={"nonlinearity": doubled()}),
        network_of(variables=[(doubled(), np.zeros(2))]),
        {"state_dict": doubled()},
    ],
)
def test_values_that_hold_themselves_many_times_over(tmp_path, value):
    file = tmp_path / "bomb.pkl"
    file.write_bytes(pickled(value))
    refused(file)


@pytest.mark.parametrize("clamp", [0.0, -1.0, float("nan"), float("inf")])
def test_features_that_are_clamped_to_nothing(tmp_path, clamp):
    file = tmp_path / "bad.pkl"
    file.write_bytes(pickled({"G_ema": persistent_of(conv_clamp=clamp)}))
    refused(file, "clamps its features")


MANY = b"](" + b"N" * 6000 + b"eq\x01"
PAIRS = b"](" + b"K\x01K\x02\x86q\x03" + b"h\x03" * 6000 + b"eq\x01"
TEXT = b"X" + struct.pack("<I", 1 << 18) + b"a" * (1 << 18) + b"q\x01"


@pytest.mark.parametrize(
    ("value", "maker"),
    [
        (MANY, b"cbuiltins\nset\n"),
        (MANY, b"ctorch\nSize\n"),
        (PAIRS, b"ccollections\nOrderedDict\n"),
        (TEXT, b"c_codecs\nencode\n"),
    ],
    ids=["set", "Size", "OrderedDict", "encode"],
)
def test_one_value_copied_again_and_again(tmp_path, value, maker):
    """A list of 6,000 copied 3,000 times would take gigabytes, and from a file of 24 kB."""
    file = tmp_path / "copies.pkl"
    file.write_bytes(b"\x80\x02" + value + maker + b"q\x02(" + b"h\x02h\x01\x85R" * 3000 + b"t.")
    refused(file, "again and again")


def test_a_mapping_of_a_thousand_layers(tmp_path, monkeypatch):
    """Refused before its mean latent would be estimated."""
    monkeypatch.setattr(averages, "_estimate", None)
    weight, bias = torch.zeros(16, 16), torch.zeros(16)
    state = {"input.input": torch.zeros(1, 8, 4, 4)}
    for k in range(1, 999):
        state |= {f"style.{k}.weight": weight, f"style.{k}.bias": bias}
    file = tmp_path / "deep.pt"
    torch.save({"g_ema": state}, file)
    refused(file)


def test_storages_within_storages(tmp_path):
    """A storage that refers to itself over and over cannot multiply the work."""
    inner = pickle.dumps(LEGACY_MAGIC, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)
    inner += b"\x80\x02" + b"N0" * 10_000 + b"N." + pickle.dumps([], 2)
    load = b"ctorch.storage\n_load_from_bytes\n"
    body = b"\x80\x03B" + struct.pack("<I", len(inner)) + inner + b"q\x010" + (load + b"h\x01\x85R0") * 30_000
    file = tmp_path / "bad.pkl"
    file.write_bytes(body + b"N.")
    refused(file)


@pytest.mark.parametrize("name", ["ada32.pkl", "rosinality32.pt", "tf32.pkl", "sg3t64.pkl"])
def test_files_cut_anywhere(tmp_path, name):
    whole = (FILES / name).read_bytes()
    file = tmp_path / name
    for share in (0.0001, 0.01, 0.3, 0.9, 0.999):
        file.write_bytes(whole[: max(int(len(whole) * share), 3)])
        refused(file)


@pytest.fixture(scope="module")
def good_files(tmp_path_factory):
    """Files of every format, by name."""
    native = tmp_path_factory.mktemp("good") / "native.safetensors"
    known = read_checkpoint(FILES / "sg3r64_cond.pkl")
    write_native(native, known.tensors, {}, config=known.config)
    return {path.name: path for path in (native, *FILES.iterdir())}


@pytest.mark.parametrize(
    "name", ["ada32_resnet.pkl", "rosinality32.pt", "tf32.pkl", "sg3r64_cond.pkl", "native.safetensors"]
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_is_read_or_refused(good_files, tmp_path_factory, name, data):
    """Bytes changed anywhere give another network or one sentence, never anything else."""
    content = bytearray(good_files[name].read_bytes())
    structure = st.integers(0, len(content) - 1)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(structure)
        kind = data.draw(st.sampled_from(["set", "cut", "repeat"]))
        if kind == "set":
            content[place : place + 1] = bytes([data.draw(st.integers(0, 255))])
        elif kind == "cut":
            del content[place : place + data.draw(st.integers(1, 40))]
        else:
            content[place:place] = content[place : place + data.draw(st.integers(1, 400))]
        structure = st.integers(0, max(len(content) - 1, 0))
    file = tmp_path_factory.mktemp("fuzz") / name
    file.write_bytes(bytes(content))
    try:
        found = read_checkpoint(file)
    except ModelError as error:
        sentence = str(error)
    else:
        sentence = ""
        assert all(np.isfinite(array).all() for array in found.tensors.values())
    assert "\n" not in sentence


def test_reading_needs_no_torch():
    code = (
        "import sys; from pathlib import Path; from clavilux.generator.checkpoints import read_checkpoint;"
        f"[read_checkpoint(p) for p in Path({str(FILES)!r}).iterdir() if p.suffix != '.npz'];"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
