"""Colour spaces: sRGB, linear light, CIELAB under D65 and BT.709's Y'CbCr.

Components are on the last axis of an array, float64. sRGB and linear light are in [0, 1].
"""

import numpy as np
from numpy.typing import ArrayLike

from clavilux.arrays import F64

__all__ = ["LUMA", "bt709", "linear_to_lab", "srgb_to_lab", "srgb_to_linear"]

LUMA = (0.2126, 1 - 0.2126 - 0.0722, 0.0722)
"""Shares of red, green and blue in luminance (ITU-R BT.709)."""

TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
"""Linear sRGB to CIE XYZ (IEC 61966-2-1); the sum of each row is the white point's component."""


def srgb_to_linear(srgb: ArrayLike) -> F64:
    """Undo sRGB's transfer curve (IEC 61966-2-1).

    >>> srgb_to_linear([0.0, 1.0]).tolist()
    [0.0, 1.0]
    """
    v = np.asarray(srgb, np.float64)
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def linear_to_lab(linear: ArrayLike) -> F64:
    """Convert linear RGB (..., 3) to CIELAB (..., 3) under D65 (CIE 15)."""
    xyz = np.einsum("...c,xc->...x", np.asarray(linear), TO_XYZ / TO_XYZ.sum(axis=1, keepdims=True))
    # f(t) = t^(1/3) above (6/29)^3, a straight line below
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def srgb_to_lab(srgb: ArrayLike) -> F64:
    """Convert sRGB (..., 3) in [0, 1] to CIELAB (..., 3) under D65.

    >>> srgb_to_lab([1.0, 1.0, 1.0]).round(6).tolist()
    [100.0, 0.0, 0.0]
    """
    return linear_to_lab(srgb_to_linear(srgb))


def bt709() -> F64:
    """Return the matrix from R'G'B' in [0, 1] to (Y, Cb, Cr) code values of 8 bits, offsets last; (3, 4).

    Limited range: Y' from 16 to 235, Cb and Cr from 16 to 240 (ITU-R BT.709, section 4).

    >>> (bt709() @ [1, 1, 1, 1]).round(9).tolist()
    [235.0, 128.0, 128.0]
    """
    luma = np.array(LUMA)
    cb = (np.array([0, 0, 1]) - luma) / (2 * (1 - LUMA[2]))
    cr = (np.array([1, 0, 0]) - luma) / (2 * (1 - LUMA[0]))
    return np.column_stack([np.stack([219 * luma, 224 * cb, 224 * cr]), [16, 128, 128]])
