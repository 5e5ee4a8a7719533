"""The native checkpoint: safetensors with a card.

Arrays carry the published PyTorch names (see `stylegan2_config` and `stylegan3_config`). The card is the
file's metadata, strings by name: what the weights are, whose, from where, sizes that no shape shows, and a
digest of the arrays. Sizes are checked before any array is read.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, cast, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from clavilux.errors import ModelError
from clavilux.generator.checkpoints.checkpoint import Card, Checkpoint
from clavilux.generator.checkpoints.families import family_of
from clavilux.generator.checkpoints.found import Config, check_shapes, to_floats
from clavilux.generator.checkpoints.mapped import MappedFile, Views
from clavilux.generator.checkpoints.refusal import FETCH_AGAIN, Refusal, explained
from clavilux.generator.fastgan_config import FastGANConfig
from clavilux.generator.r3gan_config import R3GANConfig
from clavilux.generator.stylegan1_config import StyleGAN1Config
from clavilux.generator.stylegan2_config import ColourPath, StyleGAN2Config
from clavilux.generator.stylegan3_config import StyleGAN3Config

__all__ = ["VERSION", "digest", "read_native", "read_native_card", "write_native"]

VERSION = "1"
FORMAT = "clavilux-generator"
CONFIGS: dict[str, Any] = {
    **{f"stylegan2-{colours}": StyleGAN2Config for colours in get_args(ColourPath)},
    "stylegan3-t": StyleGAN3Config,
    "stylegan3-r": StyleGAN3Config,
    "stylegan1": StyleGAN1Config,
    "fastgan": FastGANConfig,
    "r3gan": R3GANConfig,
}
"""Architectures that a file may have; sizes that shapes do not show are a line of the card, `config`."""

TYPES = {
    **{f"F{bits}": np.dtype(f"<f{bits // 8}") for bits in (16, 32, 64)},
    **{f"I{bits}": np.dtype(f"<i{bits // 8}") for bits in (8, 16, 32, 64)},
}
"""Types of numbers, as the format names them."""

MAX_HEADER_BYTES = 16 * 2**20

BLOCK = re.compile(r"synthesis\.b(\d{1,5})\.")
"""Names of the arrays of the block whose features have this side."""


def read_native_card(path: Path) -> Card:
    """Read a native checkpoint's card and resolution alone: its header, no array.

    Raises:
        ModelError: the file is not a native checkpoint.
    """
    metadata, names = _read_header(path)
    if "config" in metadata:
        resolution = _config_line(metadata).resolution
    else:
        resolution = max((int(name[1]) for name in map(BLOCK.match, names) if name), default=0)
    return Card.read(metadata, resolution=resolution, name=str(path))


def read_native(path: Path) -> Checkpoint:
    """Read a native checkpoint; every array becomes float32.

    Raises:
        ModelError: the file is damaged, of another kind, incomplete, or has numbers that are not finite.
    """
    card = read_native_card(path)
    try:
        with safe_open(path, framework="numpy") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            config = _config(path, card.extra, shapes)
            check_shapes(config, shapes)
    except (SafetensorError, OSError, TypeError, AttributeError) as error:
        raise Refusal(f"is damaged or cut short ({error})", FETCH_AGAIN) from error
    mapped = MappedFile(path)
    stored = _views(mapped.content)
    sha = card.extra.get("sha256", "")
    if sha != digest(Views(stored, mapped)):
        raise Refusal("is damaged: its weights are not those its card describes", FETCH_AGAIN)
    return Checkpoint(config.architecture, config, Views(to_floats(stored, mapped), mapped), card, sha)


def write_native(
    path: Path,
    arrays: Mapping[str, NDArray[np.floating]],
    card: Mapping[str, str],
    *,
    config: Config | None = None,
) -> None:
    """Write a native checkpoint; the digest and the format are added to the card.

    Args:
        path: the file to write.
        arrays: everything `shapes()` of the config names, in any float type.
        card: what is known of the weights; values are single lines of text.
        config: the network's sizes; those of a StyleGAN2 are derived from the arrays and the card.

    Raises:
        ModelError: arrays are missing or misshapen.
    """
    shapes = {name: array.shape for name, array in arrays.items()}
    known = {"format": FORMAT, "format_version": VERSION}
    with explained(path):
        config = config or _of_shapes(shapes)
        check_shapes(config, shapes)
    stored = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
    lines = {**card, **known, "architecture": config.architecture, **_lines(config, card)}
    save_file(stored, path, metadata={**lines, "sha256": digest(stored)})


def digest(arrays: Mapping[str, NDArray[np.generic]]) -> str:
    """Hash arrays with their names, types and shapes, in the order of their names.

    >>> digest({"a": np.zeros(2)}) == digest({"a": np.zeros(2, np.float32)})
    False
    """
    whole = sha256()
    for name in sorted(arrays):
        array = arrays[name]
        whole.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        whole.update(array.tobytes())
    return whole.hexdigest()


def _views(content: memoryview) -> dict[str, NDArray[Any]]:
    """View the arrays of a file whose header has been checked."""
    begin = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(bytes(content[8:begin]))
    views = {}
    for name, entry in header.items():
        if name != "__metadata__":
            first, last = (begin + offset for offset in entry["data_offsets"])
            kind = TYPES.get(entry["dtype"])
            if kind is None:
                raise Refusal(f"has {name} as {entry['dtype']}", "weights must be float16, 32 or 64")
            views[name] = np.frombuffer(content[first:last], kind).reshape(entry["shape"])
    return views


def _lines(config: Config, card: Mapping[str, str]) -> dict[str, str]:
    """Return the sizes that no shape shows, as lines of a card."""
    if not isinstance(config, StyleGAN2Config):
        return {"config": msgspec.json.encode(config).decode()}
    lines = {} if config.clamp is None else {"clamp": repr(config.clamp)}
    if config.lr_multiplier != StyleGAN2Config.lr_multiplier and "mapping_lr_multiplier" not in card:
        lines["mapping_lr_multiplier"] = repr(config.lr_multiplier)
    return lines


def _read_header(path: Path) -> tuple[dict[str, str], list[str]]:
    """Return a file's metadata and the names of its arrays."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if not 2 <= size <= min(MAX_HEADER_BYTES, path.stat().st_size - 8):
                raise Refusal(f"is damaged or cut short: its header claims {size} bytes", FETCH_AGAIN)
            found = json.loads(file.read(size))
    except Refusal:
        raise
    except OSError as error:
        raise Refusal(f"cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise Refusal("cannot be read: its header is damaged", FETCH_AGAIN) from error
    names = found if isinstance(found, dict) else {}
    return _check_metadata(names.pop("__metadata__", None), list(names)), list(names)


def _check_metadata(metadata: Any, names: list[str]) -> dict[str, str]:
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        if family := family_of(names):
            raise Refusal(f"is {family}, which is no StyleGAN", "give a StyleGAN checkpoint")
        hint = "only files that Clavilux has written are read"
        raise Refusal("is a safetensors file without a generator's card", hint)
    version, architecture = metadata.get("format_version"), metadata.get("architecture")
    if version != VERSION or architecture not in CONFIGS:
        hint = f"this version reads version {VERSION} of {', '.join(CONFIGS)}"
        raise Refusal(f"is of format version {version} and architecture {architecture}", hint)
    return {str(name): str(value) for name, value in metadata.items()}


def _config(path: Path, card: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]) -> Config:
    """Derive the sizes from the card, or from the few arrays that settle them."""
    if CONFIGS[card["architecture"]] is StyleGAN2Config:
        return _stylegan2(path, card, shapes)
    config = _config_line(card)
    if config.architecture != card["architecture"]:
        raise Refusal("is damaged: its card contradicts itself", FETCH_AGAIN)
    return config


def _config_line(card: Mapping[str, str]) -> Config:
    kind = CONFIGS[card["architecture"]]
    try:
        config: Config = msgspec.json.decode(card.get("config", ""), type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Refusal("is damaged: its card lacks the sizes of its layers", FETCH_AGAIN) from error
    if isinstance(config, StyleGAN3Config) and not config.filtered:
        raise Refusal("is damaged: its card has no layers", FETCH_AGAIN)
    return config


def _stylegan2(path: Path, card: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]) -> StyleGAN2Config:
    config = _of_shapes(shapes)
    colours = card.get("architecture", config.architecture).removeprefix("stylegan2-")
    return replace(
        config,
        colours=cast("ColourPath", colours),
        lr_multiplier=_number(path, card, "mapping_lr_multiplier", 1.0) or config.lr_multiplier,
        clamp=_number(path, card, "clamp", 1e9),
    )


def _of_shapes(shapes: Mapping[str, tuple[int, ...]]) -> StyleGAN2Config:
    config = StyleGAN2Config.of_shapes(shapes)
    if config is None:
        raise Refusal("is no StyleGAN2 network: its mapping or its 4 px block is missing")
    return config


def _number(path: Path, card: Mapping[str, str], name: str, largest: float) -> float | None:
    """Read a number of a card; None where it has none."""
    text = card.get(name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= largest:
        what = f"The card of {path} has no usable {name}, '{text}'"
        raise ModelError(what, where=str(path), value=text, hint=f"it is a number above 0 up to {largest:g}")
    return value
