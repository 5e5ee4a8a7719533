"""The flashes of a render: counted from what its segments show, and limited where they are too many.

Every segment keeps the cells of its frames: linear light on a coarse grid. When all are drawn, the cells give
the amount by which each frame is blended into its own slow light (`metrics.limit`), and the segments where
that is more than nothing are drawn again, blended, beside the others. The amounts depend on the drawn frames
alone, so a render that is resumed, shared or recreated is blended alike.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from clavilux.arrays import F16, F32
from clavilux.engine.runner import Runner
from clavilux.errors import RenderError
from clavilux.frames.crossfade import FrameSource
from clavilux.frames.frames import BATCH
from clavilux.make.lease import Lease
from clavilux.make.plan import Segment
from clavilux.make.segments import SegmentStore
from clavilux.make.work import render_missing
from clavilux.make.workspace import Reporter
from clavilux.metrics.flashes import Flashes, FlashMeter
from clavilux.metrics.limit import blend, blending, steady_cells
from clavilux.pixel_formats import Samples
from clavilux.video.relight import relight

__all__ = ["Finished", "count_flashes", "limit_flashes"]


@dataclass(frozen=True)
class Finished:
    """The segments of a video, some of them drawn again with fewer flashes.

    Attributes:
        drawn: all segments, as they were drawn.
        blended: those that were drawn again; none where nothing was.
    """

    drawn: SegmentStore
    blended: SegmentStore | None = None

    def store(self, segment: Segment) -> SegmentStore:
        """Return the store that holds a segment as it is shown."""
        again = self.blended
        return self.drawn if again is None or segment not in again.segments else again

    def read(self, first: int, last: int) -> F32:
        """Read the cells of frames [first, last) as they are shown, linear RGB (N, gh, gw, 3).

        Raises:
            RenderError: they are not there any more.
        """
        found = []
        for segment in self.drawn.plan.segments:
            if segment.first < last and first < segment.last:
                cells = self._cells(segment)
                found.append(cells[max(0, first - segment.first) : last - segment.first])
        return np.concatenate(found).astype(np.float32)

    def _cells(self, segment: Segment) -> F16:
        store = self.store(segment)
        try:
            return store.read_cells(segment)
        except (OSError, ValueError, KeyError) as error:
            raise RenderError(
                f"What was measured of frames {segment.first} to {segment.last} is gone",
                where=str(store.folder),
                hint="render again; what is finished is kept",
            ) from error


def count_flashes(finished: Finished) -> Flashes:
    """Count the flashes of a video whose segments are all drawn."""
    plan = finished.drawn.plan
    meter = FlashMeter(plan.timeline.fps)
    for segment in plan.segments:
        meter.add(finished.read(segment.first, segment.last))
    return meter.found


def limit_flashes(
    drawn: SegmentStore, source: FrameSource, *, runner: Runner, report: Reporter, user: Lease
) -> Finished:
    """Draw again, blended, the segments that flash too much; all segments are drawn.

    Raises:
        RenderError, OutputError: a segment cannot be drawn or written; nothing finished is lost.
    """
    plan, before = drawn.plan, Finished(drawn)
    frames, fps = plan.timeline.frames, plan.timeline.fps
    report.begin("Counting flashes")
    amounts = blending(before, frames, fps)
    members = frozenset(
        segment.index for segment in plan.segments if amounts[segment.first : segment.last].any()
    )
    if not members:
        return before
    blended = replace(drawn, folder=drawn.folder / "blended", members=members)
    blended.folder.mkdir(exist_ok=True)

    @lru_cache(maxsize=1)
    def cells_of_window(begin: int) -> tuple[F32, F32]:
        return steady_cells(before, begin, min(begin + BATCH, frames), frames, fps)

    def change(first: int, samples: Samples) -> Samples:
        some = amounts[first : first + len(samples)]
        if not some.any():
            return samples
        place = first % BATCH  # frames come a pass at a time, which lies within a window
        cells, steady = (each[place : place + len(samples)] for each in cells_of_window(first - place))
        kept = some == 0
        made = relight(samples, drawn.encoding.pixels, cells, blend(cells, steady, some))
        made[kept] = samples[kept]
        return made

    report.note(f"Limiting flashes in {len(members)} of {len(plan.segments)} parts of the video.")
    render_missing(plan, source, blended, runner=runner, report=report, user=user, change=change)
    return Finished(drawn, blended)
