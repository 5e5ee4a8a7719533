"""Small files that would take hours or gigabytes are refused at once: what they repeat, share or multiply."""

import pickle
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
sys.path.insert(0, str(Path(__file__).parent))

from references import FastganGenerator, normal
from test_hostile import FILES, network_of, refused

from clavilux.generator.checkpoints import read_checkpoint
from foreign import Made, Name, persistent, pickled, stylegan3


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def big_number(value):
    content = value.to_bytes(16, "little", signed=True)
    return b"\x8a" + bytes([len(content)]) + content


MILLION = "a" * 10**6
ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n"
PICKLES = {
    "key": (b"}" + text(MILLION) + b"Ns.", "key of 1,000,000"),
    "key in a tuple": (b"}" + text(MILLION) + b"\x85Ns.", "key of 1,000,000"),
    "key in a set": (b"\x8f(" + text(MILLION) + b"\x90.", "key of 1,000,000"),
    "name": (text("os") + text(MILLION) + b"\x93.", "name of 1,000,002"),
    "numbers of one hash": (
        b"}(" + b"".join(big_number(k * (2**61 - 1)) + b"N" for k in (1, 2)) + b"u.",
        "keys",
    ),
    "numbers in tuples": (b"}K\x01K\x02\x86Ns.", "keys"),
    "pairs of text": (b"ccollections\nOrderedDict\n(](" + text(MILLION) + b"etR.", "pairs"),
    "state": (
        b"0".join(
            [
                text("a" * 1000) + b"q\x01",
                ARRAY + b")Rq\x02",
                *[b"h\x02(K\x01K\x02Nh\x01h\x01tb"] * 10_000,
            ]
        )
        + b".",
        "",
    ),
    "text as bytes": (
        text("a" * 100_000)
        + b"q\x010cnumpy\ndtype\n"
        + text("u1")
        + b"\x85Rq\x020"
        + text("")
        + b"0".join([ARRAY + b")R(K\x01J\xa0\x86\x01\x00\x85h\x02\x89h\x01tb"] * 100)
        + b".",
        "again and again",
    ),
    "arguments": (
        b"(" + b"N" * 6000 + b"tq\x010cargparse\nNamespace\nq\x02" + b"h\x02h\x01}\x920" * 3000 + b".",
        "again and again",
    ),
    "plain arguments": (
        b"(" + b"N" * 6000 + b"tq\x010ctorch\nSize\nq\x02" + b"h\x02h\x01R0" * 3000 + b".",
        "",
    ),
}


@pytest.mark.parametrize("name", PICKLES)
def test_pickles(tmp_path, name):
    content, word = PICKLES[name]
    file = tmp_path / "bad.pkl"
    file.write_bytes(b"\x80\x04" + content)
    refused(file, word)


def written(tmp_path, value):
    file = tmp_path / "bad.pkl"
    file.write_bytes(pickled(value))
    return file


def test_modules_that_share_their_arrays(tmp_path):
    whole = np.zeros(200_000, np.float32)
    state = {"_buffers": dict.fromkeys(map(str, range(50)), torch.from_numpy(whole))}
    meta = {"class_name": "Layer", "state": state}
    layer = Made(Name("torch_utils.persistence", "_reconstruct_persistent_obj"), (meta,))
    network = persistent("Generator", {}, {"mapping": layer, "synthesis": layer})
    refused(written(tmp_path, {"G_ema": network}), "same bytes")


def test_modules_that_share_their_names(tmp_path):
    """A thousand modules of a thousand attributes each, of which there are only a thousand."""
    state = {f"a{k}": None for k in range(1000)}
    meta = {"class_name": "G", "state": state}
    module = Made(Name("torch_utils.persistence", "_reconstruct_persistent_obj"), (meta,))
    top = {"_modules": {str(k): module for k in range(1000)}}
    network = Made(module.called, ({"class_name": "G", "state": top},))
    refused(written(tmp_path, {"G_ema": network}), "without end")


def test_variables_that_are_one_array(tmp_path):
    whole = np.zeros(200_000, np.float32)
    variables = [(f"{k}x{k}/Conv1/mod_bias", whole) for k in range(100)]
    refused(written(tmp_path, network_of(variables=variables)), "same bytes")


def test_networks_of_networks(tmp_path):
    """A thousand components of a thousand components each, and so on."""
    part = network_of(components={})
    for _ in range(3):
        part = network_of(
            components={str(k): part for k in range(1000)} | {"mapping": part, "synthesis": part}
        )
    refused(written(tmp_path, part))


def test_entries_that_overlap(tmp_path):
    """Every entry of an archive is the same bytes, as a directory can say."""
    file = tmp_path / "net.pt"
    torch.save({"g_ema": {f"a{k}": torch.zeros(1000, dtype=torch.bfloat16) for k in range(99)}}, file)
    content = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as archive:
        places = {entry.filename: entry.header_offset for entry in archive.infolist()}
    first, padded = places["net/data/1"], 2000 * 40
    place = 0
    while (place := content.find(b"PK\1\2", place)) >= 0:
        length = int.from_bytes(content[place + 28 : place + 30], "little")
        if b"/data/" in content[place + 46 : place + 46 + length]:
            content[place + 20 : place + 28] = struct.pack("<II", padded, padded)
            content[place + 42 : place + 46] = struct.pack("<I", first)
        place += 4
    file.write_bytes(content)
    refused(file, "archive overlap")


def test_a_long_directory(tmp_path):
    """Of a hundred thousand entries."""
    entry = b"PK\1\2" + bytes(42)
    directory = entry * 120_000
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 65535, 65535, len(directory), 0, 0)
    file = tmp_path / "net.pt"
    file.write_bytes(directory + end)
    refused(file, "is too large")


def test_noise_of_an_endless_image(tmp_path):
    state = {"input.input": torch.zeros(1, 1, 4, 4), "conv1.noise.weight": torch.zeros(1)}
    state |= {f"convs.{k}.noise.weight": torch.zeros(1) for k in range(30)}
    file = tmp_path / "net.pt"
    torch.save({"g_ema": state}, file)
    refused(file)


def test_classes_that_are_embedded_without_end(tmp_path):
    known = read_checkpoint(FILES / "sg3t64.pkl")
    arrays = dict(known.tensors) | {
        "mapping.w_avg": np.zeros((20_000, 1), np.float32),
        "mapping.embed.weight": np.zeros((20_000, 1), np.float32),
        "mapping.embed_proj.weight": np.zeros((20_000, 1), np.float32),
        "mapping.embed_proj.bias": np.zeros(20_000, np.float32),
    }
    file = tmp_path / "xl.pkl"
    file.write_bytes(stylegan3(known.config, arrays))
    refused(file, "embedded")


@pytest.mark.parametrize("part", ["running_var", "running_mean", "weight"])
def test_a_normalisation_of_other_channels(tmp_path, part):
    torch.manual_seed(0)
    known = FastganGenerator(6, 64)
    known(normal("z", 4, 6))
    getattr(known.synthesis.feat_8[3], part).data = torch.ones(50_000, 1)
    refused(written(tmp_path, {"G_ema": known.eval()}), "each channel")
    for name in ("running_var", "running_mean", "weight", "bias"):
        getattr(known.synthesis.feat_8[3], name).data = torch.ones(50_000)
    refused(written(tmp_path, {"G_ema": known.eval()}), "other channels")


def test_pickle_is_what_python_writes():
    """The pieces above are what they claim to be."""
    assert pickle.loads(b"\x80\x04" + text("abc") + b".") == "abc"
    assert pickle.loads(b"\x80\x04" + big_number(-5) + b".") == -5
