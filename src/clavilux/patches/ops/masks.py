"""The operations of masks: weights of places in the image, as functions of x and y."""

import numpy as np

from clavilux.arrays import F64
from clavilux.patches.moments import MaskOf, Moments
from clavilux.signals.table import choice, file, number, op

__all__ = ["EDGE", "PLACE"]

EDGE = {"soft": number(0.1, 0, 1)}
PLACE = {"x": number(0.5, -1, 2), "y": number(0.5, -1, 2)}


@op("mask", params={**PLACE, "radius": number(0.3, 0, 2), **EDGE})
def disc(*, x: float, y: float, radius: float, soft: float) -> MaskOf:
    """Keep a disc: x and y from the left and the top, 0 to 1; radius and soft edge in image sides."""
    return lambda across, down: _inside(radius - np.hypot(across - x, down - y), soft)


@op("mask", params={**PLACE, "radius": number(0.35, 0, 2), "width": number(0.1, 0, 2), **EDGE})
def ring(*, x: float, y: float, radius: float, width: float, soft: float) -> MaskOf:
    """Keep a ring of a radius and a width, in image sides."""
    return lambda across, down: _inside(width / 2 - np.abs(np.hypot(across - x, down - y) - radius), soft)


@op("mask", params={"side": choice("left", "right", "top", "bottom", default="left"), **EDGE})
def half(*, side: str, soft: float) -> MaskOf:
    """Keep one half of the image: left, right, top or bottom."""
    sign = 1.0 if side in {"left", "top"} else -1.0
    return lambda across, down: _inside(sign * (0.5 - (across if side in {"left", "right"} else down)), soft)


@op("mask", params={"degrees": number(0, -360, 360, "degrees")})
def gradient(*, degrees: float) -> MaskOf:
    """Rise evenly from 0 to 1 across the image, from left to right at 0 degrees, downwards at 90."""
    a = np.deg2rad(degrees)
    reach = abs(np.cos(a)) + abs(np.sin(a))
    return lambda across, down: np.clip(
        0.5 + ((across - 0.5) * np.cos(a) + (down - 0.5) * np.sin(a)) / reach, 0.0, 1.0
    )


@op("mask", needs="moments", params={"path": file()})
def image(moments: Moments, path: str) -> MaskOf:
    """Keep what is white in an image file and remove what is black; it is stretched over the whole image."""
    grey = moments.images[path].astype(np.float64) / 255

    def weights(across: F64, down: F64) -> F64:
        from scipy.ndimage import map_coordinates

        places = [np.asarray(each) * len(grey) - 0.5 for each in (down, across)]
        return np.asarray(map_coordinates(grey, places, order=1, mode="nearest"))

    return weights


@op("mask")
def everywhere() -> MaskOf:
    """Keep all of the image."""
    return lambda across, down: 0 * (across + down) + 1


@op("mask", "mask")
def invert(mask: MaskOf) -> MaskOf:
    """Keep what the mask removes, and remove what it keeps."""
    return lambda across, down: 1 - mask(across, down)


def _inside(depth: F64, soft: float) -> F64:
    """Return 1 inside, 0 outside, and a smooth step over the soft edge about depth 0."""
    t = np.clip(depth / max(soft, 1e-6) + 0.5, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
