"""StyleGAN of 2019, StyleGAN-XL, FastGAN and R3GAN draw what their definitions say, on both engines."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
sys.path.insert(0, str(Path(__file__).parent))

from references import (
    DRAWN,
    FastganGenerator,
    R3ganGenerator,
    normal,
    normalised,
    stylegan1_draw,
    stylegan1_map,
    stylegan1_variables,
)

from clavilux.engine.openvino import OpenVinoRunner, load_openvino
from clavilux.engine.torch import TorchRunner
from clavilux.errors import ModelError
from clavilux.generator.checkpoints import read_checkpoint
from clavilux.generator.checkpoints.native import write_native
from clavilux.generator.generate import generate, own_program, seed_inputs
from clavilux.generator.model import load_model
from clavilux.generator.rewrites import styled_convs
from clavilux.generator.stylegan3 import StyleGAN3
from foreign import pickled, stylegan3, tensorflow

FILES = Path(__file__).parent / "data" / "checkpoints"
TOLERANCE = 1e-4


def error(found, wanted) -> float:
    return float((found - wanted).abs().max() / wanted.std())


def compiled(network, ws, noise):
    """Draw with OpenVINO, float32."""

    class Drawn(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, ws):
            return self.network(ws, noise)

    ov = load_openvino()
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        converted = ov.convert_model(torch.jit.trace(Drawn(), ws, check_trace=False), example_input=ws)
    return torch.from_numpy(
        ov.Core().compile_model(converted, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(ws)[0]
    )


def same_on_both(network, ws, noise, wanted):
    with torch.inference_mode():
        assert error(network(ws, noise), wanted) <= TOLERANCE
        assert error(compiled(network, ws, noise), wanted) <= TOLERANCE


def survives_conversion(model, folder):
    """A native copy draws the same, at another size and under both runners too."""
    file = folder / "native.safetensors"
    write_native(file, read_checkpoint(FOUND[model.digest]).tensors, {}, config=model.network.config)
    again = load_model(file)
    assert again.network.config == model.network.config
    assert np.array_equal(generate(model, 3), generate(again, 3))
    image = generate(model, 1, size=(96, 64))
    assert image.shape == (64, 96, 3)
    assert image.std() > 1
    program = own_program(model, model.resolution)
    inputs = seed_inputs(model, program, 0, psi=0.7)
    with torch.inference_mode():
        exact = TorchRunner(program, batch=1, precision="f32", device="cpu").run(inputs).astype(int)
    fast = OpenVinoRunner(program, batch=1, precision="f32").run(inputs).astype(int)
    assert np.abs(exact - fast).max() <= 1


FOUND = {}


def loaded(file):
    model = load_model(file)
    FOUND[model.digest] = file
    return model


@pytest.mark.parametrize(
    ("resolution", "fused", "classes"), [(16, "auto", 0), (128, "auto", 3), (16, True, 0), (128, False, 0)]
)
def test_the_first_stylegan(tmp_path, resolution, fused, classes):
    top, parts = stylegan1_variables(resolution, classes=classes)
    file = tmp_path / "net.pkl"
    file.write_bytes(tensorflow("Gs", top, parts, fused_scale=fused, label_size=classes))
    model = loaded(file)
    assert (model.network.architecture, model.resolution) == ("stylegan1", resolution)
    z = normal("z", 3, 8)
    c = torch.eye(classes)[[0, 2, 1]] if classes else None
    w = torch.from_numpy(model.map(z.numpy(), None if c is None else c.numpy()))
    assert error(w, stylegan1_map(parts["mapping"], z, c)) <= TOLERANCE
    assert np.array_equal(model.w_avg, top["dlatent_avg"])
    ws = normal("ws", 3, model.num_ws, 10)
    starts = {"auto": 128, True: 8, False: 4096}[fused]
    wanted = stylegan1_draw(parts["synthesis"], ws, resolution, fused=starts)
    noise = {
        name: conv.noise_const[None, None]
        for name, conv in zip(model.network.names, model.network.convs, strict=True)
    }
    same_on_both(model.network, ws, noise, wanted)
    survives_conversion(model, tmp_path)


def test_a_growing_stylegan_is_refused(tmp_path):
    top, parts = stylegan1_variables(16)
    file = tmp_path / "net.pkl"
    file.write_bytes(tensorflow("Gs", {**top, "lod": np.float32(1.5)}, parts))
    with pytest.raises(ModelError, match="unfinished"):
        load_model(file)
    file.write_bytes(tensorflow("Gs", top, parts, use_pixel_norm=True))
    with pytest.raises(ModelError, match="use_pixel_norm True"):
        load_model(file)


def test_stylegan_xl(tmp_path):
    known = read_checkpoint(FILES / "sg3t64.pkl")
    config, arrays = known.config, dict(known.tensors)
    classes, width = 5, 7
    dense = normal("fc0", config.w_dim, 2 * config.z_dim).numpy() * 100
    project = {"weight": normal("proj", config.z_dim, width), "bias": normal("bias", config.z_dim)}
    arrays |= {
        "mapping.fc0.weight": dense,
        "mapping.w_avg": normal("centres", classes, config.w_dim).numpy(),
        "mapping.embed.weight": normal("embed", 9, width).numpy(),  # of more classes than it was trained for
        **{f"mapping.embed_proj.{name}": each.numpy() for name, each in project.items()},
    }
    file = tmp_path / "xl.pkl"
    file.write_bytes(stylegan3(config, arrays))
    model = load_model(file)
    assert (model.c_dim, model.network.architecture) == (classes, "stylegan3-t")
    z, chosen = normal("z", 3, config.z_dim), [4, 0, 2]
    embedded = torch.from_numpy(arrays["mapping.embed.weight"][chosen])
    y = F.leaky_relu(embedded @ project["weight"].T * width**-0.5 + project["bias"], 0.2) * 2**0.5
    x = torch.cat((normalised(z), normalised(y)), dim=1)
    for k in range(config.mapping_layers):
        weight, bias = (torch.from_numpy(arrays[f"mapping.fc{k}.{part}"]) for part in ("weight", "bias"))
        x = F.leaky_relu(x @ weight.T * (0.01 * weight.shape[1] ** -0.5) + bias * 0.01, 0.2) * 2**0.5
    w = torch.from_numpy(model.map(z.numpy(), np.eye(classes, dtype=np.float32)[chosen]))
    assert error(w, x) <= TOLERANCE
    assert np.allclose(model.w_avg, arrays["mapping.w_avg"].mean(axis=0), atol=1e-6)
    assert isinstance(model.network, StyleGAN3)
    with torch.inference_mode():
        ws = w[:, None].expand(-1, model.num_ws, -1)
        assert torch.equal(model.network(ws), load_model(FILES / "sg3t64.pkl").network(ws))


@pytest.mark.parametrize(("resolution", "classes"), [(64, 0), (128, 3)])
def test_fastgan(tmp_path, resolution, classes):
    torch.manual_seed(0)
    z_dim = 6
    DRAWN.clear()
    known = FastganGenerator(z_dim, resolution, classes)
    known(normal("z", 4, z_dim), torch.eye(3)[[0, 1, 2, 0]] if classes else None)  # finds singular vectors
    known.eval()
    file = tmp_path / "net.pkl"
    file.write_bytes(pickled({"G": None, "D": None, "G_ema": known}))
    model = loaded(file)
    assert (model.network.architecture, model.resolution, model.num_ws) == ("fastgan", resolution, 1)
    z, c = normal("other", 3, z_dim), torch.eye(3)[[2, 0, 1]] if classes else None
    DRAWN.clear()
    with torch.inference_mode():
        wanted = known(z, c)
    noisy = [name for name, layer in model.network.layers.items() if layer.takes_noise]
    noise = dict(zip(noisy, DRAWN, strict=True))
    w = torch.from_numpy(model.map(z.numpy(), None if c is None else c.numpy()))
    same_on_both(model.network, w[:, None], noise, wanted)
    survives_conversion(model, tmp_path)


def test_an_unknown_fastgan_is_refused(tmp_path):
    torch.manual_seed(0)
    known = FastganGenerator(6, 64)
    known.synthesis.feat_8.append(nn.Tanh())
    file = tmp_path / "net.pkl"
    file.write_bytes(pickled({"G_ema": known.eval()}))
    with pytest.raises(ModelError, match="FastGAN with a Tanh"):
        load_model(file)


@pytest.mark.parametrize("classes", [0, 3])
def test_r3gan(tmp_path, classes):
    torch.manual_seed(0)
    known = R3ganGenerator(7, classes).eval()
    file = tmp_path / "net.pkl"
    file.write_bytes(pickled({"G_ema": known, "cur_nimg": 1000}))
    model = loaded(file)
    assert (model.network.architecture, model.resolution, model.c_dim) == ("r3gan", 16, classes)
    z, c = normal("z", 3, 7), torch.eye(3)[[2, 0, 1]] if classes else None
    with torch.inference_mode():
        wanted = known(z, c)
    w = torch.from_numpy(model.map(z.numpy(), None if c is None else c.numpy()))
    same_on_both(model.network, w[:, None], {}, wanted)
    survives_conversion(model, tmp_path)


def test_another_filter_is_refused(tmp_path):
    known = R3ganGenerator(7, 0).eval()
    known.Model.MainLayers[1].Layers[0].Resampler.Kernel += 0.1
    file = tmp_path / "net.pkl"
    file.write_bytes(pickled({"G_ema": known}))
    with pytest.raises(ModelError, match="filter"):
        load_model(file)


def test_weights_of_networks_without_styles_are_not_rewritten(tmp_path):
    file = tmp_path / "net.pkl"
    file.write_bytes(pickled({"G_ema": R3ganGenerator(7, 0).eval()}))
    with pytest.raises(ModelError, match="cannot be rewritten"):
        styled_convs(load_model(file).network)
