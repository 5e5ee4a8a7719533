"""Procedural teachers: image families that exist only as formulas, drawn in batches and seeded.

A teacher draws (B, 3, R, R) float32 images in [-1, 1] from a ``torch.Generator``, on its device.
Coordinates x, y run over [-1, 1]; r is the distance from the centre. Every family mixes a fixed *basis* of
smooth random fields, so its images form one continuous space. Stochastic texture (ridge jitter, sparks) is
drawn per image and is not part of that space: it is what a generator's noise inputs learn. Texture sizes
are fractions of the frame, so an image drawn at 256 px and shrunk to 128 px looks like one drawn at 128 px.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from clavilux import colour

__all__ = ["FAMILIES", "WHOLE", "Basis", "Part", "Teacher", "draw", "glass", "luma", "silk"]

SINUSOIDS = 6
REACH = 2.4
CELLS = 320
SPECKS = 512
Part = tuple[slice, slice]
WHOLE = slice(None), slice(None)
LUMA = torch.tensor(colour.LUMA)


@dataclass(frozen=True)
class Basis:
    """K fixed fields, each a sum of sinusoids with frequency ``low`` to ``high`` cycles per half frame.

    They are tabulated once on a square reaching ``REACH`` half frames from the centre and read with bilinear
    interpolation, which is fifty times faster than summing sines for every image.
    """

    seed: int
    low: float
    high: float
    alpha: float
    count: int = 14
    table: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Draw directions, frequencies and phases and tabulate the fields: (K, CELLS, CELLS)."""
        source = torch.Generator().manual_seed(self.seed)
        angle, phase, level = torch.rand(3, self.count, SINUSOIDS, 1, 1, generator=source)
        frequency = self.low * (self.high / self.low) ** level
        amplitude = frequency**-self.alpha
        amplitude = amplitude / (amplitude.square().sum(1, keepdim=True) / 2).sqrt()
        line = torch.linspace(-REACH, REACH, CELLS)
        across = (2 * math.pi * angle).cos() * line[None, :] + (2 * math.pi * angle).sin() * line[:, None]
        waves = amplitude * (math.pi * frequency * across + 2 * math.pi * phase).sin()
        object.__setattr__(self, "table", waves.sum(1))

    def mixtures(self, batch: int, source: torch.Generator) -> Tensor:
        """Draw one unit-norm mixture per image and mix its field: (B, 1, CELLS, CELLS)."""
        weights = torch.randn(batch, self.count, generator=source, device=source.device)
        table = self.table.to(source.device)
        return torch.einsum("bk,khw->bhw", F.normalize(weights, dim=1), table)[:, None]


def at(mixed: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Read mixed fields at coordinates (B, H, W) or (1, H, W): (B, H, W), about unit standard deviation."""
    grid = torch.stack((x, y), dim=-1).expand(mixed.shape[0], -1, -1, -1) / REACH
    return F.grid_sample(mixed, grid, padding_mode="border", align_corners=True)[:, 0]


@dataclass(frozen=True)
class Draw:
    """One batch being drawn: its size, its source of chance, and the rows and columns that are wanted."""

    batch: int
    resolution: int
    source: torch.Generator
    window: Part = WHOLE

    def uniform(self, low: float, high: float) -> Tensor:
        """One number per image, (B, 1, 1)."""
        level = torch.rand(self.batch, 1, 1, generator=self.source, device=self.source.device)
        return low + (high - low) * level

    def noise(self, cells: int) -> Tensor:
        """White noise on a grid of ``cells``, enlarged smoothly: (B, H, W)."""
        shape = (self.batch, 1, cells, cells)
        grid = torch.randn(shape, generator=self.source, device=self.source.device)
        places = torch.stack(self.coordinates(), dim=-1).expand(self.batch, -1, -1, -1)
        return F.grid_sample(grid, places, padding_mode="border", align_corners=False)[:, 0]

    def coordinates(self) -> tuple[Tensor, Tensor]:
        """x and y of every pixel centre, (1, H, W)."""
        places = torch.arange(self.resolution, device=self.source.device)
        line = (places + 0.5) / self.resolution * 2 - 1
        rows, columns = (line[part] for part in self.window)
        shape = (1, len(rows), len(columns))
        return columns[None, None, :].expand(shape), rows[None, :, None].expand(shape)

    def specks(self, least: float) -> Tensor:
        """Rare bright points a ``SPECKS``-th of the frame across, how far noise exceeds ``least``: (B, H, W).

        A smaller image averages them, so that it holds none larger than a whole one does.
        """
        shape = (self.batch, 1, SPECKS, SPECKS)
        grid = torch.randn(shape, generator=self.source, device=self.source.device)
        points = (grid - least).clamp(min=0)
        if self.resolution != SPECKS:
            points = F.interpolate(points, size=(self.resolution, self.resolution), mode="area")
        return points[:, 0, *self.window]

    def jitter(self) -> Tensor:
        """The ridges' fine wandering: noise that halves with every octave from 32 cells a frame up."""
        octaves = [32 * 2**k for k in range(5) if 32 * 2**k <= max(self.resolution // 2, 32)]
        return sum((0.012 / 2**k) * self.noise(cells) for k, cells in enumerate(octaves))


def palette(at: Tensor, cycle: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Cosine colours (B, 3, R, R) at position ``at``; ``cycle`` is (rate, spread, phase), each (B, 1, 1)."""
    rate, spread, phase = cycle
    offset = torch.tensor([0.0, 0.33, 0.67], device=at.device)[None, :, None, None]
    turn = rate[:, None] * at[:, None] + spread[:, None] * offset + phase[:, None]
    return 0.5 + 0.5 * (2 * math.pi * turn).cos()


def expose(colour: Tensor, radius: Tensor) -> Tensor:
    """Tone map light (B, 3, R, R) into [-1, 1] with a soft vignette."""
    vignette = 1 - 0.35 * radius.square().clamp(max=2)[:, None] / 2
    return (1 - (-1.9 * colour * vignette).exp()) * 2 - 1


def saturate(image: Tensor, times: float) -> Tensor:
    """Move images in [-1, 1] away from grey, their luma kept but where a channel ends."""
    light = luma(image)
    return (light + times * (image - light)).clamp(-1, 1)


def luma(image: Tensor) -> Tensor:
    """Weigh the channels of (B, 3, H, W) into one, (B, 1, H, W)."""
    return image.mul(LUMA[:, None, None].to(image)).sum(1, keepdim=True)


def cycle(d: Draw) -> tuple[Tensor, Tensor, Tensor]:
    """Draw a palette: rate, spread, phase."""
    return d.uniform(0.2, 0.45), d.uniform(0.3, 0.7), d.uniform(0, 1)


LOW = Basis(seed=11, low=0.4, high=1.6, alpha=1.2)
HIGH = Basis(seed=12, low=2.5, high=6.0, alpha=0.8)


def silk(d: Draw) -> Tensor:
    """Draw luminous sheets with lightning along their folds."""
    x, y = d.coordinates()
    m1, m2, m3, m4 = (LOW.mixtures(d.batch, d.source) for _ in range(4))
    n1, n2 = (HIGH.mixtures(d.batch, d.source) for _ in range(2))
    reach = d.uniform(0.08, 0.3)
    u, v = x + reach * at(m1, x, y), y + reach * at(m2, x, y)
    q = at(m3, u, v)
    u2 = u + 0.3 * reach * q + 0.02 * at(n1, x, y) + d.jitter()
    v2 = v + 0.3 * reach * at(m4, v, u) + 0.02 * at(n2, x, y) + d.jitter()
    fold, sheet = at(m4, u2, v2), at(m4, x, y)
    radius = (x.square() + y.square()).sqrt()
    f = d.uniform(1.2, 3) * fold + d.uniform(-1.2, 1.2) * radius
    bands = 0.5 + 0.5 * (2 * f).cos()
    ridges = (-d.uniform(3, 7) * f.sin().abs()).exp()
    density = torch.sigmoid(2.2 * (sheet + 0.4 * fold) + d.uniform(-0.3, 1.5))
    detail = 0.5 + 0.5 * (at(n1, u2, v2) + 14 * d.jitter()).tanh()
    sparks = 1.4 * d.specks(2.3) * (ridges + 0.12 * density).sqrt()
    rate, spread, phase = colours = cycle(d)
    tone = 0.5 * q + 0.35 * sheet
    surface = palette(tone, colours) * (density * (0.12 + 0.75 * bands * (0.6 + 0.4 * detail)))[:, None]
    glow = (ridges + sparks) * density.sqrt() * d.uniform(0.5, 1.1)
    light = palette(tone, (rate, spread, phase + 0.35)) * glow[:, None]
    return saturate(expose(surface + light, radius), 1.7)


PANE = Basis(seed=31, low=0.35, high=1.5, alpha=1.3)
PANES = 20
SAMPLES = 64


@cache
def panes() -> Tensor:
    """Tabulate one fixed Voronoi diagram of ``PANES`` x ``PANES`` unit cells around the origin.

    Returns (5, S, S): distance to the pane's edge, to its centre, the centre's x and y, and a number from 0
    to 1 that each pane has of its own.
    """
    source = torch.Generator().manual_seed(32)
    side = PANES + 2
    turn, own = torch.rand(2, side, side, generator=source)
    place = torch.arange(side) - side / 2 + 0.5
    across, down = 0.42 * (2 * math.pi * turn).cos(), 0.42 * (2 * math.pi * turn).sin()
    centres = torch.stack((place[None, :] + across, place[:, None] + down, own))
    line = torch.linspace(-PANES / 2, PANES / 2, PANES * SAMPLES)
    x, y = line[None, :].expand(len(line), -1), line[:, None].expand(-1, len(line))
    cell = ((line + PANES / 2).floor().clamp(max=PANES - 1) + 1).long()
    near = torch.stack([centres[:, cell + k][:, :, cell + m] for k in (-1, 0, 1) for m in (-1, 0, 1)])
    square = (near[:, 0] - x).square() + (near[:, 1] - y).square()
    nearest, order = square.min(0, keepdim=True)
    chosen = near.gather(0, order[:, None].expand(-1, 3, -1, -1))
    between = (near - chosen)[:, :2].square().sum(1).sqrt()
    edge = ((square - nearest) / (2 * between)).nan_to_num(math.inf).amin(0, keepdim=True)
    return torch.cat((edge, nearest.sqrt(), chosen[0]))


def glass(d: Draw) -> Tensor:
    """Draw stained glass: panes of hammered colour between lead lines, lit unevenly from behind."""
    x, y = d.coordinates()
    m1, m2, m3, m4, m5 = (PANE.mixtures(d.batch, d.source) for _ in range(5))
    reach, scale = d.uniform(0.1, 0.35), d.uniform(1.6, 3.0)
    px = scale * (x + reach * at(m1, x, y)) + d.uniform(-0.5, 0.5)
    py = scale * (y + reach * at(m2, x, y)) + d.uniform(-0.5, 0.5)
    grid = torch.stack((px, py), dim=-1) / (PANES / 2)
    table = panes().to(x)[None].expand(d.batch, -1, -1, -1)
    edge, centre = F.grid_sample(table[:, :2], grid, padding_mode="border", align_corners=True).unbind(1)
    cx, cy, own = F.grid_sample(table[:, 2:], grid, "nearest", "border", align_corners=True).unbind(1)
    rate, spread, phase = colours = cycle(d)
    tone = 1.3 * at(m3, cx / scale, cy / scale) + 0.45 * own
    lit = torch.sigmoid(2 * at(m4, cx / scale, cy / scale) + 1.2 * at(m5, x, y) + d.uniform(0, 1.2))
    hammered = 1 + 0.35 * (2 * at(m4, 3.1 * x, 1.3 * y) + 12 * d.jitter()).sin() + 9 * d.jitter()
    lead = torch.sigmoid(120 * (edge - d.uniform(0.03, 0.055)))
    rim = 0.35 * (-((edge - 0.08) / 0.025).square()).exp()
    bubbles = 1.2 * d.specks(2.4)
    through = lit * ((0.55 + 0.45 * (-2 * centre).exp()) * hammered.clamp(min=0) * 1.5 + rim) + 0.03
    light = palette(tone, colours) * through[:, None]
    light = light + palette(tone, (rate, spread, phase + 0.35)) * (bubbles * lit)[:, None]
    return saturate(expose(light * lead[:, None], (x.square() + y.square()).sqrt()), 1.4)


Teacher = Callable[[Draw], Tensor]
FAMILIES: dict[str, Teacher] = {"silk": silk, "glass": glass}


def draw(
    family: str,
    batch: int,
    resolution: int,
    source: torch.Generator,
    window: Part = WHOLE,
) -> Tensor:
    """Draw ``batch`` images of a family: (B, 3, R, R) in [-1, 1], the same for the same source state.

    With a ``window`` of rows and columns, just that part of the same images.
    """
    with torch.no_grad():
        return FAMILIES[family](Draw(batch, resolution, source, window)).float()
