"""Writes networks as other programs pickle them, from arrays of canonical names; for tests and benchmarks.

`pickled` writes stand-ins under the names of the classes and functions that they stand for, so that none of
those programs is needed.
"""

import io
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from clavilux.generator.stylegan2_config import StyleGAN2Config
from clavilux.generator.stylegan3_config import StyleGAN3Config

__all__ = [
    "Made",
    "Name",
    "module",
    "nested",
    "persistent",
    "pickled",
    "rosinality",
    "stylegan2_ada",
    "stylegan2_tensorflow",
    "stylegan3",
    "tensor",
    "tensorflow",
]

Arrays = Mapping[str, np.ndarray]

FILTER = np.float32([1, 3, 3, 1]) / 8


class Name:
    """A class or function of another program, by its module and name."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self) -> None:
        """Be callable, as pickle wants it of what it calls."""


class Made:
    """What a pickle makes by calling something, with a state that is set afterwards."""

    def __init__(self, called: Name, arguments: tuple[Any, ...] = (), state: Any = None) -> None:
        self.called, self.arguments, self.state = called, arguments, state

    def __reduce__(self) -> tuple[Any, ...]:
        return (self.called, self.arguments, self.state)[: 2 if self.state is None else 3]


class _Pickler(pickle._Pickler):  # the one whose writing of names can be changed
    def save(self, obj: Any, save_persistent_id: bool = True) -> None:  # as it is
        name = obj if isinstance(obj, Name) else getattr(obj, "pickled_as", None)
        if isinstance(name, Name) and (isinstance(obj, type) or obj is name):
            self.write(pickle.GLOBAL + f"{name.module}\n{name.name}\n".encode())
        else:
            super().save(obj, save_persistent_id)


def pickled(value: Any, protocol: int = 4) -> bytes:
    """Pickle a value; classes that have a `pickled_as` are written under that name."""
    out = io.BytesIO()
    _Pickler(out, protocol).dump(value)
    return out.getvalue()


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array).reshape(array.shape))


def module_state(arrays: Arrays, modules: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a module of torch keeps; arrays whose names are those of buffers are buffers."""
    buffers = ("w_avg", "noise_const", "resample_filter", "magnitude_ema", "transform", "freqs", "phases")
    is_buffer = {name: name in buffers or name.endswith("_filter") for name in arrays}
    hooks = {f"_{name}_hooks": OrderedDict() for name in ("forward", "backward", "forward_pre", "state_dict")}
    return {
        "training": False,
        **hooks,
        "_parameters": OrderedDict(
            (name, torch.nn.Parameter(tensor(array), requires_grad=False))
            for name, array in arrays.items()
            if not is_buffer[name]
        ),
        "_buffers": OrderedDict((name, tensor(array)) for name, array in arrays.items() if is_buffer[name]),
        "_modules": OrderedDict(modules),
        **values,
    }


def persistent(
    kind: str, arrays: Arrays | None = None, modules: Mapping[str, Any] | None = None, **values: Any
) -> Made:
    """Make a module as NVIDIA's programs do: its class's name and source beside its state."""
    meta = {"type": "class", "version": 6, "module_src": "raise SystemExit", "class_name": kind}
    meta["state"] = module_state(arrays or {}, modules or {}, values)
    return Made(Name("torch_utils.persistence", "_reconstruct_persistent_obj"), (meta,))


def module(
    name: str, arrays: Arrays | None = None, modules: Mapping[str, Any] | None = None, **values: Any
) -> Made:
    """Make a module of a class that is named with its place."""
    place, _, own = name.rpartition(".")
    return Made(Name(place, own), (), module_state(arrays or {}, modules or {}, values))


def nested(arrays: Arrays, make: Callable[..., Any], values: Callable[[str], dict[str, Any]]) -> Any:
    """Make modules within modules of arrays whose names are paths.

    Args:
        arrays: by path.
        make: makes a module, as `persistent` does.
        values: returns the plain attributes of the module at a path, and its `kind`.
    """

    def of(path: str, below: Arrays) -> Any:
        own = {name: array for name, array in below.items() if "." not in name}
        inside: dict[str, dict[str, np.ndarray]] = {}
        for name, array in below.items():
            first, dot, rest = name.partition(".")
            if dot:
                inside.setdefault(first, {})[rest] = array
        modules = {name: of(f"{path}.{name}".lstrip("."), parts) for name, parts in inside.items()}
        return make(arrays=own, modules=modules, **values(path))

    return of("", arrays)


def stylegan2_ada(config: StyleGAN2Config, arrays: Arrays) -> bytes:
    """Write a StyleGAN2 as NVIDIA's program of 2020 does."""
    filters = {
        f"{name.removesuffix('.weight')}.resample_filter": np.outer(FILTER, FILTER)
        for name in arrays
        if re.fullmatch(r"synthesis\.b\d+\.(conv0|conv1|torgb|skip)\.weight", name)
    }

    def values(path: str) -> dict[str, Any]:
        last = path.rpartition(".")[2]
        if last.startswith(("fc", "embed", "affine")):
            rate = config.lr_multiplier if last.startswith("fc") else 1.0
            return {"kind": "FullyConnectedLayer", "bias_gain": rate, "activation": "lrelu"}
        if last.startswith("conv"):
            return {"kind": "SynthesisLayer", "conv_clamp": config.clamp, "activation": "lrelu"}
        if last == "torgb":
            return {"kind": "ToRGBLayer", "conv_clamp": config.clamp}
        return {"kind": {"mapping": "MappingNetwork", "synthesis": "SynthesisNetwork"}.get(last, "Module")}

    return pickled({"G": None, "D": None, "G_ema": nested({**arrays, **filters}, persistent, values)})


def stylegan3(config: StyleGAN3Config, arrays: Arrays, *, c_dim: int = 0) -> bytes:
    """Write a StyleGAN3 as NVIDIA's program does, or StyleGAN-XL where `embed_proj` is in its mapping.

    Args:
        config: the network's sizes.
        arrays: by canonical name.
        c_dim: what a StyleGAN-XL says of its classes.
    """
    layers = dict(zip(config.names, config.filtered, strict=True))
    own = {name: f"L{k}_{layer.size}_{layer.channels}" for k, (name, layer) in enumerate(layers.items())}
    looked_up = "mapping.embed_proj.weight" in arrays

    def values(path: str) -> dict[str, Any]:
        last = path.rpartition(".")[2]
        layer = next((layers[name] for name in layers if path == f"synthesis.{own[name]}"), None)
        if layer is not None:
            low, high = layer.padding
            return {
                "kind": "SynthesisLayer",
                "is_torgb": layer is config.filtered[-1],
                "out_channels": layer.channels,
                "conv_kernel": layer.kernel,
                "out_size": np.array([layer.size] * 2),
                "out_sampling_rate": layer.rate,
                "up_factor": layer.up,
                "down_factor": layer.down,
                "padding": [low, high, low, high],
                "conv_clamp": config.clamp,
            }
        if path == "synthesis.input":
            size = np.array([config.input_size] * 2)
            rates = {"sampling_rate": float(config.input_rate), "bandwidth": config.bandwidth}
            return {"kind": "SynthesisInput", "size": size, **rates}
        if last == "embed" and looked_up:
            return {"kind": "Embedding"}
        if last.startswith(("fc", "embed", "affine")):
            return {
                "kind": "FullyConnectedLayer",
                "bias_gain": config.lr_multiplier if last.startswith("fc") else 1,
            }
        more = {
            "": {"img_resolution": config.resolution},
            "mapping": {"c_dim": c_dim},
            "synthesis": {"output_scale": config.output_scale},
        }
        return {"kind": path or "Generator", **more.get(path, {})}

    named = {
        name.replace(f"synthesis.{layer}.", f"synthesis.{file}."): array
        for name, array in arrays.items()
        for layer, file in (next((each for each in own.items() if f".{each[0]}." in name), ("-", "-")),)
    }
    return pickled({"G_ema": nested(named, persistent, values)})


def tensorflow(name: str, variables: Arrays, parts: Mapping[str, Arrays], **arguments: Any) -> bytes:
    """Write a network as NVIDIA's programs of TensorFlow do: three of them, of which the last is meant."""

    def network(name: str, variables: Arrays, components: Mapping[str, Any]) -> Made:
        about = {"version": 4, "name": name, "static_kwargs": arguments, "components": dict(components)}
        code = {"build_module_src": "raise SystemExit", "build_func_name": name}
        return Made(
            Name("dnnlib.tflib.network", "Network"),
            (),
            {**about, **code, "variables": list(variables.items())},
        )

    whole = network(name, variables, {part: network(part, own, {}) for part, own in parts.items()})
    return pickled((network("G", {}, {}), network("D", {}, {}), whole), 3)


TENSORFLOW_LAYERS = {"conv1": "Conv1", "conv0": "Conv0_up", "torgb": "ToRGB", "skip": "Skip"}
TENSORFLOW_PARTS = {"affine.weight": "mod_weight", "affine.bias": "mod_bias"}


def stylegan2_tensorflow(arrays: Arrays, embed: str = "LabelConcat", **arguments: Any) -> bytes:
    """Write a StyleGAN2 as NVIDIA's program of TensorFlow does, with its arguments."""
    mapping: dict[str, np.ndarray] = {}
    synthesis: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if found := re.fullmatch(r"mapping\.fc(\d+)\.(\w+)", name):
            mapping[f"Dense{found[1]}/{found[2]}"] = array.T
        elif name.startswith("mapping.embed"):
            mapping[f"{embed}/{name.rpartition('.')[2]}"] = array.T
        elif name == "synthesis.b4.const":
            synthesis["4x4/Const/const"] = array[None]
        elif found := re.fullmatch(r"synthesis\.b(\d+)\.(\w+)\.(.+)", name):
            side, layer, part = int(found[1]), found[2], found[3]
            own = "Conv" if (side, layer) == (4, "conv1") else TENSORFLOW_LAYERS[layer]
            if part == "noise_const":
                number = 2 * int(np.log2(side)) - (5 if layer == "conv0" else 4)
                synthesis[f"noise{number}"] = array[None, None]
            elif part == "weight":
                turned = array[:, :, ::-1, ::-1] if layer == "conv0" else array
                synthesis[f"{side}x{side}/{own}/weight"] = turned.transpose(2, 3, 1, 0)
            else:
                value = array.T if part == "affine.weight" else array - 1 if part == "affine.bias" else array
                synthesis[f"{side}x{side}/{own}/{TENSORFLOW_PARTS.get(part, part)}"] = value
    top = {"lod": np.float32(0)}
    if "mapping.w_avg" in arrays:
        top["dlatent_avg"] = arrays["mapping.w_avg"]
    return tensorflow("Gs", top, {"mapping": mapping, "synthesis": synthesis}, **arguments)


def rosinality(path: Path, arrays: Arrays, *, average: bool = True) -> None:
    """Write a StyleGAN2 as the PyTorch port does."""
    named: dict[str, torch.Tensor] = {}
    for name, array in arrays.items():
        if found := re.fullmatch(r"mapping\.fc(\d+)\.(\w+)", name):
            named[f"style.{int(found[1]) + 1}.{found[2]}"] = tensor(array)
        elif name == "synthesis.b4.const":
            named["input.input"] = tensor(array[None])
        elif found := re.fullmatch(r"synthesis\.b(\d+)\.(conv[01]|torgb)\.(.+)", name):
            named |= _ported(int(found[1]), found[2], found[3], array)
    content = {"g_ema": OrderedDict(named)}
    if average:
        content["latent_avg"] = tensor(arrays["mapping.w_avg"])
    torch.save(content, path)


def _ported(side: int, layer: str, part: str, array: np.ndarray) -> dict[str, torch.Tensor]:
    index = 2 * (side.bit_length() - 3) + (layer == "conv1") - 1  # the first block has no conv0
    if part == "noise_const":
        return {f"noises.noise_{index}": tensor(array[None, None])}
    if layer == "torgb":
        own = "to_rgb1" if side == 4 else f"to_rgbs.{side.bit_length() - 4}"
        parts = {"weight": array[None], "bias": array.reshape(1, -1, 1, 1)}
    else:
        own = "conv1" if index == 0 else f"convs.{index - 1}"
        parts = {"weight": array[None], "bias": array, "noise_strength": array.reshape(-1)}
    names = {"bias": "bias" if layer == "torgb" else "activate.bias", "noise_strength": "noise.weight"}
    names |= {"weight": "conv.weight"} | {
        f"affine.{each}": f"conv.modulation.{each}" for each in ("weight", "bias")
    }
    found = {f"{own}.{names[part]}": tensor(parts.get(part, array))}
    if part == "weight" and layer == "conv0":
        found[f"{own}.conv.blur.kernel"] = tensor(4 * np.outer(FILTER, FILTER))
    if part == "weight" and layer == "torgb" and side > 4:
        found[f"{own}.upsample.kernel"] = tensor(4 * np.outer(FILTER, FILTER))
    return found
