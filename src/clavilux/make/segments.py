"""The pieces of a render, kept on disk until the video is whole.

    <renders>/<digest of the plan>/
        plan.json           what is being made, for people
        00012.mp4           segment 12, renamed into place once it was whole and on the disk
        00012.json          its record: frames, engine, and the hashes of its file and of its raw frames
        00012.lease         held by the process that draws segment 12 now
        5c1f….user          held by each process that needs the folder

A segment counts as finished only when its record is there and its file still has the hash the record names;
anything else is drawn again. So a render is resumed after Ctrl-C, kill -9, a full disk or a power cut, and
loses at most the segment in hand. Processes that render the same plan at the same time share the folder: each
segment is drawn by whoever holds its lease.
"""

import contextlib
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from uuid import uuid4

import numpy as np
from filelock import FileLock

from clavilux.errors import EngineError
from clavilux.files import hash_of, put_in_place, remove, write_atomic
from clavilux.make.plan import Plan, Segment
from clavilux.video.frame import Samples
from clavilux.video.write import Encoding, SegmentWriter

__all__ = ["KEEP_BYTES", "KEEP_DAYS", "KeptRender", "Lease", "SegmentStore", "kept_renders", "prune"]

KEEP_DAYS = 30
"""Unfinished renders not touched for this long are removed when another one begins."""

KEEP_BYTES = 20 * 10**9
"""Beyond this size altogether, the longest untouched unfinished renders are removed."""

LEASE_SECONDS = 300.0
"""A lease not renewed for this long is taken over; one whose process on this machine is gone, at once."""

WRITING_SECONDS = 2.0

MAX_RECORD_BYTES = 65_536
FULL_PRECISIONS = frozenset({"f32", "fp32"})


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
        """Let others have it."""
        remove(self.path)
        remove(self.path.with_suffix(".takeover"))


def is_held(path: Path) -> bool:
    """Whether a lease is there and its holder is alive."""
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:
        return False
    record = _record(path)
    if not record:  # it is being written now, or its holder was killed while writing it
        return age < WRITING_SECONDS
    if record.get("host") == socket.gethostname() and not _runs(record.get("pid", "")):
        return False
    return age < LEASE_SECONDS


@dataclass(frozen=True)
class SegmentStore:
    """The segments of one plan.

    Attributes:
        folder: where they are kept.
        plan: what is being made.
        engine: draws the missing ones: engine, precision and device, such as 'openvino f32 on cpu'.
    """

    folder: Path
    plan: Plan
    engine: str

    @contextlib.contextmanager
    def open(self, about: Mapping[str, object]) -> Iterator[Lease]:
        """Use the folder, so that nobody removes it meanwhile.

        Args:
            about: what people should know about this render; kept in plan.json.

        Raises:
            EngineError: a process is at work on it whose engine gives other frames: the two would draw each
                other's segments again for ever.
            OutputError: the folder cannot be written.
        """
        self.folder.mkdir(exist_ok=True)
        others = {_record(path).get("engine", "") for path in self.folder.glob("*.user") if is_held(path)}
        for engine in sorted(other for other in others if other and not self._fits(other)):
            raise EngineError(
                f"Another process renders this video with {engine}, and {self.engine} gives other frames",
                where="device",
                value=self.engine,
                hint="wait for it, or use the same device, or the precision exact in both",
            )
        user = Lease.take(self.folder / f"{uuid4().hex[:12]}.user", self.engine)
        assert user is not None
        try:
            known = {**about, "frames": self.plan.timeline.frames, "identity": dict(self.plan.identity)}
            write_atomic(self.folder / "plan.json", json.dumps(known, indent=2), shared=True)
            yield user
        finally:
            user.release()

    def path(self, segment: Segment) -> Path:
        """Return the file of a finished segment."""
        return self.folder / f"{segment.index:05d}.mp4"

    def missing(self) -> list[Segment]:
        """List the segments that are yet to be drawn, or to be drawn again."""
        return [segment for segment in self.plan.segments if not self.is_whole(segment)]

    def foreign(self) -> list[str]:
        """List the engines whose finished segments cannot stand beside those of this one.

        In full precision engines agree to rounding; in half precision each has pixels of its own.
        """
        engines = {self._record(segment).get("engine", "") for segment in self.plan.segments}
        return sorted(engine for engine in engines if engine and not self._fits(engine))

    def lease(self, segment: Segment) -> Lease | None:
        """Take the lease of a segment; none where another process draws it now."""
        return Lease.take(self.path(segment).with_suffix(".lease"))

    def pixel_hashes(self) -> list[str]:
        """Return the hash of the raw frames of every finished segment, in order."""
        return [self._record(segment).get("pixels", "") for segment in self.plan.segments]

    @contextlib.contextmanager
    def write(self, segment: Segment, encoding: Encoding, lease: Lease) -> Iterator["HashingWriter"]:
        """Encode a segment; it counts only when the block ends without an error and all is on the disk."""
        part = self.folder / f"{segment.index:05d}.{lease.owner[:12]}.part"
        began = time.monotonic()
        with SegmentWriter(part, encoding) as encoder:
            writer = HashingWriter(encoder, lease)
            yield writer
        record = {
            "first": segment.first,
            "last": segment.last,
            "pixels": writer.digest,
            "file": hash_of(part),
            "engine": self.engine,
            "seconds": round(time.monotonic() - began, 2),
        }
        put_in_place(part, self.path(segment))
        write_atomic(self._record_path(segment), json.dumps(record), shared=True)

    def remove(self) -> None:
        """Remove the pieces, unless another process needs them; the video is whole."""
        if not any(is_held(path) for path in self.folder.glob("*.user")):
            shutil.rmtree(self.folder, ignore_errors=True)

    def is_whole(self, segment: Segment) -> bool:
        """Whether a segment is finished, undamaged and of a fitting engine."""
        record = self._record(segment)
        if (record.get("first"), record.get("last")) != (str(segment.first), str(segment.last)):
            return False
        try:
            return self._fits(record.get("engine", "")) and hash_of(self.path(segment)) == record.get("file")
        except OSError:
            return False

    def _fits(self, engine: str) -> bool:
        return engine == self.engine or all(
            FULL_PRECISIONS & set(label.split()) for label in (engine, self.engine)
        )

    def _record(self, segment: Segment) -> dict[str, str]:
        return _record(self._record_path(segment))

    def _record_path(self, segment: Segment) -> Path:
        return self.path(segment).with_suffix(".json")


class HashingWriter:
    """Passes frames on to an encoder, hashes them as they were drawn, and renews the segment's lease."""

    def __init__(self, encoder: SegmentWriter, lease: Lease) -> None:
        self._encoder, self._lease = encoder, lease
        self._hash = blake2b(digest_size=16)

    def write(self, frames: Samples) -> None:
        """Encode and hash the next frames."""
        self._encoder.write(frames)
        self._hash.update(np.ascontiguousarray(frames).data)
        self._lease.renew()

    @property
    def digest(self) -> str:
        """Hash of all raw frames so far."""
        return self._hash.hexdigest()


@dataclass(frozen=True)
class KeptRender:
    """An unfinished render on the disk.

    Attributes:
        folder: where its pieces are.
        song: what it shows.
        target: the video it would become.
        done: finished segments, and how many there will be.
        bytes: size of the pieces.
        touched: time of the last work on it, seconds since 1970.
    """

    folder: Path
    song: str
    target: str
    done: tuple[int, int]
    bytes: int
    touched: float

    @property
    def busy(self) -> bool:
        """Whether a process is at work on it now."""
        return any(is_held(path) for path in self.folder.glob("*.user"))


def kept_renders(renders: Path) -> list[KeptRender]:
    """List unfinished renders, the last touched first."""
    found = [_describe(path.parent) for path in renders.glob("*/plan.json")]
    return sorted((render for render in found if render), key=lambda render: -render.touched)


def prune(renders: Path, *, keep_days: float = KEEP_DAYS, keep_bytes: int = KEEP_BYTES) -> list[KeptRender]:
    """Remove unfinished renders that are too old or, longest untouched first, too much; return them.

    A render that a process is at work on stays.
    """
    removed, total = [], 0
    for render in kept_renders(renders):
        total += render.bytes
        old = time.time() - render.touched > keep_days * 86400
        if (old or total > keep_bytes) and not render.busy:
            shutil.rmtree(render.folder, ignore_errors=True)
            removed.append(render)
    return removed


def _describe(folder: Path) -> KeptRender | None:
    try:
        about = json.loads((folder / "plan.json").read_text())
        files = [path.stat() for path in folder.iterdir() if path.is_file()]
        return KeptRender(
            folder=folder,
            song=str(about["song"]),
            target=str(about["target"]),
            done=(len(list(folder.glob("[0-9]*.json"))), int(about["segments"])),
            bytes=sum(file.st_size for file in files),
            touched=max(file.st_mtime for file in files),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _record(path: Path) -> dict[str, str]:
    """Read a small table; a missing, damaged or strange one is empty."""
    try:
        if path.stat().st_size > MAX_RECORD_BYTES:
            return {}
        found = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return {key: str(value)[:1000] for key, value in found.items()} if isinstance(found, dict) else {}


def _runs(pid: str) -> bool:
    """Whether a process of this number runs on this machine."""
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
