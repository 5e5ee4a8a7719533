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
from constants import on

__all__ = ["FAMILIES", "WHOLE", "Basis", "Part", "Teacher", "draw", "glass", "ink", "luma", "silk"]

SINUSOIDS = 6
REACH = 2.4
CELLS = 320
SPECKS = 512
Part = tuple[slice, slice]
WHOLE = slice(None), slice(None)
LUMA = torch.tensor(colour.LUMA)
HUES = torch.tensor([0.0, 0.33, 0.67])
"""Turns by which a palette's channels are apart, at a spread of 1."""


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
        table = on(source.device, self.table)
        return torch.einsum("bk,khw->bhw", F.normalize(weights, dim=1), table)[:, None]


def read(mixed: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Read mixed fields (B, C, CELLS, CELLS) at coordinates (B, H, W) or (1, H, W): (B, C, H, W)."""
    grid = torch.stack((x, y), dim=-1).expand(mixed.shape[0], -1, -1, -1) / REACH
    return F.grid_sample(mixed, grid, padding_mode="border", align_corners=True)


def at(mixed: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Read one mixed field an image: (B, H, W), about unit standard deviation."""
    return read(mixed, x, y)[:, 0]


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

    def noise(self, cells: int, places: Tensor) -> Tensor:
        """White noise on a grid of ``cells``, enlarged smoothly, at ``places`` (1, H, W, 2): (B, H, W)."""
        shape = (self.batch, 1, cells, cells)
        grid = torch.randn(shape, generator=self.source, device=self.source.device)
        places = places.expand(self.batch, -1, -1, -1)
        return F.grid_sample(grid, places, padding_mode="border", align_corners=False)[:, 0]

    def coordinates(self, margin: int = 0) -> tuple[Tensor, Tensor]:
        """x and y of every pixel centre, (1, H, W), and of ``margin`` pixels more on every side."""
        places = torch.arange(-margin, self.resolution + margin, device=self.source.device)
        line = (places + 0.5) / self.resolution * 2 - 1
        ends = [part.indices(self.resolution)[:2] for part in self.window]
        rows, columns = (line[first : last + 2 * margin] for first, last in ends)
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

    def jitter(self, margin: int = 0) -> Tensor:
        """The ridges' fine wandering: noise that halves with every octave from 32 cells a frame up."""
        octaves = [32 * 2**k for k in range(5) if 32 * 2**k <= max(self.resolution // 2, 32)]
        places = torch.stack(self.coordinates(margin), dim=-1)
        return sum((0.012 / 2**k) * self.noise(cells, places) for k, cells in enumerate(octaves))


def palette(at: Tensor, cycle: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Cosine colours (B, 3, R, R) at position ``at``; ``cycle`` is (rate, spread, phase), each (B, 1, 1)."""
    rate, spread, phase = cycle
    offset = on(at.device, HUES)[None, :, None, None]
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
    return image.mul(on(image.device, LUMA)[:, None, None]).sum(1, keepdim=True)


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
    table = on(x.device, panes())[None].expand(d.batch, -1, -1, -1)
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


FLOW = Basis(seed=41, low=0.4, high=1.8, alpha=1.4)
FLOW_STEPS = 5
CROWDED = 30.0
"""Layers a frame, one after another, from which on none can be told from the next."""


def curl(potential: Tensor) -> Tensor:
    """Return the flow along a field's contours, (B, 2, CELLS, CELLS), which gathers nowhere: div v = 0."""
    down, across = torch.gradient(potential[:, 0], spacing=2 * REACH / (CELLS - 1), dim=(1, 2))
    return torch.stack((down, -across), dim=1)  # v = (dp/dy, -dp/dx)


def swirl(d: Draw, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return where the fluid at x, y came from: a flow without sources, followed back in Euler steps."""
    flow = curl(FLOW.mixtures(d.batch, d.source))
    reach = d.uniform(0.2, 0.7) / FLOW_STEPS
    for _ in range(FLOW_STEPS):
        along, aside = read(flow, x, y).unbind(1)
        x, y = x + reach * along, y + reach * aside
    return x, y


def ink(d: Draw) -> Tensor:
    """Draw layers of ink afloat on water: each bright along one edge, paler from there, in eddies."""
    x, y = d.coordinates(1)
    grain, wander = d.jitter(1), d.jitter(1)
    u, v = swirl(d, x, y)
    u, v = u + 0.35 * grain, v + 0.35 * wander
    m1, m2, m3 = (FLOW.mixtures(d.batch, d.source) for _ in range(3))
    radius = (u.square() + v.square()).sqrt()
    level = d.uniform(0.9, 1.8) * at(m1, u, v) + d.uniform(-0.8, 0.8) * radius + d.uniform(0, 1)
    across = (level[:, 1:-1, 2:] - level[:, 1:-1, :-2]) / 2
    down = (level[:, 2:, 1:-1] - level[:, :-2, 1:-1]) / 2
    x, y, u, v, level, grain = (t[:, 1:-1, 1:-1] for t in (x, y, u, v, level, grain))
    width = (across.square() + down.square()).sqrt() + 1e-6  # layers a pixel
    apart = ((CROWDED - width * d.resolution) / 12).clamp(0, 1)
    within = level - level.floor()  # 0 at a layer's bright edge, 1 where it ends under the next one's
    edge = (within / (1.8 * width)).clamp(max=1)
    fall = d.uniform(1.6, 3.6)
    mean, last = (1 - (-fall).exp()) / fall, (-fall).exp()
    pigment = mean + apart * (last + edge * ((-fall * within).exp() - last) - mean)
    angle = 2 * math.pi * d.uniform(0, 1)
    slope = (across * angle.cos() + down * angle.sin()) * d.resolution / 2
    q = at(m2, u, v)
    depth = torch.sigmoid(2.6 * at(m3, 0.7 * x + 0.3 * u, 0.7 * y + 0.3 * v) + d.uniform(0.2, 2.2))
    lit = depth * (0.8 + 0.5 * (0.25 * slope).tanh()) * (1 + 6 * grain).clamp(min=0)
    rim = apart * (-(within / (2 * width + 0.012)).square()).exp() * torch.sigmoid(2.5 * q) * depth.sqrt()
    rate, spread, phase = colours = d.uniform(0.2, 0.45), d.uniform(0.45, 0.85), d.uniform(0, 1)
    tone = 0.28 * level + 0.4 * q
    gleam = (
        0.55 * apart * pigment.pow(3) * lit + 0.5 * rim + 2 * d.specks(2.2) * (0.1 * depth + pigment * rim)
    )
    body = palette(tone, colours) * ((0.04 + 1.9 * pigment) * lit)[:, None]
    light = (0.4 + 0.6 * palette(tone, (rate, spread, phase + 0.35))) * gleam[:, None]
    return saturate(expose(body + light, (x.square() + y.square()).sqrt()), 1.4)


Teacher = Callable[[Draw], Tensor]
FAMILIES: dict[str, Teacher] = {"silk": silk, "glass": glass, "ink": ink}


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
