"""The pieces of a render, kept on disk until the video is whole.

    <renders>/<digest of the plan>/
        plan.json           what is being made, for people
        00012.mp4           segment 12, renamed into place once it was whole and on the disk
        00012.json          its frames, and the hashes of its file and of its raw frames
        lock                held by the process at work

A segment counts as finished only when its sidecar is there and its file still has the hash the sidecar names;
anything else is made again. So the same render goes on after Ctrl-C, kill -9, a full disk or a power cut, and
loses at most the segment in hand.
"""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from clavilux.errors import OutputError
from clavilux.make.plan import Plan, Segment
from clavilux.video.frame import Samples
from clavilux.video.write import Encoding, SegmentWriter

__all__ = ["KEEP_BYTES", "KEEP_DAYS", "KeptRender", "SegmentStore", "kept_renders", "prune"]

KEEP_DAYS = 30
"""Unfinished renders not touched for this long are removed when another one begins."""

KEEP_BYTES = 20 * 10**9
"""Beyond this size altogether, the longest untouched unfinished renders are removed."""


@dataclass(frozen=True)
class SegmentStore:
    """The segments of one plan.

    Attributes:
        folder: where they are kept.
        plan: what is being made.
    """

    folder: Path
    plan: Plan

    @contextlib.contextmanager
    def open(self, note: Mapping[str, object]) -> Iterator[None]:
        """Hold the folder, so that no other process works on the same render.

        Args:
            note: what people should know about this render; kept in plan.json.

        Raises:
            OutputError: another process is making the same video, or the folder cannot be written.
        """
        try:
            self.folder.mkdir(exist_ok=True)
            with FileLock(self.folder / "lock", timeout=0):
                about = {**note, "frames": self.plan.timeline.frames, "recipe": dict(self.plan.recipe)}
                _write_atomic(self.folder / "plan.json", json.dumps(about, indent=2))
                yield
        except Timeout:
            raise OutputError(
                f"This very video is already being made by another process (see {self.folder}); wait for it, "
                "or change --seed or another setting to make a different one."
            ) from None

    def path(self, segment: Segment) -> Path:
        """Return where a finished segment lies."""
        return self.folder / f"{segment.index:05d}.mp4"

    def missing(self) -> list[Segment]:
        """List the segments that are yet to be made, or to be made again."""
        return [segment for segment in self.plan.segments if not self._is_whole(segment)]

    def pixel_hashes(self) -> list[str]:
        """Return the hash of the raw frames of every finished segment, in order."""
        return [self._sidecar(segment).get("pixels", "") for segment in self.plan.segments]

    @contextlib.contextmanager
    def write(self, segment: Segment, encoding: Encoding) -> Iterator["HashingWriter"]:
        """Encode a segment; it counts only when the block ends without an error and all is on the disk."""
        part = self.path(segment).with_suffix(".part")
        began = time.monotonic()
        with SegmentWriter(part, encoding) as encoder:
            writer = HashingWriter(encoder)
            yield writer
        sidecar = {
            "first": segment.first,
            "last": segment.last,
            "pixels": writer.digest,
            "file": _hash_of(part),
            "seconds": round(time.monotonic() - began, 2),
        }
        part.replace(self.path(segment))
        _write_atomic(self._sidecar_path(segment), json.dumps(sidecar))

    def remove(self) -> None:
        """Remove the pieces; the video is whole."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _is_whole(self, segment: Segment) -> bool:
        sidecar = self._sidecar(segment)
        same_frames = (sidecar.get("first"), sidecar.get("last")) == (str(segment.first), str(segment.last))
        try:
            return same_frames and _hash_of(self.path(segment)) == sidecar.get("file")
        except OSError:
            return False

    def _sidecar(self, segment: Segment) -> dict[str, str]:
        """Read a sidecar; a missing or damaged one is empty."""
        try:
            found = json.loads(self._sidecar_path(segment).read_text())
        except (OSError, ValueError):
            return {}
        return {key: str(value) for key, value in found.items()} if isinstance(found, dict) else {}

    def _sidecar_path(self, segment: Segment) -> Path:
        return self.path(segment).with_suffix(".json")


class HashingWriter:
    """Passes frames on to an encoder and hashes them as they were drawn."""

    def __init__(self, encoder: SegmentWriter) -> None:
        self._encoder = encoder
        self._hash = blake2b(digest_size=16)

    def write(self, frames: Samples) -> None:
        """Encode and hash the next frames."""
        self._encoder.write(frames)
        self._hash.update(np.ascontiguousarray(frames).data)

    @property
    def digest(self) -> str:
        """Hash of all raw frames so far."""
        return self._hash.hexdigest()


@dataclass(frozen=True)
class KeptRender:
    """An unfinished render on the disk.

    Attributes:
        folder: where its pieces lie.
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
        lock = FileLock(self.folder / "lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            return True
        lock.release()
        return False


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
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        digest = blake2b(digest_size=16)
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _write_atomic(path: Path, text: str) -> None:
    """Write a small file so that it is there whole or not at all, even after a power cut."""
    part = path.with_name(path.name + ".part")
    with part.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make renames durable where the system lets a folder be synced."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
