"""Named arrays in one `.npz` file, written whole and read without executing anything; and their hash."""

import zipfile
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

import numpy as np

from clavilux.arrays import AnyArray
from clavilux.files import atomic

__all__ = ["Arrays", "hash_of_arrays", "load_arrays", "save_arrays"]

Arrays = dict[str, AnyArray]


def save_arrays(path: Path, arrays: Mapping[str, AnyArray], *, shared: bool = False) -> None:
    """Write arrays to a file.

    Args:
        path: the file.
        arrays: by name.
        shared: other processes may write the same file now.

    Raises:
        OSError: from the system; `files.write_error` turns it into a sentence.
    """
    with atomic(path, shared=shared) as part, part.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def load_arrays(path: Path) -> Arrays:
    """Read what `save_arrays` wrote.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, or something else.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (EOFError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(str(error)) from error


def hash_of_arrays(arrays: Mapping[str, AnyArray]) -> str:
    """Hash names, types, shapes and values, whatever their order.

    >>> hash_of_arrays({"a": np.zeros(2)}) == hash_of_arrays({"a": np.zeros((2, 1))})
    False
    """
    whole = blake2b(digest_size=16)
    for name, array in sorted(arrays.items()):
        whole.update(f"{name} {array.dtype.str} {array.shape}".encode())
        whole.update(np.ascontiguousarray(array).data)
    return whole.hexdigest()
