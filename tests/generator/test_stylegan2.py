"""The network equals the published implementation's images, and the papers' plain form."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from clavilux import seeds
from clavilux.errors import ModelError
from clavilux.generator.layers import fir, phases, styled_conv, upsample2x, upsample_colours
from clavilux.generator.model import load_model
from clavilux.generator.stylegan2 import StyleGAN2
from clavilux.generator.stylegan2_config import StyleGAN2Config

REFERENCE = Path(__file__).parent / "data" / "silk-128-first.npz"
WEIGHTS = REFERENCE.with_suffix(".safetensors")


@pytest.fixture(scope="module")
def first():
    """The weights that the published implementation drew the reference with."""
    return load_model(WEIGHTS)


@pytest.fixture(scope="module")
def reference():
    with np.load(REFERENCE) as file:
        return {name: file[name] for name in file.files}


def error(found, wanted) -> float:
    return float(np.abs(found - wanted).max() / wanted.std())


def test_mapping_equals_the_published_implementation(first, reference):
    assert error(first.map(reference["z"]), reference["w"]) <= 1e-4


@pytest.mark.parametrize(("name", "amount"), [("image", 1.0), ("image_no_noise", 0.0)])
def test_images_equal_the_published_implementation(first, reference, name, amount):
    network = first.network
    ws = torch.from_numpy(reference["w"])[:, None].expand(-1, first.num_ws, -1)
    noise = {
        name: conv.noise_const[None, None] * amount
        for block in network.blocks
        for name, conv in zip(block.names, block.convs, strict=True)
    }
    with torch.inference_mode():
        assert error(network(ws, noise).numpy(), reference[name]) <= 1e-4


def plain_conv(x: Tensor, weight: Tensor, style: Tensor, *, up: bool, demodulate: bool) -> Tensor:
    """Give every sample its own weights and its own group (Karras et al. 2020, equations 1 and 3)."""
    batch, into, high, wide = x.shape
    own = weight[None] * style[:, None, :, None, None]
    if demodulate:
        own = own / (own.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).sqrt()
    kernel = own.shape[-1]
    if up:  # zeros between the samples, then the flipped kernel: the definition of a transposed convolution
        spread = torch.zeros(batch, into, 2 * high - 1, 2 * wide - 1)
        spread[:, :, ::2, ::2] = x
        x, own, pad = spread, own.flip(3, 4), kernel - 1
    else:
        pad = kernel // 2
    y = F.conv2d(
        x.reshape(1, -1, *x.shape[2:]), own.reshape(-1, into, kernel, kernel), padding=pad, groups=batch
    )
    y = y.reshape(batch, -1, *y.shape[2:])
    if up:
        y = filtered(F.pad(y, (1, 1, 1, 1)))
    return y


def filtered(y: Tensor) -> Tensor:
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
    for dim in (2, 3):
        size = y.shape[dim] - 3
        y = sum(tap * y.narrow(dim, k, size) for k, tap in enumerate(taps))
    return y


def plain_image(
    config: StyleGAN2Config, t: dict[str, Tensor], ws: Tensor, noise: list[Tensor], const: Tensor
) -> Tensor:
    x, image, index = const.expand(len(ws), -1, -1, -1), None, 0
    for r in config.resolutions:
        for name in ("conv0", "conv1") if r > 4 else ("conv1",):
            p = f"synthesis.b{r}.{name}"
            style = ws[:, index] @ t[f"{p}.affine.weight"].T / config.w_dim**0.5 + t[f"{p}.affine.bias"]
            x = plain_conv(x, t[f"{p}.weight"], style, up=name == "conv0", demodulate=True)
            x = x + noise[index] * t[f"{p}.noise_strength"] + t[f"{p}.bias"][:, None, None]
            x, index = torch.where(x < 0, 0.2 * x, x) * 2**0.5, index + 1
        p = f"synthesis.b{r}.torgb"
        style = ws[:, index] @ t[f"{p}.affine.weight"].T / config.w_dim**0.5 + t[f"{p}.affine.bias"]
        colour = plain_conv(x, t[f"{p}.weight"], style / x.shape[1] ** 0.5, up=False, demodulate=False)
        colour = colour + t[f"{p}.bias"][:, None, None]
        if image is not None:
            spread = torch.zeros(len(ws), 3, 2 * image.shape[2], 2 * image.shape[3])
            spread[:, :, ::2, ::2] = image
            colour = colour + filtered(F.pad(spread, (2, 1, 2, 1)))
        image = colour
    return image


@pytest.mark.parametrize(
    ("channels", "w_dim", "cells"),
    [((5,), 7, (4, 4)), ((6, 9, 3), 4, (4, 4)), ((12, 8, 5), 16, (5, 9)), ((3, 4, 2, 1), 6, (7, 4))],
)
def test_scale_conv_scale_equals_weights_per_sample(random_arrays, noise, channels, w_dim, cells):
    config = StyleGAN2Config(3, w_dim, 1, channels)
    tensors = {name: torch.from_numpy(array) for name, array in random_arrays(config, len(channels)).items()}
    network = StyleGAN2(config, tensors)
    ws = torch.from_numpy(seeds.normal(1, "ws", 0, (3, config.num_ws, w_dim)))
    const = torch.from_numpy(seeds.normal(2, "const", 0, (channels[0], *cells)))
    layers = noise(network, cells, 3)
    found = network(ws, layers, const=const).numpy()
    assert found.shape == (3, 3, cells[0] * config.resolution // 4, cells[1] * config.resolution // 4)
    assert error(found, plain_image(config, tensors, ws, [*layers.values()], const).numpy()) <= 1e-4


def test_stopping_early_returns_the_image_so_far(silk, noise):
    ws = torch.from_numpy(silk.w_avg)[None, None].expand(1, silk.num_ws, -1)
    layers = noise(silk.network, (4, 4), 1)
    needed = {name: maps for name, maps in layers.items() if silk.network.layers[name].resolution <= 32}
    with torch.inference_mode():
        small = silk.network(ws, needed, stop=32)
        assert small.shape == (1, 3, 32, 32)
        assert torch.equal(small, silk.network(ws, layers, stop=63))


def test_no_classes(silk):
    with pytest.raises(ModelError, match="classes"):
        silk.network.map(torch.zeros(1, silk.z_dim), torch.zeros(1, 3))


def test_every_layer_takes_its_noise_and_its_latent(small_model, noise):
    network = small_model.network
    ws = torch.from_numpy(seeds.normal(0, "ws", 0, (1, small_model.num_ws, small_model.w_dim)))
    layers = noise(network, (4, 4), 1)
    before = network(ws, layers)
    for name, maps in layers.items():
        assert not torch.equal(before, network(ws, layers | {name: maps + 1}))
    for k in range(small_model.num_ws):
        changed = ws.clone()
        changed[:, k] += 1
        assert not torch.equal(before, network(changed, layers))


def random(name, *shape):
    return torch.from_numpy(seeds.normal(0, name, 0, shape))


@pytest.mark.parametrize("noisy", [False, True])
def test_phases_double_as_a_convolution_and_its_filter_do(noisy):
    x, weight, style = random("x", 2, 5, 6, 7), random("weight", 4, 5, 3, 3), random("style", 2, 5)
    factors, noise = random("factors", 2, 4), random("noise", 2, 1, 12, 14) if noisy else None
    plain = styled_conv(x, weight, style, factors, up=True, noise=noise)
    merged = styled_conv(x, phases(weight), style, factors, up=True, in_phases=True, noise=noise)
    assert torch.allclose(merged, plain, atol=1e-4)


def test_doubling_fills_in_zeros_and_filters():
    image = random("image", 2, 3, 4, 5)
    spread = torch.zeros(2, 3, 9, 11)
    spread[:, :, 1::2, 1::2] = image
    for doubled in (upsample2x(image), upsample_colours(image)):
        assert torch.allclose(doubled, fir(spread), atol=1e-6)
