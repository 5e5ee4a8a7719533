"""A library of rules for a model, found without painting: what each mute, boost and swap of contexts does.

Contexts are clusters of features (Bau et al. 2020, arXiv:2007.15646, paint theirs). Every rule is drawn at
full amount on a few images; one that changes them too little to be seen, or so much that nothing of them is
left, is omitted. Rules are sorted by how much they change.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from clavilux.arrays import F32
from clavilux.generator.model import Model
from clavilux.generator.rewrites import REWRITES, Rewrite, styled_layers
from clavilux.generator.sites import Place
from clavilux.profile.clusters import clusters_of
from clavilux.profile.contexts import find_context, layer_before
from clavilux.profile.probe import BATCH, MAX_RESOLUTION, colours, draw, sample_latents
from clavilux.store import Store

__all__ = ["RULES", "FoundRule", "draw_rule", "ruled_layers", "rules_of"]

VERSION = 1


@dataclass(frozen=True)
class RuleSpec:
    """Which rules are kept.

    Attributes:
        images: on which each is tried.
        sides: of the layers that are looked at, px: big parts, objects and texture.
        change: least and largest mean CIELAB distance.
        area: least and largest share of the image that changes.
        changed: CIELAB distance from which a place counts as changed.
        contexts: of each layer, the most visible first, of which rules are made.
    """

    images: int = 8
    sides: tuple[int, ...] = (16, 32, 64)
    change: tuple[float, float] = (5.0, 25.0)
    area: tuple[float, float] = (0.05, 0.95)
    changed: float = 5.0
    contexts: int = 4


RULES = RuleSpec()


@dataclass(frozen=True)
class FoundRule:
    """A rule that shows.

    Attributes:
        op: 'mute', 'boost' or 'swap'.
        layer: a convolution.
        context: number of the cluster that it acts on.
        to: of the cluster whose content a swap draws there; else none.
        change: mean CIELAB distance at full amount.
        area: share of the image that changes.
    """

    op: str
    layer: str
    context: int
    to: int | None
    change: float
    area: float

    def __str__(self) -> str:
        """Return the rule as a patch writes it."""
        to = "" if self.to is None else f", to='cluster {self.to}'"
        return f"rewrite.{self.op}(at='{self.layer}', context='cluster {self.context}'{to})"

    @property
    def words(self) -> str:
        """What it does, in numbers."""
        return f"CIELAB {self.change:.0f} over {self.area:.0%} of the image"


def ruled_layers(model: Model) -> list[str]:
    """List the layers that are looked at: of the second convolutions of a size those of the spec's sizes."""
    return [
        name
        for name, conv in styled_layers(model.network).items()
        if not conv.up and model.sizes.layers[name].resolution in RULES.sides
    ]


def rules_of(model: Model, store: Store, layer: str) -> list[FoundRule]:
    """Find the rules of one layer that show, the strongest first, or read them from the store."""
    kept = store.fetch(
        f"generator/rules/{VERSION}/{model.digest}/{layer}", lambda: _arrays(model, store, layer)
    )
    rows = zip(kept["ops"], kept["numbers"], strict=True)
    found = [
        FoundRule(
            str(op), layer, int(row[0]), None if row[1] < 0 else int(row[1]), float(row[2]), float(row[3])
        )
        for op, row in rows
    ]
    (least, most), (small, large) = RULES.change, RULES.area
    shown = [rule for rule in found if least <= rule.change <= most and small <= rule.area <= large]
    return sorted(shown, key=lambda rule: -rule.change)


def draw_rule(model: Model, store: Store, w: F32, rule: FoundRule) -> Tensor:
    """Draw images of latents w (B, D) under a rule at full amount, (B, 3, H, W); at most 128 px."""
    base = styled_layers(model.network)[rule.layer].weight
    numbers = [rule.context] if rule.to is None else [rule.context, rule.to]
    contexts = [torch.from_numpy(find_context(model, store, rule.layer, f"cluster {k}")) for k in numbers]
    kinds: dict[str, Any] = dict(REWRITES)
    made = kinds[f"rewrite.{rule.op}"](Place(rule.layer), base, *contexts)
    return draw(model, w, rewrites={rule.layer: _Full(made)})


def _arrays(model: Model, store: Store, layer: str) -> dict[str, np.ndarray]:
    w = sample_latents(model, RULES.images, "profile/rules")
    stop = max(model.sizes.layers[layer].resolution, min(MAX_RESOLUTION, model.resolution))

    def drawn(branch: Any) -> np.ndarray:
        rewrites = {} if branch is None else {layer: branch}
        batches = [w[k : k + BATCH] for k in range(0, len(w), BATCH)]
        return np.concatenate([colours(draw(model, each, rewrites=rewrites, stop=stop)) for each in batches])

    plain = drawn(None)
    ops, numbers = [], []
    for op, pair, rule in _tried(model, store, layer):
        distance = np.linalg.norm(drawn(_Full(rule)) - plain, axis=-1)
        ops.append(op)
        numbers.append((*pair, distance.mean(), (distance > RULES.changed).mean()))
    return {"ops": np.array(ops, np.str_), "numbers": np.array(numbers, np.float64).reshape(len(ops), 4)}


def _tried(model: Model, store: Store, layer: str) -> Iterator[tuple[str, tuple[int, int], Rewrite]]:
    """Make every rule of a layer: its op, its contexts, and the rule."""
    count = min(len(clusters_of(model, store, layer_before(model, layer))), RULES.contexts)
    contexts = [torch.from_numpy(find_context(model, store, layer, f"cluster {k}")) for k in range(count)]
    place, base = Place(layer), styled_layers(model.network)[layer].weight
    kinds: dict[str, Any] = dict(REWRITES)
    for op in ("mute", "boost"):
        for k, context in enumerate(contexts):
            yield op, (k, -1), kinds[f"rewrite.{op}"](place, base, context)
    for j, k in itertools.permutations(range(count), 2):
        yield "swap", (j, k), kinds["rewrite.swap"](place, base, contexts[j], contexts[k])


@dataclass(frozen=True, eq=False)
class _Full:
    """A rule at full amount, as a side branch."""

    rule: Rewrite

    @property
    def weight(self) -> Tensor:
        weight: Tensor = self.rule.weight
        return weight

    def keys(self, x: Tensor) -> Tensor:
        return self.rule.keys(x, amount=torch.ones(len(x), device=x.device))

    def power(self, style: Tensor) -> Tensor:
        return self.rule.power(style, amount=torch.ones(len(style), device=style.device))

    @property
    def own(self) -> None:
        return None

    @property
    def others(self) -> tuple[()]:
        return ()
