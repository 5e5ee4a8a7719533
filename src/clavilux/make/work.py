"""Drawing the segments of a plan: one after the other, each by whoever holds its lease.

Consecutive segments are drawn from one run of frames, so that the pipeline of inputs, images and encoding
never empties between them.
"""

import contextlib
import time
from collections.abc import Iterator

import numpy as np

from clavilux.engine.runner import Runner
from clavilux.errors import ClaviluxError
from clavilux.frames.crossfade import FrameSource
from clavilux.frames.frames import frames
from clavilux.make.plan import Plan, Segment
from clavilux.make.segments import Lease, SegmentStore
from clavilux.make.workspace import NullReporter, Reporter
from clavilux.pixel_formats import Samples
from clavilux.video.write import Encoding

__all__ = ["CancelledError", "render_missing", "render_segment"]

WAIT_SECONDS = 0.5
"""Between looks at segments that other processes draw."""


class CancelledError(ClaviluxError):
    """The work was stopped from outside; what is finished is kept."""


def render_segment(
    plan: Plan,
    source: FrameSource,
    segment: Segment,
    store: SegmentStore,
    *,
    runner: Runner,
    encoding: Encoding,
) -> bool:
    """Draw and encode one segment, on any machine that has the source and the store.

    Returns:
        whether it was drawn; not where another process draws it now or it is finished already.

    Raises:
        RenderError, OutputError: it cannot be drawn or written.
    """
    stretch = _Stretch(store, encoding, NullReporter())
    drawn = frames(source, runner, plan.timeline, segment.first, segment.last)
    with contextlib.closing(drawn):
        return stretch.write([segment], drawn) == 1


def render_missing(  # noqa: PLR0913  # what a plan is drawn from, with, and into
    plan: Plan,
    source: FrameSource,
    store: SegmentStore,
    *,
    runner: Runner,
    encoding: Encoding,
    report: Reporter,
    user: Lease,
) -> None:
    """Draw all missing segments, together with whatever other processes draw the same plan.

    Raises:
        RenderError, OutputError: a segment cannot be drawn or written; nothing finished is lost.
        CancelledError: the reporter asked to stop.
    """
    total = plan.timeline.frames
    foreign = store.foreign()
    missing = store.missing()
    done = total - sum(segment.last - segment.first for segment in missing)
    report.begin("Rendering", total)
    if foreign:
        report.note(f"Frames drawn by {', '.join(foreign)} are drawn again: {store.engine} gives others.")
    if done:
        report.advance(done)
        report.note(f"Resuming: {done} of {total} frames are finished.")
    writer = _Stretch(store, encoding, report)
    while missing:
        for stretch in stretches(missing):
            drawn = frames(source, runner, plan.timeline, stretch[0].first, stretch[-1].last)
            with contextlib.closing(drawn):
                writer.write(stretch, drawn)
            user.renew()
        missing = store.missing()
        if missing and not writer.wrote:
            if report.cancelled():
                raise CancelledError("The render was stopped", hint="what is finished is kept")
            time.sleep(WAIT_SECONDS)  # others draw what is left
        writer.wrote = 0


class _Stretch:
    """Cuts one run of frames into its segments, as long as their leases can be had."""

    def __init__(self, store: SegmentStore, encoding: Encoding, report: Reporter) -> None:
        self._store, self._encoding, self._report = store, encoding, report
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
        with self._store.write(segment, self._encoding, lease) as writer:
            missing = segment.last - segment.first
            while missing:
                if self._report.cancelled():
                    raise CancelledError("The render was stopped", hint="what is finished is kept")
                batch = batch if len(batch) else next(drawn)
                now, batch = batch[:missing], batch[missing:]
                writer.write(now)
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
