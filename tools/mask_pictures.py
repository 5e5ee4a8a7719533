"""Draw the pictures of masks in docs/operations.md: white where a mask keeps, black where it removes."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clavilux.arrays import F64
from clavilux.curves import Grid
from clavilux.patches.moments import Moments
from clavilux.signals.expr import Node
from clavilux.signals.table import OPS
from svg import FAINT, HEIGHT, path, picture

__all__ = ["draw_mask"]

CELLS, SHADES = 24, 9
"""Cells a side, and shades of grey."""
GAP = 48
"""Units between the mask that an op takes and the one that it gives."""


def draw_mask(node: Node) -> str:
    """Draw a mask, and before it those that it is made of."""
    shown = [*node.inputs, node]
    shapes, left = [], 0
    for each in shown:
        shapes += [arrow(left - GAP)] if left else []
        shapes += shades(mask_values(each), left)
        left += HEIGHT + GAP
    return picture(left - GAP, shapes)


def mask_values(node: Node) -> F64:
    """Compute a mask at the centre of each cell, (CELLS, CELLS) in [0, 1]."""

    def function(each: Node) -> Any:
        return OPS[each.op].compute(moments, [function(below) for below in each.inputs], each.params)

    images = {"star.png": star()}
    moments = Moments(np.zeros(1), Grid([0, 1]), 0, {}, {}, frozenset(), images)
    return np.asarray(function(node)(*centres()))


def centres() -> Sequence[F64]:
    """Return x and y of the centre of each cell, (CELLS, CELLS) each."""
    sides = (np.arange(CELLS) + 0.5) / CELLS
    return np.meshgrid(sides, sides)


def star() -> NDArray[np.uint8]:
    """Draw the image that an example reads: a star with five points, the first up."""
    x, y = centres()
    angle, radius = np.arctan2(x - 0.5, 0.5 - y), np.hypot(x - 0.5, y - 0.5)
    edge = 0.28 + 0.14 * np.cos(5 * angle)
    return np.where(radius < edge, 255, 0).astype(np.uint8)


def shades(values: F64, left: int) -> Iterator[str]:
    """Draw the cells of each shade as lines across those of a row that have it."""
    cell, at = HEIGHT // CELLS, np.array([left, 0])
    shade = np.minimum((values * SHADES).astype(int), SHADES - 1)
    yield f'<rect x="{left}" width="{HEIGHT}" height="{HEIGHT}" fill="#000"/>'
    for each in range(1, SHADES):
        lines = [run + at for row in range(CELLS) for run in runs(shade[row] == each, row, cell)]
        if lines:
            grey = f"{each * 255 // (SHADES - 1):02x}"
            yield path(lines, f"#{grey * 3}", stroke_width=cell, shape_rendering="crispEdges")
    inside = f'x="{left + 1}" y="1" width="{HEIGHT - 2}" height="{HEIGHT - 2}"'
    yield f'<rect {inside} stroke="{FAINT}" stroke-width="2"/>'


def runs(cells: Any, row: int, cell: int) -> Iterator[F64]:
    """Yield a line through the middle of each run of cells, (2, 2)."""
    edges = np.flatnonzero(np.diff(np.pad(cells.astype(int), 1))) * cell
    y = row * cell + cell // 2
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        yield np.array([[start, y], [end, y]])


def arrow(left: int) -> str:
    middle, end = HEIGHT // 2, left + GAP - 10
    points = [
        [left + 10, middle],
        [end, middle],
        [end - 10, middle - 8],
        [end, middle],
        [end - 10, middle + 8],
    ]
    return path([np.array(points)], FAINT, stroke_width=3)
