"""Files that are no StyleGAN are named in one sentence: other networks, archives, images, audio, text."""

import collections
import io
import sys
import tarfile
import warnings
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
sys.path.insert(0, str(Path(__file__).parent))

from references import R3ganGenerator
from test_hostile import refused, torch_file

from clavilux.errors import ModelError
from clavilux.generator.model import find_model
from foreign import Made, Name, persistent, pickled


def number(value):
    """A whole number as protocol buffers write it."""
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + number(high) if high else bytes([low])


def message(*fields):
    """A protocol buffer of numbers and values."""
    out = b""
    for place, value in fields:
        kind = 0 if isinstance(value, int) else 2
        out += number(place << 3 | kind) + (number(value) if kind == 0 else number(len(value)) + value)
    return out


def image(kind):
    out = io.BytesIO()
    Image.new("RGB", (9, 9)).save(out, kind)
    return out.getvalue()


def sound():
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(99))
    return out.getvalue()


def archive(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, b"")
    return out.getvalue()


def tarred():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        file.addfile(tarfile.TarInfo("net.pkl"))
    return out.getvalue()


GRAPH = message((1, b"node" * 99), (2, b"graph"))
OTHER_FILES = [
    (b"GGUF" + bytes(100), "language model"),
    (b"\x08\x07\x12\x07pytorch" + bytes(100), "ONNX"),
    (message((1, 9), (2, b"someone"), (7, GRAPH), (8, b"\x10\x11")), "ONNX"),
    (message((1, 9), (7, GRAPH), (8, b"\x10\x11")), "ONNX"),
    (message((1, 9), (8, b"\x10\x11"), (7, GRAPH))[:-50], "ONNX"),
    (message((1, 1), (2, GRAPH)), "SavedModel"),
    (
        message((1, message((1, b"input"))), (1, message((1, b"output"))), (4, b"\x08\x01")),
        "TensorFlow graph",
    ),
    (b"index" * 9 + bytes.fromhex("57fb808b247547db"), "part of a TensorFlow checkpoint"),
    (b'model_checkpoint_path: "model.ckpt-1"', "list of a TensorFlow checkpoint"),
    (b"\x1c\0\0\0TFL3" + bytes(99), "TensorFlow Lite"),
    (b"\x89HDF\r\n\x1a\n" + bytes(100), "Keras"),
    (b"\x1f\x8b" + bytes(100), "gzip"),
    (b"\x93NUMPY" + bytes(100), "NumPy array"),
    (archive("a.npy", "b.npy"), "NumPy archive"),
    (archive("config.json", "metadata.json", "model.weights.h5"), "Keras"),
    (archive("net/archive_format", "net/byteorder"), "exported program"),
    (archive("a.txt", "b.pkl"), "zip archive"),
    (tarred(), "tar archive"),
    (b"BZh91AY" + bytes(9), "compressed"),
    *((image(kind), "an image") for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")),
    (sound(), "is audio"),
    (b"ID3\x04" + bytes(99), "is audio"),
    (b"OggS" + bytes(99), "is audio"),
    (b"\0\0\0\x20ftypisom" + bytes(99), "a film"),
    (b"%PDF-1.7", "PDF"),
    (b'{"architectures": ["UNet"]}', "a text file"),
    ("f\u00fcr ".encode() * 200, "a text file"),
    (bytes(range(9, 200)), "known format"),
]


@pytest.mark.parametrize(("content", "word"), OTHER_FILES)
def test_other_files_are_named(tmp_path, content, word):
    file = tmp_path / "net"
    file.write_bytes(content)
    refused(file, word)


def test_a_shard_is_named(tmp_path):
    file = tmp_path / "model.data-00000-of-00001"
    file.write_bytes(bytes(99))
    refused(file, "part of a TensorFlow checkpoint")


def test_a_torchscript_program_is_named(tmp_path):
    file = tmp_path / "net.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(torch.nn.Linear(2, 3)).save(file)
    refused(file, "TorchScript")


@pytest.mark.parametrize(
    ("inside", "word"), [("saved_model.pb", "SavedModel"), ("model_index.json", "diffusion")]
)
def test_folders_are_named(tmp_path, inside, word):
    (tmp_path / inside).write_bytes(b"")
    with pytest.raises(ModelError, match=word):
        find_model(tmp_path)


@pytest.mark.parametrize(
    ("names", "word"),
    [
        (["GAN.S.net.0.weight", "GAN.G.blocks.0.weight"], "lucidrains"),
        (["model.diffusion_model.input_blocks.0.0.weight"], "diffusion model"),
        (["lora_unet_down.lora_up.weight"], "LoRA"),
        (["something.weight"], "known layout"),
    ],
)
def test_other_families_are_named(tmp_path, names, word):
    value = collections.OrderedDict((name, torch.zeros(2)) for name in names)
    refused(torch_file(tmp_path, value), word)
    refused(torch_file(tmp_path, {"state_dict": value}, legacy=True), word)
    from safetensors.torch import save_file

    save_file(dict(value), tmp_path / "net.safetensors")
    refused(tmp_path / "net.safetensors", word if word != "known layout" else "card")


def test_what_a_trainer_writes_is_named(tmp_path):
    """Its callbacks are classes of its own, which are not run either."""
    callback = Made(Name("pytorch_lightning.callbacks", "ModelCheckpoint"), (), {"best": 1})
    value = {"state_dict": {"model.diffusion_model.out.weight": np.zeros(2)}, "callbacks": [callback]}
    file = tmp_path / "net.ckpt"
    file.write_bytes(pickled(value))
    refused(file, "diffusion model")
    file.write_bytes(pickled(Made(Name("diffusers.models", "UNet"), (), {})))
    refused(file, "pickle of diffusers.models.UNet")


def network(kind="Generator", **modules):
    parts = {name: persistent(name, arrays) for name, arrays in modules.items()}
    return {"G_ema": persistent(kind, {}, parts)}


B4 = {"weight": np.zeros(2, np.float32)}


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (network(Model={}), "an R3GAN of a layout that is not known: its Model has no MainLayers"),
        (
            network(backbone={}, renderer={}, kind="TriPlaneGenerator"),
            "TriPlaneGenerator that is no StyleGAN",
        ),
        (network(mapping={}, synthesis={}), "not known"),
    ],
)
def test_other_layouts_are_named(tmp_path, value, word):
    file = tmp_path / "net.pkl"
    file.write_bytes(pickled(value))
    refused(file, word)


def test_an_r3gan_with_other_blocks_is_named(tmp_path):
    known = R3ganGenerator(7, 0).eval()
    del known.Model.MainLayers[1].Layers[1].NonLinearity2
    file = tmp_path / "net.pkl"
    file.write_bytes(pickled({"G_ema": known}))
    refused(file, "R3GAN of a layout", "ResidualBlock has no NonLinearity2")


def test_a_stylegan_t_is_named(tmp_path):
    """Its classes are those of its own modules, and it begins at 8 px."""

    def part(name, modules, **values):
        state = {"_parameters": {}, "_buffers": {}, "_modules": modules, **values}
        return Made(Name("networks.generator", name), (), state)

    mapping = part(
        "MappingNetwork", {"mlp": part("MLP", {}), "clip": Made(Name("clip.model", "CLIP"), (), {})}
    )
    synthesis = part("SynthesisNetwork", {"b8": part("SynthesisBlock", {})})
    file = tmp_path / "net.pkl"
    file.write_bytes(pickled({"G_ema": part("Generator", {"mapping": mapping, "synthesis": synthesis})}))
    refused(file, "StyleGAN-T")
