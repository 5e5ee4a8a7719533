"""The images of a render, drawn in the same pieces as a video and by as many processes.

    <folder>/
        000000.png …        the images, each with the name of its sequence in it
        .00012.lease        held by the process that draws segment 12 now

Nothing else is written; what a killed process left is removed by whoever finishes.
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import numpy as np

from clavilux.errors import OutputError
from clavilux.files import remove
from clavilux.make.lease import Lease, is_held
from clavilux.make.plan import Plan, Segment
from clavilux.pixel_formats import Samples
from clavilux.video.images import Images

__all__ = ["LEFT", "ImageStore"]

LEFT = re.compile(r"\d+\.png\.clavilux-part|\.\w+\.(lease|takeover)(\.clavilux-part)?")
"""Names of what is there during a render, and after it was killed."""


@dataclass(frozen=True)
class ImageStore:
    """The images of one plan, whose stamp names the engine too: those of two engines never mix.

    Attributes:
        images: the folder.
        plan: what is being made.
        engine: draws the missing ones.
    """

    images: Images
    plan: Plan
    engine: str

    @contextlib.contextmanager
    def open(self) -> Iterator[Lease]:
        """Use the folder.

        Raises:
            OutputError: it cannot be written, or holds images of another sequence.
        """
        folder = self.images.folder
        others = self.images.others(self.plan.timeline.frames)
        if others:
            raise OutputError(
                f"{folder} holds images of another video, such as {others[0].name}",
                where="target",
                value=str(folder),
                hint="remove them, or choose another folder",
                remedy="target",
            )
        self.images.make_folder()
        user = Lease.take(folder / f".{uuid4().hex[:12]}.lease", self.engine)
        assert user is not None
        try:
            yield user
        finally:
            user.release()
            if not any(is_held(path) for path in folder.glob(".*.lease")):
                for path in folder.iterdir():
                    if LEFT.fullmatch(path.name):
                        remove(path)

    @property
    def segments(self) -> list[Segment]:
        """All segments of the plan."""
        return self.plan.segments

    def missing(self) -> list[Segment]:
        """List the segments that lack an image."""
        missing = set(self.images.missing(self.plan.timeline.frames))
        return [
            segment
            for segment in self.plan.segments
            if not missing.isdisjoint(range(segment.first, segment.last))
        ]

    def foreign(self) -> list[str]:
        """List nothing: images of another engine are of another sequence."""
        return []

    def lease(self, segment: Segment) -> Lease | None:
        """Take the lease of a segment; none where another process draws it now."""
        return Lease.take(self.images.folder / f".{segment.index:05d}.lease")

    def is_whole(self, segment: Segment) -> bool:
        """Whether all images of a segment are there."""
        return all(self.images.is_there(number) for number in range(segment.first, segment.last))

    @contextlib.contextmanager
    def write(self, segment: Segment) -> Iterator["ImageWriter"]:
        """Write the images of a segment, each whole at once."""
        yield ImageWriter(self.images, segment.first)


class ImageWriter:
    """Writes frames as images, one after the other; those that are there already stay."""

    def __init__(self, images: Images, first: int) -> None:
        self._images, self._next = images, first

    def write(self, frames: Samples) -> None:
        """Write the next frames, uint8 (n, H, W, 3)."""
        for frame in frames.astype(np.uint8, copy=False):
            if not self._images.is_there(self._next):
                self._images.write(self._next, frame[None])
            self._next += 1
