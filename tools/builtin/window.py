"""The part of a picture that a grown generator learns on.

Its first octaves rest: they are painted whole, without gradients. The octaves above are painted on a square
of those only, a little larger than what is then seen, for near a cut a convolution lacks its surroundings.
"""

from typing import NamedTuple

from critic import place

__all__ = ["Window"]

VIEW = 128
MARGIN = 4
"""Cells of the resting octaves; two octaves above reach less than four cells far."""

Part = tuple[slice, slice]


class Window(NamedTuple):
    """Rows and columns: of the whole picture, of the resting octaves, and of what is painted on those."""

    seen: Part
    cells: Part
    kept: Part
    resting: int
    scale: int

    @classmethod
    def anywhere(cls, resolution: int, resting: int) -> "Window":
        """Draw a place for ``VIEW`` px of a picture of ``resolution`` whose octaves to ``resting`` rest."""
        scale, view = resolution // resting, min(VIEW, resolution)
        side = min(view // scale + 2 * MARGIN, resting)
        lines = []
        for _ in range(2):
            first = place(resting - view // scale)
            start = min(max(first - MARGIN, 0), resting - side)
            skipped = (first - start) * scale
            lines.append(
                (
                    slice(first * scale, first * scale + view),
                    slice(start, start + side),
                    slice(skipped, skipped + view),
                )
            )
        return cls(*zip(*lines, strict=True), resting, scale)

    @property
    def under(self) -> Part:
        """What is seen, in cells."""
        top, left = (
            slice(cut.start + kept.start // self.scale, cut.start + kept.stop // self.scale)
            for cut, kept in zip(self.cells, self.kept, strict=True)
        )
        return top, left

    def side(self, octave: int) -> int:
        """How many pixels across are painted of an octave."""
        rows = self.cells[0]
        return (rows.stop - rows.start) * octave // self.resting
