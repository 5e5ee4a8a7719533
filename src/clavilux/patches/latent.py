"""Latents: what shape and colour the image takes, a latent for every layer at every moment.

>>> from clavilux.patches.functions import palette
>>> from clavilux.signals.sources import song
>>> warm = palette(mood="warm")
>>> print(warm.loop(bars=8).toward(warm.accent, song.snare.decay(beats=0.5)))
s1 = palette(mood='warm', seed=0)
s1.loop(bars=8, path='spline').toward(s1.accent, snare.decay(beats=0.5))
"""

from clavilux.patches.methods import LatentMethods
from clavilux.signals.expr import Node

__all__ = ["Latent"]


class Latent(Node, LatentMethods):
    """A latent for every layer at every moment; begins with `Palette.weigh` or `Palette.loop`."""

    __slots__ = ()
    kind = "latent"
