"""Find the features that generate a flaw no teacher has, and train them anew.

    python tools/builtin/repair.py find latest.pt 18:34,101 24:40,15
    python tools/builtin/repair.py renew latest.pt b32.conv1:125 b64.conv0:54

``find`` takes spots in images, SEED:X,Y in pixels of the weights' own size or of ``--resolution``. It ablates
one feature after another, replacing its map by its mean (GAN dissection, Bau et al. 2019, arXiv:1811.10597),
and prints those that change the spots most, beyond what they change of the whole image: one that generates
the spots and little else is the cause. ``renew`` writes a run's ``latest.pt`` again, with a random filter for
each feature named, and with zero weights wherever it is read; training then warms up again, and its average
forgets faster for a while. Meanwhile ``--rest`` the octaves up to the repaired ones, or they learn the flaw
again.
"""

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from network import Generator
from sheets import seeds_to_z
from weights import load_generator

__all__ = ["Effect", "Spot", "ablated", "effects", "main", "renew"]

SPOT_RADIUS_PIXELS = 5
"""Of a spot at 128 px, and in proportion at other sizes."""
MAX_SHOWN = 12


class Spot(NamedTuple):
    """A place in one seed's image."""

    seed: int
    x: int
    y: int

    @classmethod
    def read(cls, text: str) -> "Spot":
        """Read SEED:X,Y."""
        if not (parts := re.fullmatch(r"(\d+):(\d+),(\d+)", text)):
            raise argparse.ArgumentTypeError(f"{text!r} is not a seed and a pixel, such as 18:34,101")
        return cls(*map(int, parts.groups()))


class Effect(NamedTuple):
    """The mean absolute change that ablating one feature makes, around the spots and of the whole images."""

    feature: str
    spots: float
    whole: float


@contextmanager
def ablated(conv: nn.Module, channel: int) -> Iterator[None]:
    """Replace one output channel of a convolution by its spatial mean."""

    def flatten(_conv: nn.Module, _given: object, x: Tensor) -> Tensor:
        x = x.clone()
        x[:, channel] = x[:, channel].mean((1, 2), keepdim=True)
        return x

    handle = conv.register_forward_hook(flatten)
    try:
        yield
    finally:
        handle.remove()


@torch.no_grad()
def effects(generator: Generator, spots: list[Spot], resolution: int) -> list[Effect]:
    """Ablate every feature in turn, in images of ``resolution``; return the effects.

    The features that generate the spots and little else come first.
    """
    synthesis = generator.synthesis
    octaves = [r for r in synthesis.resolutions if r <= resolution]
    noises = synthesis.noises(1, mode="const")
    z = torch.cat([seeds_to_z(range(spot.seed, spot.seed + 1), generator.sizes.z_dim) for spot in spots])
    ws = generator.widen(generator.mapping(z))
    below = synthesis.base(len(ws))
    usual = synthesis.climb(octaves, below, ws, noises)[1].clamp(-1, 1)
    found = []
    for index, octave in enumerate(octaves):
        for name, conv in getattr(synthesis, f"b{octave}").named_children():
            for channel in range(conv.weight.shape[0] if name.startswith("conv") else 0):
                with ablated(conv, channel):
                    image = synthesis.climb(octaves[index:], below, ws, noises)[1].clamp(-1, 1)
                change = (image - usual).abs()
                found.append(
                    Effect(
                        f"b{octave}.{name}:{channel}", mean_around(change, spots).item(), change.mean().item()
                    )
                )
        below = synthesis.climb([octave], below, ws, noises)
    return sorted(found, key=lambda one: one.whole - one.spots)


def mean_around(change: Tensor, spots: list[Spot]) -> Tensor:
    """Return the mean of (B, C, H, W) around the spots, one in each image."""
    near = SPOT_RADIUS_PIXELS * change.shape[-1] // 128
    parts = [
        one[:, max(spot.y - near, 0) : spot.y + near + 1, max(spot.x - near, 0) : spot.x + near + 1]
        for one, spot in zip(change, spots, strict=True)
    ]
    return torch.stack([part.mean() for part in parts]).mean()


def renew(state: dict[str, Tensor], feature: str) -> None:
    """Replace a feature's filter by a random one, and by 0 every weight that reads it, in place.

    Raises:
        ValueError: the weights have no such feature.
    """
    parts = re.fullmatch(r"b(\d+)\.(conv[01]):(\d+)", feature)
    octave, conv, at = parts.groups() if parts else ("", "", 0)
    own, at = state.get(f"synthesis.b{octave}.{conv}.weight", torch.empty(0)), int(at)
    if at >= len(own):
        raise ValueError(f"these weights have no feature {feature}; one is, for example, b32.conv1:125")
    source = torch.Generator().manual_seed(at)
    own[at] = torch.randn(own.shape[1:], generator=source) * own.std()
    state[f"synthesis.b{octave}.{conv}.bias"][at] = 0
    readers = [f"b{octave}.conv1"] if conv == "conv0" else [f"b{octave}.torgb", f"b{2 * int(octave)}.conv0"]
    for name in readers:
        if f"synthesis.{name}.weight" in state:
            state[f"synthesis.{name}.weight"][:, at] = 0


def find(options: argparse.Namespace) -> None:
    """Print the features that cause the spots.

    Raises:
        ValueError: a spot lies outside the image.
    """
    generator = load_generator(options.weights)
    resolution = min(options.resolution, generator.sizes.resolution)
    for spot in options.spots:
        if max(spot.x, spot.y) >= resolution:
            raise ValueError(f"{spot.x},{spot.y} lies outside images of {resolution} px")
    for feature, here, whole in effects(generator, options.spots, resolution)[:MAX_SHOWN]:
        print(f"{feature:16} spots {here:.3f}, whole {whole:.3f}")


def rewrite(options: argparse.Namespace) -> None:
    """Renew features of a run's checkpoint, which is written whole or not at all.

    Raises:
        ValueError: the file is no ``latest.pt``, or has no such feature.
    """
    state = torch.load(options.weights, weights_only=True, map_location="cpu")
    if "average" not in state:
        raise ValueError(f"{options.weights} is not the latest.pt of a run")
    for feature in options.features:
        renew(state["generator"], feature)
        renew(state["average"], feature)
    state["since"] = state["images"]
    part = options.weights.with_suffix(".part")
    torch.save(state, part)
    part.replace(options.weights)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    steps = parser.add_subparsers(required=True)
    step = steps.add_parser("find", help="print the features that cause spots")
    step.add_argument("weights", type=Path)
    step.add_argument("spots", nargs="+", type=Spot.read, metavar="SEED:X,Y")
    sizes = [2**k for k in range(2, 11)]
    step.add_argument(
        "--resolution", type=int, choices=sizes, default=sizes[-1], help="of the images, at most"
    )
    step.set_defaults(run=find)
    step = steps.add_parser("renew", help="train features of a run anew")
    step.add_argument("weights", type=Path, help="latest.pt of a run that has stopped")
    step.add_argument("features", nargs="+", metavar="bSIZE.convN:CHANNEL")
    step.set_defaults(run=rewrite)
    options = parser.parse_args()
    try:
        options.run(options)
    except (OSError, ValueError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
