"""Losses of the generator besides the critic's: variety, and styles with a meaning of their own.

Images are (B, 3, R, R) in [-1, 1]. Every term is 0 when satisfied.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from teachers import luma

__all__ = [
    "Described",
    "Mixed",
    "crowding",
    "describe",
    "excess",
    "faith",
    "fringe_gap",
    "fringes",
    "glint_gap",
    "glints",
    "hinge",
    "hues",
    "marks",
    "mean_correlation",
    "mix",
    "outlines",
    "palette_gap",
    "portrait",
    "rms_correlation",
    "seams",
    "structure",
    "structure_gap",
    "thumbnail_distance",
    "tones",
]


def hinge(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Return the critic's hinge loss: real logits above 1, generated ones below -1."""
    pairs = zip(real, fake, strict=True)
    return torch.stack([(1 - r).relu().mean() + (1 + f).relu().mean() for r, f in pairs]).mean()


def thumbnails(image: Tensor, size: int = 16) -> Tensor:
    """Shrink to ``size`` px by averaging."""
    return F.interpolate(image, size=(size, size), mode="area")


def thumbnail_distance(image: Tensor) -> Tensor:
    """Return the mean absolute difference between thumbnails of images half a batch apart; scalar."""
    small = thumbnails(image)
    return (small - small.roll(len(small) // 2, 0)).abs().mean()


@dataclass(frozen=True)
class Mixed:
    """A batch whose last images take their coarse styles from one image and the rest from another."""

    ws: Tensor
    mixed: slice
    structure: slice
    palette: slice


def mix(ws: Tensor, *, crossover: int) -> Mixed:
    """Replace the last quarter of ws (B, L, D), B at least 4, by mixtures of earlier ones."""
    batch = len(ws)
    count = batch // 4
    structure, palette = slice(0, count), slice(count, 2 * count)
    blend = torch.cat((ws[structure, :crossover], ws[palette, crossover:]), dim=1)
    whole = torch.cat((ws[: batch - count], blend))
    return Mixed(whole, slice(batch - count, batch), structure, palette)


def around(image: Tensor, size: int) -> Tensor:
    """Return every pixel's mean over the square of ``size`` pixels around it."""
    side = size // 2
    return F.avg_pool2d(F.pad(image, (side, side, side, side), mode="reflect"), size, 1)


def structure(image: Tensor) -> Tensor:
    """Compute a descriptor of light and dark alone, (B, 256)."""
    return centred(luma(thumbnails(image)))


def centred(shape: Tensor) -> Tensor:
    """Flatten (B, C, H, W), subtract each channel's mean and scale to unit norm, or less if almost flat."""
    return F.normalize((shape - shape.mean((2, 3), keepdim=True)).flatten(1), dim=1, eps=0.3)


def structure_gap(image: Tensor, other: Tensor) -> Tensor:
    """Return 1 minus the correlation of corresponding images' structures, averaged."""
    return (1 - (structure(image) * structure(other)).sum(1)).mean()


def lines(image: Tensor) -> Tensor:
    """Return a map of lines: luma against its surroundings at equal contrast, (B, 1, 48, 48)."""
    light = luma(thumbnails(image, 48))
    apart = light - around(light, 7)
    return apart / (around(apart.square(), 7) + 1e-3).sqrt()


def marks(image: Tensor) -> Tensor:
    """Compute a descriptor of lines, place by place, (B, 2304)."""
    return centred(lines(image))


def outlines(image: Tensor) -> Tensor:
    """Compute a descriptor of lines at half the size, (B, 576)."""
    return centred(thumbnails(lines(image), 24))


def hues(image: Tensor) -> Tensor:
    """Compute a descriptor of where colours are, apart from light, (B, 768)."""
    small = thumbnails(image)
    return centred(small - luma(small))


@dataclass(frozen=True)
class Described:
    """The descriptors of some images."""

    structure: Tensor
    hues: Tensor
    outlines: Tensor

    @property
    def portrait(self) -> Tensor:
        """All three as one, (B, 1600); correlations average theirs."""
        return torch.cat((self.structure, self.hues, self.outlines), 1) / 3**0.5


def describe(image: Tensor) -> Described:
    """Compute the descriptors of images."""
    small = thumbnails(image)
    light = luma(small)
    return Described(centred(light), centred(small - light), outlines(image))


def portrait(image: Tensor) -> Tensor:
    """Compute a descriptor of structure, hues and outlines, (B, 1600)."""
    return describe(image).portrait


def crowding(described: Tensor, others: Tensor) -> Tensor:
    """Return the mean of every image's highest correlation with one of the ``others``: has it a twin?"""
    return (described @ others.T).amax(1).mean()


def mean_correlation(described: Tensor) -> Tensor:
    """Return the mean correlation of different images: near 0 unless all have something in common."""
    count = len(described)
    return (described.sum(0).square().sum() - described.square().sum()) / (count * (count - 1))


def rms_correlation(described: Tensor) -> Tensor:
    """Return the RMS correlation of different images: near 0 unless some have something in common."""
    count = len(described)
    power = (described @ described.T).square()
    return ((power.sum() - power.diagonal().sum()) / (count * (count - 1)) + 1e-8).sqrt()


def palette_gap(image: Tensor, other: Tensor) -> Tensor:
    """Return the mean difference of the light's mean colours, each with unit sum: 0 to 2."""
    light = [((thumbnails(x) + 1) / 2).clamp(min=0) for x in (image, other)]
    a, b = (x.square().mean((2, 3)) for x in light)
    a, b = (x / (x.sum(1, keepdim=True) + 1e-3) for x in (a, b))
    return (a - b).abs().sum(1).mean()


def tones(image: Tensor) -> Tensor:
    """Return 16 quantiles of a batch's luma: at 1, 3, 5, ... 31 parts in 32.

    A critic that sees shapes does not mind that black is not quite black.
    """
    return luma(image[..., ::4, ::4]).flatten().quantile((torch.arange(16, device=image.device) + 0.5) / 16)


def glints(image: Tensor) -> Tensor:
    """Return how far single pixels are above their neighbours, and below: two cubic means, (2,)."""
    level = image.mean(1, keepdim=True)
    apart = level - around(level, 3)
    return torch.stack([(side * apart).relu().pow(3).mean() for side in (1, -1)])


def glint_gap(image: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean absolute log ratio of the glints to those wanted: grain sparkles, dirt does not."""
    least = 1e-8
    return ((glints(image) + least).log() - (wanted + least).log()).abs().mean()


def fringes(image: Tensor) -> Tensor:
    """Return how much single pixels differ in colour alone from their neighbours: a mean square, scalar."""
    colour = image - luma(image)
    return (colour - around(colour, 3)).square().mean()


def fringe_gap(image: Tensor, wanted: Tensor) -> Tensor:
    """Return the log of the excess of fringes: stripes of two colours pass for the colour between them."""
    least = 1e-6
    return ((fringes(image) + least) / (wanted + least)).log().relu()


def seams(image: Tensor, sides: Sequence[int] = range(4)) -> Tensor:
    """Return the mean log ratio of curvature along the border to that inside: no frame may be visible.

    Curvature is the second difference of the rows' or columns' mean colours. ``sides`` are those of top,
    bottom, left and right (0 to 3) that are borders.
    """
    if not sides:
        return image.new_zeros(())
    rows, columns = image.mean(3), image.mean(2)
    borders = (rows, rows.flip(2), columns, columns.flip(2))
    lines = torch.stack([borders[side] for side in sides])
    # c_k = mean (m_(k-1) - 2 m_k + m_(k+1))^2, from the border inwards
    curvature = (lines[..., :-2] - 2 * lines[..., 1:-1] + lines[..., 2:]).square().mean((0, 1, 2)) + 1e-10
    rim = min(8, len(curvature) // 4)
    return 0.5 * (curvature[:rim] / curvature[rim:-rim].mean()).log().relu().mean()


def excess(image: Tensor) -> Tensor:
    """Return the mean square of what is far beyond black and white, where the clamp hides it."""
    return (image.abs() - 1.5).relu().square().mean()


def faith(image: Tensor, under: Tensor) -> Tensor:
    """Return the mean absolute difference between an image, shrunk, and that of the octaves below."""
    return (F.interpolate(image, size=under.shape[-2:], mode="area") - under).abs().mean()
