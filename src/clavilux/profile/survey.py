"""A survey: a pool of images of a generator, drawn once and described.

Colours are CIELAB under D65; latents are w (N, D), untruncated; the pool is drawn under truncation.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from clavilux import seeds
from clavilux.array_files import Arrays, hash_of_arrays, load_arrays
from clavilux.arrays import F32, F64
from clavilux.colour import srgb_to_lab
from clavilux.errors import ModelError
from clavilux.generator.canvas import default_cells
from clavilux.generator.model import BUILTIN, Model
from clavilux.generator.network import image_sides
from clavilux.store import Store

__all__ = ["SURVEY", "Survey", "SurveySpec", "describe", "key_of", "survey"]

VERSION = 1
"""Part of the store's key; goes up whenever a survey's numbers change."""


@dataclass(frozen=True)
class SurveySpec:
    """How a pool is drawn and described.

    Attributes:
        min_count: images from which palettes can be chosen: two for each of twelve entries.
        psi: truncation under which the pool is drawn.
        max_resolution: larger networks are drawn up to this resolution, px.
        detail_side: side at which detail is measured, px.
        colour_side: side of the grid of colours.
        batch: images drawn at once.
    """

    min_count: int = 24
    psi: float = 0.7
    max_resolution: int = 256
    detail_side: int = 64
    colour_side: int = 16
    batch: int = 4


SURVEY = SurveySpec()


@dataclass(frozen=True)
class Survey:
    """A pool of N images of a model.

    Attributes:
        ws: their latents, (N, D); of given ones perhaps (N, L, D).
        lab: their colours on a coarse grid, CIELAB, (N, 16, 16, 3).
        energy: their fine detail, the mean step of lightness between neighbouring pixels, (N,).
    """

    ws: F32
    lab: F32
    energy: F32


def survey(model: Model, store: Store, *, seed: int = 0, count: int = 128) -> Survey:
    """Draw a pool of images, or read it from the store; those of built-in models come with them.

    Args:
        model: the generator.
        store: keeps the result under the model's digest.
        seed: chooses the pool.
        count: images, at least 24.

    Raises:
        ModelError: the pool is too small to choose from, or the network draws numbers that are not finite.
    """
    if count < SURVEY.min_count:
        what = f"Palettes cannot be chosen from {count} images"
        raise ModelError(what, where="count", value=count, hint=f"survey at least {SURVEY.min_count}")
    key = key_of(model, seed, count)
    kept = _shipped(model, key) or store.fetch(key, lambda: _draw_pool(model, seed, count))
    return Survey(*(kept[name].astype(np.float32, copy=False) for name in ("ws", "lab", "energy")))


def key_of(model: Model, seed: int = 0, count: int = 128) -> str:
    """Name a survey in the store."""
    return f"generator/survey/{VERSION}/{model.digest}/{seed}/{count}"


def describe(model: Model, ws: F32, store: Store) -> Survey:
    """Draw the images of given latents (N, D) or (N, L, D), or read what they look like from the store.

    Raises:
        ModelError: the network draws numbers that are not finite.
    """
    key = f"generator/described/{VERSION}/{model.digest}/{hash_of_arrays({'ws': ws})}"
    kept = store.fetch(key, lambda: _described(model, ws, 0))
    return Survey(ws, *(kept[name].astype(np.float32, copy=False) for name in ("lab", "energy")))


def _shipped(model: Model, key: str) -> Arrays | None:
    """Return the survey that came with a built-in model, if it is the one that is wanted."""
    path = BUILTIN / f"{model.name}-survey.npz"
    if not path.is_file():
        return None
    kept = load_arrays(path)
    return kept if str(kept.pop("key")) == key else None


def _draw_pool(model: Model, seed: int, count: int) -> dict[str, NDArray[np.generic]]:
    ws = model.map(seeds.normal(seed, "generator/survey", 0, (count, model.z_dim)))  # (N, D)
    return {"ws": ws, **_described(model, ws, seed)}


def _described(model: Model, ws: F32, seed: int) -> dict[str, NDArray[np.generic]]:
    drawn = model.truncate(ws, SURVEY.psi)
    described = [
        _describe(_draw(model, drawn[k : k + SURVEY.batch], seed)) for k in range(0, len(ws), SURVEY.batch)
    ]
    lab, energy = (np.concatenate(parts) for parts in zip(*described, strict=True))
    if not np.isfinite(lab).all():
        what = f"The model {model.name} draws numbers that are not finite"
        raise ModelError(what, where=model.name, hint="its weights are damaged")
    return {"lab": lab, "energy": energy}


def _draw(model: Model, w: F32, seed: int) -> Tensor:
    """Draw the images of some latents (B, D) or (B, L, D), all with the same noise; (B, 3, H, W).

    The constant is extended half as far as a video's, for colours near enough to the video's at a fair price.
    """
    network = model.network
    device = network.w_avg.device
    sides = image_sides(network.layers)
    stop = max([side for side in sides if side <= SURVEY.max_resolution] or sides[-1:])
    side = (network.cells[0] + min(default_cells(network, (1, 1)))) // 2
    const = network.start((side, side), model.extend)
    canvas = network.canvas((side, side))[0]
    noise = {}
    for name, layer in network.layers.items():
        if layer.takes_noise and layer.resolution <= stop:
            extent = canvas * layer.resolution // network.resolution
            noise[name] = seeds.normal(seed, f"generator/survey/{name}", 0, (1, 1, extent, extent))
    with torch.inference_mode():
        return network(
            torch.from_numpy(w.reshape(len(w), -1, model.w_dim)).to(device).expand(-1, model.num_ws, -1),
            {name: torch.from_numpy(layer).to(device) for name, layer in noise.items()},
            const=const.to(device),
            stop=stop,
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
