"""Clusters of a layer's channels that work on the same parts of the image, found without training.

Channels whose maps rise and fall in the same places over many images belong together. Maps are compared by
their squared correlation, so a channel that is bright where another is dark counts as its like; each
channel's mean map is removed first, or all would be alike for what every image has in common. Broad et al.
2020 (arXiv:2005.12420) train a classifier for each layer for the same purpose, and have 5, 4 and 3 clusters
up to 64, 256 and 1024 px; the numbers of clusters are theirs.

Every cluster is then removed in a few images and described by what changes; the first one changes most.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from clavilux import seeds
from clavilux.arrays import F32, F64, I64
from clavilux.generator.model import Model
from clavilux.profile.clusters import Cluster
from clavilux.profile.probe import MAX_RESOLUTION, colours, draw, pooled_features, sample_latents

__all__ = ["CLUSTERS", "cluster_maps", "search_clusters"]


@dataclass(frozen=True)
class ClusterSpec:
    """How clusters are found.

    Attributes:
        images: from how many images.
        ablated: in how many of them each cluster is removed to describe it.
        dimensions: of the spectral embedding.
        restarts: of k-means.
        dead: channels with less than this share of the median deviation belong to no cluster.
        changed: CIELAB distance from which a place counts as changed.
    """

    images: int = 64
    ablated: int = 8
    dimensions: int = 10
    restarts: int = 10
    dead: float = 1e-3
    changed: float = 5.0


CLUSTERS = ClusterSpec()


def search_clusters(model: Model, layer: str, maps: Mapping[str, F32] | None = None) -> list[Cluster]:
    """Find the clusters of one layer, the one that changes most first.

    Args:
        model: the generator.
        layer: a layer that can be bent.
        maps: pooled features by layer, (N, C, g, g), where they are known.
    """
    known = (
        maps[layer]
        if maps is not None
        else pooled_features(model, sample_latents(model, CLUSTERS.images), [layer])[layer]
    )
    resolution = model.sizes.layers[layer].resolution
    labels = cluster_maps(known, 5 if resolution <= 64 else 4 if resolution <= 256 else 3)
    plain = _ablated(model, layer, np.empty(0, np.int64))
    found = [
        _described(model, layer, members, known, plain)
        for k in range(labels.max() + 1)
        if len(members := np.flatnonzero(labels == k))
    ]
    return sorted(found, key=lambda cluster: -cluster.impact)


def _described(model: Model, layer: str, members: I64, maps: F32, plain: F64) -> Cluster:
    z = np.abs(maps[:, members] - maps[:, members].mean(axis=(2, 3), keepdims=True))
    z /= np.maximum(z.mean(axis=(2, 3), keepdims=True), 1e-12)
    without = _ablated(model, layer, members)
    distance = np.linalg.norm(without - plain, axis=-1)  # (N, H, W)
    return Cluster(
        members,
        z.mean(axis=(0, 1)).astype(np.float32),
        lightness=float((without - plain)[..., 0].mean()),
        chroma=float((_chroma(without) - _chroma(plain)).mean()),
        detail=_detail(without) / max(_detail(plain), 1e-6) - 1,
        impact=float(distance.mean()),
        area=float((distance > CLUSTERS.changed).mean()),
    )


def _ablated(model: Model, layer: str, members: I64) -> F64:
    """Draw a few images without some channels, CIELAB (N, 64, 64, 3)."""
    kept = torch.ones(model.sizes.layers[layer].channels)
    kept[torch.from_numpy(members)] = 0

    def remove(x: Tensor) -> Tensor:
        return x * kept.to(x.device, x.dtype)[:, None, None]

    w = sample_latents(model, CLUSTERS.ablated)
    stop = max(model.sizes.layers[layer].resolution, min(MAX_RESOLUTION, model.resolution))
    drawn = [draw(model, w[k : k + 4], taps={layer: remove}, stop=stop) for k in range(0, len(w), 4)]
    return np.concatenate([colours(images) for images in drawn])


def cluster_maps(maps: F32, count: int) -> I64:
    """Cluster channels by their maps (N, C, g, g); the cluster of each, (C,), -1 where a channel is dead.

    >>> random = np.random.default_rng(0)
    >>> blobs = random.standard_normal((32, 2, 8, 8)).astype(np.float32)
    >>> maps = blobs[:, [0, 0, 1, 1]] * np.array([1, -2, 3, 1], np.float32)[:, None, None]
    >>> labels = cluster_maps(maps, 2)
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True
    """
    deviation = maps.std(axis=(2, 3), keepdims=True)  # (N, C, 1, 1)
    energy = deviation.mean(axis=(0, 2, 3))  # e_c
    alive = np.flatnonzero(energy > CLUSTERS.dead * np.median(energy))
    labels = np.full(maps.shape[1], -1, np.int64)
    if len(alive) <= count:
        labels[alive] = np.arange(len(alive))
        return labels
    z = (maps - maps.mean(axis=(2, 3), keepdims=True)) / np.maximum(deviation, 1e-12)  # z-score of each map
    z = (z - z.mean(axis=0))[:, alive]  # what a channel shows in every image says nothing of the image
    phi = z.transpose(1, 0, 2, 3).reshape(len(alive), -1)  # (C, N g^2)
    phi /= np.maximum(np.linalg.norm(phi, axis=1, keepdims=True), 1e-12)
    similarity = (phi @ phi.T).astype(np.float64) ** 2  # S^2: blind to the sign
    values, vectors = np.linalg.eigh(similarity)
    kept = slice(-min(CLUSTERS.dimensions, len(alive)), None)
    embedded = vectors[:, kept] * np.sqrt(np.maximum(values[kept], 0))
    embedded /= np.maximum(np.linalg.norm(embedded, axis=1, keepdims=True), 1e-12)
    labels[alive] = _k_means(embedded, count)
    return labels


def _k_means(points: F64, count: int) -> I64:
    """Return the best of several seeded runs of k-means."""
    from scipy.cluster.vq import kmeans2  # half a second; most models' clusters are known

    best, least = np.zeros(len(points), np.int64), np.inf
    for run in range(CLUSTERS.restarts):
        random = seeds.generator(0, "profile/clusters", run)
        centres, labels = kmeans2(points, count, minit="++", rng=random, missing="warn", iter=30)
        error = float(((points - centres[labels]) ** 2).sum())
        if error < least and len(np.unique(labels)) == count:
            best, least = labels.astype(np.int64), error
    return best


def _chroma(lab: F64) -> F64:
    return np.asarray(np.hypot(lab[..., 1], lab[..., 2]))


def _detail(lab: F64) -> float:
    return float(np.abs(np.diff(lab[..., 0], axis=1)).mean() + np.abs(np.diff(lab[..., 0], axis=2)).mean())
