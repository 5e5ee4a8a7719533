"""What the generator is asked for besides fooling the critic: variety, and styles that mean something.

Pictures are (B, 3, R, R) in [-1, 1]. Every term is 0 when satisfied.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from teachers import luma

__all__ = [
    "Mixed",
    "alikeness",
    "crowding",
    "excess",
    "faith",
    "fringe_gap",
    "fringes",
    "glint_gap",
    "glints",
    "hinge",
    "hues",
    "likeness",
    "marks",
    "mix",
    "outlines",
    "palette_gap",
    "portrait",
    "seams",
    "spread",
    "structure",
    "structure_gap",
    "tones",
]


def hinge(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """The critic's loss: real logits above one, made ones below minus one."""
    pairs = zip(real, fake, strict=True)
    return torch.stack([(1 - r).relu().mean() + (1 + f).relu().mean() for r, f in pairs]).mean()


def thumbnails(image: Tensor, size: int = 16) -> Tensor:
    """Shrink to ``size`` px by averaging."""
    return F.interpolate(image, size=(size, size), mode="area")


def spread(image: Tensor) -> Tensor:
    """Mean absolute difference between thumbnails of pictures half a batch apart; scalar."""
    small = thumbnails(image)
    return (small - small.roll(len(small) // 2, 0)).abs().mean()


@dataclass(frozen=True)
class Mixed:
    """A batch whose last pictures take their coarse styles from one picture and the rest from another."""

    ws: Tensor
    mixed: slice
    structure: slice
    palette: slice


def mix(ws: Tensor, *, crossover: int) -> Mixed:
    """Replace the last quarter of ws (B, L, D), B at least 4, by mixtures of earlier, pure ones."""
    batch = len(ws)
    count = batch // 4
    structure, palette = slice(0, count), slice(count, 2 * count)
    blend = torch.cat((ws[structure, :crossover], ws[palette, crossover:]), dim=1)
    whole = torch.cat((ws[: batch - count], blend))
    return Mixed(whole, slice(batch - count, batch), structure, palette)


def around(image: Tensor, size: int) -> Tensor:
    """Every pixel's mean over the square of ``size`` pixels around it."""
    side = size // 2
    return F.avg_pool2d(F.pad(image, (side, side, side, side), mode="reflect"), size, 1)


def structure(image: Tensor) -> Tensor:
    """Describe light and dark alone, (B, 256)."""
    return centred(luma(thumbnails(image)))


def centred(shape: Tensor) -> Tensor:
    """Flatten (B, C, H, W) without the channels' means, to unit norm unless there is next to nothing."""
    return F.normalize((shape - shape.mean((2, 3), keepdim=True)).flatten(1), dim=1, eps=0.3)


def structure_gap(image: Tensor, other: Tensor) -> Tensor:
    """One minus the correlation of corresponding pictures' structures, averaged."""
    return (1 - (structure(image) * structure(other)).sum(1)).mean()


def lines(image: Tensor) -> Tensor:
    """Describe where lines run: luma against its surroundings, of even contrast, (B, 1, 48, 48)."""
    light = luma(thumbnails(image, 48))
    apart = light - around(light, 7)
    return apart / (around(apart.square(), 7) + 1e-3).sqrt()


def marks(image: Tensor) -> Tensor:
    """Describe lines place by place, (B, 2304)."""
    return centred(lines(image))


def outlines(image: Tensor) -> Tensor:
    """Describe lines roughly, at half the size, (B, 576)."""
    return centred(thumbnails(lines(image), 24))


def hues(image: Tensor) -> Tensor:
    """Describe where colours lie, light aside, (B, 768)."""
    small = thumbnails(image)
    return centred(small - luma(small))


def portrait(image: Tensor) -> Tensor:
    """Describe structure, hues and outlines at once, (B, 1600); correlations average the three's."""
    return torch.cat((structure(image), hues(image), outlines(image)), 1) / 3**0.5


def crowding(described: Tensor, others: Tensor) -> Tensor:
    """Mean of every picture's highest correlation with one of the ``others``: do pictures have twins?"""
    return (described @ others.T).amax(1).mean()


def alikeness(described: Tensor) -> Tensor:
    """Mean correlation of different pictures' descriptions: near 0 unless something is in all of them."""
    count = len(described)
    return (described.sum(0).square().sum() - described.square().sum()) / (count * (count - 1))


def likeness(described: Tensor) -> Tensor:
    """Root mean square correlation of pictures' descriptions: near 0 unless they share something."""
    count = len(described)
    power = (described @ described.T).square()
    return ((power.sum() - power.diagonal().sum()) / (count * (count - 1)) + 1e-8).sqrt()


def palette_gap(image: Tensor, other: Tensor) -> Tensor:
    """Difference of the light's mean colour, each with unit sum: 0 to 2, averaged."""
    light = [((thumbnails(x) + 1) / 2).clamp(min=0) for x in (image, other)]
    a, b = (x.square().mean((2, 3)) for x in light)
    a, b = (x / (x.sum(1, keepdim=True) + 1e-3) for x in (a, b))
    return (a - b).abs().sum(1).mean()


def tones(image: Tensor) -> Tensor:
    """Levels of luma that 1, 3, 5, ... 31 parts in 32 of a batch's pixels fall below, (16,).

    A critic that sees shapes hardly sees that black is not quite black.
    """
    return luma(image[..., ::4, ::4]).flatten().quantile((torch.arange(16, device=image.device) + 0.5) / 16)


def glints(image: Tensor) -> Tensor:
    """How strongly single pixels outshine their neighbours, and fall below them: two cubic means, (2,)."""
    level = image.mean(1, keepdim=True)
    apart = level - around(level, 3)
    return torch.stack([(side * apart).relu().pow(3).mean() for side in (1, -1)])


def glint_gap(image: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute log ratio of the glints to those wanted: grain must sparkle, not be specks of dirt."""
    least = 1e-8
    return ((glints(image) + least).log() - (wanted + least).log()).abs().mean()


def fringes(image: Tensor) -> Tensor:
    """How much single pixels differ in colour, light aside, from their neighbours: a mean square, scalar."""
    colour = image - luma(image)
    return (colour - around(colour, 3)).square().mean()


def fringe_gap(image: Tensor, wanted: Tensor) -> Tensor:
    """Log of how far the fringes exceed those wanted: stripes of two colours pass for one between them."""
    least = 1e-6
    return ((fringes(image) + least) / (wanted + least)).log().relu()


def seams(image: Tensor, sides: Sequence[int] = range(4)) -> Tensor:
    """Mean log of how much more the lines along the border bend than lines inside: no frame may show.

    A line is a row's or column's mean colour; it bends where it leaves its two neighbours' mean. ``sides``
    tells which of top, bottom, left and right are borders.
    """
    if not sides:
        return image.new_zeros(())
    rows, columns = image.mean(3), image.mean(2)
    lines = torch.stack((rows, rows.flip(2), columns, columns.flip(2)))[list(sides)]
    bends = (lines[..., :-2] - 2 * lines[..., 1:-1] + lines[..., 2:]).square().mean((0, 1, 2)) + 1e-10
    rim = min(8, len(bends) // 4)
    return 0.5 * (bends[:rim] / bends[rim:-rim].mean()).log().relu().mean()


def excess(image: Tensor) -> Tensor:
    """Mean square of what lies far beyond black and white, where a picture is cut off and a critic misled."""
    return (image.abs() - 1.5).relu().square().mean()


def faith(image: Tensor, under: Tensor) -> Tensor:
    """Mean absolute difference between a picture, shrunk, and what the octaves below its newest painted."""
    return (F.interpolate(image, size=under.shape[-2:], mode="area") - under).abs().mean()
