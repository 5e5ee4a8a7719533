"""Palettes: twelve latents of a model that belong together, one for each pitch class, and two more.

Which latents these are is settled when a patch meets a model. A palette has a rest for silence and an accent
for hits.

>>> warm = palette(mood="warm")
>>> print(warm.loop(bars=8), warm.accent)
palette(mood='warm', seed=0).loop(bars=8) palette(mood='warm', seed=0).accent
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clavilux.catalogue import Mood
from clavilux.patch import ops as _ops  # fills the op table
from clavilux.signals.expr import Node, apply
from clavilux.signals.table import OPS

if TYPE_CHECKING:
    from clavilux.patch.methods import EntryMethods, PaletteMethods
else:
    from clavilux.signals.table import methods_of

    EntryMethods, PaletteMethods = map(methods_of, ("entry", "palette"))

__all__ = ["Entry", "Palette", "palette"]

assert _ops


class Palette(Node, PaletteMethods):
    """A palette, before it is known of which model."""

    __slots__ = ()
    kind = "palette"


class Entry(Node, EntryMethods):
    """One latent of a palette."""

    __slots__ = ()
    kind = "entry"


def palette(*, mood: Mood | None = None, seed: int = 0) -> Palette:
    """Choose a palette of whatever model draws, by mood and seed.

    Raises:
        PatchError: there is no such mood.
    """
    made: Palette = apply(OPS["palette"], (), {"mood": mood, "seed": seed})
    return made
