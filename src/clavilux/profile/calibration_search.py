"""Finds how far a bend must go to be seen: subtle, medium and strong, the same on any model and layer.

The strength of a bend is walked from neutral to full and beyond; bisection finds where images change by a
mean CIELAB distance of 6, 12 and 24, drawn as a patch draws them: at all its layers together, with what it
moves along. A bend that cannot change so much is used as far as it goes.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from clavilux.arrays import F32, F64
from clavilux.catalogue import REACHES
from clavilux.generator.bends import Bend
from clavilux.generator.change import Change
from clavilux.generator.model import Model
from clavilux.generator.program import Program
from clavilux.profile.probe import MAX_RESOLUTION, colours, fixed_noise, sample_latents

__all__ = ["search_strengths"]

IMAGES, STEPS = 4, 10
"""Images that are compared, and halvings of the interval."""
MAX_STRENGTH = 2.0
"""Farthest that a bend goes, times its full strength; strengths of blends end at 1."""


def search_strengths(model: Model, changes: Sequence[Change]) -> F64:
    """Find the strength that each of `REACHES` takes, in shares of full strength.

    Args:
        model: the generator.
        changes: one bend at all its layers.
    """
    bends: list[Bend] = [change.module for change in changes]
    w = sample_latents(model, IMAGES, "profile/calibration")
    side = max(model.sizes.layers[bend.layer].resolution for bend in bends)
    stop = max(side, min(MAX_RESOLUTION, model.resolution))
    size = {"size": (stop, stop), "cells": model.sizes.cells, "stop": stop, "pixels": "rgb24"}
    program = Program(model, taps=changes, **size)  # type: ignore[arg-type]
    plain = _drawn(model, program, w, [bend.at_strength(0) for bend in bends])

    def distance(strength: float) -> float:
        drawn = _drawn(model, program, w, [bend.at_strength(strength) for bend in bends])
        return float(np.linalg.norm(drawn - plain, axis=-1).mean())

    farthest = MAX_STRENGTH if bends[0].neutral else 1.0
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


def _drawn(model: Model, program: Program, w: F32, signals: Sequence[Mapping[str, float]]) -> F64:
    """Draw images with the signals of each bend, CIELAB (N, 64, 64, 3)."""
    count, network = len(w), program.module.network
    noise = fixed_noise(model, program.spec.resolution)
    given = {
        "ws": torch.from_numpy(w)[:, None].expand(-1, network.num_ws, -1),
        "frame": torch.zeros(count, dtype=torch.int64),
    }
    given |= {f"noise/{name}": each.expand(count, -1, -1, -1) for name, each in noise.items()}
    for k, each in enumerate(signals):
        given |= {f"bend/{k}/{name}": torch.full((count,), float(value)) for name, value in each.items()}
    device = network.w_avg.device
    with torch.inference_mode():
        drawn = program.module(*(given[name].to(device) for name in program.inputs))  # (N, H, W, 3)
    return colours(drawn.permute(0, 3, 1, 2).float() / 127.5 - 1)
