"""Bends that move features in the plane: one bilinear sampling grid for every frame, mirrored at the edges.

Positions are in cells from the centre of the image: u to the right, v down. A transform says from where each
place takes what it shows, the inverse of where it sends it. The reflected border makes an endless scroll a
saw-tooth of period 2 W. `affine_grid` has no counterpart on compiled engines, so grids are plain arithmetic.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from clavilux.generator.bends.bend import Bend, wide
from clavilux.generator.bends.filters import blurred
from clavilux.generator.sites import Site

__all__ = ["Flip", "Kaleidoscope", "Mirror", "Move", "Rotate", "Shear", "Tile", "Translate", "Zoom"]

Axis = {"x": 3, "y": 2}


class Move(Bend):
    """A bend that shows each place what is at another."""

    @abstractmethod
    def source(
        self, u: Tensor, v: Tensor, size: tuple[int, int], /, **moved: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return from where each place is shown.

        Args:
            u: position to the right of the centre, cells, (1, 1, W).
            v: position below the centre, cells, (1, H, 1).
            size: height and width of the image, cells.
            **moved: the transform's signals, (B, 1, 1).

        Returns:
            u and v of what is shown there, broadcastable to (B, H, W).
        """

    @property
    def is_whole(self) -> bool:
        """Whether every channel and place moves alike: the image may be drawn from elsewhere instead."""
        return bool(self.places is None and not self.site.guard and (self.site.channels == 1).all())

    def moved_places(self, grid: Tensor, /, *, amount: Tensor, **moved: Tensor) -> Tensor:
        """Return from where places are drawn: x and y in cells from the centre, (B, 2, H, W)."""
        share = wide(amount)
        if self.site.reach is not None:
            moved, share = self._reached(amount, self.site.reach)
        size = (grid.shape[-2] - self.site.margin, grid.shape[-1] - self.site.margin)
        signals = {name: s[:, None, None] for name, s in moved.items()}
        found = torch.stack(torch.broadcast_tensors(*self.source(grid[:, 0], grid[:, 1], size, **signals)), 1)  # type: ignore[no-untyped-call]
        still = wide(self.is_still(amount, moved))
        return torch.where(still, grid, grid + share * (found - grid))

    def transform(self, x: Tensor, /, **moved: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W)."""
        high, width = x.shape[-2], x.shape[-1]
        u, v = _centred(x, width)[None, None, :], _centred(x, high)[None, :, None]
        size = (high - self.site.margin, width - self.site.margin)
        across, down = self.source(u, v, size, **{name: s[:, None, None] for name, s in moved.items()})
        across, down = across + 0 * down, down + 0 * across  # both (B, H, W)
        grid = torch.stack((across * (2 / width), down * (2 / high)), dim=-1)
        return F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


class Translate(Move):
    """Move by x of the width and y of the height."""

    moved = ("x", "y")
    full: ClassVar[Mapping[str, float]] = {"x": 0.35, "y": 0.2}
    neutral: ClassVar[Mapping[str, float]] = {"x": 0, "y": 0}

    def source(
        self, u: Tensor, v: Tensor, size: tuple[int, int], /, **moved: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What is shown comes from the other side."""
        return u - moved["x"] * size[1], v - moved["y"] * size[0]


class Zoom(Move):
    """Enlarge about the centre; below 1/2 features are blurred first, as sampling skips cells."""

    moved = ("by",)
    full: ClassVar[Mapping[str, float]] = {"by": 2.0}
    neutral: ClassVar[Mapping[str, float]] = {"by": 1}

    def transform(self, x: Tensor, /, **moved: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W)."""
        return super().transform(_prefiltered(x, 1 / moved["by"]), **moved)

    def source(self, u: Tensor, v: Tensor, _: tuple[int, int], /, **moved: Tensor) -> tuple[Tensor, Tensor]:
        """What is shown comes from nearer to the centre."""
        return u / moved["by"], v / moved["by"]


class Rotate(Move):
    """Turn counter-clockwise, by degrees, about the true centre."""

    moved = ("by",)
    full: ClassVar[Mapping[str, float]] = {"by": 60.0}
    neutral: ClassVar[Mapping[str, float]] = {"by": 0}

    def source(self, u: Tensor, v: Tensor, _: tuple[int, int], /, **moved: Tensor) -> tuple[Tensor, Tensor]:
        """(u, v) -> R^-1 (u, v); v points down, so counter-clockwise has the signs of the inverse."""
        angle = moved["by"] * (math.pi / 180)
        cos, sin = torch.cos(angle), torch.sin(angle)
        return cos * u - sin * v, sin * u + cos * v


class Shear(Move):
    """Slant by x sideways for each step down, and by y down for each step sideways."""

    moved = ("x", "y")
    full: ClassVar[Mapping[str, float]] = {"x": 0.8, "y": 0.0}
    neutral: ClassVar[Mapping[str, float]] = {"x": 0, "y": 0}

    def source(self, u: Tensor, v: Tensor, _: tuple[int, int], /, **moved: Tensor) -> tuple[Tensor, Tensor]:
        """The inverse of a shear in x after a shear in y."""
        across = u - moved["x"] * v
        return across, v - moved["y"] * across


class Tile(Move):
    """Repeat the image so many times along each side."""

    moved = ("by",)
    full: ClassVar[Mapping[str, float]] = {"by": 3.0}
    neutral: ClassVar[Mapping[str, float]] = {"by": 1}

    def transform(self, x: Tensor, /, **moved: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W)."""
        return super().transform(_prefiltered(x, moved["by"]), **moved)

    def source(
        self, u: Tensor, v: Tensor, size: tuple[int, int], /, **moved: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Positions count on where the image ends."""
        return _wrapped(u * moved["by"], size[1]), _wrapped(v * moved["by"], size[0])


class Kaleidoscope(Move):
    """Fill the image with mirror images of one sector, turned by degrees.

    Args:
        site: where it acts.
        sectors: mirrors, each a sector of 360 / sectors degrees and its reflection.
    """

    moved = ("by",)
    full: ClassVar[Mapping[str, float]] = {"by": 20.0}

    def __init__(self, site: Site, *, sectors: int = 6) -> None:
        super().__init__(site)
        self.sectors = sectors
        self.spec = (*self.spec, sectors)

    def source(self, u: Tensor, v: Tensor, _: tuple[int, int], /, **moved: Tensor) -> tuple[Tensor, Tensor]:
        """The angle is folded into one half sector, the radius stays."""
        radius, angle = torch.sqrt(u * u + v * v), torch.atan2(v + 0 * u, u + 0 * v)
        turned, sector = moved["by"] * (math.pi / 180), 2 * math.pi / self.sectors
        folded = torch.abs(torch.remainder(angle - turned, sector) - sector / 2) + turned
        return radius * torch.cos(folded), radius * torch.sin(folded)


class Mirror(Bend):
    """Replace one half by the other's mirror image: the right by the left's, or the lower by the upper's."""

    def __init__(self, site: Site, *, axis: str = "x") -> None:
        super().__init__(site)
        self.axis = Axis[axis]
        self.spec = (*self.spec, axis)

    def transform(self, x: Tensor, /, **_: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W)."""
        side = x.shape[self.axis]
        half = x.narrow(self.axis, 0, (side + 1) // 2)
        return torch.cat((half, half.narrow(self.axis, 0, side // 2).flip(self.axis)), dim=self.axis)


class Flip(Bend):
    """Exchange left and right, or top and bottom."""

    def __init__(self, site: Site, *, axis: str = "x") -> None:
        super().__init__(site)
        self.axis = Axis[axis]
        self.spec = (*self.spec, axis)

    def transform(self, x: Tensor, /, **_: Tensor) -> Tensor:
        """Return T(x) of features (B, C, H, W)."""
        return x.flip(self.axis)


def _prefiltered(x: Tensor, stride: Tensor) -> Tensor:
    """Blur features for sampling every so many cells (B,): sigma = sqrt(stride^2 - 4) / 2, none up to 2."""
    return blurred(x, torch.sqrt(torch.relu(wide(stride).square() - 4)) / 2)


def _centred(x: Tensor, side: int) -> Tensor:
    """Return the positions of so many cells from their common centre, (side,)."""
    return torch.arange(side, dtype=x.dtype, device=x.device) + (0.5 - side / 2)


def _wrapped(position: Tensor, side: int) -> Tensor:
    return torch.remainder(position + side / 2, side) - side / 2
