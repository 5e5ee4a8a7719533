"""Bends that look at a value's neighbours: erosion, dilation, blur and sharpening.

Radii are cells of the layer and may be fractions: what whole radii give is blended. All of them are computed
in every pass, so that each frame of a pass can have its own.
"""

import itertools
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from clavilux.generator.bends.bend import Bend, wide

__all__ = ["Blur", "Dilate", "Erode", "Sharpen", "blurred"]

MAX_RADIUS = 4
SIGMAS = (0.0, 0.5**0.5, 2.5**0.5, 10.5**0.5)
"""Standard deviation of the levels of a blur, cells: [1, 2, 1] / 4 has variance 1/2, spread twice 4 times."""


class Dilate(Bend):
    """The maximum within a disc, which grows by a cross and a square in turn: an octagon."""

    moved = ("radius",)
    full: ClassVar[Mapping[str, float]] = {"radius": 2.0}
    neutral: ClassVar[Mapping[str, float]] = {"radius": 0}

    def transform(self, x: Tensor, /, **moved: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W)."""
        radius, grown = wide(moved["radius"]), x
        y = _hat(radius) * x
        for whole in range(1, MAX_RADIUS + 1):
            grown = _cross(grown) if whole % 2 else F.max_pool2d(grown, 3, stride=1, padding=1)
            y = y + _hat(radius - whole) * grown
        return y


class Erode(Dilate):
    """The minimum within a disc: the dilation of the negative."""

    def transform(self, x: Tensor, /, **moved: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W)."""
        return -super().transform(-x, **moved)


def blurred(x: Tensor, sigma: Tensor) -> Tensor:
    """Blur by a Gaussian of a standard deviation in cells, (B, 1, 1, 1), up to 3.

    It is a blend of the two nearest of repeated filters [1, 2, 1] / 4 of growing spread.
    """
    level = x
    for k, (low, high) in enumerate(itertools.pairwise(SIGMAS)):
        wider = _smoothed(level, 1 << k)
        share = ((sigma - low) / (high - low)).clamp(0, 1)
        x = x + share * (wider - level)  # telescopes to a blend of the two levels about sigma
        level = wider
    return x


class Blur(Bend):
    """A Gaussian of a standard deviation in cells; see `blurred`."""

    moved = ("by",)
    full: ClassVar[Mapping[str, float]] = {"by": 2.5}
    neutral: ClassVar[Mapping[str, float]] = {"by": 0}

    def transform(self, x: Tensor, /, **moved: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W)."""
        return blurred(x, wide(moved["by"]))


class Sharpen(Bend):
    """y = x + b (x - blurred x)."""

    moved = ("by",)
    full: ClassVar[Mapping[str, float]] = {"by": 4.0}
    neutral: ClassVar[Mapping[str, float]] = {"by": 0}

    def transform(self, x: Tensor, /, **moved: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W)."""
        return x + wide(moved["by"]) * (x - _smoothed(_smoothed(x, 1), 1))


def _hat(distance: Tensor) -> Tensor:
    return torch.relu(1 - distance.abs())


def _cross(x: Tensor) -> Tensor:
    across = F.max_pool2d(x, (1, 3), stride=1, padding=(0, 1))
    return torch.maximum(across, F.max_pool2d(x, (3, 1), stride=1, padding=(1, 0)))


def _smoothed(x: Tensor, spread: int) -> Tensor:
    """Filter both axes with [1, 2, 1] / 4, its taps so many cells apart; edges continue."""
    for axis in (2, 3):
        side = x.shape[axis]
        padded = F.pad(x, (0, 0, spread, spread) if axis == 2 else (spread, spread, 0, 0), mode="replicate")
        before, after = padded.narrow(axis, 0, side), padded.narrow(axis, 2 * spread, side)
        x = 0.25 * (before + after) + 0.5 * x
    return x
