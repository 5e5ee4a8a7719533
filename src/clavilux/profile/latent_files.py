"""Latents that other tools wrote: `.npy`, `.npz` and `.pt` files, read without executing anything.

A file holds latents w or random codes z, one (D,) or several (N, D), or latents for every layer (N, L, D); of
another number of layers than the model has they become their mean. What a file claims to hold is checked
before any of it is unpacked.
"""

import io
import math
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from clavilux.array_files import Arrays
from clavilux.arrays import F32, AnyArray
from clavilux.errors import FileError
from clavilux.files import read_small
from clavilux.generator.model import Model
from clavilux.patches.palette_source import Space

__all__ = ["MAX_LATENTS", "read_latents", "unpack_npz"]

MAX_LATENTS = 256
MAX_SIZE = 1e6
"""Latents are numbers of about 1; far beyond it, sums in single precision overflow."""
MAX_BYTES = 64_000_000
"""Of a file, and of what is packed in it."""
KEYS: Mapping[str, Space | None] = {"ws": "w", "w": "w", "latents": None, "z": "z", "zs": "z"}
"""Names under which tools keep latents, and what those are; without a space, what the patch says."""


def read_latents(path: Path, model: Model, space: Space = "w") -> F32:
    """Read the latents of a file for a model; (N, D), or (N, L, D) where they differ from layer to layer.

    Args:
        path: an `.npy` array, an `.npz` or a `.pt` with an array or a table of them.
        model: maps codes z to latents, and has the length that latents must have.
        space: what the numbers are, unless the file's own names say so: `w`, `ws`, `z` or `zs`.

    Raises:
        FileError: it cannot be read, or holds no latents of this model.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise FileError(
            f"'{path}' is no file of latents", where=str(path), hint="it ends in .npy, .npz or .pt"
        )
    content = read_small(path, "file of latents", MAX_BYTES)
    try:
        found = reader(content)
        name = _key(found, path)
        array = _real(found[name])
    except FileError:
        raise
    except Exception as error:
        raise FileError(f"The file of latents '{path}' cannot be read", where=str(path)) from error
    return _checked(array, path, model, KEYS.get(name) or space)


def unpack_npz(content: bytes) -> Arrays:
    """Read the arrays in the bytes of an `.npz`, as long as they are small.

    Raises:
        ValueError, KeyError, NotImplementedError, zipfile.BadZipFile: it is damaged, too large, or no `.npz`.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        members = packed.infolist()
        _check_size(members)
        # a member is never unpacked beyond the size that it claims
        return {info.filename.removesuffix(".npy"): _array(packed.read(info)) for info in members}


def _key(found: Mapping[str, object], path: Path) -> str:
    for name in KEYS:
        if name in found:
            return name
    if len(found) == 1:
        return next(iter(found))
    listed = ", ".join(sorted(found)[:10]) or "nothing"
    raise FileError(
        f"'{path}' holds no latents but {listed}", where=str(path), hint=f"call them {' or '.join(KEYS)}"
    )


@np.errstate(invalid="ignore", over="ignore")
def _checked(array: AnyArray, path: Path, model: Model, space: Space) -> F32:
    """Check that an array holds latents of this model, and return them; (N, D) or (N, L, D)."""
    length = model.w_dim if space == "w" else model.z_dim
    fits = array.ndim in {1, 2, 3} and array.shape[-1] == length and 0 not in array.shape
    if not fits or (space == "z" and array.ndim == 3):
        what = "latents" if space == "w" else "codes"
        raise FileError(
            f"'{path}' holds numbers of shape {tuple(array.shape)}, but {what} of {model.name} have length "
            f"{length}",
            where=str(path),
            value=tuple(array.shape),
            hint=f"make it of shape (N, {length})",
        )
    if array.ndim == 3 and (array.shape[1] != model.num_ws or (array == array[:, :1]).all()):
        array = array.astype(np.float64).mean(axis=1)  # (N, L, D)
    latents = np.atleast_2d(array)
    if len(latents) > MAX_LATENTS:
        raise FileError(
            f"'{path}' holds {len(latents)} latents",
            where=str(path),
            value=len(latents),
            hint=f"a palette has at most {MAX_LATENTS}",
        )
    if not (np.abs(latents) < MAX_SIZE).all():  # false for NaN too
        raise FileError(f"'{path}' holds numbers that are not finite, or huge", where=str(path))
    latents = latents.astype(np.float32)
    return model.map(latents) if space == "z" else latents


def _npy(content: bytes) -> Mapping[str, object]:
    return {"array": _array(content)}


def _pt(content: bytes) -> Mapping[str, object]:
    import torch

    stream = io.BytesIO(content)
    if zipfile.is_zipfile(stream):
        with zipfile.ZipFile(stream) as packed:
            _check_size(packed.infolist())
    stream.seek(0)
    loaded = torch.load(stream, map_location="cpu", weights_only=True)
    found = loaded if isinstance(loaded, Mapping) else {"array": loaded}
    return {str(name): each for name, each in found.items() if isinstance(each, torch.Tensor)}


READERS: Mapping[str, Callable[[bytes], Mapping[str, object]]] = {
    ".npy": _npy,
    ".npz": unpack_npz,
    ".pt": _pt,
    ".pth": _pt,
}


def _check_size(members: Iterable[zipfile.ZipInfo]) -> None:
    if sum(info.file_size for info in members) > MAX_BYTES:
        raise ValueError("too large")


def _array(content: bytes) -> AnyArray:
    """Read a `.npy` whose header agrees with its size."""
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, in_columns, dtype = read(file)
    count = math.prod(shape)
    if dtype.kind not in "fiuU" or count * dtype.itemsize != len(content) - file.tell():
        raise ValueError(f"{dtype} {shape}")
    values = np.frombuffer(content, dtype, count, file.tell())
    return values.reshape(shape, order="F" if in_columns else "C")


def _real(found: Any) -> AnyArray:
    """Return an array or a tensor as an array of real numbers.

    Raises:
        ValueError: it has others, or a tensor is larger than what is stored of it.
    """
    if isinstance(found, np.ndarray):
        if found.dtype.kind not in "fiu":
            raise ValueError(str(found.dtype))
        return found
    if found.is_complex() or found.numel() * 4 > MAX_BYTES:  # strides of 0 repeat what is stored
        raise ValueError("no small array of real numbers")
    array: AnyArray = found.detach().float().numpy()
    return array
