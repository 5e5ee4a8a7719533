"""Results kept on disk under the hash of everything they depend on.

A key names the content (a song's digest, a model's digest), the maker and its version and parameters; so an
entry is never stale, only unused. Entries are `.npz` files of plain arrays, written beside their final name
and renamed into place: a reader sees a whole entry or none. A damaged entry counts as missing.
"""

import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clavilux.files import atomic

__all__ = ["Arrays", "Store"]

Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Store:
    """A folder of results; without a folder nothing is kept."""

    folder: Path | None = None

    def fetch(self, key: str, make: Callable[[], Mapping[str, NDArray[np.generic]]]) -> Arrays:
        """Return the arrays kept under ``key``, made and kept first where they are missing.

        A folder that cannot be written is no error: the result is simply not kept.

        >>> Store().fetch("song/rms", lambda: {"rms": np.zeros(3)})["rms"].shape
        (3,)
        """
        if self.folder is None:
            return dict(make())
        path = self.folder / f"{blake2b(key.encode(), digest_size=16).hexdigest()}.npz"
        kept = _read(path)
        if kept is None:
            kept = dict(make())
            _write(path, kept)
        return kept


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
