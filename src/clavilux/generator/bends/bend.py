"""What every bend has in common: y = x + a m_c m_xy (T(x) - x).

Broad, Leymarie & Grierson 2020 (arXiv:2005.12420) insert transforms T after a layer's activation. Here each
has a strength a for every frame, weights of channels m_c and of places m_xy, and where nothing moves it the
features are selected unchanged, so a neutral bend is bit-equal to none. Features are (B, C, H, W), signals
(B,). Bends compute in float32 whatever the features are in: positions and statistics need it.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from clavilux.generator.change import PER_FRAME
from clavilux.generator.sites import Site

__all__ = ["Bend", "wide"]

EPSILON = 1e-8


class Bend(nn.Module, ABC):
    """A transform at one layer; what a `generator.change.Change` of a bend makes.

    Attributes:
        neutral: the transform's own signals, each with the value at which it changes nothing; empty where
            only the strength can be neutral.
        moved: names of the transform's own signals.
        full: their values at full strength: what an artist would call far, not what is possible.
    """

    is_features = False
    moved: ClassVar[tuple[str, ...]] = ()
    neutral: ClassVar[Mapping[str, float]] = {}
    full: ClassVar[Mapping[str, float]] = {}

    @classmethod
    def at_strength(cls, strength: float) -> dict[str, float]:
        """Return every signal at a strength from 0, neutral, to 1, full.

        >>> Bend.at_strength(0.5)
        {'amount': 0.5}
        """
        if not cls.neutral:
            return {**cls.full, "amount": strength}
        moved = {name: still + strength * (cls.full[name] - still) for name, still in cls.neutral.items()}
        return {**moved, "amount": 1.0}

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.site, self.layer, self.number = site, site.layer, site.number
        self.channels = nn.Buffer(torch.from_numpy(site.channels))  # (C,)
        self.inputs = dict.fromkeys((*self.moved, "amount"), PER_FRAME)
        self.spec: tuple[Hashable, ...] = (type(self).__name__, site.layer, site.key, site.along, site.reach)
        self.places = None if site.places is None else nn.Buffer(torch.from_numpy(site.places))  # (H, W)

    @abstractmethod
    def transform(self, x: Tensor, /, **moved: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W), float32, under the transform's signals (B,)."""

    def forward(self, x: Tensor, /, *, amount: Tensor, **moved: Tensor) -> Tensor:
        """Bend features (B, C, H, W) by an amount (B,) and the transform's own signals (B,)."""
        before = x.float()
        share = wide(amount)
        if self.site.reach is not None:
            moved, share = self._reached(amount, self.site.reach)
        after = self.transform(before, **moved)
        if self.site.guard:
            after = after * _power_factor(before, after, self.site.guard)
        share = share * self.channels[:, None, None]  # a m_c, (B, C, 1, 1)
        if self.places is not None:
            share = share * self.places  # m_xy
        bent = before + share * (after - before)  # y = x + a m_c m_xy (T(x) - x)
        return torch.where(wide(self.is_still(amount, moved)), x, bent.to(x.dtype))

    def takes_along(self, what: str) -> bool:
        """Whether 'colours' or 'noise' are moved along."""
        return self.site.along in {what, "all"}

    def along(self, image: Tensor, /, *, amount: Tensor, **moved: Tensor) -> Tensor:
        """Move an image or noise (B, 1 or 3, H, W) of any size as the features are moved; see `forward`."""
        share, places = wide(amount), self.places
        if self.site.reach is not None:
            moved, share = self._reached(amount, self.site.reach)
        if places is not None:
            size = (int(image.shape[-2]), int(image.shape[-1]))
            share = share * functional.interpolate(places[None, None], size, mode="bilinear")
        bent = image + share * (self.transform(image, **moved) - image)
        return torch.where(wide(self.is_still(amount, moved)), image, bent)

    def is_still(self, amount: Tensor, moved: Mapping[str, Tensor]) -> Tensor:
        """Return whether nothing is bent, (B,), by an amount and the transform's own signals."""
        still = amount == 0
        if self.neutral:
            at_rest = [moved[name] == value for name, value in self.neutral.items()]
            for each in at_rest[1:]:
                at_rest[0] = at_rest[0] & each
            still = still | at_rest[0]
        return still

    def _reached(self, amount: Tensor, reach: float) -> tuple[dict[str, Tensor], Tensor]:
        """Return the transform's signals, and the strength, of a calibrated bend at an amount (B,)."""
        whole = self.at_strength(reach)
        if not self.neutral:
            return {name: 0 * amount + whole[name] for name in self.moved}, wide(reach * amount)
        moved = {name: still + amount * (whole[name] - still) for name, still in self.neutral.items()}
        return moved, wide(0 * amount + 1)


def wide(signal: Tensor) -> Tensor:
    """Turn a signal (B,) into (B, 1, 1, 1)."""
    return signal[:, None, None, None]


def _power_factor(before: Tensor, after: Tensor, guard: float) -> Tensor:
    """Return what returns each channel to its former root mean square, (B, C, 1, 1), as far as the guard."""
    wanted, found = (t.square().mean(dim=(2, 3), keepdim=True) for t in (before, after))
    return ((wanted + EPSILON) / (found + EPSILON)).pow(guard / 2)
