"""Contexts of rules: directions of a layer's input that a cluster of features stands for.

A rule acts where the layer's input looks like a key. Keys are the features that a styled convolution takes,
after modulation (Bau et al. 2020, arXiv:2007.15646, section 3); with C their second moment over many images
and k* the mean key of the context, d = C^-1 k* / (k*^T C^-1 k*). Here contexts need no painting: they are the
places where a cluster of the channels that come in is strongest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from clavilux.arrays import F32, F64
from clavilux.generator.model import Model
from clavilux.generator.rewrites import styled_convs
from clavilux.profile.clusters import clusters_of
from clavilux.profile.contexts import layer_before
from clavilux.profile.probe import BATCH, draw, sample_latents
from clavilux.store import Store

__all__ = ["CONTEXTS", "keys_of", "search_contexts"]


@dataclass(frozen=True)
class ContextSpec:
    """How contexts are found.

    Attributes:
        images: over which keys are collected.
        side: cells of a side; larger layers are averaged down to it.
        share: of the places of each image, those where a cluster is strongest.
        damping: of C, as a share of its mean eigenvalue.
    """

    images: int = 96
    side: int = 32
    share: float = 0.1
    damping: float = 1e-2


CONTEXTS = ContextSpec()


def keys_of(model: Model, layer: str, w: F32) -> Tensor:
    """Return the keys of a layer, s x, of images w (B, D), (B, I, h, w); at most 32 cells a side."""
    kept: list[Tensor] = []

    def keep(x: Tensor) -> Tensor:
        kept.append(x.float())
        return x

    before = layer_before(model, layer)
    draw(model, w, taps={before: keep}, stop=model.sizes.layers[before].resolution)
    conv = styled_convs(model.network)[layer]
    latent = torch.from_numpy(w).to(kept[0].device)
    with torch.inference_mode():
        style = conv.affine(latent)  # (B, I)
    keys = kept[0].expand(len(w), -1, -1, -1) * style[:, :, None, None]
    high, width = (min(int(side), CONTEXTS.side) for side in keys.shape[2:])
    return torch.nn.functional.adaptive_avg_pool2d(keys, (high, width))


def search_contexts(model: Model, store: Store, layer: str) -> F32:
    """Find the contexts of a layer, one for each cluster of what it takes, (N, 2, I); see `find_context`."""
    clusters = clusters_of(model, store, layer_before(model, layer))
    w = sample_latents(model, CONTEXTS.images)
    keys = [keys_of(model, layer, w[k : k + BATCH]) for k in range(0, len(w), BATCH)]
    rows = torch.cat(keys).permute(0, 2, 3, 1).double().cpu().numpy()  # (N, h, w, I)
    flat = rows.reshape(-1, rows.shape[-1])
    moment = flat.T @ flat / len(flat)  # C = K K^T / n
    moment += CONTEXTS.damping * np.trace(moment) / len(moment) * np.eye(len(moment))
    return np.stack([_context(moment, _mean_key(rows, c.channels)) for c in clusters])


def _mean_key(rows: F64, channels: Sequence[int] | np.ndarray) -> F64:
    """Return the mean key of the places where some channels are strongest, (I,)."""
    own = rows[..., channels]
    strength = np.abs(own - own.mean(axis=(0, 1, 2))) / np.maximum(own.std(axis=(0, 1, 2)), 1e-12)
    heat = strength.mean(axis=-1)  # (N, h, w)
    level = np.quantile(heat, 1 - CONTEXTS.share)
    return np.asarray(rows[heat >= level].mean(axis=0))


def _context(moment: F64, key: F64) -> F32:
    d = np.linalg.solve(moment, key)  # d = C^-1 k*
    return np.stack([key, d / max(float(key @ d), 1e-12)]).astype(np.float32)
