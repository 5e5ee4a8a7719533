"""Bends that mix channels: rotations in planes of two channels, and a roll through all of them.

Both keep the energy of a set of channels (a roll at whole steps) and return to their start, so they suit
oscillators. Only channels of the bend's own set take part.
"""

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from clavilux import seeds
from clavilux.generator.bends.bend import Bend, wide
from clavilux.generator.sites import Site

__all__ = ["RollChannels", "RotateChannels"]


class RotateChannels(Bend):
    """Rotate random pairs: (x_i, x_j) -> (cos x_i - sin x_j, sin x_i + cos x_j); an odd one out stays."""

    moved = ("by",)
    full: ClassVar[Mapping[str, float]] = {"by": 90.0}
    neutral: ClassVar[Mapping[str, float]] = {"by": 0}

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        count = len(site.channels)
        partner, sign = np.arange(count), np.zeros(count, np.float32)
        members = np.flatnonzero(site.channels)
        random = seeds.generator(site.seed, f"bend/planes/{site.layer}")
        pairs = random.permutation(members)[: len(members) // 2 * 2].reshape(-1, 2)
        partner[pairs[:, 0]], partner[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
        sign[pairs[:, 0]], sign[pairs[:, 1]] = -1, 1
        self.partner = nn.Buffer(torch.from_numpy(partner))  # (C,)
        self.sign = nn.Buffer(torch.from_numpy(sign))  # (C,), 0 without a partner

    def transform(self, x: Tensor, /, **moved: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W)."""
        angle = wide(moved["by"]) * (math.pi / 180)
        sign = self.sign[:, None, None]
        partner = torch.index_select(x, 1, self.partner)
        return x + (torch.cos(angle) - 1) * sign.abs() * x + torch.sin(angle) * sign * partner


class RollChannels(Bend):
    """Hand every channel on by so many places; a fraction blends the two nearest."""

    moved = ("by",)
    full: ClassVar[Mapping[str, float]] = {"by": 3.0}
    neutral: ClassVar[Mapping[str, float]] = {"by": 0}

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        members = np.flatnonzero(site.channels)
        place = np.zeros(len(site.channels), np.float32)
        place[members] = np.arange(len(members))
        inside = np.zeros(len(site.channels), np.float32)
        inside[members] = 1
        self.steps = nn.Buffer(torch.from_numpy(place[:, None] - place[None, :]))  # (C, C)
        self.both = nn.Buffer(torch.from_numpy(np.outer(inside, inside)))  # (C, C)
        self.count = max(len(members), 1)

    def transform(self, x: Tensor, /, **moved: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W): each channel is that of `by` places before."""
        distance = torch.remainder(self.steps - moved["by"][:, None, None], self.count)
        distance = torch.minimum(distance, self.count - distance)  # around the circle, (B, C, C)
        blend = torch.relu(1 - distance) * self.both
        return torch.matmul(blend, x.flatten(2)).reshape(x.shape)
