"""NVIDIA's pickles of torch: StyleGAN2-ADA and StyleGAN3, and StyleGAN-XL.

Names, gains and their places are those of the published layout (Karras et al. 2020, arXiv:2006.06676; 2021,
arXiv:2106.12423), which are also the names of the native format.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from clavilux.arrays import AnyArray
from clavilux.generator.checkpoints.arrays import array_of
from clavilux.generator.checkpoints.found import Found
from clavilux.generator.checkpoints.persistence import Module, read_module
from clavilux.generator.checkpoints.plain import find_fastgan, find_r3gan
from clavilux.generator.checkpoints.refusal import FETCH_AGAIN, OTHERS, Missing, Refusal, laid_out, shown
from clavilux.generator.mapping_config import mapping_sizes
from clavilux.generator.stylegan2_config import StyleGAN2Config
from clavilux.generator.stylegan3_config import FilteredLayer, StyleGAN3Config

__all__ = ["FILTER", "find_nvidia"]

FILTER = (1, 3, 3, 1)
"""The resampling filter of StyleGAN2, up to a factor."""

EPSILON = 1e-8
MAX_EMBEDDED = 2**25
"""Numbers of all embedded classes; StyleGAN-XL has 64 for each of 1,000."""

GENERATORS = ("G_ema", "Gs", "G")


def find_nvidia(content: Mapping[Any, Any]) -> Found:
    """Find the generator in a pickled dictionary.

    Raises:
        Refusal: there is none, or one of another architecture.
    """
    value = next((content[name] for name in GENERATORS if content.get(name) is not None), None)
    network = read_module(value)
    if "Model" in network.modules:
        with laid_out("an R3GAN"):
            return find_r3gan(network["Model"])
    if not {"synthesis", "mapping"} <= network.modules.keys():
        raise Refusal(f"has a {network.kind[:60]} that is no StyleGAN", OTHERS)
    if "mlp" in network["mapping"].modules:
        raise Refusal("is a StyleGAN-T, which cannot be drawn: it takes text", OTHERS)
    for sign, family, find in (
        ("to_big", "a FastGAN", find_fastgan),
        ("input", "a StyleGAN3", _stylegan3),
        ("b4", "a StyleGAN2", _stylegan2),
    ):
        if sign in network["synthesis"].modules:
            with laid_out(family):
                return find(network)
    raise Refusal(f"has a {network.kind[:60]} of an architecture that is not known", OTHERS)


def _stylegan2(network: Module) -> Found:
    kept = re.compile(
        r"mapping\.(w_avg|(fc\d+|embed)\.(weight|bias))"
        r"|synthesis\.b\d+\.(const|skip\.weight|(conv\d|torgb)\.(weight|bias|noise_\w+|affine\.(weight|bias)))"
    )
    arrays: dict[str, AnyArray] = {}
    for name, array in network.named_arrays():
        if kept.fullmatch(name):
            arrays[name] = array
        elif name.endswith("resample_filter"):
            check_filter(array)
        else:
            raise Refusal(f"has {name[:80]}, which no StyleGAN2 has", OTHERS)
    arrays |= in_colour(arrays, r"synthesis\.b\d+\.torgb\.(weight|bias)")
    config = StyleGAN2Config.of_shapes({name: array.shape for name, array in arrays.items()})
    if config is None:
        raise Missing("its mapping or its 4 px block is missing")
    layers = [layer for block in network["synthesis"].modules.values() for layer in block.modules.values()]
    for layer in layers:
        activation = layer.values.get("activation", "lrelu")
        if not isinstance(activation, str) or activation not in {"lrelu", "linear"}:
            raise Refusal(f"has the activation {shown(activation)}", OTHERS)
    clamps = {_clamp(layer) for layer in layers if layer.kind in {"SynthesisLayer", "ToRGBLayer"}}
    if len(clamps) != 1:
        raise Refusal("has layers with different clamps", OTHERS)
    config = replace(config, lr_multiplier=_lr_multiplier(network["mapping"]), clamp=clamps.pop())
    if config.label == "embed" and config.c_dim and "mapping.embed.bias" not in arrays:
        raise Refusal("is damaged: its classes have no bias", FETCH_AGAIN)
    return Found(config, arrays)


def _stylegan3(network: Module) -> Found:
    mapping, synthesis, start = network["mapping"], network["synthesis"], network["synthesis"]["input"]
    names = [name for name in synthesis.modules if name != "input"]
    arrays = _mapping_arrays(mapping)
    arrays |= {f"synthesis.{name}": array for name, array in start.named_arrays("input.")}
    specs = []
    for k, name in enumerate(names):
        layer = synthesis[name]
        own = "torgb" if k == len(names) - 1 else f"L{k}"
        arrays |= {f"synthesis.{own}.{part}": array for part, array in layer.named_arrays()}
        specs.append(_filtered_layer(layer))
        if layer.values.get("is_torgb") is not (own == "torgb"):
            raise Refusal("is damaged: the last of its layers makes no colours", FETCH_AGAIN)
    arrays |= in_colour(arrays, r"synthesis\.torgb\.(weight|bias)")
    sides = _pair(start, "size")
    if len(set(sides)) != 1:
        raise Refusal("draws images that are not square", OTHERS)
    sizes = mapping_sizes({name: array.shape for name, array in arrays.items()})
    clamps = {_clamp(synthesis[name]) for name in names}
    if len(clamps) != 1 or sizes is None:
        raise Missing("its mapping is missing, or its layers have different clamps")
    config = StyleGAN3Config(
        **sizes,
        resolution=network.whole("img_resolution"),
        input_channels=start.array("phases").size,
        input_size=sides[0],
        input_rate=start.whole("sampling_rate"),
        bandwidth=start.number("bandwidth"),
        filtered=tuple(specs),
        lr_multiplier=_lr_multiplier(mapping),
        clamp=clamps.pop(),
        output_scale=synthesis.number("output_scale", 0.25),
    )
    several = mapping.arrays.get("w_avg") is not None and mapping.array("w_avg").ndim == 2
    return Found(config, arrays, {"w_avg": "the mean of its classes' own"} if several else {})


def _mapping_arrays(mapping: Module) -> dict[str, AnyArray]:
    """Return a mapping's arrays; what that of StyleGAN-XL does with a class is done here once and for all.

    A class is y = n(lrelu(P e)), of its embedding e, with n the normalisation (Sauer et al. 2022,
    arXiv:2202.00273); truncation is towards the mean of all classes.
    """
    own = {f"mapping.{name}": array for name, array in mapping.named_arrays()}
    if "embed" not in mapping.modules or mapping["embed"].kind != "Embedding":
        return own
    kept = {name: array for name, array in own.items() if not name.startswith("mapping.embed")}
    average = kept.get("mapping.w_avg")
    classes = mapping.whole("c_dim", 0) if average is None else len(average) if average.ndim == 2 else 0
    if not classes:  # the embeddings are idle
        return kept
    project = mapping["embed_proj"]
    known = np.asarray(mapping["embed"].array("weight")[:classes], np.float64)  # (c_dim, E)
    weight = np.asarray(project.array("weight"), np.float64)
    if known.ndim != 2 or weight.ndim != 2 or len(known) * len(weight) > MAX_EMBEDDED:
        raise Refusal("is damaged: its classes are not embedded", FETCH_AGAIN)
    y = known @ weight.T * weight.shape[1] ** -0.5 + project.array("bias")
    y = np.where(y < 0, 0.2 * y, y)
    y /= np.sqrt((y**2).mean(axis=1, keepdims=True) + EPSILON)
    return kept | {
        **({} if average is None else {"mapping.w_avg": average.mean(axis=0)}),
        "mapping.embed.weight": (y.T * classes**0.5).astype(np.float32),  # the layer divides by the root
        "mapping.embed.bias": np.zeros(y.shape[1], np.float32),
    }


def _filtered_layer(layer: Module) -> FilteredLayer:
    sizes = {*_pair(layer, "out_size")}
    padding = layer.values.get("padding")
    if not isinstance(padding, list) or len(padding) != 4 or len(sizes) != 1:
        raise Refusal("draws images that are not square", OTHERS)
    left, right, above, below = (int(number_of(each)) for each in padding)
    if (left, right) != (above, below):
        raise Refusal("draws images that are not square", OTHERS)
    taps = {name: layer.arrays.get(name) for name in ("up_filter", "down_filter")}
    return FilteredLayer(
        channels=3 if layer.values.get("is_torgb") else layer.whole("out_channels"),
        kernel=layer.whole("conv_kernel"),
        size=sizes.pop(),
        rate=layer.whole("out_sampling_rate"),
        up=layer.whole("up_factor"),
        down=layer.whole("down_factor"),
        padding=(left, right),
        up_taps=0 if taps["up_filter"] is None else layer.array("up_filter").shape[0],
        down_taps=0 if taps["down_filter"] is None else layer.array("down_filter").shape[0],
        radial=taps["down_filter"] is not None and layer.array("down_filter").ndim == 2,
    )


def number_of(value: Any) -> float:
    """Return a plain number, whatever type it was pickled as."""
    if not isinstance(value, int | float | np.generic):
        raise Refusal("is damaged: it has something else where a number should be", FETCH_AGAIN)
    return float(value)


def check_filter(array: AnyArray) -> None:
    """Check that features are resampled as all StyleGAN2 networks of note do it.

    Raises:
        Refusal: they are not.
    """
    if array.shape not in {(len(FILTER),), (len(FILTER),) * 2}:
        raise Refusal("resamples its features with a filter other than [1, 3, 3, 1]", OTHERS)
    taps = np.asarray(FILTER, np.float64)
    taps = taps / taps.sum()
    wanted = taps if array.ndim == 1 else np.outer(taps, taps)
    total = float(np.asarray(array, np.float64).sum()) or 1.0
    if not np.allclose(array / total, wanted, atol=1e-5):
        raise Refusal("resamples its features with a filter other than [1, 3, 3, 1]", OTHERS)


def in_colour(arrays: Mapping[str, AnyArray], names: str) -> dict[str, AnyArray]:
    """Return the arrays that make colours for three of them: grey is repeated, a fourth channel left out."""
    changed = {}
    for name, array in arrays.items():
        if re.fullmatch(names, name) and array.ndim and array.shape[0] in {1, 4}:
            grey = array.shape[0] == 1
            changed[name] = np.broadcast_to(array, (3, *array.shape[1:])) if grey else array[:3]
    return changed


def _pair(module: Module, name: str) -> tuple[int, int]:
    """Return a width and height, which may be one number for both."""
    values = np.broadcast_to(array_of(module.values.get(name)), (2,))
    return int(values[0]), int(values[1])


def _clamp(layer: Module) -> float | None:
    return None if layer.values.get("conv_clamp") is None else check_clamp(layer.number("conv_clamp"))


def check_clamp(clamp: float) -> float:
    """Return the largest feature of a network.

    Raises:
        Refusal: no feature could be that large.
    """
    if not 0 < clamp < math.inf:
        raise Refusal(f"is damaged: it clamps its features at {clamp}", FETCH_AGAIN)
    return clamp


def _lr_multiplier(mapping: Module) -> float:
    """Return the learning-rate multiplier, which is a layer's gain of the bias."""
    gains = set(_gains(mapping))
    if len(gains) != 1:
        raise Refusal("is damaged: its mapping has no learning rate", FETCH_AGAIN)
    return gains.pop()


def _gains(mapping: Module) -> Iterator[float]:
    for name, layer in mapping.modules.items():
        if name not in {"embed", "embed_proj"}:
            yield layer.number("bias_gain")
