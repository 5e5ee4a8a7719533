"""How much light moves when a model's images are pushed, measured on its survey without drawing.

Relative luminance is linear, 0 to 1. An image that is enlarged or shifted changes most where it is bright
beside dark, and least where it is even. On its way to another image it is taken to change by its share of the
difference between both. That is a lower bound: what lies between two latents is no mean of their images, and
drawn images of silk and glass changed by 1.2 to 5 times as much.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from clavilux.arrays import F32, F64
from clavilux.profile.survey import Survey

__all__ = ["light_moved", "light_toward", "luminance"]

FIELD = 1 / 3
"""Share of an image's sides that the field has in which flashes are counted (WCAG 2.3.1)."""
AREA = 0.25
"""Share of the field from which a flash counts."""


def luminance(lab: F32) -> F64:
    """Return the relative luminance of CIELAB colours (..., 3).

    >>> luminance(np.array([[0, 0, 0], [100, 0, 0]], np.float32)).tolist()
    [0.0, 1.0]
    """
    lightness = lab[..., 0].astype(np.float64)
    # CIE 15: Y = ((L* + 16) / 116)^3 above L* = 8, below it L* / 903.3
    return np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness / 903.3)


def light_moved(pool: Survey, zoom: float = 0.0, shift: float = 0.0) -> F64:
    """Measure by how much the light of each image changes when it is enlarged and shifted, (N,).

    It is the change of relative luminance that a quarter of a field reaches, of the field where that is most;
    on the survey's grid, so that fine texture does not count.

    Args:
        pool: the model's survey.
        zoom: by how much it is enlarged, 0.1 a tenth.
        shift: to the right, as a share of the width.

    >>> lab = np.zeros((2, 16, 16, 3), np.float32)
    >>> lab[1, :, ::4, 0] = 100
    >>> pool = Survey(np.zeros((2, 4), np.float32), lab, np.zeros(2, np.float32))
    >>> even, striped = light_moved(pool, 0.1)
    >>> float(even), bool(striped > 0.3)
    (0.0, True)
    """
    before = luminance(pool.lab)  # (N, H, W)
    _, height, width = before.shape
    after = _moved(height, zoom) @ before @ _moved(width, zoom, shift).T
    return _in_worst_field(after - before)


def light_toward(pool: Survey, image: int) -> F64:
    """Measure by how much the light of each image differs from that of one of them, (N,).

    It is measured as in `light_moved`.
    """
    light = luminance(pool.lab)
    return _in_worst_field(light[image] - light)


def _in_worst_field(change: F64) -> F64:
    """Return what a quarter of a field reaches of each change (N, H, W), where that is most, (N,)."""
    field = tuple(max(1, round(side * FIELD)) for side in change.shape[1:])
    windows = sliding_window_view(np.abs(change), field, axis=(1, 2))
    return np.asarray(np.quantile(windows, 1 - AREA, axis=(-2, -1)).max(axis=(1, 2)))


def _moved(side: int, zoom: float, shift: float = 0.0) -> F64:
    """Return the linear interpolation that enlarges a side about its centre and shifts it, (side, side).

    Its beginning is mirrored, as bends do.
    """
    centre = (side - 1) / 2
    places = (np.arange(side) - centre - shift * side) / (1 + zoom) + centre
    places = np.clip(np.abs(places + 0.5) - 0.5, 0, side - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(places[:, None] - np.arange(side))))
