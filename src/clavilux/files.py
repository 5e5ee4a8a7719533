"""Files written whole: under a name there is the old file or the new one, never half of it.

Everything that lasts goes through `atomic`: it is written beside its final name, seen onto the disk (fsync)
and renamed into place, and the rename is made durable too. What cannot be written is one `OutputError`.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from tempfile import NamedTemporaryFile

from clavilux.errors import OutputError

__all__ = ["atomic", "hash_of", "part_of", "put_in_place", "remove", "sync", "write_atomic", "write_error"]

MAX_NAME_BYTES = 255
"""Longest name that the usual file systems hold."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def part_of(path: Path) -> Path:
    """Name the file that is written in place of `path` until it is whole.

    >>> part_of(Path("videos/song.mp4")).name
    'song.mp4.part'
    """
    name = f"{path.name}.part"
    if len(os.fsencode(name)) > MAX_NAME_BYTES:
        name = f"{blake2b(os.fsencode(path.name), digest_size=8).hexdigest()}.part"
    return path.with_name(name)


@contextmanager
def atomic(path: Path, *, shared: bool = False) -> Iterator[Path]:
    """Yield the path to write to; put the file in place when the block ends, remove it when the block fails.

    Args:
        path: the file's final name.
        shared: other processes may write the same file now; each then writes to a name of its own.

    Raises:
        OSError: from the system; `write_error` turns it into a sentence.
    """
    part = _own_part(path) if shared else part_of(path)
    try:
        yield part
        put_in_place(part, path)
    except BaseException:
        remove(part)
        raise


def put_in_place(part: Path, path: Path) -> None:
    """See a finished file onto the disk, and rename it to its final name for good.

    Raises:
        OSError: as the system reports.
    """
    sync(part)
    part.replace(path)
    _sync_folder(path.parent)


def write_atomic(path: Path, data: bytes | str, *, shared: bool = False) -> None:
    """Write a small file whole.

    Args:
        path: the file.
        data: what it will hold.
        shared: other processes may write the same file now.

    Raises:
        OutputError: it cannot be written; the old file, if any, is still there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomic(Path(folder, "a.txt"), "hello")
    ...     Path(folder, "a.txt").read_text(), len(list(Path(folder).iterdir()))
    ('hello', 1)
    """
    try:
        with atomic(path, shared=shared) as part:
            part.write_bytes(data.encode() if isinstance(data, str) else data)
    except OSError as error:
        raise write_error(path, error) from error


def write_error(path: Path, error: BaseException) -> OutputError:
    """Return the error that says why `path` cannot be written, and what helps.

    >>> str(write_error(Path("/videos/song.mp4"), OSError(errno.ENOSPC, "No space left on device")))
    "The disk is full while writing '/videos/song.mp4'; free some space and start again."
    """
    number = getattr(error, "errno", None)
    reason = str(getattr(error, "strerror", None) or error).lower()
    if number in FULL:
        return OutputError(
            f"The disk is full while writing '{path}'",
            where=str(path),
            hint="free some space and start again",
        )
    if not path.parent.is_dir():
        what, hint = f"There is no folder '{path.parent}'", "make it, or choose another place"
    elif path.is_dir():
        what, hint = f"'{path}' is a folder", "give the name of a file"
    else:
        what, hint = f"'{path}' cannot be written ({reason})", "choose another folder or name"
    return OutputError(what, where=str(path), hint=hint, remedy="target")


def hash_of(path: Path) -> str:
    """Hash a file's bytes."""
    with path.open("rb") as file:
        digest = blake2b(digest_size=16)
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sync(path: Path) -> None:
    """Wait until the system has put a file on the disk."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def remove(path: Path) -> None:
    """Remove a file that was begun, if it is one: never a device or a folder that happened to be named."""
    with suppress(OSError):
        if path.is_file():
            path.unlink()


def _own_part(path: Path) -> Path:
    with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        return Path(file.name)


def _sync_folder(folder: Path) -> None:
    """Make renames durable where the system lets a folder be synced."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
