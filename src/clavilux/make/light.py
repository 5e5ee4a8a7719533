"""The light of a video's frames, drawn small and ahead of them, so that what would flash is known beforehand.

<renders>/<digest of the plan>/light/
    00012.npz           linear light of the frames of segment 12 on a coarse grid
    00012.lease         held by the process that draws it now
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clavilux.array_files import Arrays, load_arrays, save_arrays
from clavilux.arrays import F16
from clavilux.make.lease import Lease
from clavilux.make.plan import Plan, Segment, encoding_of, pixels_of
from clavilux.metrics.trace import TracePartBuilder, cells_of
from clavilux.pixel_formats import Samples
from clavilux.project.output import Output
from clavilux.timeline import Timeline
from clavilux.video.small import shrink

if TYPE_CHECKING:
    from clavilux.generator.program import Program

__all__ = ["LightStore", "LightWriter", "draws_alike", "light_program"]

LIGHT_SIDE = 144
"""Shorter side of the small images in which flashes are seen, px."""


def light_program(program: "Program", output: Output, timeline: Timeline) -> "Program | None":
    """Return the program that draws the light of a video; none where it would not be smaller."""
    width, height = program.size
    output = output.preview(round(LIGHT_SIDE * height / min(width, height)))
    small = program.preview(output.size[1], pixels_of(encoding_of(output, timeline)))
    smaller = small.size != program.size and small.spec.resolution != program.spec.resolution
    return small if smaller else None


@dataclass(frozen=True)
class LightStore:
    """The light of the frames of one plan, in its segments.

    Attributes:
        folder: where it is kept.
        plan: what is being made.
        pixels: the pixel format in which it is drawn.
        engine: draws what is missing; the light of an engine that gives other frames is drawn again.
        members: numbers of the segments that are wanted; none is all of them.
    """

    folder: Path
    plan: Plan
    pixels: str
    engine: str
    members: frozenset[int] | None = None

    @property
    def segments(self) -> list[Segment]:
        """The segments that are wanted."""
        return self.plan.chosen(self.members)

    def missing(self) -> list[Segment]:
        """List the segments whose light is not known yet."""
        return [segment for segment in self.segments if not self.is_whole(segment)]

    def foreign(self) -> list[str]:
        """List nothing: the light of an engine that gives other frames counts as missing."""
        return []

    def lease(self, segment: Segment) -> Lease | None:
        """Take the lease of a segment; none where another process draws its light now."""
        return Lease.take(self._path(segment).with_suffix(".lease"))

    def is_whole(self, segment: Segment) -> bool:
        """Whether the light of all frames of a segment is known, by an engine that draws alike."""
        try:
            arrays = load_arrays(self._path(segment))
            fits = draws_alike(str(arrays["engine"]), self.engine)
            return fits and len(arrays["cells"]) == segment.frames
        except (OSError, ValueError, KeyError):
            return False

    @contextlib.contextmanager
    def write(self, segment: Segment) -> Iterator["LightWriter"]:
        """Keep the light of a segment; it counts only when the block ends without an error."""
        writer = LightWriter(self.pixels)
        yield writer
        save_arrays(self._path(segment), {**writer.arrays, "engine": np.array(self.engine)}, shared=True)

    def read_cells(self, segment: Segment) -> F16:
        """Read the light of a segment's frames, linear RGB (N, gh, gw, 3).

        Raises:
            OSError, ValueError, KeyError: it is not there, or damaged.
        """
        return load_arrays(self._path(segment))["cells"]

    def _path(self, segment: Segment) -> Path:
        return self.folder / f"{segment.index:05d}.npz"


def draws_alike(first: str, second: str) -> bool:
    """Whether frames of two engines may stand side by side, by their labels.

    In full precision engines agree to rounding; in half precision each has pixels of its own.
    """
    return first == second or all("f32" in label.split() for label in (first, second))


class LightWriter:
    """Keeps the light of frames on a coarse grid.

    Args:
        pixels: the frames' pixel format.
        traced: whether all that measures need of the frames is kept too.
    """

    def __init__(self, pixels: str, *, traced: bool = False) -> None:
        self._pixels = pixels
        self._cells: list[F16] = []
        self._trace = TracePartBuilder() if traced else None

    def write(self, frames: Samples) -> None:
        """Measure the next frames."""
        self.write_small(shrink(frames, self._pixels))

    def write_small(self, frames: NDArray[np.uint8]) -> None:
        """Measure the next small frames, uint8 (N, h, w, 3) RGB."""
        cells = cells_of(frames)
        self._cells.append(cells.astype(np.float16))
        if self._trace is not None:
            self._trace.add(frames, cells)

    @property
    def arrays(self) -> Arrays:
        """Of all frames so far: `cells`, their linear light (N, gh, gw, 3), and the arrays of their trace."""
        traced = {} if self._trace is None else self._trace.part.arrays
        return {"cells": np.concatenate(self._cells), **traced}
