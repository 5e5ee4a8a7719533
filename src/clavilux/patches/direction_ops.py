"""Pushes of latents along the directions of a model, such as 'warmth'; see `profile.directions`."""

import numpy as np

from clavilux.arrays import F64
from clavilux.patches.ops import Moments
from clavilux.signals.table import Param, number, op, text

__all__ = ["PUSH"]

PUSH: Param = number(..., -8, 8)


@op("latent", "latent", "signal", needs="moments", params={"direction": text()})
def push(moments: Moments, base: F64, direction: str, by: F64) -> F64:
    """Move along a direction: energy, warmth, contrast, or 'principal 1' and so on; 1 is a clear change.

    A model that has no such control says so.
    """
    amount = np.clip(by[:, :1, None], PUSH.low, PUSH.high)
    return np.asarray(base + amount * moments.directions[direction])
