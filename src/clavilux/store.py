"""Results stored on disk under the hash of everything they depend on.

A key names the content (a song's digest, a model's digest), what was computed from it, its version and its
parameters; so an entry is never stale, only unused. Entries are `.npz` files of plain arrays, written beside
their final name and renamed into place: a reader finds a whole entry or none. A damaged one is missing.
"""

import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from clavilux.arrays import AnyArray
from clavilux.files import atomic

__all__ = ["Arrays", "Store"]

Arrays = dict[str, AnyArray]


@dataclass(frozen=True)
class Store:
    """A folder of results; without a folder nothing is stored."""

    folder: Path | None = None

    def fetch(self, key: str, compute: Callable[[], Mapping[str, AnyArray]]) -> Arrays:
        """Return the arrays stored under ``key``; compute and store them first where they are missing.

        A folder that cannot be written is no error: the result is simply not stored.

        >>> Store().fetch("song/rms", lambda: {"rms": np.zeros(3)})["rms"].shape
        (3,)
        """
        if self.folder is None:
            return dict(compute())
        path = self.folder / f"{blake2b(key.encode(), digest_size=16).hexdigest()}.npz"
        stored = _read(path)
        if stored is None:
            stored = dict(compute())
            _write(path, stored)
        return stored


def _read(path: Path) -> Arrays | None:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None


def _write(path: Path, arrays: Arrays) -> None:
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path, shared=True) as part, part.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
