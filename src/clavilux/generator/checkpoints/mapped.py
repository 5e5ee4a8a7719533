"""Files mapped into memory: arrays are views of them, and what was read is given back to the system.

Reading a page of a mapped file takes memory until it is given back; a network's weights are read once, one
after the other, so no more than one array of the file needs to be in memory beside the network.
"""

import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path

from clavilux.arrays import F32

__all__ = ["MappedFile", "Views"]


class MappedFile:
    """A file as bytes in memory, which nobody writes to.

    Attributes:
        content: its bytes.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        self.content = memoryview(self._map)

    def release(self) -> None:
        """Give back the memory of all that was read; what is read again comes from the file."""
        if hasattr(self._map, "madvise") and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)


class Views(Mapping[str, F32]):
    """Arrays by name, most of them views of a file, of which one at a time takes memory."""

    def __init__(self, arrays: Mapping[str, F32], file: MappedFile) -> None:
        self._arrays, self._file = arrays, file

    def __getitem__(self, name: str) -> F32:
        """Return an array, and give back what those before it took."""
        self._file.release()
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)
