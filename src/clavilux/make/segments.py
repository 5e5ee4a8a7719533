"""The pieces of a render, kept on disk until the video is whole.

    <renders>/<digest of the plan>/
        plan.json           what is being made, for people
        00012.mp4           segment 12, renamed into place once it was whole and on the disk
        00012.json          its record: frames, engine, and the hashes of its file and of its raw frames
        00012.npz           the light of its frames on a coarse grid, of which flashes are counted, and, where
                            the render is measured, all that measures need of them
        blended/            segments that are drawn again with fewer flashes, likewise
        00012.lease         held by the process that draws segment 12 now
        5c1f….user          held by each process that needs the folder

A segment counts as finished only when its record is there and its file still has the hash the record names;
anything else is drawn again. So a render is resumed after Ctrl-C, kill -9, a full disk or a power cut, and
loses at most the segment in hand. Processes that render the same plan at the same time share the folder: each
segment is drawn by whoever holds its lease.
"""

import contextlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from uuid import uuid4

import numpy as np

from clavilux.array_files import load_arrays, save_arrays
from clavilux.arrays import F16
from clavilux.errors import EngineError
from clavilux.files import hash_of, put_in_place, remove_folder, write_atomic
from clavilux.make.lease import Lease, is_held, read_record
from clavilux.make.light import LightWriter, draws_alike
from clavilux.make.plan import Plan, Segment
from clavilux.metrics.trace import TracePart
from clavilux.video.frame import Samples
from clavilux.video.small import decode_small
from clavilux.video.write import Encoding, SegmentWriter

__all__ = ["SegmentStore"]


@dataclass(frozen=True)
class SegmentStore:
    """The segments of one plan.

    Attributes:
        folder: where they are kept.
        plan: what is being made.
        encoding: how they are encoded.
        engine: draws the missing ones: engine, precision and device, such as 'openvino f32 on cpu'.
        measured: whether the light of the frames is kept.
        traced: whether all that measures need of the frames is kept too, of segments that are drawn now.
        members: numbers of the segments that are wanted; none is all of them.
    """

    folder: Path
    plan: Plan
    encoding: Encoding
    engine: str
    measured: bool = False
    traced: bool = False
    members: frozenset[int] | None = None

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
        remove_folder(self.folder / "plan.json")
        others = {read_record(path).get("engine", "") for path in self.folder.glob("*.user") if is_held(path)}
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

    @property
    def segments(self) -> list[Segment]:
        """The segments that are wanted."""
        return self.plan.chosen(self.members)

    def path(self, segment: Segment) -> Path:
        """Return the file of a finished segment."""
        return self.folder / f"{segment.index:05d}.mp4"

    def missing(self) -> list[Segment]:
        """List the segments that are yet to be drawn, or to be drawn again."""
        return [segment for segment in self.segments if not self.is_whole(segment)]

    def foreign(self) -> list[str]:
        """List the engines whose finished segments cannot stand beside those of this one.

        In full precision engines agree to rounding; in half precision each has pixels of its own.
        """
        return [engine for engine in self.engines() if not self._fits(engine)]

    def engines(self) -> list[str]:
        """List the engines that drew the finished segments."""
        engines = {self._record(segment).get("engine", "") for segment in self.segments}
        return sorted(engines - {""})

    def lease(self, segment: Segment) -> Lease | None:
        """Take the lease of a segment; none where another process draws it now."""
        return Lease.take(self.path(segment).with_suffix(".lease"))

    def pixel_hash(self, segment: Segment) -> str:
        """Return the hash of the raw frames of a finished segment."""
        return self._record(segment).get("pixels", "")

    def pixel_hashes(self) -> list[str]:
        """Return the hash of the raw frames of every finished segment that is wanted, in order."""
        return [self.pixel_hash(segment) for segment in self.segments]

    def read_cells(self, segment: Segment) -> F16:
        """Read the light of a finished segment's frames, linear RGB (N, gh, gw, 3).

        Raises:
            OSError, ValueError, KeyError: it is not there, or damaged.
        """
        return load_arrays(self._cells_path(segment))["cells"]

    def read_trace(self, segment: Segment) -> tuple[F16, TracePart]:
        """Read the light of a finished segment's frames, and what measures need of them.

        Frames that were drawn by a render that was not measured are decoded: nothing is drawn again for it.

        Raises:
            FileError: the segment cannot be read any more.
        """
        try:
            kept = load_arrays(self._cells_path(segment))
        except (OSError, ValueError):
            kept = {}
        if not TracePart.is_in(kept):
            decoded = LightWriter(self.encoding.pixels, traced=True)
            for frame in decode_small(self.path(segment)):
                decoded.write_small(frame[None])
            kept = decoded.arrays | kept
        return kept["cells"], TracePart.from_arrays(kept)

    @contextlib.contextmanager
    def write(self, segment: Segment) -> Iterator["HashingWriter"]:
        """Encode a segment; it counts only when the block ends without an error and all is on the disk."""
        part = self.folder / f"{segment.index:05d}.{uuid4().hex[:12]}.part"
        for path in (self.path(segment), self._record_path(segment), self._cells_path(segment)):
            remove_folder(path)  # something else put it there
        began = time.monotonic()
        kept = self.measured or self.traced
        light = LightWriter(self.encoding.pixels, traced=self.traced) if kept else None
        with SegmentWriter(part, self.encoding) as encoder, ThreadPoolExecutor(2) as aside:
            writer = HashingWriter(encoder, aside, light)
            yield writer
        if light is not None:
            save_arrays(self._cells_path(segment), light.arrays, shared=True)
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
            there = not self.measured or self._cells_path(segment).is_file()
            whole = there and hash_of(self.path(segment)) == record.get("file")
            return whole and self._fits(record.get("engine", ""))
        except OSError:
            return False

    def _fits(self, engine: str) -> bool:
        return draws_alike(engine, self.engine)

    def _record(self, segment: Segment) -> dict[str, str]:
        return read_record(self._record_path(segment))

    def _record_path(self, segment: Segment) -> Path:
        return self.path(segment).with_suffix(".json")

    def _cells_path(self, segment: Segment) -> Path:
        return self.path(segment).with_suffix(".npz")


class HashingWriter:
    """Passes frames on to an encoder, and hashes and measures them as they were drawn.

    Args:
        encoder: takes the frames.
        aside: hashes and measures while frames are encoded.
        light: measures them too.
    """

    def __init__(self, encoder: SegmentWriter, aside: Executor, light: LightWriter | None = None) -> None:
        self._encoder, self._aside, self._light = encoder, aside, light
        self._hash = blake2b(digest_size=16)

    def write(self, frames: Samples) -> None:
        """Encode, hash and measure the next frames."""
        aside = [self._aside.submit(self._hash.update, np.ascontiguousarray(frames).data)]
        if self._light is not None:
            aside.append(self._aside.submit(self._light.write, frames))
        self._encoder.write(frames)
        for each in aside:
            each.result()

    @property
    def digest(self) -> str:
        """Hash of all raw frames so far."""
        return self._hash.hexdigest()
