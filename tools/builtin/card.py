"""Measure trained weights and draw their card: figures.json, README.md and contact sheets.

    PYTHONPATH=src python tools/builtin/card.py silk WEIGHTS --snapshots ~/clavilux-training/silk-a/ema \\
        --target docs/generators/silk

Every figure compares with the teacher itself, drawn from fixed seeds. Coarse layers are those up to 16 px,
fine ones those above; noise is the stored one against none.
"""

import argparse
import itertools
import json
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

import losses
import measures
from clavilux.generator.canvas import extend
from critic import Features
from network import Generator
from sheets import sample, save_sheet, seeds_to_z
from teachers import draw
from weights import load_generator

__all__ = ["figures", "kernel_curve", "main", "mixed", "slerp", "wide"]

COARSE = 5
SHOWN = 256
"""Pixels an image is shown with at most, so that a sheet stays small."""
MIXES = {
    "coarse (to 16 px)": slice(0, 5),
    "middle (32-64 px)": slice(5, 9),
    "fine (128 px up)": slice(9, None),
}


def paint(generator: Generator, ws: Tensor, *, noise: str = "const") -> Tensor:
    """Generate latents (B, L, D) in small batches."""
    with torch.no_grad():
        parts = [generator.synthesis(w, generator.synthesis.noises(len(w), mode=noise)) for w in ws.split(8)]
    return torch.cat(parts).clamp(-1, 1)


def teacher_images(family: str, count: int, resolution: int, seed: int) -> Tensor:
    """Draw a teacher's images few at a time: the steps take memory."""
    source = torch.Generator().manual_seed(seed)
    return torch.cat([draw(family, min(8, count - k), resolution, source) for k in range(0, count, 8)])


def latents(generator: Generator, seeds: range) -> Tensor:
    """Latents of seeds for every layer, (B, L, D)."""
    with torch.no_grad():
        return generator.widen(generator.mapping(seeds_to_z(seeds, generator.sizes.z_dim)))


def mixed(ws: Tensor, others: Tensor, layers: slice) -> Tensor:
    """Take ``layers`` from ``others``."""
    ws = ws.clone()
    ws[:, layers] = others[:, layers]
    return ws


def slerp(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """Walk the great circle between two codes: (steps, z_dim)."""
    angle = torch.acos(F.cosine_similarity(a, b, dim=0).clamp(-1, 1))
    t = torch.linspace(0, 1, steps)[:, None]
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


def wide(generator: Generator, seeds: range) -> Tensor:
    """Generate 16:9 images as the package does, by extending the constant; noise is drawn anew, seeded."""
    const = torch.from_numpy(extend(generator.synthesis.b4.const.detach().numpy(), (4, 7), "mirror"))[None]
    source = torch.Generator().manual_seed(0)
    shapes = [n.shape for n in generator.synthesis.noises(1, mode="const")]
    noises = [torch.randn(1, 1, s[2], s[3] * 7 // 4, generator=source) for s in shapes]
    with torch.no_grad():
        parts = [generator.synthesis(w, noises, const) for w in latents(generator, seeds).split(4)]
    return torch.cat(parts).clamp(-1, 1)


def twofold(images: Tensor) -> float:
    """How far wide images (B, 3, H, W) are two copies: the halves' correlation, mirrored or shifted."""
    half = images.shape[3] // 2
    left, right = images[..., :half], images[..., -half:]
    return max(abs(measures.luma_correlation(left, x)) for x in (right, right.flip(3)))


def figures(generator: Generator, family: str, count: int) -> dict[str, float]:
    """Every figure of the card but the kernel distance."""
    resolution = generator.sizes.resolution
    teacher = teacher_images(family, count, resolution, 101)
    ws, others = latents(generator, range(count)), latents(generator, range(count, 2 * count))
    other = paint(generator, others)
    made, afresh = (paint(generator, ws, noise=noise) for noise in ("const", "random"))
    apart, own = measures.pairwise(made), measures.pairwise(teacher)
    off = ~torch.eye(count, dtype=torch.bool)
    found = {
        "pairwise distance / teacher's": (apart[off].mean() / own[off].mean()).item(),
        "nearest neighbour / teacher's": (nearest(apart) / nearest(own)).item(),
        "sharpness / teacher's": (measures.sharpness(made) / measures.sharpness(teacher)),
        "mean level": made.mean().item(),
        "teacher's mean level": teacher.mean().item(),
        "noise on/off, CIELAB": measures.lab_change(made, paint(generator, ws, noise="none")),
        "layouts' mean correlation": losses.mean_correlation(losses.structure(made)).item(),
        "teacher's layouts' mean correlation": losses.mean_correlation(losses.structure(teacher)).item(),
        "lines' mean correlation": losses.mean_correlation(losses.marks(afresh)).item(),
        "teacher's lines' mean correlation": losses.mean_correlation(losses.marks(teacher)).item(),
        "nearest of others' correlation": twins(afresh),
        "teacher's nearest of others' correlation": twins(teacher),
        "teacher's other image: palette shift": measures.palette_shift(teacher, teacher.roll(1, 0)),
        "other image: luma correlation": measures.luma_correlation(made, other),
        "other image: palette shift": measures.palette_shift(made, other),
    }
    for name, layers in {**MIXES, "middle and fine": slice(COARSE, None)}.items():
        swapped = paint(generator, mixed(ws, others, layers))
        found[f"swap {name}: luma correlation"] = measures.luma_correlation(made, swapped)
        found[f"swap {name}: palette shift"] = measures.palette_shift(made, swapped)
    codes = seeds_to_z(range(2), generator.sizes.z_dim)
    steps = sample(generator, slerp(codes[0], codes[1], 33))
    changes = torch.tensor([measures.lab_change(a[None], b[None]) for a, b in itertools.pairwise(steps)])
    found["slerp in 32 steps: largest / mean change"] = (changes.max() / changes.mean()).item()
    found["16:9, halves' luma correlation"] = twofold(wide(generator, range(min(count, 64))))
    return found


def twins(images: Tensor) -> float:
    """How much one half of the images crowd with the other half."""
    first, second = losses.portrait(images).chunk(2)
    return losses.crowding(first, second).item()


def nearest(distances: Tensor) -> Tensor:
    """Mean distance to the nearest other image."""
    return distances.clone().fill_diagonal_(float("inf")).min(1).values.mean()


def kernel_curve(snapshots: dict[str, Generator], family: str, count: int) -> dict[str, float]:
    """Kernel distance of every snapshot to fresh teacher images, and of the teacher to itself."""
    features = Features()
    resolution = max(g.sizes.resolution for g in snapshots.values())
    sets = [measures.embed(teacher_images(family, count, resolution, seed), features) for seed in (201, 202)]
    curve = {"teacher": measures.kernel_distance(*sets, reference=sets[0])}
    for name, generator in snapshots.items():
        made = measures.embed(sample(generator, seeds_to_z(range(count), generator.sizes.z_dim)), features)
        curve[name] = measures.kernel_distance(sets[0], made, reference=sets[0])
    return curve


def images(generator: Generator, family: str, folder: Path) -> None:
    """Draw the contact sheets."""
    resolution = generator.sizes.resolution
    ws, others = latents(generator, range(8)), latents(generator, range(8, 16))
    rows = [paint(generator, ws), paint(generator, others)]
    rows += [paint(generator, mixed(ws, others, layers)) for layers in MIXES.values()]
    z = seeds_to_z(range(8), generator.sizes.z_dim)
    strips = [sample(generator, slerp(z[k], z[k + 1], 8)) for k in range(4)]
    noises = [paint(generator, ws, noise=n) for n in ("const", "none", "random")]
    sheets = {
        "samples": paint(generator, latents(generator, range(64))),
        "teacher": teacher_images(family, 32, resolution, 101),
        "mixing": torch.cat(rows),
        "noise": torch.cat(noises),
        "truncation": torch.cat([sample(generator, z, psi=psi) for psi in (1, 0.7, 0.4, 0)]),
        "slerp": torch.cat(strips),
        "wide": wide(generator, range(8)),
    }
    for name, images in sheets.items():
        if name == "noise":
            shown = images[..., :SHOWN, :SHOWN]
        else:
            shown = F.interpolate(images, scale_factor=min(1, SHOWN / images.shape[2]), mode="area")
        save_sheet(folder / f"{name}.webp", shown, columns=4 if name == "wide" else 8)


CAPTIONS = {
    "samples": "Seeds 0 to 63, nothing chosen.",
    "teacher": "The teacher's own images.",
    "mixing": "Seeds 0 to 7; 8 to 15; the first with the coarse, the middle, the fine styles of the second.",
    "noise": "Corners of seeds 0 to 7, pixel for pixel, with their stored noise, with none, with new noise.",
    "truncation": "psi 1, 0.7, 0.4 and 0.",
    "slerp": "From seed to seed in eight steps, four times.",
    "wide": "16:9 as the package paints it, by mirroring the learned constant beyond its edges.",
}


def write_card(folder: Path, family: str, found: dict[str, float], curve: dict[str, float]) -> None:
    """Write the figures for machines and for people."""
    (folder / "figures.json").write_text(
        json.dumps({"figures": found, "kernel_distance": curve}, indent=1) + "\n"
    )
    lines = [
        f"# {family}",
        "",
        "A built-in generator. CC0-1.0, trained only on images this project generates.",
        "",
        "| | |",
        "|---|---|",
    ]
    lines += [f"| {name} | {value:.3g} |" for name, value in found.items()]
    lines += ["", "Kernel distance to fresh teacher images (x 1000), by thousands of images generated:"]
    lines += ["", "| weights | |", "|---|---|"]
    lines += [f"| {name} | {value:.3g} |" for name, value in curve.items()]
    for name, caption in CAPTIONS.items():
        lines += ["", caption, "", f"![{name}]({name}.webp)"]
    (folder / "README.md").write_text("\n".join(lines) + "\n")


def main() -> None:
    """Measure and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("family")
    parser.add_argument("weights", type=Path)
    parser.add_argument("--snapshots", type=Path, help="folder of ema/*.pt for the curve")
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--count", type=int, default=256, help="images to measure")
    options = parser.parse_args()
    options.target.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    generator = load_generator(options.weights)
    paths = sorted(options.snapshots.glob("*.pt")) if options.snapshots else []
    snapshots = {path.stem: load_generator(path) for path in paths} | {"these": generator}
    curve = kernel_curve(snapshots, options.family, options.count)
    write_card(options.target, options.family, figures(generator, options.family, options.count), curve)
    images(generator, options.family, options.target)


if __name__ == "__main__":
    main()
