"""Generators without styles in pickles of torch: FastGAN, of projected GANs, and R3GAN.

FastGAN's modules are numbered: upsampling, convolution, noise where there is any, normalisation, gate. Its
convolutions are spectrally normalised, which is done here, with its batch normalisation, once and for all.
"""

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from clavilux.arrays import AnyArray
from clavilux.generator.checkpoints.found import Found
from clavilux.generator.checkpoints.persistence import Module
from clavilux.generator.checkpoints.refusal import FETCH_AGAIN, Missing, Refusal
from clavilux.generator.fastgan_config import FastGANConfig
from clavilux.generator.r3gan_config import R3GANConfig

__all__ = ["find_fastgan", "find_r3gan"]

F64 = NDArray[np.float64]
CARD = {"w_avg": "the middle of all codes, as the network has no other"}
MAX_DEPTH = 2
"""Convolutions of a block of FastGAN; with more it is refused."""
UPSAMPLING = (1, 3, 3, 1)
"""The filter of R3GAN, up to a factor: [1, 2, 1] on pixels that are repeated."""


def find_fastgan(network: Module) -> Found:
    """Find a FastGAN generator.

    Raises:
        Refusal: it is incomplete, or of another layout.
    """
    synthesis = network["synthesis"]
    resolution = network.whole("img_resolution")
    sides = [8 << k for k in range(max(resolution.bit_length() - 3, 0)) if 8 << k <= resolution]
    init = synthesis["init"]["init"]
    first = _spectral(init["0"], axis=1)  # (Z, 2C, 4, 4)
    scale, shift = _batch_norm(init["1"])
    arrays: dict[str, AnyArray] = {
        "const.weight": _scaled(first.swapaxes(0, 1), scale).swapaxes(0, 1),
        "const.bias": shift,
    }
    channels, depths, noisy = [first.shape[1] // 2], [], []
    for side in sides:
        block = list(islice(_layers(synthesis[f"feat_{side}"]), MAX_DEPTH + 1))
        for k, layer in enumerate(block):
            arrays |= {f"b{side}.conv{k}.{name}": array for name, array in layer.items()}
        channels.append(block[0]["weight"].shape[0] // 2 if block else 0)
        depths.append(len(block))
        noisy.append(any("noise_strength" in layer for layer in block))
    if "embed" in synthesis.modules:
        arrays["embed.weight"] = synthesis["embed"].array("weight").T
    label = arrays.get("embed.weight", np.empty((0, 0)))
    config = FastGANConfig(
        first.shape[0], tuple(channels), label.shape[1], label.shape[0], tuple(depths), tuple(noisy)
    )
    for side in config.gates:
        gate = synthesis[f"se_{side}"]["main"]
        arrays |= {f"b{side}.squeeze": _spectral(gate["1"]), f"b{side}.excite": _spectral(gate["3"])}
    last = synthesis["to_big"]
    arrays |= {
        f"b{resolution}.torgb.weight": _spectral(last),
        f"b{resolution}.torgb.bias": last.array("bias"),
    }
    return Found(config, {name: array.astype(np.float32) for name, array in arrays.items()}, CARD)


def _layers(block: Module) -> Iterator[dict[str, AnyArray]]:
    """Return the arrays of each convolution of a block, with all that follows it."""
    if "conv" in block.modules or "conv1" in block.modules:  # with classes
        for end in ("",) if "conv" in block.modules else ("1", "2"):
            yield _conditional(block[f"conv{end}"], block[f"bn{end}"], block.modules.get("noise"))
        return
    kernel: F64 | None = None
    noise = np.zeros(0)
    for module in block.modules.values():
        if module.kind == "Conv2d":
            kernel, noise = _spectral(module), np.zeros(0)
        elif module.kind == "NoiseInjection":
            noise = np.asarray(module.array("weight"), np.float64).reshape(1)
        elif module.kind == "BatchNorm2d" and kernel is not None:
            scale, shift = _batch_norm(module)
            found = {"weight": _scaled(kernel, scale), "bias": shift}
            yield found | ({"noise_strength": scale * noise} if noise.size else {})
        elif module.kind not in {"Upsample", "GLU"}:
            raise Refusal(f"is a FastGAN with a {module.kind[:40]}, which is not supported")


def _conditional(conv: Module, norm: Module, noise: Module | None) -> dict[str, AnyArray]:
    """Return the arrays of a convolution whose normalised features are scaled and shifted by the class."""
    mean, variance = _columns(norm, "stored_mean", "stored_var")
    scale = (variance + norm.number("eps")) ** -0.5
    found: dict[str, AnyArray] = {
        "weight": _scaled(_spectral(conv), scale),
        "bias": -mean * scale,
    }
    if noise is not None:
        found["noise_strength"] = scale * np.asarray(noise.array("weight"), np.float64).reshape(1)
    for name, part in (("gain", "gain"), ("bias", "shift")):
        found |= {f"{part}.weight": _spectral(norm[name]), f"{part}.bias": norm[name].array("bias")}
    return found


def _spectral(module: Module, axis: int = 0) -> F64:
    """Return a weight divided by its largest singular value, u^T W v of the vectors that training kept.

    Miyato et al. 2018 (arXiv:1802.05957), equation 8; W has one row for each entry along the axis.
    """
    weight = np.asarray(module.array("weight_orig"), np.float64)
    u, v = _columns(module, "weight_u", "weight_v")
    rows = np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)
    normalised: F64 = weight / (u @ rows @ v)
    return normalised


def _batch_norm(module: Module) -> tuple[F64, F64]:
    """Return what batch normalisation multiplies by, and what it adds, in evaluation."""
    mean, variance, gain, bias = _columns(module, "running_mean", "running_var", "weight", "bias")
    scale = gain / np.sqrt(variance + module.number("eps"))
    return scale, bias - mean * scale


def _columns(module: Module, *names: str) -> list[F64]:
    """Return arrays that have a number for each channel."""
    columns = [np.asarray(module.array(name), np.float64) for name in names]
    if any(column.ndim != 1 for column in columns):
        raise Refusal(f"is damaged: its {module.kind[:40]} has not a number for each channel", FETCH_AGAIN)
    return columns


def _scaled(kernel: F64, scale: F64) -> F64:
    """Multiply the channels of a kernel (O, I, H, W)."""
    if len(kernel) != len(scale):
        raise Refusal("is damaged: a normalisation has other channels than its convolution", FETCH_AGAIN)
    return kernel * scale[:, None, None, None]


def find_r3gan(model: Module) -> Found:
    """Find an R3GAN generator.

    Raises:
        Refusal: it is incomplete, or of another layout.
    """
    stages = list(model["MainLayers"].modules.values())
    arrays: dict[str, AnyArray] = {}
    channels, blocks, widths, groups, kernel = [], [], [], [], 3
    for k, stage in enumerate(stages):
        first, *rest = stage["Layers"].modules.values()
        name = f"b{4 << k}"
        if k == 0:
            arrays |= {"b4.const": first.array("Basis"), "b4.linear": first["LinearLayer"].array("weight")}
            channels.append(arrays["b4.const"].shape[0])
        else:
            _check_upsampling(first["Resampler"].array("Kernel"))
            if "LinearLayer" in first.modules:
                arrays[f"{name}.transition"] = _kernel(first, "LinearLayer")
            transition = arrays.get(f"{name}.transition")
            channels.append(channels[-1] if transition is None else transition.shape[0])
        for j, block in enumerate(rest):
            parts = {f"conv{n}": _kernel(block, f"LinearLayer{n}") for n in (1, 2, 3)}
            parts |= {f"bias{n}": block[f"NonLinearity{n}"].array("Bias") for n in (1, 2)}
            arrays |= {f"{name}.block{j}.{part}": array for part, array in parts.items()}
        inside = arrays.get(f"{name}.block0.conv2", np.empty((1, 1, 3, 3)))
        blocks.append(len(rest))
        widths.append(inside.shape[0])
        groups.append(inside.shape[0] // max(inside.shape[1], 1))
        kernel = inside.shape[-1]
    if not stages:
        raise Missing("it has no layers")
    arrays[f"b{4 << len(stages) - 1}.torgb"] = _kernel(model, "AggregationLayer")
    if "EmbeddingLayer" in model.modules:
        arrays["embed.weight"] = model["EmbeddingLayer"].array("weight")
    label = arrays.get("embed.weight", np.empty((0, 0)))
    config = R3GANConfig(
        z_dim=arrays["b4.linear"].shape[1] - label.shape[0],
        channels=tuple(channels),
        c_dim=label.shape[1],
        embed_dim=label.shape[0],
        blocks=tuple(blocks),
        widths=tuple(widths),
        groups=tuple(groups),
        kernel=kernel,
    )
    return Found(config, arrays, CARD)


def _kernel(module: Module, name: str) -> AnyArray:
    return module[name]["Layer"].array("weight")


def _check_upsampling(kernel: AnyArray) -> None:
    taps = np.outer(UPSAMPLING, UPSAMPLING)
    if kernel.shape != taps.shape or not np.allclose(kernel, taps / taps.sum(), atol=1e-5):
        raise Refusal("resamples its features with a filter other than [1, 2, 1]")
