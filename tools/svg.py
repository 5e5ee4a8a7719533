"""Small pictures as SVG text, and whether two of them show the same.

Coordinates are whole units of half a pixel, y measured down. Lines are (N, 2) points with x increasing; a
path is several of them. Colours are mid-tones without a background, so that a picture is legible on a white
page and on a black one.
"""

import re
from collections.abc import Iterable
from itertools import chain

import numpy as np
from scipy.spatial import cKDTree

from clavilux.arrays import F64

__all__ = ["FAINT", "HEIGHT", "STRONG", "area", "path", "picture", "same", "simplify"]

HEIGHT = 144
"""Of every picture, in units."""
UNITS_PER_PIXEL = 2
FAINT, STRONG = "#8b949e", "#e8590c"
MAX_BEND_UNITS = 0.7
"""How far a line may pass from a point that `simplify` drops: less than rounding moves it."""
TOLERANCE_UNITS = 4
"""How far apart two pictures of the same may be: 2 pixels, and as many hundredths of a second."""
COORDINATES = re.compile(r' d="([^"]*)"')


def picture(width: int, shapes: Iterable[str]) -> str:
    """Write a picture that is `width` units wide."""
    size = f'width="{width // UNITS_PER_PIXEL}" height="{HEIGHT // UNITS_PER_PIXEL}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {HEIGHT}" fill="none">'
    return "\n".join([head, *shapes, "</svg>"]) + "\n"


def path(lines: Iterable[F64], colour: str, **style: object) -> str:
    """Write lines of one colour; `style` are attributes of SVG, with _ for -."""
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<path stroke="{colour}"{attributes} d="{_coordinates(lines)}"/>'


def area(lines: Iterable[F64], colour: str, opacity: float) -> str:
    """Write areas of one colour, each closed by a straight line from its last point to its first."""
    return f'<path fill="{colour}" fill-opacity="{opacity:g}" d="{_coordinates(lines)}"/>'


def simplify(line: F64) -> F64:
    """Drop the points that a line through the others passes closely (Ramer 1972; Douglas and Peucker 1973).

    >>> simplify(np.array([[0.0, 0.0], [1.0, 0.1], [2.0, 0.0], [3.0, 9.0]])).tolist()
    [[0.0, 0.0], [2.0, 0.0], [3.0, 9.0]]
    """
    kept = np.zeros(len(line), bool)
    kept[[0, -1]] = True
    spans = [(0, len(line) - 1)]
    while spans:
        first, last = spans.pop()
        (run, rise), off = line[last] - line[first], line[first + 1 : last] - line[first]
        distances = np.abs(run * off[:, 1] - rise * off[:, 0]) / np.hypot(run, rise)  # |a x b| / |a|
        if distances.max(initial=0) > MAX_BEND_UNITS:
            middle = first + 1 + int(distances.argmax())
            kept[middle] = True
            spans += [(first, middle), (middle, last)]
    return line[kept]


def same(one: str, other: str) -> bool:
    """Return whether two pictures show the same, however rounding differs from machine to machine.

    All but the coordinates is equal, there are as many lines, and no point of a line is further than 2 pixels
    from that line of the other picture (the Hausdorff distance): neither how many points a line has matters,
    nor whether a steep edge is a hundredth of a second later.

    >>> flat, lower, low = (picture(640, [path([np.array([[0, y], [9, y]])], FAINT)]) for y in (50, 53, 90))
    >>> same(flat, lower), same(flat, low)
    (True, False)
    """
    if COORDINATES.sub("", one) != COORDINATES.sub("", other):
        return False
    first, second = ([path.split("M") for path in COORDINATES.findall(each)] for each in (one, other))
    if list(map(len, first)) != list(map(len, second)):
        return False
    pairs = zip(chain.from_iterable(first), chain.from_iterable(second), strict=True)
    return all(
        line == its or _distance(_points(line), _points(its)) <= TOLERANCE_UNITS for line, its in pairs
    )


def _coordinates(lines: Iterable[F64]) -> str:
    whole = (np.round(line).astype(int).tolist() for line in lines)
    return "".join("M" + " ".join(f"{x},{y}" for x, y in line) for line in whole)


def _points(line: str) -> F64:
    """Return points (N, 2) along a line that is written, one unit apart or less."""
    corners = np.array([point.split(",") for point in line.split()], np.float64)
    sides = zip(corners, [*corners[1:], corners[-1]], strict=True)
    return np.concatenate(
        [np.linspace(start, end, 1 + int(np.abs(end - start).max())) for start, end in sides]
    )


def _distance(one: F64, other: F64) -> float:
    """Return how far a point of one line is from the other at most."""
    return max(float(np.max(cKDTree(to).query(points)[0])) for points, to in ((one, other), (other, one)))
