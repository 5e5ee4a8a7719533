"""Files written whole, and small files read safely.

Everything that lasts goes through `atomic`: it is written beside its final name, seen onto the disk (fsync)
and renamed into place, and the rename is made durable too. So under a name there is the old file or the new
one, never half of it. What cannot be written is one `OutputError`. `read_small` reads ordinary files alone,
and no more than it is asked to.
"""

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from tempfile import NamedTemporaryFile

from clavilux.errors import FileError, OutputError

__all__ = [
    "atomic",
    "fitting_name",
    "hash_of",
    "hash_of_sha256",
    "is_file",
    "is_folder",
    "is_one_of",
    "part_of",
    "put_in_place",
    "read_small",
    "remove",
    "remove_folder",
    "state_of",
    "sync",
    "write_atomic",
    "write_error",
]

MAX_NAME_BYTES = 255
"""Longest name that the usual file systems hold."""
PART = ".clavilux-part"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def part_of(path: Path) -> Path:
    """Name the file that is written in place of `path` until it is whole.

    >>> part_of(Path("videos/song.mp4")).name
    'song.mp4.clavilux-part'
    """
    return path.parent / fitting_name(path.name, PART)


def fitting_name(stem: str, suffix: str) -> str:
    """Join a name and its ending; a name too long for the disk is cut, and told apart by its hash.

    >>> fitting_name("song", ".mp4"), len(fitting_name("x" * 250, ".clavilux.toml"))
    ('song.mp4', 255)
    """
    whole, tail = os.fsencode(stem), os.fsencode(suffix)
    if len(whole) + len(tail) <= MAX_NAME_BYTES:
        return stem + suffix
    mark = f"-{blake2b(whole, digest_size=4).hexdigest()}"
    kept = stem
    while len(os.fsencode(kept)) > MAX_NAME_BYTES - len(tail) - len(mark):
        kept = kept[:-1]
    return f"{kept}{mark}{suffix}"


def is_file(path: str | Path) -> bool:
    """Return whether an ordinary file is there; false also for a name that no disk holds."""
    return os.path.isfile(path)  # noqa: PTH113  # where Path raises


def is_folder(path: str | Path) -> bool:
    """Return whether a folder is there; false also for a name that no disk holds."""
    return os.path.isdir(path)  # noqa: PTH112  # where Path raises


def is_one_of(path: Path, others: Iterable[Path]) -> bool:
    """Return whether a path leads to one of some files, whatever its spelling: links are followed."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return False
    for other in others:
        with suppress(OSError, ValueError):
            if os.path.samestat(found, other.stat()):
                return True
    return False


def read_small(path: Path, what: str, limit: int) -> bytes:
    """Read an ordinary file of at most so many bytes.

    Args:
        path: the file.
        what: what it is, for messages: "file of labels".
        limit: the most bytes that such a file has.

    Raises:
        FileError: there is no such file, it is something else (a folder, a pipe, a device), or too large.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "it is a folder" if path.is_dir() else "it is not an ordinary file"
            raise FileError(f"The {what} '{path}' cannot be read ({kind})", where=str(path))
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise FileError(f"The {what} '{path}' cannot be read ({reason})", where=str(path)) from error
    if len(content) > limit:
        raise FileError(
            f"The {what} '{path}' is larger than {limit / 1e6:g} MB, too large to be one", where=str(path)
        )
    return content


@contextmanager
def atomic(path: Path, *, shared: bool = False, replace: bool = True) -> Iterator[Path]:
    """Yield the path to write to; put the file in place when the block ends, remove it when the block fails.

    Args:
        path: the file's final name.
        shared: other processes may write the same file now; each then writes to a name of its own.
        replace: whether a file of that name may be replaced.

    Raises:
        FileExistsError: there is a file of that name, and it may not be replaced.
        OSError: from the system; `write_error` turns it into a sentence.
    """
    part = _own_part(path) if shared else part_of(path)
    try:
        yield part
        put_in_place(part, path, replace=replace)
    except BaseException:
        remove(part)
        raise


def put_in_place(part: Path, path: Path, *, replace: bool = True) -> None:
    """See a finished file onto the disk, and rename it to its final name for good.

    Raises:
        FileExistsError: there is a file of that name, and it may not be replaced.
        OSError: as the system reports.
    """
    sync(part)
    if replace or not _linked(part, path):
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
            part.write_bytes(data.encode(errors="surrogateescape") if isinstance(data, str) else data)
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
    if number == errno.ENAMETOOLONG:
        what, hint = f"The name '{path.name}' is too long for the disk", "choose a shorter one"
    elif not path.parent.is_dir():
        what, hint = f"There is no folder '{path.parent}'", "make it, or choose another place"
    elif path.is_dir():
        what, hint = f"'{path}' is a folder", "give the name of a file"
    else:
        what, hint = f"'{path}' cannot be written ({reason})", "choose another folder or name"
    return OutputError(what, where=str(path), hint=hint, remedy="target")


def state_of(path: Path) -> tuple[int, ...]:
    """Return which file a path names, when it was last written, and its size; nothing where it is gone."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


def hash_of(path: Path) -> str:
    """Hash a file's bytes."""
    with path.open("rb") as file:
        digest = blake2b(digest_size=16)
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def hash_of_sha256(path: Path) -> str:
    """Hash a file's bytes with SHA-256, as published hashes of files are."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Wait until the system has put a file on the disk."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def remove(path: Path) -> None:
    """Remove a file that was begun, if it is one: never a device or a folder that happened to be named."""
    with suppress(OSError):
        if path.is_file():
            path.unlink()


def remove_folder(path: Path) -> None:
    """Remove a folder that is where a file should be, with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)


def _own_part(path: Path) -> Path:
    with NamedTemporaryFile(dir=path.parent, suffix=PART, delete=False) as file:
        return Path(file.name)


def _linked(part: Path, path: Path) -> bool:
    """Rename a file to a name that must be free, in one step; return False where there are no hard links."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, "it is already there", str(path)) from None
        return False
    part.unlink()
    return True


def _sync_folder(folder: Path) -> None:
    """Make renames durable where the system lets a folder be synced."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
