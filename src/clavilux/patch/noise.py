"""Noise: what the texture does. Tracks of drifting noise, mixed, scaled, masked and put on layers.

Every op keeps the standard deviation at every moment what it was, but for `scale`, which multiplies it, and
`mask`, which does so place by place. Amounts are in units of the model's own noise.

>>> from clavilux.signals.sources import song
>>> print(drift(seconds=3).fast(song.kick.decay(beats=0.5), seconds=0.12).scale(1.5))
drift(seconds=3, name='').fast(kick.decay(beats=0.5), seconds=0.12, name='').scale(1.5)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clavilux.patch import ops as _ops  # fills the op table
from clavilux.signals.expr import Node, apply
from clavilux.signals.table import OPS

if TYPE_CHECKING:
    from clavilux.patch.methods import MaskMethods, NoiseMethods
else:
    from clavilux.signals.table import methods_of

    MaskMethods, NoiseMethods = map(methods_of, ("mask", "noise"))

__all__ = ["Mask", "Noise", "disc", "drift", "gradient", "half", "ring"]

assert _ops


class Noise(Node, NoiseMethods):
    """Noise for every layer at every moment; begins with `drift`."""

    __slots__ = ()
    kind = "noise"

    def __add__(self, other: Noise) -> Noise:
        added: Noise = apply(OPS["noise.add"], (self, other), {})
        return added


class Mask(Node, MaskMethods):
    """A weight in [0, 1] for every place of the image, the same at every size."""

    __slots__ = ()
    kind = "mask"


def drift(*, seconds: float | None = None, bars: float | None = None, name: str = "") -> Noise:
    """Begin with noise that has half changed after this many seconds or bars.

    Args:
        seconds: 0.01 to 3600.
        bars: 0.01 to 1024.
        name: tracks of one name share their noise; a track without one has noise of its own.

    Raises:
        PatchError: not exactly one length of time, or one out of range.
    """
    made: Noise = apply(OPS["drift"], (), {"seconds": seconds, "bars": bars, "name": name})
    return made


def disc(*, x: float = 0.5, y: float = 0.5, radius: float = 0.3, soft: float = 0.1) -> Mask:
    """Mask all but a disc; lengths are in image heights, x and y from the left and the top edge, 0 to 1."""
    made: Mask = apply(OPS["disc"], (), {"x": x, "y": y, "radius": radius, "soft": soft})
    return made


def ring(
    *, x: float = 0.5, y: float = 0.5, radius: float = 0.35, width: float = 0.1, soft: float = 0.1
) -> Mask:
    """Mask all but a ring of a radius and a width, in image heights."""
    made: Mask = apply(OPS["ring"], (), {"x": x, "y": y, "radius": radius, "width": width, "soft": soft})
    return made


def half(*, side: str = "left", soft: float = 0.1) -> Mask:
    """Mask all but one half of the image: left, right, top or bottom."""
    made: Mask = apply(OPS["half"], (), {"side": side, "soft": soft})
    return made


def gradient(*, degrees: float = 0.0) -> Mask:
    """Rise evenly from 0 at one edge of the image to 1 at the other; at 0 degrees from left to right."""
    made: Mask = apply(OPS["gradient"], (), {"degrees": degrees})
    return made
