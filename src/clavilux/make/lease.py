"""The right to work on something, as a small file that processes on any machine see.

A holder renews its lease while it works. One that was killed is found out by its process number on this
machine, or by the age of its lease from another.
"""

import contextlib
import json
import os
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from filelock import FileLock

from clavilux.errors import FileError
from clavilux.files import read_small, remove, remove_folder, write_atomic
from clavilux.schemas import Plain, decoded

__all__ = ["Lease", "is_held", "read_record"]

LEASE_SECONDS = 300.0
"""A lease not renewed for this long is taken over; one whose process on this machine is gone, at once."""

WRITING_SECONDS = 2.0

MAX_RECORD_BYTES = 65_536


@dataclass(frozen=True)
class Lease:
    """The right to work on something, as a file that others see; renewed by `renew`.

    Attributes:
        path: the file.
        owner: who holds it.
    """

    path: Path
    owner: str = field(default_factory=lambda: uuid4().hex)

    @classmethod
    def take(cls, path: Path, engine: str = "") -> "Lease | None":
        """Take a lease that nobody holds; none where somebody does.

        Args:
            path: the file.
            engine: of the holder, for others to read.

        Raises:
            OSError: the file cannot be written.
        """
        lease = cls(path)
        holder = {"owner": lease.owner, "host": socket.gethostname(), "pid": os.getpid(), "engine": engine}
        content = json.dumps(holder)
        remove_folder(path)  # something else put it there
        try:
            with path.open("x") as file:  # fails where the file exists, also on network drives
                file.write(content)
        except FileExistsError:
            with FileLock(path.with_suffix(".takeover")):  # of several who find it abandoned, one takes it
                if is_held(path):
                    return None
                write_atomic(path, content)
        return lease

    def renew(self) -> None:
        """Show that its holder is still at work."""
        with contextlib.suppress(OSError):
            os.utime(self.path)

    def release(self) -> None:
        """Let others have it, unless another has taken it over meanwhile."""
        if read_record(self.path).get("owner") == self.owner:
            remove(self.path)
            remove(self.path.with_suffix(".takeover"))


def is_held(path: Path) -> bool:
    """Whether a lease is there and its holder is alive."""
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:
        return False
    record = read_record(path)
    if not record:  # it is being written now, or its holder was killed while writing it
        return age < WRITING_SECONDS
    if record.get("host") == socket.gethostname() and not _runs(record.get("pid", "")):
        return False
    return age < LEASE_SECONDS


def read_record(path: Path) -> dict[str, str]:
    """Read a small table; a missing, damaged or strange one is empty."""
    try:
        found = decoded(read_small(path, "record", MAX_RECORD_BYTES), dict[str, Plain])
    except FileError:
        return {}
    return {key: str(value)[:1000] for key, value in found.items()}


def _runs(pid: str) -> bool:
    """Whether a process of this number runs on this machine."""
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
