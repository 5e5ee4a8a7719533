"""NVIDIA's pickles of TensorFlow: a tuple of networks, of which the last is the generator.

A network was pickled as a dictionary: its source code, which is never looked at, keyword arguments,
components and variables by name. Kernels are (H, W, I, O), dense weights (I, O); an upsampling kernel is
turned by half a circle, a style's bias lacks the 1 that it begins from.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clavilux.arrays import AnyArray
from clavilux.generator.checkpoints.arrays import array_of, check_shared, is_array
from clavilux.generator.checkpoints.found import Found
from clavilux.generator.checkpoints.nvidia import check_clamp, check_filter, in_colour
from clavilux.generator.checkpoints.pickles import Record
from clavilux.generator.checkpoints.refusal import FETCH_AGAIN, Refusal, shown
from clavilux.generator.checkpoints.tensorflow1 import STYLE_OF_2019, find_stylegan1
from clavilux.generator.stylegan2_config import StyleGAN2Config

__all__ = ["find_tensorflow", "is_tensorflow"]

NETWORK = "dnnlib.tflib.network.Network"
COMPONENTS = ("mapping", "synthesis")
LR_MULTIPLIER = 0.01
"""Of the mapping, unless the file names another."""


def is_tensorflow(content: Any) -> bool:
    """Return whether a pickle's value is one network of TensorFlow or several."""
    networks = content if isinstance(content, tuple | list) else (content,)
    return any(isinstance(each, Record) and each.name == NETWORK for each in networks)


def find_tensorflow(content: Any) -> Found:
    """Find the generator in a pickle of TensorFlow: the averaged one, which is the last.

    Raises:
        Refusal: there is none, or it is of another architecture.
    """
    networks = content if isinstance(content, tuple | list) else (content,)
    network = _read(networks[-1])
    synthesis, mapping = network.components.get("synthesis"), network.components.get("mapping")
    if synthesis is None or mapping is None:
        raise Refusal(f"has the network {network.name}, which is no StyleGAN")
    _check_arguments(network, synthesis, mapping)
    arrays = dict(_mapping(mapping.variables))
    if "dlatent_avg" in network.variables:
        arrays["mapping.w_avg"] = network.variables["dlatent_avg"]
    if STYLE_OF_2019 in synthesis.variables:
        grown = {"lod": network.variables["lod"]} if "lod" in network.variables else {}
        arguments = {**network.arguments, **synthesis.arguments, **mapping.arguments}
        return find_stylegan1(arrays, {**synthesis.variables, **grown}, arguments)
    arrays |= dict(_synthesis(synthesis.variables))
    arrays |= in_colour(arrays, r"synthesis\.b\d+\.torgb\.(weight|bias)")
    config = StyleGAN2Config.of_shapes({name: array.shape for name, array in arrays.items()})
    if config is None:
        raise Refusal("is damaged: its mapping or its 4 px block is missing", FETCH_AGAIN)
    arguments = {**network.arguments, **synthesis.arguments, **mapping.arguments}
    rate = float(array_of(arguments.get("mapping_lrmul", LR_MULTIPLIER)))
    clamp = arguments.get("conv_clamp")
    clamp = None if clamp is None else check_clamp(float(array_of(clamp)))
    return Found(replace(config, lr_multiplier=rate, clamp=clamp), arrays)


@dataclass(frozen=True, eq=False)
class _Network:
    name: str
    arguments: Mapping[str, Any]
    variables: Mapping[str, AnyArray]
    components: Mapping[str, "_Network"]


def _read(value: Any, depth: int = 0) -> _Network:
    state = value.state if isinstance(value, Record) and value.name == NETWORK else None
    if not isinstance(state, dict) or depth > 3:
        raise Refusal("is damaged: it has something else where a network should be", FETCH_AGAIN)
    pairs = state.get("variables", [])
    components = state.get("components", {})
    arguments = state.get("static_kwargs", {})
    if not isinstance(pairs, list) or not isinstance(components, dict) or not isinstance(arguments, dict):
        raise Refusal("is damaged: a network has no variables", FETCH_AGAIN)
    check_shared(array for _, array in pairs)
    return _Network(
        shown(state.get("name", "")),
        arguments,
        {
            name: array_of(array)
            for name, array in pairs
            if isinstance(name, str) and (is_array(array) or np.isscalar(array))
        },
        {name: _read(components[name], depth + 1) for name in COMPONENTS if name in components},
    )


def _check_arguments(*networks: _Network) -> None:
    """Check what arrays do not show, and what they could not be drawn with."""
    arguments = {key: value for network in networks for key, value in network.arguments.items()}
    for name, wanted in (
        ("nonlinearity", "lrelu"),
        ("mapping_nonlinearity", "lrelu"),
        ("normalize_latents", True),
    ):
        if arguments.get(name, wanted) != wanted:
            raise Refusal(f"was trained with {name} {shown(arguments[name])}, which is not supported")
    if (taps := arguments.get("resample_kernel")) is not None:
        check_filter(np.asarray(array_of(taps) if is_array(taps) else taps, np.float64))


def _mapping(variables: Mapping[str, AnyArray]) -> Iterator[tuple[str, AnyArray]]:
    for name, array in variables.items():
        if found := re.fullmatch(r"Dense(\d{1,3})/(weight|bias)", name):
            yield f"mapping.fc{found[1]}.{found[2]}", array.T
        elif name in {"LabelConcat/weight", "LabelEmbed/weight"}:
            yield "mapping.embed.weight", array.T
        elif name == "LabelEmbed/bias":
            yield "mapping.embed.bias", array
        else:
            raise Refusal(f"has {name[:80]}, which no mapping of a StyleGAN2 has")


LAYERS = {"Conv": "conv1", "Conv0_up": "conv0", "Conv1": "conv1", "ToRGB": "torgb", "Skip": "skip"}
PARTS = {"bias": "bias", "noise_strength": "noise_strength", "mod_bias": "affine.bias"}


def _synthesis(variables: Mapping[str, AnyArray]) -> Iterator[tuple[str, AnyArray]]:
    for name, array in variables.items():
        if name == "lod":  # how far training had grown the image; no part of drawing
            continue
        if name == "4x4/Const/const":
            yield "synthesis.b4.const", array[0]
        elif found := re.fullmatch(r"noise(\d{1,2})", name):
            index = int(found[1])
            yield f"synthesis.b{4 << (index + 1) // 2}.conv{(index + 1) % 2}.noise_const", array[0, 0]
        elif (found := re.fullmatch(r"(\d{1,5})x\1/(\w+)/(\w+)", name)) and found[2] in LAYERS:
            own = f"synthesis.b{found[1]}.{LAYERS[found[2]]}"
            if found[3] == "weight":
                kernel = array.transpose(3, 2, 0, 1)  # (H, W, I, O) to (O, I, H, W)
                yield f"{own}.weight", kernel[:, :, ::-1, ::-1] if found[2] == "Conv0_up" else kernel
            elif found[3] == "mod_weight":
                yield f"{own}.affine.weight", array.T
            elif found[3] in PARTS:
                yield f"{own}.{PARTS[found[3]]}", array + 1 if found[3] == "mod_bias" else array
            else:
                raise Refusal(f"has {name[:80]}, which no StyleGAN2 has")
        else:
            raise Refusal(f"has {name[:80]}, which no StyleGAN2 has")
