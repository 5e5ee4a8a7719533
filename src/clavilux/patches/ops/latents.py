"""The operations of latents, as plain functions of small NumPy arrays.

Latents are float64 (B, L, D), or (B, 1, D) where all layers agree; amounts are signals (B, 1) sampled for the
same frames. A frame's values depend on nothing but its own time: sums run in a fixed order per frame, never
through a matrix product whose rounding depends on B.
"""

import re
from collections.abc import Callable, Mapping

import numpy as np

from clavilux.arrays import F32, F64
from clavilux.catalogue import GROUPS
from clavilux.errors import PatchError, suggest
from clavilux.patches.moments import Moments
from clavilux.signals.table import Param, choice, number, op, text

__all__ = ["layer_range"]

PUSH: Param = number(..., -8, 8)

LAYERS = r"(\d{1,3})(?:-(\d{1,3}))?"
"""Numbers of layers: 5, or 4-7."""


@op("latent", "latent", "latent", "signal", style="function")
def mix(first: F64, second: F64, amount: F64) -> F64:
    """Blend from the first latents to the second as `amount` rises from 0 to 1."""
    return np.asarray(first + amount[:, :1, None] * (second - first))


@op("latent", "latent", "latent", "signal", style="function", lazy=True)
def switch(first: Callable[[], F64], second: Callable[[], F64], amount: Callable[[], F64]) -> F64:
    """Change from the first latents to the second, exactly the one at 0 and the other at 1; for scenes.

    What is not shown is not computed.
    """
    share = amount()[:, :1, None]
    if not share.any():
        return first()
    if share.min() >= 1:
        return second()
    from_, to = first(), second()
    return np.asarray(np.where(share >= 1, to, from_ + share * (to - from_)))


@op("latent", "latent", "entry", "signal")
def toward(base: F64, entry: F32, amount: F64) -> F64:
    """Move towards one latent as far as `amount`, 0 not at all and 1 all the way (technique 6)."""
    return np.asarray(base + amount[:, :1, None] * (entry - base))


@op("latent", "latent", "latent", needs="moments", params={"layers": choice(*GROUPS, pattern=LAYERS)})
def on(moments: Moments, base: F64, layers: str, other: F64) -> F64:
    """Use other latents on some layers: coarse (shapes), middle, fine (colour, texture), or '4-7'.

    Numbers count the latents of an image from 0, as StyleGAN's w does.

    Raises:
        PatchError: the model has no such layers.
    """
    whole = np.broadcast_to(base, (len(base), moments.num_ws, base.shape[2])).copy()
    chosen = layer_range(layers, moments.groups, moments.num_ws)
    whole[:, chosen.start : chosen.stop] = other if other.shape[1] == 1 else other[:, chosen]
    return whole


@op("latent", "latent", "signal", needs="moments", params={"direction": text()})
def push(moments: Moments, base: F64, direction: str, by: F64) -> F64:
    """Move along a direction: energy, warmth, contrast, or 'principal 1' and so on; 1 is a clear change.

    A model that has no such control says so.
    """
    amount = np.clip(by[:, :1, None], PUSH.low, PUSH.high)
    return np.asarray(base + amount * moments.directions[direction])


def layer_range(layers: str, groups: Mapping[str, range], num_ws: int) -> range:
    """Return the w indices of a group, or of numbers such as '5' or '4-7'.

    Raises:
        PatchError: the model has no such layers.

    >>> layer_range("4-7", {}, 14)
    range(4, 8)
    """
    if layers in groups:
        return groups[layers]
    if found := re.fullmatch(LAYERS, layers):
        first, last = int(found[1]), int(found[2] or found[1])
        if first <= last < num_ws:
            return range(first, last + 1)
    hint = suggest(layers, groups, otherwise=f"there are {{}}, and the numbers from 0 to {num_ws - 1}")
    raise PatchError(f"The model has no layers '{layers[:40]}'", where="on", value=layers, hint=hint)
