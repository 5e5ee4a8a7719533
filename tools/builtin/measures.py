"""What a generator's images are worth, in numbers; images are (B, 3, R, R) in [-1, 1].

CIELAB distances are Euclidean (CIE76), from sRGB under D65. The kernel distance is the unbiased squared
maximum mean discrepancy with the cubic polynomial kernel (Binkowski et al. 2018, arXiv:1801.01401), here on
the pooled frozen features of EfficientNet-Lite0, each scale standardised by the teacher's own images.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from clavilux.colour import srgb_to_lab
from critic import Features

__all__ = [
    "embed",
    "kernel_distance",
    "lab",
    "lab_change",
    "luma_correlation",
    "pairwise",
    "palette_shift",
    "sharpness",
]


def lab(images: Tensor) -> Tensor:
    """Convert sRGB images in [-1, 1] to CIELAB (B, 3, H, W), few at a time: the steps take memory."""
    return torch.cat([convert(few) for few in images.split(8)])


def convert(images: Tensor) -> Tensor:
    """Convert a few."""
    rgb = ((images + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1)
    return torch.from_numpy(srgb_to_lab(rgb.numpy())).float().permute(0, 3, 1, 2)


def lab_change(images: Tensor, others: Tensor) -> float:
    """Mean CIELAB distance between corresponding pixels."""
    return (lab(images) - lab(others)).square().sum(1).sqrt().mean().item()


def pairwise(images: Tensor) -> Tensor:
    """Every image's mean absolute difference from every other, seen at 32 px: (B, B)."""
    small = F.interpolate(images, size=(32, 32), mode="area").flatten(1)
    return torch.cdist(small, small, p=1) / small.shape[1]


def sharpness(images: Tensor) -> float:
    """Root mean square step of lightness from one pixel to the next, both ways."""
    light = lab(images)[:, :1]
    return torch.stack([light.diff(dim=k).square().mean() for k in (2, 3)]).mean().sqrt().item()


def luma_correlation(images: Tensor, others: Tensor) -> float:
    """Mean correlation of the corresponding images' lightness at 16 px: is the structure the same?"""
    maps = [F.interpolate(lab(x)[:, :1], size=(16, 16), mode="area").flatten(1) for x in (images, others)]
    a, b = (F.normalize(x - x.mean(1, keepdim=True), dim=1) for x in maps)
    return (a * b).sum(1).mean().item()


def palette_shift(images: Tensor, others: Tensor) -> float:
    """Mean distance in a*, b* of the corresponding images' average colour, lighter pixels counting more."""
    means = []
    for x in (lab(images), lab(others)):
        light = x[:, :1].clamp(min=0)
        means.append((x[:, 1:] * light).sum((2, 3)) / light.sum((2, 3)).clamp(min=1e-6))
    return (means[0] - means[1]).square().sum(1).sqrt().mean().item()


@torch.no_grad()
def embed(images: Tensor, features: Features) -> Tensor:
    """Describe images by the mean and standard deviation of each frozen feature: (B, 2 x 496)."""
    parts = []
    for few in images.split(16):
        maps = features(F.interpolate(few, size=(128, 128), mode="area") if few.shape[-1] > 128 else few)
        parts.append(
            torch.cat([f(m) for m in maps for f in (lambda x: x.mean((2, 3)), lambda x: x.std((2, 3)))], 1)
        )
    return torch.cat(parts)


def kernel_distance(real: Tensor, made: Tensor, *, reference: Tensor) -> float:
    """Squared kernel distance between two sets of descriptions, times 1000; ``reference`` sets the scales."""
    scale = reference.std(0).clamp(min=1e-5)
    x, y = ((s - reference.mean(0)) / scale for s in (real, made))

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / a.shape[1] + 1) ** 3

    def apart(k: Tensor) -> Tensor:
        return (k.sum() - k.diagonal().sum()) / (len(k) * (len(k) - 1))

    return 1000 * (apart(kernel(x, x)) + apart(kernel(y, y)) - 2 * kernel(x, y).mean()).item()
