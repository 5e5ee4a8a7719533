"""The native checkpoint: safetensors with a card.

Arrays carry the published PyTorch names (see `stylegan2`). The card is the file's metadata, strings by name:
what the weights are, whose, from where, and a digest of the arrays. Nothing in a file is ever executed, and
its sizes are checked before any array is read.
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from clavilux.errors import ModelError
from clavilux.generator.sizes import Sizes

__all__ = ["VERSION", "digest", "read_card", "read_native", "write_native"]

Floats = NDArray[np.float32]
Card = dict[str, str]

VERSION = "1"
FORMAT = "clavilux-generator"
HEADER_LIMIT = 16 * 2**20
WIDEST = 8192
BLOCK = re.compile(r"synthesis\.b(\d+)\.")
"""Arrays of the block whose pictures have this side."""
"""Most channels, latent numbers or pixels along a side that a network may claim."""

FOREIGN = {
    b"<": "it is a web page, perhaps a failed download; fetch the file again",
    b"\x80": "it is a Python pickle, which could run code; only native .safetensors files are read",
    b"PK": "it is a zip archive such as a PyTorch checkpoint; only native .safetensors files are read",
    b"version https://git-lfs": "it only points to a Git LFS file; fetch the file itself",
}


def read_card(path: Path) -> Card:
    """Read a checkpoint's card and the side of its pictures alone: its header, no array.

    Raises:
        ModelError: the file is not a native checkpoint.
    """
    try:
        with path.open("rb") as file:
            start = file.read(64)
            header = int.from_bytes(start[:8], "little")
            _check_start(path, start, header)
            file.seek(8)
            found = json.loads(file.read(header))
    except OSError as error:
        raise ModelError(f"The model {path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"The model {path} cannot be read: its header is damaged; fetch it again."
        ) from error
    card = _check_card(path, found.get("__metadata__") if isinstance(found, dict) else None)
    sides = [int(name[1]) for name in map(BLOCK.match, found) if name]
    return card | {"resolution": str(max(sides, default=0))}


def read_native(path: Path) -> tuple[Card, Sizes, dict[str, Floats]]:
    """Read a native checkpoint.

    Returns:
        Its card, the network's sizes, and every array as float32.

    Raises:
        ModelError: the file is damaged, of another kind, incomplete, or has numbers that are not finite.
    """
    card = read_card(path)
    try:
        with safe_open(path, framework="numpy") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            sizes = _check_shapes(path, shapes)
            stored = {name: file.get_tensor(name) for name in shapes}
    except (SafetensorError, OSError, TypeError, AttributeError) as error:
        raise ModelError(f"The model {path} is damaged or cut short ({error}); fetch it again.") from error
    if card.get("sha256") != digest(stored):
        raise ModelError(f"The model {path} is damaged: its weights are not those its card describes.")
    return card, sizes, {name: _floats(path, name, array) for name, array in stored.items()}


def write_native(path: Path, arrays: Mapping[str, NDArray[np.floating]], card: Mapping[str, str]) -> None:
    """Write a native checkpoint; the digest and the format are added to the card.

    Args:
        path: the file to write.
        arrays: everything `Sizes.shapes()` names, in any float type.
        card: what is known of the weights; values are single lines of text.

    Raises:
        ModelError: arrays are missing or misshapen.
    """
    _check_shapes(path, {name: array.shape for name, array in arrays.items()})
    stored = {name: array.copy(order="C") for name, array in arrays.items()}
    known = {"format": FORMAT, "format_version": VERSION, "architecture": "stylegan2-skip"}
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


def _check_start(path: Path, start: bytes, header: int) -> None:
    """Refuse what is plainly something else, before its bytes are taken for numbers."""
    if not start:
        raise ModelError(f"The model {path} is empty; fetch it again.")
    for sign, meaning in FOREIGN.items():
        if start.lstrip().startswith(sign) and start[8:9] != b"{":
            raise ModelError(f"The model {path} cannot be used: {meaning}.")
    if start[8:9] != b"{":
        raise ModelError(f"The model {path} is not a safetensors file.")
    if not 2 <= header <= min(HEADER_LIMIT, path.stat().st_size - 8):
        raise ModelError(f"The model {path} is damaged or cut short: its header claims {header} bytes.")


def _check_card(path: Path, card: object) -> Card:
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise ModelError(
            f"The model {path} is a safetensors file without a generator's card; only files that Clavilux "
            "has written are read."
        )
    if card.get("format_version") != VERSION or card.get("architecture") != "stylegan2-skip":
        raise ModelError(
            f"The model {path} is of format version {card.get('format_version')} and architecture "
            f"{card.get('architecture')}; this version reads version {VERSION}, stylegan2-skip."
        )
    return {str(name): str(value) for name, value in card.items()}


def _check_shapes(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Sizes:
    """Derive the sizes from the few arrays that settle them, then hold every other one against them."""
    sizes = _sizes(path, shapes)
    wanted = sizes.shapes()
    missing = sorted(wanted.keys() - shapes.keys())
    if missing:
        raise ModelError(f"The model {path} lacks {len(missing)} of its arrays, among them {missing[0]}.")
    unknown = sorted(shapes.keys() - wanted.keys())
    if unknown:
        raise ModelError(
            f"The model {path} has arrays no StyleGAN2 skip network has, among them {unknown[0]}."
        )
    for name, shape in wanted.items():
        if shapes[name] != shape:
            raise ModelError(f"The model {path} has {name} of shape {shapes[name]} where {shape} is needed.")
    return sizes


def _sizes(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Sizes:
    layers = sum(re.fullmatch(r"mapping\.fc\d+\.weight", name) is not None for name in shapes)
    channels: list[int] = []
    while (bias := shapes.get(f"synthesis.b{4 << len(channels)}.conv1.bias")) is not None:
        channels.append(bias[0] if len(bias) == 1 else 0)
    first = shapes.get("mapping.fc0.weight", ())
    if len(first) != 2 or not channels:
        raise ModelError(
            f"The model {path} is no StyleGAN2 network: its mapping or its 4 px block is missing."
        )
    sizes = Sizes(first[1], first[0], layers, tuple(channels))
    largest = max(sizes.z_dim, sizes.w_dim, sizes.resolution, *channels)
    if not 1 <= min(sizes.z_dim, sizes.w_dim, *channels) <= largest <= WIDEST:
        raise ModelError(f"The model {path} has impossible sizes: {sizes}.")
    return sizes


def _floats(path: Path, name: str, array: NDArray[np.generic]) -> Floats:
    if array.dtype not in (np.float16, np.float32, np.float64):
        raise ModelError(f"The model {path} has {name} as {array.dtype}; weights must be float16, 32 or 64.")
    floats = array.astype(np.float32)
    if not np.isfinite(floats).all():
        raise ModelError(f"The model {path} has numbers in {name} that are not finite; its training failed.")
    return floats
