"""The flashes of a render: foreseen, limited where they are too many, and counted.

The light of some segments is drawn ahead of all others, small: linear light on a coarse grid. Where one of
them flashes too much, so is that of all frames. It gives the amount by which each frame is blended into its
own slow light (`metrics.limit`), and frames are blended as they are drawn. Every segment keeps the light of
its frames as they are shown. When all are drawn, those that still flash too much are drawn once more and
blended further, beside the others. All amounts depend on drawn frames alone, so a render that is resumed,
shared or recreated is blended alike.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from clavilux.arrays import F16, F32
from clavilux.engine.runner import Runner
from clavilux.errors import RenderError
from clavilux.frames.crossfade import FrameSource
from clavilux.frames.frames import BATCH
from clavilux.make.lease import Lease
from clavilux.make.light import LightStore
from clavilux.make.plan import Plan, Segment
from clavilux.make.segments import SegmentStore
from clavilux.make.work import Change, render_missing
from clavilux.make.workspace import Reporter
from clavilux.metrics.flashes import Flashes, FlashLimits, FlashMeter
from clavilux.metrics.limit import FORESEEN, STRICTER, blend, blending, steady_cells
from clavilux.pixel_formats import Samples
from clavilux.video.relight import relight

LOOKED_AT = 3
"""Segments whose light is looked at first, evenly spread; that of all takes half as long as drawing them."""

NEAR_SEGMENTS = 3
"""Segments whose cells are in memory while frames are blended: one, and its neighbours."""

__all__ = ["Finished", "count_flashes", "foresee_flashes", "limit_flashes"]


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

    @property
    def cells(self) -> "SegmentCells":
        """The cells of the frames as they are shown."""
        return SegmentCells(
            self.drawn.plan, str(self.drawn.folder), lambda segment: self.store(segment).read_cells(segment)
        )


@dataclass(frozen=True)
class SegmentCells:
    """The cells of all frames of a plan, kept in its segments.

    Attributes:
        plan: what is made.
        where: the folder, for messages.
        read_segment: reads those of one segment.
    """

    plan: Plan
    where: str
    read_segment: Callable[[Segment], F16]

    def read(self, first: int, last: int) -> F32:
        """Read the cells of frames [first, last), linear RGB (N, gh, gw, 3).

        Raises:
            RenderError: they are not there any more.
        """
        found = []
        for segment in self.plan.segments:
            if segment.first < last and first < segment.last:
                cells = self._read(segment)
                found.append(cells[max(0, first - segment.first) : last - segment.first])
        return np.concatenate(found).astype(np.float32)

    def _read(self, segment: Segment) -> F16:
        try:
            return self.read_segment(segment)
        except (OSError, ValueError, KeyError) as error:
            raise RenderError(
                f"What was measured of frames {segment.first} to {segment.last} is gone",
                where=self.where,
                hint="render again; what is finished is kept",
            ) from error


def count_flashes(finished: Finished) -> Flashes:
    """Count the flashes of a video whose segments are all drawn."""
    plan, cells = finished.drawn.plan, finished.cells
    meter = FlashMeter(plan.timeline.fps)
    for segment in plan.segments:
        meter.add(cells.read(segment.first, segment.last))
    return meter.found


def foresee_flashes(
    light: LightStore, source: FrameSource, *, pixels: str, runner: Runner, report: Reporter, user: Lease
) -> Change | None:
    """Draw the light of frames, and find what blends those that would flash too much.

    Some segments are looked at first: where none of them flashes too much, few of the others will.

    Args:
        light: keeps it.
        source: the inputs of the small frames.
        pixels: the pixel format of the frames that will be blended.
        runner: draws the small frames.
        report: is informed.
        user: the lease on the render.

    Returns:
        what blends frames; none where nothing seems to flash too much.

    Raises:
        RenderError, OutputError: the light cannot be drawn or written; nothing finished is lost.
    """
    light.folder.mkdir(exist_ok=True)

    def draw(wanted: LightStore) -> None:
        title = "Looking for flashes"
        if wanted.missing():
            render_missing(light.plan, source, wanted, runner=runner, report=report, user=user, title=title)
        else:
            report.begin(title)

    some = replace(light, members=_spread(len(light.segments)))
    if len(some.segments) < len(light.segments):
        draw(some)
        if not any(_flashes(some, segment) for segment in some.segments):
            return None
    draw(light)
    cells = SegmentCells(light.plan, str(light.folder), light.read_cells)
    return _change(cells, _amounts(cells, FORESEEN, report), pixels)


def _spread(count: int) -> frozenset[int]:
    """Return the numbers of the segments, of so many, that are looked at first."""
    return frozenset((2 * k + 1) * count // (2 * LOOKED_AT) for k in range(LOOKED_AT))


def _flashes(light: LightStore, segment: Segment) -> bool:
    """Whether a segment flashes too much, by itself."""
    meter = FlashMeter(light.plan.timeline.fps, STRICTER)
    meter.add(light.read_cells(segment).astype(np.float32))
    return not meter.found.passes


def limit_flashes(
    drawn: SegmentStore,
    source: FrameSource,
    *,
    runner: Runner,
    report: Reporter,
    user: Lease,
    change: Change | None = None,
) -> Finished:
    """Draw again, blended, the segments that still flash too much; all segments are drawn.

    Args:
        drawn: the segments.
        source: the inputs of every frame.
        runner: draws.
        report: is informed.
        user: the lease on the render.
        change: by which frames were blended before.

    Raises:
        RenderError, OutputError: a segment cannot be drawn or written; nothing finished is lost.
    """
    plan, before = drawn.plan, Finished(drawn)
    report.begin("Counting flashes")
    amounts = _amounts(before.cells, STRICTER, report)
    more = _change(before.cells, amounts, drawn.encoding.pixels)
    if more is None:
        return before
    members = frozenset(
        segment.index for segment in plan.segments if amounts[segment.first : segment.last].any()
    )
    blended = replace(drawn, folder=drawn.folder / "blended", members=members)
    blended.folder.mkdir(exist_ok=True)

    def both(first: int, samples: Samples) -> Samples:
        return more(first, samples if change is None else change(first, samples))

    render_missing(plan, source, blended, runner=runner, report=report, user=user, change=both)
    return Finished(drawn, blended)


def _amounts(cells: SegmentCells, limits: FlashLimits, report: Reporter) -> F32:
    """Find by how much each frame is blended, (T,)."""
    plan = cells.plan
    amounts = blending(cells, plan.timeline.frames, plan.timeline.fps, limits)
    if amounts.any():
        parts = sum(amounts[segment.first : segment.last].any() for segment in plan.segments)
        report.note(f"Limiting flashes in {parts} of {len(plan.segments)} parts of the video.")
    return amounts


def _change(cells: SegmentCells, amounts: F32, pixels: str) -> Change | None:
    """Return what blends frames by their amounts into the slow light of cells; none where all are 0."""
    if not amounts.any():
        return None
    fps, near = cells.plan.timeline.fps, functools.lru_cache(NEAR_SEGMENTS)(cells.read_segment)
    cells, frames = replace(cells, read_segment=near), len(amounts)

    @functools.lru_cache(maxsize=1)
    def cells_of_window(begin: int) -> tuple[F32, F32]:
        return steady_cells(cells, begin, min(begin + BATCH, frames), frames, fps)

    def change(first: int, samples: Samples) -> Samples:
        some = amounts[first : first + len(samples)]
        if not some.any():
            return samples
        place = first % BATCH  # frames come a pass at a time, which lies within a window
        before, steady = (each[place : place + len(samples)] for each in cells_of_window(first - place))
        kept = some == 0
        made = relight(samples, pixels, before, blend(before, steady, some))
        made[kept] = samples[kept]
        return made

    return change
