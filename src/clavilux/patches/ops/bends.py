"""The bends of the patch language: what each is called, what moves it, and in which units.

A bend changes features by y = x + a m_c m_xy (T(x) - x): `amount` is the strength a, `channels` the channels
m_c, `where` the places m_xy, and T the transform, whose own numbers are signals as well (Broad et al. 2020,
arXiv:2005.12420). Where nothing moves it, the features stay bit for bit what they were. The modules that
compute bends are in `generator.bends`, by the names given here.

`at` is a layer, such as 'b16.conv0' or 'const', or feature sizes: '16 px' or '8-64 px' are every layer of
those. `channels` are 'all', a random share such as '30%' that `seed` chooses, a range '0-63', or 'cluster 2'.
`guard` returns every channel to the power it had, 0 not at all and 1 all the way. With `reach`, 'subtle',
'medium' or 'strong', the bend is calibrated to the model: `amount` moves it from neutral to a mean CIELAB
change of 6, 12 or 24, and its own signals do not matter.
"""

import inspect
from collections.abc import Mapping

from clavilux.arrays import F64
from clavilux.catalogue import REACHES
from clavilux.signals.table import Param, choice, number, op, text, whole

__all__ = ["AMOUNT", "SITE"]

AMOUNT = number(1, 0, 1)
SITE = {
    "at": text(),
    "channels": text("all"),
    "seed": whole(0, 0, 2**31 - 1),
    "guard": number(0, 0, 1),
    "reach": choice(*REACHES, default=None),
}
"""Where a bend acts."""

AXIS = {"axis": choice("x", "y", default="x")}


def _bend(
    name: str,
    sentence: str,
    moved: Mapping[str, Param] | None = None,
    params: Mapping[str, Param] | None = None,
) -> None:
    """Declare a bend: its name, what it does, its signals and its parameters."""
    signals = {**(moved or {}), "amount": AMOUNT}
    fixed = {**(params or {}), **SITE}

    def declared(*_: F64, **__: object) -> None:
        return None

    kinds = inspect.Parameter
    declared.__name__, declared.__doc__ = name, sentence
    declared.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            *(kinds(each, kinds.POSITIONAL_OR_KEYWORD) for each in (*signals, "where")),
            *(kinds(each, kinds.KEYWORD_ONLY) for each in fixed),
        ]
    )
    takes = ("signal",) * len(signals) + ("mask",)
    op("bend", *takes, params=fixed, optional={**signals, "where": "everywhere"})(declared)  # type: ignore[arg-type]


# --- affine: the image is moved as a sheet whose edges mirror it

_bend(
    "translate",
    "Move right by x of the width and down by y of the height; edges mirror, so 2 is back at the start.",
    {"x": number(0, -16, 16, "widths"), "y": number(0, -16, 16, "heights")},
)
_bend("zoom", "Enlarge about the centre, 2 to twice the size.", {"by": number(1, 0.1, 10)})
_bend("rotate", "Turn counter-clockwise about the centre.", {"by": number(0, -36000, 36000, "degrees")})
_bend(
    "shear",
    "Slant: x moves the rows apart sideways, y the columns up and down.",
    {"x": number(0, -4, 4), "y": number(0, -4, 4)},
)
_bend("mirror", "Replace the right half by the left's mirror image, or the lower by the upper's.", None, AXIS)
_bend("flip", "Exchange left and right, or top and bottom.", None, AXIS)

# --- point by point

_bend("gain", "Amplify.", {"db": number(0, -60, 24, "dB")})
_bend("bias", "Add a constant.", {"by": number(0, -16, 16, "standard deviations")})
_bend("invert", "Turn every channel upside down about its mean.")
_bend("ablate", "Set to zero.")
_bend(
    "soft_threshold",
    "Shrink all towards zero by so much, and set to zero what is smaller.",
    {"by": number(0, 0, 16, "standard deviations")},
)
_bend(
    "threshold",
    "Leave two values only: the power of the channel above a level, none below.",
    {"level": number(0, -8, 8, "standard deviations")},
)

# --- morphology

_bend("erode", "Let the dark grow: the minimum within a radius.", {"radius": number(1, 0, 4, "cells")})
_bend("dilate", "Let the bright grow: the maximum within a radius.", {"radius": number(1, 0, 4, "cells")})

# --- between channels

_bend(
    "rotate_channels",
    "Turn pairs of channels into one another; 360 is back at the start.",
    {"by": number(0, -36000, 36000, "degrees")},
)
_bend(
    "roll_channels",
    "Hand every channel's image on to the channel so many places further; fractions blend.",
    {"by": number(0, -65536, 65536, "channels")},
)

# --- filters and mirrors

_bend("blur", "Blur.", {"by": number(1, 0, 3, "cells")})
_bend("sharpen", "Exaggerate what differs from its surroundings.", {"by": number(1, 0, 16)})
_bend(
    "kaleidoscope",
    "Fill the image with mirror images of one sector.",
    {"by": number(0, -36000, 36000, "degrees")},
    {"sectors": whole(6, 2, 24)},
)
_bend("tile", "Repeat the image so many times along each side.", {"by": number(2, 1, 16)})
