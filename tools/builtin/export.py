"""Write a training run's averaged weights in the native format, with their card.

    python tools/builtin/export.py ~/clavilux-training/silk-a/latest.pt silk --kimg 150 --hours 9

The centre of the latents is measured anew from 10,000 seeded codes, and everything but it and the noise
strengths is stored in half precision. Beside the weights goes FAMILY.webp, the strip that `clavilux models`
shows.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from clavilux.generator.checkpoints.native import write_native
from network import LR_MULTIPLIER, Generator
from sheets import sample, save_sheet, seeds_to_z
from weights import load_generator

__all__ = ["DESCRIPTIONS", "centre", "main"]

DESCRIPTIONS = {
    "silk": "luminous sheets and lightning with fine dust that the noise moves",
    "glass": "stained glass lit from behind, its panes rough with the noise",
    "ink": "layers of coloured ink afloat on water, in eddies, their pigment grained by the noise",
}
SHIPPED = Path(__file__).resolve().parents[2] / "src" / "clavilux" / "generator" / "builtin"
PREVIEW = 6
"""Seeds in the preview."""
EXACT = ("mapping.w_avg", "noise_strength")


def centre(generator: Generator, codes: int = 10_000) -> torch.Tensor:
    """The mean latent over seeded codes, (w_dim,)."""
    with torch.no_grad():
        return generator.mapping(seeds_to_z(range(codes), generator.sizes.z_dim)).mean(0)


def main() -> None:
    """Export one family."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("weights", type=Path, help="latest.pt or a snapshot of a run")
    parser.add_argument("family", choices=DESCRIPTIONS)
    parser.add_argument("--kimg", type=float, help="thousands of images generated; else read from latest.pt")
    parser.add_argument("--hours", type=float, help="hours of training; else read from latest.pt")
    parser.add_argument("--target", type=Path, help="default: the package's own folder")
    options = parser.parse_args()
    generator = load_generator(options.weights)
    generator.mapping.w_avg.copy_(centre(generator))
    arrays = {name: value.numpy() for name, value in generator.state_dict().items()}
    arrays = {n: a if n.endswith(EXACT) else a.astype(np.float16) for n, a in arrays.items()}
    target = options.target or SHIPPED / f"{options.family}.safetensors"
    write_native(target, arrays, card(options))
    shown = sample(generator, seeds_to_z(range(PREVIEW), generator.sizes.z_dim), psi=0.8)
    save_sheet(target.with_suffix(".webp"), F.interpolate(shown, (128, 128), mode="area"), columns=PREVIEW)


def card(options: argparse.Namespace) -> dict[str, str]:
    """What is known of the weights, as lines of text."""
    state = torch.load(options.weights, weights_only=True, map_location="cpu")
    kimg = options.kimg if options.kimg is not None else state.get("images", 0) / 1000
    hours = options.hours if options.hours is not None else state.get("seconds", 0) / 3600
    return {
        "title": options.family,
        "description": DESCRIPTIONS[options.family],
        "licence": "CC0-1.0",
        "source": f"trained by this project on images it generates (procedural {options.family} teacher)",
        "extend": "mirror",
        "mapping_lr_multiplier": str(LR_MULTIPLIER),
        "kimg": f"{kimg:.0f}",
        "training_hours": f"{hours:.1f}",
    }


if __name__ == "__main__":
    main()
