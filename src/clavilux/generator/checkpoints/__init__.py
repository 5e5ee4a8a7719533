"""Checkpoints of every format: one file reads each, this one recognises which it is.

Nothing in a file is ever executed: see `pickles`. Formats are recognised by content, not by name.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np

from clavilux.arrays import F32
from clavilux.errors import ModelError
from clavilux.generator.checkpoints.averages import with_mean_latent
from clavilux.generator.checkpoints.checkpoint import Card, Checkpoint
from clavilux.generator.checkpoints.discriminators import find_discriminator
from clavilux.generator.checkpoints.families import family_of
from clavilux.generator.checkpoints.found import Found, check_shapes, to_floats
from clavilux.generator.checkpoints.mapped import MappedFile, Views
from clavilux.generator.checkpoints.native import digest, read_native, read_native_card
from clavilux.generator.checkpoints.nvidia import GENERATORS, find_nvidia
from clavilux.generator.checkpoints.other_files import other_file
from clavilux.generator.checkpoints.persistence import PERSISTENT
from clavilux.generator.checkpoints.pickles import Record, StandIns, read_pickle
from clavilux.generator.checkpoints.refusal import FETCH_AGAIN, OTHERS, Refusal, explained, shown
from clavilux.generator.checkpoints.rosinality import find_rosinality, is_rosinality
from clavilux.generator.checkpoints.tensorflow import find_tensorflow, is_tensorflow
from clavilux.generator.checkpoints.torch_files import (
    LEGACY_MAGIC,
    is_inert,
    makers,
    read_torch_legacy,
    read_torch_zip,
)

__all__ = ["Card", "Checkpoint", "read_card", "read_checkpoint", "read_discriminator"]

START_BYTES = 256

OLD_PICKLE = re.compile(rb"[(\]}]|c[\w.]+\n[\w.]+\n")
"""How pickles of protocols 0 and 1 begin."""

NOT_WEIGHTS = {
    b"<": ("is a web page, perhaps a failed download", "fetch the file again"),
    b"version https://git-lfs": ("only points to a Git LFS file", "fetch the file itself"),
    b"\x1f\x8b": ("is compressed with gzip", "decompress it first"),
}
"""First bytes of files that are plainly something else: what they are, and what to do."""


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint, of whatever format it is.

    Args:
        path: the file; formats are recognised by content, not by name.

    Raises:
        ModelError: the file cannot be read, is of a format that is not supported, or is damaged.
    """
    start = _start(path)
    with explained(path):
        if _is_safetensors(start):
            return read_native(path)
        file = MappedFile(path)
        found, kind = _find(file.content, start, path.name)
        found = with_mean_latent(found)
        check_shapes(found.config, {name: array.shape for name, array in found.arrays.items()})
        tensors = Views(to_floats(found.arrays, file), file)
        card = Card(resolution=found.config.resolution, extra={"format": kind, **found.card})
        return Checkpoint(found.config.architecture, found.config, tensors, card, digest(tensors))


def read_card(path: Path) -> Card:
    """Read a checkpoint's card and resolution alone: of a native file its header, no array.

    Raises:
        ModelError: as `read_checkpoint`.
    """
    if not _is_safetensors(_start(path)):
        return read_checkpoint(path).card
    with explained(path):
        return read_native_card(path)


def read_discriminator(path: Path) -> dict[str, F32]:
    """Read the discriminator beside a generator, float32: its residual blocks by name, copies of the file's.

    Raises:
        ModelError: the file has none, or one of another layout than StyleGAN2's.
    """
    start = _start(path)
    with explained(path):
        if _is_safetensors(start):
            raise Refusal("has no discriminator")
        file = MappedFile(path)
        value, _ = _value(file.content, start, path.name)
        floats = to_floats(find_discriminator(value), file)
        return {name: np.array(array) for name, array in floats.items()}


def _find(content: memoryview, start: bytes, name: str) -> tuple[Found, str]:
    """Find the network in a file that is not native, and name the file's format."""
    value, is_of_torch = _value(content, start, name)
    return _of_torch(value) if is_of_torch else _of_pickle(value)


def _value(content: memoryview, start: bytes, name: str) -> tuple[Any, bool]:
    """Read what a file that is not native holds, and whether torch wrote the file."""
    if start[:2] == b"PK":
        return read_torch_zip(content), True
    if start[:1] == b"\x80" or OLD_PICKLE.match(start):
        value, _ = read_pickle(content, StandIns(makers(), is_inert))
        return (read_torch_legacy(content), True) if value == LEGACY_MAGIC else (value, False)
    if meaning := other_file(content, name):
        raise Refusal(meaning, OTHERS)
    raise Refusal("is not a checkpoint of any known format", OTHERS)


def _of_pickle(value: Any) -> tuple[Found, str]:
    if is_tensorflow(value):
        return find_tensorflow(value), "NVIDIA TensorFlow pickle"
    if isinstance(value, Record) and value.name == PERSISTENT:
        value = {"G_ema": value}
    if isinstance(value, dict) and any(isinstance(value.get(name), Record) for name in GENERATORS):
        return find_nvidia(value), "NVIDIA PyTorch pickle"
    return _of_torch(value)


def _of_torch(value: Any) -> tuple[Found, str]:
    if is_rosinality(value):
        return find_rosinality(value), "rosinality PyTorch checkpoint"
    if isinstance(value, dict) and any(isinstance(value.get(name), Record) for name in GENERATORS):
        return find_nvidia(value), "NVIDIA PyTorch modules"
    raise Refusal(*_unknown(value))


def _unknown(value: Any) -> tuple[str, str]:
    """Say what a pickle without a known network is."""
    if isinstance(value, dict):
        inside = next(
            (
                value[name]
                for name in ("state_dict", "model", "G_ema", "GAN", "params_ema")
                if isinstance(value.get(name), dict)
            ),
            value,
        )
        if family := family_of(inside):
            return f"is {family}, which cannot be drawn", OTHERS
        names = ", ".join(str(name)[:30] for name in list(value)[:4])
        return f"has no generator of a known layout: it has {names or 'nothing'}", OTHERS
    kind = f"of {shown(value.name)[1:-1]}" if isinstance(value, Record) else "without a generator"
    return f"is a pickle {kind}", OTHERS


def _is_safetensors(start: bytes) -> bool:
    return start[8:9] == b"{"  # eight bytes of length, then a JSON header


def _start(path: Path) -> bytes:
    """Read a file's first bytes, and refuse what is plainly no checkpoint."""
    where = str(path)
    try:
        if path.exists() and not path.is_file():
            raise ModelError(f"The model {path} cannot be read: it is not an ordinary file", where=where)
        with path.open("rb") as file:
            start = file.read(START_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        reason = getattr(error, "strerror", None) or error
        raise ModelError(f"The model {path} cannot be read: {reason}", where=where) from error
    if not start:
        raise ModelError(f"The model {path} is empty", where=where, hint=FETCH_AGAIN)
    for sign, (meaning, hint) in NOT_WEIGHTS.items():
        if not _is_safetensors(start) and start.lstrip().startswith(sign):
            raise ModelError(f"The model {path} {meaning}", where=where, hint=hint)
    return start
