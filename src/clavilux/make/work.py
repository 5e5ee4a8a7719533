"""Drawing the segments of a plan: one after the other, each by whoever holds its lease.

Consecutive segments are drawn from one run of frames, so that the pipeline of inputs, images and encoding
never empties between them.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from clavilux.engine.runner import Runner
from clavilux.errors import ClaviluxError
from clavilux.frames.crossfade import FrameSource
from clavilux.frames.frames import frames
from clavilux.make.lease import Lease
from clavilux.make.plan import Plan, Segment
from clavilux.make.workspace import NullReporter, Reporter
from clavilux.pixel_formats import Samples

__all__ = ["CancelledError", "Change", "Pieces", "render_missing", "render_segment"]

WAIT_SECONDS = 0.5
"""Between looks at segments that other processes draw."""


Change = Callable[[int, Samples], Samples]
"""What is done to drawn frames: (number of the first, frames) -> frames."""


class CancelledError(ClaviluxError):
    """The work was stopped from outside; what is finished is kept."""


class FrameWriter(Protocol):
    """Takes the frames of a segment in order."""

    def write(self, frames: Samples) -> None:
        """Take the next frames."""


class Pieces(Protocol):
    """Where the segments of a plan are kept: encoded pieces of a video, or numbered images."""

    @property
    def engine(self) -> str:
        """The label of the engine that draws the missing ones."""

    @property
    def segments(self) -> list[Segment]:
        """The segments that are wanted."""

    def missing(self) -> list[Segment]:
        """List the segments that are yet to be drawn."""

    def foreign(self) -> list[str]:
        """List the engines whose segments must be drawn again."""

    def lease(self, segment: Segment) -> Lease | None:
        """Take the lease of a segment; none where another process draws it now."""

    def is_whole(self, segment: Segment) -> bool:
        """Whether a segment is finished."""

    def write(self, segment: Segment) -> contextlib.AbstractContextManager[FrameWriter]:
        """Keep a segment; it counts only when the block ends without an error."""


def render_segment(
    plan: Plan, source: FrameSource, segment: Segment, store: Pieces, *, runner: Runner
) -> bool:
    """Draw and encode one segment, on any machine that has the source and the store.

    `render_missing` draws many in one run of frames; what is written is the same.

    Returns:
        whether it was drawn; not where another process draws it now or it is finished already.

    Raises:
        RenderError, OutputError: it cannot be drawn or written.
    """
    stretch = _Stretch(store, NullReporter())
    drawn = frames(source, runner, plan.timeline, segment.first, segment.last)
    with contextlib.closing(drawn):
        return stretch.write([segment], drawn) == 1


def render_missing(  # noqa: PLR0913  # what is drawn, by whom, for whom
    plan: Plan,
    source: FrameSource,
    store: Pieces,
    *,
    runner: Runner,
    report: Reporter,
    user: Lease,
    change: Change | None = None,
    title: str = "Rendering",
) -> None:
    """Draw all missing segments, together with whatever other processes draw the same plan.

    Args:
        plan: what is drawn.
        source: the inputs of every frame.
        store: keeps the segments, and knows which ones are missing.
        runner: draws.
        report: is informed.
        user: the lease on the store.
        change: what is done to frames before they are kept, given the number of the first.
        title: what is reported to be done.

    Raises:
        RenderError, OutputError: a segment cannot be drawn or written; nothing finished is lost.
        CancelledError: the reporter asked to stop.
    """
    foreign = store.foreign()
    missing = store.missing()
    total = sum(segment.frames for segment in store.segments)
    done = total - sum(segment.frames for segment in missing)
    report.begin(title, total)
    if foreign:
        report.note(f"Frames drawn by {', '.join(foreign)} are drawn again: {store.engine} gives others.")
    if done:
        report.advance(done)
        report.note(f"Resuming: {done} of {total} frames are finished.")
    writer = _Stretch(store, report, user)
    while missing:
        for stretch in stretches(missing):
            drawn = frames(source, runner, plan.timeline, stretch[0].first, stretch[-1].last)
            with contextlib.closing(drawn):
                writer.write(stretch, _changed(drawn, stretch[0].first, change))
        missing = store.missing()
        if missing and not writer.wrote:
            if report.cancelled():
                raise CancelledError("The render was stopped", hint="what is finished is kept")
            user.renew()
            time.sleep(WAIT_SECONDS)  # others draw what is left
        writer.wrote = 0


def _changed(drawn: Iterator[Samples], first: int, change: Change | None) -> Iterator[Samples]:
    for batch in drawn:
        yield batch if change is None else change(first, batch)
        first += len(batch)


class _Stretch:
    """Cuts one run of frames into its segments, as long as their leases can be had."""

    def __init__(self, store: Pieces, report: Reporter, user: Lease | None = None) -> None:
        self._store, self._report, self._user = store, report, user
        self.wrote = 0

    def write(self, segments: list[Segment], drawn: Iterator[Samples]) -> int:
        """Write segments in order until one is held by another process; return how many were written."""
        batch: Samples = np.empty(0, np.uint8)
        for count, segment in enumerate(segments):
            lease = self._store.lease(segment)
            if lease is None or self._store.is_whole(segment):
                if lease is not None:
                    lease.release()
                return count
            try:
                batch = self._write_one(segment, batch, drawn, lease)
            finally:
                lease.release()
            self.wrote += 1
        return len(segments)

    def _write_one(self, segment: Segment, batch: Samples, drawn: Iterator[Samples], lease: Lease) -> Samples:
        with self._store.write(segment) as writer:
            missing = segment.frames
            while missing:
                if self._report.cancelled():
                    raise CancelledError("The render was stopped", hint="what is finished is kept")
                batch = batch if len(batch) else next(drawn)
                now, batch = batch[:missing], batch[missing:]
                writer.write(now)
                for held in (lease, self._user):
                    if held is not None:
                        held.renew()
                self._report.advance(len(now))
                missing -= len(now)
        return batch


def stretches(segments: list[Segment]) -> list[list[Segment]]:
    """Group segments that follow one another.

    >>> [len(stretch) for stretch in stretches([Segment(0, 0, 8), Segment(1, 8, 16), Segment(3, 24, 32)])]
    [2, 1]
    """
    found: list[list[Segment]] = []
    for segment in segments:
        if found and found[-1][-1].last == segment.first:
            found[-1].append(segment)
        else:
            found.append([segment])
    return found
