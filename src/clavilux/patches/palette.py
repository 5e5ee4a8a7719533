"""Palettes: twelve latents of a model that belong together, one for each pitch class, and two more.

Which latents these are is settled when a patch meets a model. A palette has a rest for silence and an accent
for hits, and may have more entries by name.

>>> from clavilux.patches.functions import palette
>>> warm = palette(mood="warm")
>>> print(warm.loop(bars=8), warm.accent)
palette(mood='warm', seed=0).loop(bars=8, path='spline') palette(mood='warm', seed=0).accent
>>> print(warm["C#"])
palette(mood='warm', seed=0).entry('C#')
"""

from __future__ import annotations

from clavilux.patches.methods import EntryMethods, PaletteMethods
from clavilux.signals.expr import Node

__all__ = ["Entry", "Palette"]


class Palette(Node, PaletteMethods):
    """A palette, before it is known of which model."""

    __slots__ = ()
    kind = "palette"

    def __getitem__(self, name: str) -> Entry:
        return self.entry(name)


class Entry(Node, EntryMethods):
    """One latent of a palette."""

    __slots__ = ()
    kind = "entry"
