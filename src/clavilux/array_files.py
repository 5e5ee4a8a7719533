"""Named arrays in one `.npz` file, written whole and read without executing anything; and their hash."""

import zipfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from clavilux.arrays import AnyArray
from clavilux.errors import ClaviluxError, FileError
from clavilux.files import atomic, write_error

__all__ = ["ArrayValue", "Arrays", "hash_of_arrays", "load_arrays", "save_arrays"]

Arrays = dict[str, AnyArray]


def save_arrays(
    path: Path, arrays: Mapping[str, AnyArray], *, shared: bool = False, replace: bool = True
) -> None:
    """Write arrays to a file.

    Args:
        path: the file.
        arrays: by name.
        shared: other processes may write the same file now.
        replace: whether a file of that name may be replaced.

    Raises:
        FileExistsError: there is a file of that name, and it may not be replaced.
        OSError: from the system; `files.write_error` turns it into a sentence.
    """
    with atomic(path, shared=shared, replace=replace) as part, part.open("wb") as file:
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


class ArrayValue(ABC):
    """A value of plain arrays: saved, loaded, and equal where its arrays are.

    Attributes:
        noun: what messages call it.
    """

    noun: ClassVar[str]

    @abstractmethod
    def arrays(self) -> Arrays:
        """Return everything as arrays by name."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Make the value of what `arrays` returned.

        Raises:
            ValueError, KeyError, TypeError, ClaviluxError: they are others.
        """

    @property
    def digest(self) -> str:
        """Hash of everything: values of one digest give the same numbers."""
        return hash_of_arrays(self.arrays())

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, ArrayValue) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def save(self, path: str | Path) -> None:
        """Write to an `.npz` file.

        Raises:
            OutputError: it cannot be written.
        """
        try:
            save_arrays(Path(path), self.arrays())
        except OSError as error:
            raise write_error(Path(path), error) from error

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote; nothing in it is executed.

        Raises:
            FileError: it is no such file, or damaged.
        """
        try:
            return cls.from_arrays(load_arrays(Path(path)))
        except (OSError, ValueError, KeyError, TypeError, ClaviluxError) as error:
            raise FileError(
                f"'{path}' holds no {cls.noun} that can be read", where=str(path), hint="make it again"
            ) from error
