"""Noise: what the texture does. Tracks of drifting noise, mixed, scaled, masked and put on layers.

Mixes keep the standard deviation at every moment what it was; `scale` multiplies it, `mask` does so place by
place, and `+` adds the variances of independent tracks. Amounts are in units of the model's own noise.

>>> from clavilux.patches.functions import drift
>>> from clavilux.signals.sources import song
>>> print(drift(seconds=3).fast(song.kick.decay(beats=0.5), seconds=0.12).scale(1.5))
drift(seconds=3, name='').fast(kick.decay(beats=0.5), seconds=0.12, name='').scale(1.5)
"""

from __future__ import annotations

from clavilux.patches.methods import MaskMethods, NoiseMethods
from clavilux.signals.expr import Node, apply
from clavilux.signals.table import OPS

__all__ = ["Mask", "Noise"]


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
