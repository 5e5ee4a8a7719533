"""The part of an image that a grown generator learns on.

Its first octaves rest: they are generated whole, without gradients. The octaves above are generated on a
square of those only, a little larger than what is then seen, for near a cut a convolution lacks its
surroundings.
"""

from typing import NamedTuple

from critic import place
from teachers import Part

__all__ = ["Window"]

VIEW = 128
MARGIN = 4
"""Cells of the resting octaves; the octaves above reach no more than three far (their test fails at two)."""


class Window(NamedTuple):
    """Rows and columns: seen, in pixels and resting cells; generated, in cells; kept of that, in pixels."""

    seen: Part
    under: Part
    cells: Part
    kept: Part
    resting: int

    @classmethod
    def anywhere(cls, resolution: int, resting: int) -> "Window":
        """Draw a place for ``VIEW`` px of an image of ``resolution`` whose octaves to ``resting`` rest."""
        scale = resolution // resting
        view = min(VIEW, resolution) // scale
        side = min(view + 2 * MARGIN, resting)
        lines = []
        for _ in range(2):
            first = place(resting - view)
            start = min(max(first - MARGIN, 0), resting - side)
            under = slice(first, first + view)
            seen = slice(under.start * scale, under.stop * scale)
            kept = slice((first - start) * scale, (first - start + view) * scale)
            lines.append((seen, under, slice(start, start + side), kept))
        return cls(*zip(*lines, strict=True), resting)

    def side(self, octave: int) -> int:
        """How many pixels across are generated of an octave."""
        rows = self.cells[0]
        return (rows.stop - rows.start) * octave // self.resting

    @property
    def borders(self) -> list[int]:
        """Which of its top, bottom, left and right are the image's own."""
        return [
            2 * axis + end
            for axis, line in enumerate(self.under)
            for end, at in enumerate((line.start == 0, line.stop == self.resting))
            if at
        ]
