"""Drawing for measurements: images of given latents with bends or rewrites, and features on the way.

Images are (B, 3, H, W) in [-1, 1], from the constant as it was learned, all with one fixed noise. Latents are
w (B, D), already truncated.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from clavilux import seeds
from clavilux.arrays import F32, F64
from clavilux.colour import srgb_to_lab
from clavilux.generator.model import Model
from clavilux.generator.network import SideBranch, Tap

__all__ = ["BATCH", "MAX_RESOLUTION", "colours", "draw", "fixed_noise", "pooled_features", "sample_latents"]

MAX_RESOLUTION = 128
"""Larger networks are measured up to this resolution, px."""
PSI = 0.7
BATCH = 4


def sample_latents(model: Model, count: int, name: str = "profile", *, psi: float = PSI) -> F32:
    """Return some latents of a model, truncated; always the same ones, (N, D)."""
    return model.truncate(model.map(seeds.normal(0, name, 0, (count, model.z_dim))), psi)


def draw(
    model: Model,
    w: F32,
    *,
    taps: Mapping[str, Tap] | None = None,
    rewrites: Mapping[str, SideBranch] | None = None,
    stop: int | None = None,
) -> Tensor:
    """Draw the images of latents w (B, D), or (B, L, D); at most 128 px without `stop`."""
    network = model.network
    device = network.w_avg.device
    stop = min(MAX_RESOLUTION, network.resolution) if stop is None else stop
    noise = fixed_noise(model, stop)
    ws = torch.from_numpy(w).to(device)
    ws = ws[:, None].expand(-1, model.num_ws, -1) if ws.ndim == 2 else ws
    with torch.inference_mode():
        return network(ws, noise, taps=taps, rewrites=rewrites, stop=stop)


def fixed_noise(model: Model, stop: int) -> dict[str, Tensor]:
    """Return the one noise of all measurements, for the layers up to a resolution; (1, 1, H, W) each."""
    network = model.network
    canvas = network.canvas(network.cells)
    shapes = {
        name: (1, 1, *(side * layer.resolution // network.resolution for side in canvas))
        for name, layer in network.layers.items()
        if layer.takes_noise and layer.resolution <= stop
    }
    device = network.w_avg.device
    return {
        name: torch.from_numpy(seeds.normal(0, f"profile/{name}", 0, shape)).to(device)
        for name, shape in shapes.items()
    }


def colours(images: Tensor, side: int = 64) -> F64:
    """Return images (B, 3, H, W) as CIELAB on a grid, (B, side, side, 3)."""
    small = F.interpolate(images.clamp(-1, 1), size=(side, side), mode="area")
    return srgb_to_lab(small.permute(0, 2, 3, 1).cpu().numpy() * 0.5 + 0.5)


def pooled_features(model: Model, w: F32, layers: Sequence[str], side: int = 16) -> dict[str, F32]:
    """Return the features of some layers, area-pooled to at most `side` cells; (N, C, g, g) each."""
    found: dict[str, list[F32]] = {layer: [] for layer in layers}

    def keep(layer: str, x: Tensor) -> Tensor:
        size = (min(int(x.shape[2]), side), min(int(x.shape[3]), side))
        found[layer].append(F.adaptive_avg_pool2d(x.float(), size).cpu().numpy())
        return x

    def tap(layer: str) -> Tap:
        return lambda x: keep(layer, x)

    stop = max(model.sizes.layers[layer].resolution for layer in layers)
    for start in range(0, len(w), BATCH):
        draw(model, w[start : start + BATCH], taps={layer: tap(layer) for layer in layers}, stop=stop)
    return {layer: np.concatenate(parts) for layer, parts in found.items()}
