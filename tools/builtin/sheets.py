"""Contact sheets: many images as one."""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from network import Generator

__all__ = ["pixels", "sample", "save_sheet", "seeds_to_z"]


def seeds_to_z(seeds: range, size: int) -> Tensor:
    """One z per seed, each its own stream: (len(seeds), size)."""
    draws = [torch.randn(size, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return torch.stack(draws)


def sample(generator: Generator, z: Tensor, *, psi: float = 1.0, noise: str = "const") -> Tensor:
    """Generate z in small batches: (B, 3, R, R), clamped to [-1, 1]."""
    with torch.no_grad():
        parts = [generator(part, psi=psi, noise=noise) for part in z.split(8)]
    return torch.cat(parts).clamp(-1, 1)


def pixels(images: Tensor, *, columns: int) -> Image.Image:
    """Lay images (B, 3, H, W) in [-1, 1] out in rows of ``columns``."""
    count, _, height, width = images.shape
    rows = count // columns
    grid = images[: rows * columns].reshape(rows, columns, 3, height, width).permute(0, 3, 1, 4, 2)
    levels = ((grid + 1) * 127.5).round().clamp(0, 255).byte()
    return Image.fromarray(levels.reshape(rows * height, columns * width, 3).numpy())


def save_sheet(path: Path, images: Tensor, *, columns: int = 8) -> None:
    """Write a contact sheet in the format of its name, complete or not at all."""
    part = path.with_name(f"{path.stem}.part{path.suffix}")
    pixels(images, columns=columns).save(part, quality=85)
    part.replace(path)
