"""The native checkpoint: safetensors with a card.

Arrays carry the published PyTorch names (see `stylegan2_config`). The card is the file's metadata, strings by
name: what the weights are, whose, from where, and a digest of the arrays. Sizes are checked before any array
is read.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from clavilux.arrays import F32
from clavilux.errors import ModelError
from clavilux.generator.checkpoints.checkpoint import Card, Checkpoint
from clavilux.generator.stylegan2_config import StyleGAN2Config

__all__ = ["VERSION", "digest", "read_native", "read_native_card", "write_native"]

VERSION = "1"
FORMAT = "clavilux-generator"
ARCHITECTURE = "stylegan2-skip"

MAX_HEADER_BYTES = 16 * 2**20

MAX_WIDTH = 8192
"""Most channels, latent numbers or pixels along a side that a network may claim."""

BLOCK = re.compile(r"synthesis\.b(\d{1,5})\.")
"""Names of the arrays of the block whose features have this side."""

FETCH_AGAIN = "fetch it again"


def read_native_card(path: Path) -> Card:
    """Read a native checkpoint's card and resolution alone: its header, no array.

    Raises:
        ModelError: the file is not a native checkpoint.
    """
    metadata, names = _read_header(path)
    sides = [int(name[1]) for name in map(BLOCK.match, names) if name]
    return Card.read(metadata, resolution=max(sides, default=0), name=str(path))


def read_native(path: Path) -> Checkpoint:
    """Read a native checkpoint; every array becomes float32.

    Raises:
        ModelError: the file is damaged, of another kind, incomplete, or has numbers that are not finite.
    """
    card = read_native_card(path)
    try:
        with safe_open(path, framework="numpy") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            config = _check_shapes(path, shapes)
            stored = {name: file.get_tensor(name) for name in shapes}
    except (SafetensorError, OSError, TypeError, AttributeError) as error:
        raise _refusal(path, f"is damaged or cut short ({error})", FETCH_AGAIN) from error
    sha = card.extra.get("sha256", "")
    if sha != digest(stored):
        raise _refusal(path, "is damaged: its weights are not those its card describes", FETCH_AGAIN)
    config = replace(config, lr_multiplier=_lr_multiplier(path, card))
    tensors = {name: _floats(path, name, array) for name, array in stored.items()}
    return Checkpoint(ARCHITECTURE, config, tensors, card, sha)


def write_native(path: Path, arrays: Mapping[str, NDArray[np.floating]], card: Mapping[str, str]) -> None:
    """Write a native checkpoint; the digest and the format are added to the card.

    Args:
        path: the file to write.
        arrays: everything `StyleGAN2Config.shapes()` names, in any float type.
        card: what is known of the weights; values are single lines of text.

    Raises:
        ModelError: arrays are missing or misshapen.
    """
    _check_shapes(path, {name: array.shape for name, array in arrays.items()})
    stored = {name: array.copy(order="C") for name, array in arrays.items()}
    known = {"format": FORMAT, "format_version": VERSION, "architecture": ARCHITECTURE}
    save_file(stored, path, metadata={**card, **known, "sha256": digest(stored)})


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


def _read_header(path: Path) -> tuple[dict[str, str], list[str]]:
    """Return a file's metadata and the names of its arrays."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if not 2 <= size <= min(MAX_HEADER_BYTES, path.stat().st_size - 8):
                raise _refusal(path, f"is damaged or cut short: its header claims {size} bytes", FETCH_AGAIN)
            found = json.loads(file.read(size))
    except OSError as error:
        raise _refusal(path, f"cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise _refusal(path, "cannot be read: its header is damaged", FETCH_AGAIN) from error
    metadata = found.pop("__metadata__", None) if isinstance(found, dict) else None
    return _check_metadata(path, metadata), list(found)


def _check_metadata(path: Path, metadata: Any) -> dict[str, str]:
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        hint = "only files that Clavilux has written are read"
        raise _refusal(path, "is a safetensors file without a generator's card", hint)
    version, architecture = metadata.get("format_version"), metadata.get("architecture")
    if version != VERSION or architecture != ARCHITECTURE:
        hint = f"this version reads version {VERSION}, {ARCHITECTURE}"
        raise _refusal(path, f"is of format version {version} and architecture {architecture}", hint)
    return {str(name): str(value) for name, value in metadata.items()}


def _lr_multiplier(path: Path, card: Card) -> float:
    text = card.extra.get("mapping_lr_multiplier", str(StyleGAN2Config.lr_multiplier))
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        what = f"The card of {path} has no usable mapping_lr_multiplier, '{text}'"
        raise ModelError(what, where=str(path), value=text, hint="it is a number above 0 up to 1")
    return value


def _check_shapes(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> StyleGAN2Config:
    """Derive the config from the few arrays that settle it, then check every other one against it."""
    config = _derive_config(path, shapes)
    wanted = config.shapes()
    missing = sorted(wanted.keys() - shapes.keys())
    if missing:
        raise _refusal(path, f"lacks {len(missing)} of its arrays, among them {missing[0]}")
    unknown = sorted(shapes.keys() - wanted.keys())
    if unknown:
        raise _refusal(path, f"has arrays no StyleGAN2 skip network has, among them {unknown[0]}")
    for name, shape in wanted.items():
        if shapes[name] != shape:
            raise _refusal(path, f"has {name} of shape {shapes[name]} where {shape} is needed")
    return config


def _derive_config(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> StyleGAN2Config:
    layers = sum(re.fullmatch(r"mapping\.fc\d+\.weight", name) is not None for name in shapes)
    channels: list[int] = []
    while (bias := shapes.get(f"synthesis.b{4 << len(channels)}.conv1.bias")) is not None:
        channels.append(bias[0] if len(bias) == 1 else 0)
    first = shapes.get("mapping.fc0.weight", ())
    if len(first) != 2 or not channels:
        raise _refusal(path, "is no StyleGAN2 network: its mapping or its 4 px block is missing")
    config = StyleGAN2Config(first[1], first[0], layers, tuple(channels))
    sizes = (config.z_dim, config.w_dim, *channels)
    if not 1 <= min(sizes) <= max(config.resolution, *sizes) <= MAX_WIDTH:
        raise _refusal(path, f"has impossible sizes: {config}")
    return config


def _floats(path: Path, name: str, array: NDArray[np.generic]) -> F32:
    if array.dtype not in (np.float16, np.float32, np.float64):
        raise _refusal(path, f"has {name} as {array.dtype}", "weights must be float16, 32 or 64")
    floats = array.astype(np.float32)
    if not np.isfinite(floats).all():
        raise _refusal(path, f"has numbers in {name} that are not finite", "its training failed")
    return floats


def _refusal(path: Path, reason: str, hint: str = "") -> ModelError:
    return ModelError(f"The model {path} {reason}", where=str(path), hint=hint)
