"""Clusters of a layer's channels that work on the same parts of the image, and what each does.

Known without PyTorch where they are kept; see `cluster_search` for how they are found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from clavilux.arrays import F32, I64
from clavilux.generator.model import Model
from clavilux.store import Store

__all__ = ["Cluster", "clusters_of"]

VERSION = 1


@dataclass(frozen=True, eq=False)
class Cluster:
    """Channels of one layer that belong together.

    Attributes:
        channels: their indices.
        heat: where they are active, (16, 16) at most, mean 1.
        lightness: change of the mean lightness L* when they are removed.
        chroma: change of the mean chroma.
        detail: relative change of the fine detail.
        impact: mean CIELAB distance when they are removed.
        area: share of the image that changes.
    """

    channels: I64
    heat: F32
    lightness: float
    chroma: float
    detail: float
    impact: float
    area: float

    @property
    def words(self) -> str:
        """What it does, in a few words, such as 'centre, darker, 42 % of the image'."""
        where = _where(self.heat)
        changes = [
            word
            for value, more, less, least in (
                (-self.lightness, "light", "shade", 2.0),
                (-self.chroma, "colour", "grey", 2.0),
                (-self.detail, "detail", "softness", 0.15),
            )
            for word in ([more] if value > least else [less] if value < -least else [])
        ]
        return f"{where}: {', '.join(changes) or 'shape'} ({self.area:.0%} of the image)"


def clusters_of(
    model: Model, store: Store, layer: str, *, maps: Mapping[str, F32] | None = None
) -> list[Cluster]:
    """Find the clusters of one layer, the one that changes most first, or read them from the store.

    Args:
        model: the generator.
        store: keeps the result under the model's digest.
        layer: a layer that can be bent.
        maps: pooled features by layer, (N, C, g, g), where they are known.
    """
    key = f"generator/clusters/{VERSION}/{model.digest}/{layer}"

    def found() -> dict[str, np.ndarray]:
        from clavilux.profile.cluster_search import search_clusters  # it needs PyTorch

        return _arrays(search_clusters(model, layer, maps))

    kept = store.fetch(key, found)
    return [
        Cluster(np.flatnonzero(kept["labels"] == k), heat, *map(float, numbers))
        for k, (heat, numbers) in enumerate(zip(kept["heat"], kept["numbers"], strict=True))
    ]


def _arrays(found: Sequence[Cluster]) -> dict[str, np.ndarray]:
    count = 1 + max(int(cluster.channels.max()) for cluster in found)
    labels = np.full(count, -1, np.int64)
    for k, cluster in enumerate(found):
        labels[cluster.channels] = k
    numbers = [(c.lightness, c.chroma, c.detail, c.impact, c.area) for c in found]
    return {"labels": labels, "heat": np.stack([c.heat for c in found]), "numbers": np.array(numbers)}


def _where(heat: F32) -> str:
    """Name the part of the image in which a map is strongest."""
    high, width = heat.shape
    down, across = np.mgrid[0:high, 0:width]
    y, x = (down + 0.5) / high - 0.5, (across + 0.5) / width - 0.5
    edge = np.maximum(np.abs(x), np.abs(y)) > 0.3
    parts = {
        "centre": ~edge,
        "edge": edge,
        "top": y < -0.15,
        "bottom": y > 0.15,
        "left": x < -0.15,
        "right": x > 0.15,
    }
    gains = {name: float(heat[part].mean() / heat.mean()) for name, part in parts.items() if part.any()}
    name = max(gains, key=lambda key: gains[key])
    return name if gains[name] > 1.08 else "everywhere"
