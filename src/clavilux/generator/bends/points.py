"""Bends that change every value by itself, in units of its channel's own statistics.

Features after a leaky ReLU have no fixed range, so levels are standard deviations of the channel over the
image, and a channel is inverted about its own mean.
"""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from clavilux.generator.bends.bend import EPSILON, Bend, wide

__all__ = ["Ablate", "Bias", "Gain", "Invert", "SoftThreshold", "Threshold"]

STEEPNESS = 8.0
"""Slope of a threshold's step, for each standard deviation: sharp, yet a moving level does not jump."""


class Gain(Bend):
    """y = x 10^(dB / 20)."""

    moved = ("db",)
    full: ClassVar[Mapping[str, float]] = {"db": 9.0}
    neutral: ClassVar[Mapping[str, float]] = {"db": 0}

    def transform(self, x: Tensor, /, **moved: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W)."""
        return x * torch.exp(wide(moved["db"]) * 0.11512925464970229)  # ln(10) / 20


class Bias(Bend):
    """y = x + b sigma_c."""

    moved = ("by",)
    full: ClassVar[Mapping[str, float]] = {"by": 1.5}
    neutral: ClassVar[Mapping[str, float]] = {"by": 0}

    def transform(self, x: Tensor, /, **moved: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W)."""
        return x + wide(moved["by"]) * _statistics(x)[1]


class Invert(Bend):
    """y = 2 mu_c - x."""

    def transform(self, x: Tensor, /, **_: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W)."""
        return 2 * _statistics(x)[0] - x


class Ablate(Bend):
    """y = 0."""

    def transform(self, x: Tensor, /, **_: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W)."""
        return 0 * x


class SoftThreshold(Bend):
    """y = sign(x) max(|x| - r sigma_c, 0)."""

    moved = ("by",)
    full: ClassVar[Mapping[str, float]] = {"by": 1.0}
    neutral: ClassVar[Mapping[str, float]] = {"by": 0}

    def transform(self, x: Tensor, /, **moved: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W)."""
        level = wide(moved["by"]) * _statistics(x)[1]
        return torch.relu(x - level) - torch.relu(-x - level)


class Threshold(Bend):
    """y = 2 mean |x| s(k (x - mu_c - t sigma_c) / sigma_c), s the logistic step."""

    moved = ("level",)
    full: ClassVar[Mapping[str, float]] = {"level": 0.5}

    def transform(self, x: Tensor, /, **moved: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W)."""
        mean, deviation = _statistics(x)
        step = torch.sigmoid(STEEPNESS * ((x - mean) / deviation - wide(moved["level"])))
        return 2 * x.abs().mean(dim=(2, 3), keepdim=True) * step


def _statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of every channel over the image, (B, C, 1, 1)."""
    mean = x.mean(dim=(2, 3), keepdim=True)
    return mean, torch.sqrt((x - mean).square().mean(dim=(2, 3), keepdim=True) + EPSILON)
