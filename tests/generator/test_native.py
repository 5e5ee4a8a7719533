"""Native files are read as they were written, and anything else is refused in one sentence."""

import json
import pickle
import struct

import numpy as np
import pytest
from safetensors.numpy import save_file

from clavilux.errors import ModelError
from clavilux.generator.checkpoints import read_card, read_checkpoint
from clavilux.generator.checkpoints.native import digest, write_native
from clavilux.generator.stylegan2_config import StyleGAN2Config

CONFIG = StyleGAN2Config(4, 6, 2, (5, 3))


@pytest.fixture
def arrays(random_arrays):
    return random_arrays(CONFIG, 0)


@pytest.fixture
def path(tmp_path, arrays):
    file = tmp_path / "net.safetensors"
    write_native(file, arrays, {"licence": "CC0-1.0"})
    return file


def refused(path, *words):
    with pytest.raises(ModelError) as caught:
        read_checkpoint(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    assert all(word in message for word in words), message


def card_of(arrays):
    return {
        "format": "clavilux-generator",
        "format_version": "1",
        "architecture": "stylegan2-skip",
        "sha256": digest(arrays),
    }


def test_what_is_written_is_read(path, arrays):
    found = read_checkpoint(path)
    assert (found.architecture, found.config, found.digest) == ("stylegan2-skip", CONFIG, digest(arrays))
    assert (found.card.licence, found.card.resolution, found.card.extend) == ("CC0-1.0", 8, "mirror")
    assert found.card == read_card(path)
    assert found.tensors.keys() == arrays.keys()
    assert all(np.array_equal(found.tensors[name], arrays[name]) for name in arrays)


def test_cards_keep_everything(tmp_path, arrays):
    changed = {"title": "a", "extend": "tile", "kimg": "150", "mapping_lr_multiplier": "0.1"}
    write_native(tmp_path / "net.safetensors", arrays, changed)
    found = read_checkpoint(tmp_path / "net.safetensors")
    assert (found.card.title, found.card.extend, found.config.lr_multiplier) == ("a", "tile", 0.1)
    assert found.card.extra["kimg"] == "150"
    assert changed.items() <= found.card.to_dict().items()
    assert found.card.to_dict()["resolution"] == "8"


def test_half_precision_is_widened(tmp_path, arrays):
    file = tmp_path / "half.safetensors"
    write_native(file, {name: array.astype(np.float16) for name, array in arrays.items()}, {})
    found = read_checkpoint(file).tensors
    assert all(array.dtype == np.float32 for array in found.values())


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>404</html>", "web page"),
        (b"  \n<html>not found</html>", "web page"),
        (b"just a text, long enough to have a start", "a text file"),
        (pickle.dumps({"G_ema": 1}), "generator"),
        (b"PK\x03\x04" + bytes(60), "zip"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "LFS"),
        (bytes(200), "known format"),
        (struct.pack("<Q", 2**40) + b'{"a":1}' + bytes(50), "header"),
        (struct.pack("<Q", 2**63) + b'{"a":1}', "header"),
        (struct.pack("<Q", 40) + b'{"a":' + b"[" * 35, "header"),
        (struct.pack("<Q", 2) + b"{}", "card"),
        (struct.pack("<Q", 20) + b'{"__metadata__": 5} ', "card"),
    ],
)
def test_other_files_are_refused(tmp_path, content, word):
    file = tmp_path / "bad.safetensors"
    file.write_bytes(content)
    refused(file, word)


def test_a_file_cut_anywhere_is_refused(path):
    whole = path.read_bytes()
    for length in (1, 7, 9, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        refused(path)


def test_a_changed_weight_is_noticed(path):
    whole = bytearray(path.read_bytes())
    whole[-3] ^= 1
    path.write_bytes(whole)
    refused(path, "damaged")


def test_missing_folder_or_file(tmp_path):
    refused(tmp_path / "nothing.safetensors", "cannot be read")
    refused(tmp_path, "cannot be read")


def test_plain_safetensors_is_refused(tmp_path, arrays):
    file = tmp_path / "plain.safetensors"
    save_file(arrays, file)
    refused(file, "card")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda a: a.pop("synthesis.b8.conv0.weight"), "lacks"),
        (lambda a: a.pop("mapping.w_avg"), "mapping.w_avg"),
        (lambda a: a.pop("mapping.fc0.weight"), "mapping"),
        (lambda a: a.pop("synthesis.b4.conv1.bias"), "4 px"),
        (lambda a: a.update({"synthesis.b8.skip.weight": np.zeros(3, np.float32)}), "b8.skip"),
        (lambda a: a.update({"synthesis.b4.const": np.zeros((5, 4, 3), np.float32)}), "b4.const"),
        (lambda a: a.update({"mapping.fc0.weight": np.zeros((6, 0), np.float32)}), "impossible"),
        (lambda a: a.update({"synthesis.b4.conv1.bias": np.zeros((1, 2), np.float32)}), "impossible"),
        (lambda a: a.update({"mapping.w_avg": np.zeros(6, np.int32)}), "int32"),
        (lambda a: a["synthesis.b8.conv1.weight"].fill(np.nan), "not finite"),
        (lambda a: a["mapping.w_avg"].__setitem__(0, np.inf), "not finite"),
    ],
)
def test_wrong_arrays_are_refused(tmp_path, arrays, change, word):
    change(arrays)
    file = tmp_path / "wrong.safetensors"
    save_file(arrays, file, metadata=card_of(arrays))
    refused(file, word)


@pytest.mark.parametrize(
    "changed", [{"format_version": "2"}, {"architecture": "stylegan3"}, {"format": "other"}]
)
def test_other_versions_are_refused(tmp_path, arrays, changed):
    file = tmp_path / "new.safetensors"
    save_file(arrays, file, metadata={**card_of(arrays), **changed})
    refused(file)


def test_tensors_past_the_end_are_refused(tmp_path, arrays):
    header = {"__metadata__": card_of(arrays), "mapping.fc0.weight": entry((2**31, 2**31), 2**64)}
    text = json.dumps(header).encode()
    file = tmp_path / "huge.safetensors"
    file.write_bytes(struct.pack("<Q", len(text)) + text)
    refused(file, "damaged")


def entry(shape, end):
    return {"dtype": "F32", "shape": list(shape), "data_offsets": [0, end]}


def test_incomplete_arrays_are_not_written(tmp_path, arrays):
    del arrays["mapping.w_avg"]
    with pytest.raises(ModelError, match="w_avg"):
        write_native(tmp_path / "net.safetensors", arrays, {})
