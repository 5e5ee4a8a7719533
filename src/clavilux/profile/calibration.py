"""How far a bend must go to be seen: subtle, medium and strong, the same on any model and layer.

The strength of a bend is walked from neutral to full and beyond; bisection finds where images change by a
mean CIELAB distance of 6, 12 and 24. A bend that cannot change so much is used as far as it goes.
"""

from collections.abc import Mapping

import numpy as np
import torch

from clavilux.arrays import F32, F64
from clavilux.catalogue import REACHES
from clavilux.generator.bends import BENDS, Bend, Site
from clavilux.generator.model import Model
from clavilux.profile.probe import MAX_RESOLUTION, colours, draw, sample_latents
from clavilux.store import Store

__all__ = ["calibrated"]

VERSION = 1
IMAGES, STEPS = 4, 10
"""Images that are compared, and halvings of the interval."""
MAX_STRENGTH = 2.0
"""Farthest that a bend goes, times its full strength; strengths of blends end at 1."""


def calibrated(model: Model, store: Store, name: str, site: Site, **own: object) -> dict[str, float]:
    """Return the strength of a bend that is subtle, medium and strong, in shares of its full strength.

    Args:
        model: the generator.
        store: keeps the result.
        name: of the bend.
        site: where it acts.
        **own: the bend's own parameters.
    """
    key = f"generator/calibration/{VERSION}/{model.digest}/{name}/{site.layer}/{site.key!r}"
    kept = store.fetch(key, lambda: {"strengths": _found(model, BENDS[name](site, **own))})["strengths"]
    return {reach: float(strength) for reach, strength in zip(REACHES, kept, strict=True)}


def _found(model: Model, bend: Bend) -> F64:
    w = sample_latents(model, IMAGES, "profile/calibration")
    plain = _drawn(model, bend, w, None)

    def distance(strength: float) -> float:
        return float(np.linalg.norm(_drawn(model, bend, w, strength) - plain, axis=-1).mean())

    farthest = MAX_STRENGTH if bend.neutral else 1.0
    strengths = []
    low = 0.0
    for wanted in REACHES.values():
        high = farthest
        if distance(high) > wanted:
            for _ in range(STEPS):
                middle = (low + high) / 2
                low, high = (middle, high) if distance(middle) < wanted else (low, middle)
        strengths.append(high)
        low = min(low, high)
    return np.array(strengths)


def _drawn(model: Model, bend: Bend, w: F32, strength: float | None) -> F64:
    """Draw images under a bend, CIELAB (N, 64, 64, 3)."""
    stop = max(model.network.layers[bend.layer].resolution, min(MAX_RESOLUTION, model.resolution))
    if strength is None:
        return colours(draw(model, w, stop=stop))
    signals: Mapping[str, torch.Tensor] = {
        name: torch.full((len(w),), value, dtype=torch.float32)
        for name, value in bend.at_strength(strength).items()
    }
    return colours(draw(model, w, taps={bend.layer: lambda x: bend(x, **signals)}, stop=stop))
