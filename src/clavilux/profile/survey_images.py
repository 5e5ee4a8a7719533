"""What a survey sees: images of a generator, drawn as its view says, and described.

Images are drawn in torch, (B, 3, H, W) in [-1, 1]; colours are CIELAB under D65.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from clavilux import seeds
from clavilux.arrays import F32, F64
from clavilux.colour import srgb_to_lab
from clavilux.errors import ModelError
from clavilux.generator.generate import seed_latents
from clavilux.generator.model import Model
from clavilux.profile.survey import SURVEY, Progress, View, view_of

__all__ = ["described", "surveyed_images"]


def surveyed_images(model: Model, numbers: Sequence[int], side: int) -> Iterator[NDArray[np.uint8]]:
    """Draw what a survey sees of the images of some seeds, (side, side, 3) each."""
    view = view_of(model.sizes)
    for seed in numbers:
        w = model.truncate(seed_latents(model, seed), SURVEY.psi)
        pixels = _area_pooled(_draw(model, w, seed, view), side)[0]
        yield np.asarray(np.rint(pixels * 255), np.uint8)


def described(model: Model, ws: F32, seed: int, progress: Progress) -> dict[str, NDArray[np.generic]]:
    """Draw and describe the images of latents (N, D) or (N, L, D): `lab` and `energy` of a `Survey`.

    Raises:
        ModelError: the network draws numbers that are not finite.
    """
    drawn = model.truncate(ws, SURVEY.psi)
    view, parts = view_of(model.sizes), []
    for k in range(0, len(ws), SURVEY.batch):
        progress(k, len(ws))
        parts.append(_describe(_draw(model, drawn[k : k + SURVEY.batch], seed, view)))
    lab, energy = (np.concatenate(each) for each in zip(*parts, strict=True))
    if not np.isfinite(lab).all():
        what = f"The model {model.name} draws numbers that are not finite"
        raise ModelError(what, where=model.name, hint="its weights are damaged")
    return {"lab": lab, "energy": energy}


def _draw(model: Model, w: F32, seed: int, view: View) -> Tensor:
    """Draw the images of some latents (B, D) or (B, L, D), all with the same noise; (B, 3, H, W)."""
    network = model.network
    device = network.w_avg.device
    const = network.start((view.cells, view.cells), model.extend)
    canvas = network.canvas((view.cells, view.cells))[0]
    noise = {}
    for name, layer in network.layers.items():
        if layer.takes_noise and layer.resolution <= view.stop:
            extent = canvas * layer.resolution // network.resolution
            noise[name] = seeds.normal(seed, f"generator/survey/{name}", 0, (1, 1, extent, extent))
    with torch.inference_mode():
        return network(
            torch.from_numpy(w.reshape(len(w), -1, model.w_dim)).to(device).expand(-1, model.num_ws, -1),
            {name: torch.from_numpy(layer).to(device) for name, layer in noise.items()},
            const=const.to(device),
            stop=view.stop,
        )


def _describe(image: Tensor) -> tuple[F32, F32]:
    """Return lab and energy of images (B, 3, H, W)."""
    lightness = srgb_to_lab(_area_pooled(image, SURVEY.detail_side))[..., 0]  # (B, 64, 64)
    down, right = np.diff(lightness, axis=1), np.diff(lightness, axis=2)
    energy = np.abs(down).mean(axis=(1, 2)) + np.abs(right).mean(axis=(1, 2))
    lab = srgb_to_lab(_area_pooled(image, SURVEY.colour_side))
    return lab.astype(np.float32), energy.astype(np.float32)


def _area_pooled(image: Tensor, side: int) -> F64:
    """Shrink images in [-1, 1] to (B, side, side, 3) in [0, 1]."""
    small = F.interpolate(image.clamp(-1, 1), size=(side, side), mode="area")
    return np.asarray(small.permute(0, 2, 3, 1).cpu().numpy() * 0.5 + 0.5, np.float64)
