"""A palette's latents for one model: plain arrays that whoever draws and whoever patches both know.

Latents are w (D,), or (L, D) where they differ from layer to layer, float32, untruncated.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from clavilux.array_files import Arrays, ArrayValue
from clavilux.arrays import F32, AnyArray
from clavilux.catalogue import FIFTHS, PITCH_CLASSES
from clavilux.errors import PatchError, suggest

__all__ = ["PaletteLatents", "on_ring"]


@dataclass(frozen=True, eq=False)
class PaletteLatents(ArrayValue):
    """A palette's latents for one model.

    Attributes:
        ring: (12, D) or (12, L, D), pitch class C first; along the circle of fifths neighbours look alike.
        rest: (D,), calm, for silence.
        accent: (D,), bright, for hits.
        named: latents by name, (D,) each, besides rest, accent and the ring's by pitch class; those of a
            list are numbered from '1'.
    """

    noun = "palette"
    ring: F32
    rest: F32
    accent: F32
    named: Mapping[str, F32] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("ring", "rest", "accent"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))
        named = {name: _frozen(latent) for name, latent in self.named.items()}
        object.__setattr__(self, "named", MappingProxyType(named))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.ring, self.rest, self.accent, dict(self.named))

    @property
    def layered(self) -> F32:
        """The ring with an axis for layers, of length 1 where all agree, (12, L or 1, D)."""
        return self.ring.reshape(len(self.ring), -1, self.ring.shape[-1])

    @property
    def names(self) -> list[str]:
        """Every name that `entry` knows."""
        return ["rest", "accent", *PITCH_CLASSES, *self.named]

    def entry(self, name: str) -> F32:
        """Return the latent of a name: 'rest', 'accent', a pitch class, or one of `named`; (D,) or (L, D).

        Raises:
            PatchError: there is none; names the nearest.

        >>> PaletteLatents(np.eye(12), np.zeros(12), np.ones(12)).entry("C#")[:3].tolist()
        [0.0, 1.0, 0.0]
        """
        if name in self.named:
            return self.named[name]
        if name in PITCH_CLASSES:
            latent: F32 = self.ring[PITCH_CLASSES.index(name)]
            return latent
        if name in {"rest", "accent"}:
            return self.rest if name == "rest" else self.accent
        hint = suggest(name, self.names, otherwise="there are {}")
        raise PatchError(f"The palette has no entry '{name}'", where="entry", value=name, hint=hint)

    def arrays(self) -> Arrays:
        """Return everything as arrays."""
        named = np.array([*self.named.values()], np.float32).reshape(len(self.named), *self.rest.shape)
        return {
            "ring": self.ring,
            "rest": self.rest,
            "accent": self.accent,
            "named": named,
            "names": np.array([*self.named], np.str_),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> "PaletteLatents":
        """Make the latents of what `arrays` returned.

        Raises:
            ValueError, KeyError: they are others.
        """
        named = dict(zip(arrays["names"].tolist(), arrays["named"], strict=True))
        return cls(arrays["ring"], arrays["rest"], arrays["accent"], named)


def on_ring(images: F32) -> F32:
    """Spread a list of latents (K, D) over the twelve pitch classes; (12, D), pitch class C first.

    They lie along the circle of fifths in their order, beginning with C: of fewer than twelve each takes
    neighbouring pitch classes, as evenly as can be, and of more the first twelve are taken.

    >>> on_ring(np.arange(1, 4)[:, None])[:, 0].tolist()  # C, G, D, A have image 1
    [1, 2, 1, 3, 2, 3, 2, 1, 3, 1, 3, 2]
    """
    tour = images[:12] if len(images) >= 12 else images[np.arange(12) * len(images) // 12]
    ring = np.empty_like(tour)
    ring[list(FIFTHS)] = tour
    return ring


def _frozen(values: F32) -> F32:
    latents = np.array(values, np.float32)
    latents.setflags(write=False)
    return latents
