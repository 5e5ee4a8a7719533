"""Results stored on disk under the hash of everything they depend on.

A key names the content (a song's digest, a model's digest), what was computed from it, its version and its
parameters; so an entry is never stale, only unused. Entries are `.npz` files of plain arrays, written beside
their final name and renamed into place: a reader finds a whole entry or none. A damaged one is missing.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from clavilux.array_files import Arrays, load_arrays, save_arrays
from clavilux.arrays import AnyArray

__all__ = ["Arrays", "Store"]


@dataclass(frozen=True)
class Store:
    """A folder of results; without a folder nothing is stored."""

    folder: Path | None = None

    def fetch(self, key: str, compute: Callable[[], Mapping[str, AnyArray]]) -> Arrays:
        """Return the arrays stored under ``key``; compute and store them first where they are missing.

        A folder that cannot be written is no error: the result is simply not stored.

        >>> import numpy as np
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
        return load_arrays(path)
    except (OSError, ValueError):
        return None


def _write(path: Path, arrays: Arrays) -> None:
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        save_arrays(path, arrays, shared=True)
