"""A survey: a pool of images of a generator, drawn once and described.

Colours are CIELAB under D65; latents are w, untruncated; the pool is drawn under truncation 0.7.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from clavilux import seeds
from clavilux.colour import srgb_to_lab
from clavilux.errors import ModelError
from clavilux.generator.model import Model
from clavilux.generator.program import default_cells, extend
from clavilux.generator.sizes import CONST
from clavilux.store import Store

__all__ = ["LEAST_POOL", "Survey", "survey"]

Floats = NDArray[np.float32]
Reals = NDArray[np.float64]

VERSION = 1
LEAST_POOL = 24
PSI = 0.7
LARGEST_VIEW = 256
"""Pictures of larger networks are looked at as painted so far at this size, px."""
VIEW, GRID = 64, 16
"""Sides at which detail and colours are judged, px."""
PASS = 4


@dataclass(frozen=True)
class Survey:
    """A pool of N pictures of a model.

    Attributes:
        ws: their latents, (N, D).
        lab: their colours on a coarse grid, CIELAB, (N, 16, 16, 3).
        energy: their fine detail, the mean step of lightness between neighbouring pixels, (N,).
    """

    ws: Floats
    lab: Floats
    energy: Floats


def survey(model: Model, store: Store, *, seed: int = 0, count: int = 128) -> Survey:
    """Draw a pool of pictures, or fetch it from the store.

    Args:
        model: what draws them.
        store: keeps the result under the model's digest.
        seed: chooses the pool.
        count: pictures, at least 24.

    Raises:
        ModelError: the pool is too small to choose from, or the network paints numbers that are not finite.
    """
    if count < LEAST_POOL:
        raise ModelError(f"Palettes cannot be chosen from {count} pictures; survey at least {LEAST_POOL}.")
    key = f"generator/survey/{VERSION}/{model.digest}/{seed}/{count}"
    kept = store.fetch(key, lambda: _draw_pool(model, seed, count))
    return Survey(*(kept[name].astype(np.float32, copy=False) for name in ("ws", "lab", "energy")))


def _draw_pool(model: Model, seed: int, count: int) -> dict[str, NDArray[np.generic]]:
    ws = model.map(seeds.normal(seed, "generator/survey", 0, (count, model.z_dim)))
    shown = model.w_avg + PSI * (ws - model.w_avg)
    views = [_look(model, shown[k : k + PASS], seed) for k in range(0, count, PASS)]
    lab, energy = (np.concatenate(parts) for parts in zip(*views, strict=True))
    if not np.isfinite(lab).all():
        raise ModelError(
            f"The model {model.name} paints numbers that are not finite; its weights are damaged."
        )
    return {"ws": ws, "lab": lab, "energy": energy}


def _look(model: Model, ws: Floats, seed: int) -> tuple[Floats, Floats]:
    """Draw the pictures of some latents and describe them: lab, energy.

    The constant is extended half as far as a video's, for colours near enough to the video's at a fair price.
    """
    device = model.network.const.device
    side = (CONST + min(default_cells(model.resolution, (1, 1)))) // 2
    const = extend(model.network.const.cpu().numpy(), (side, side), model.extend)
    noise = [
        seeds.normal(seed, f"generator/survey/{name}", 0, (1, 1, side * size // CONST, side * size // CONST))
        for name, size in model.network.layers.items()
    ]
    wide = torch.from_numpy(ws).to(device)[:, None].expand(-1, model.num_ws, -1)
    with torch.inference_mode():
        picture = model.network(
            wide,
            [torch.from_numpy(layer).to(device) for layer in noise],
            const=torch.from_numpy(const).to(device),
            last=min(LARGEST_VIEW, model.resolution),
        )
    energy = _detail(srgb_to_lab(_pooled(picture, VIEW))[..., 0])
    return srgb_to_lab(_pooled(picture, GRID)).astype(np.float32), energy.astype(np.float32)


def _pooled(picture: Tensor, size: int) -> Reals:
    """Shrink pictures in [-1, 1] to (B, size, size, 3) in [0, 1]."""
    small = F.interpolate(picture.clamp(-1, 1), size=(size, size), mode="area")
    return np.asarray(small.permute(0, 2, 3, 1).cpu().numpy() * 0.5 + 0.5, np.float64)


def _detail(lightness: Reals) -> Reals:
    down, right = np.diff(lightness, axis=1), np.diff(lightness, axis=2)
    return np.asarray(np.abs(down).mean(axis=(1, 2)) + np.abs(right).mean(axis=(1, 2)))
