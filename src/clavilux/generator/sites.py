"""Where a change of a network acts: its layer, channels and places; known without PyTorch."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np

from clavilux.arrays import F32, F64

__all__ = ["Place", "Site", "weigh_places"]


@dataclass(frozen=True, eq=False)
class Site:
    """Where a bend acts.

    Attributes:
        layer: its name.
        channels: weight of each channel, (C,), in [0, 1].
        places: weights of its cells, (H, W), in [0, 1]; none is everywhere.
        margin: cells beyond the image on both sides together.
        guard: how far each channel is returned to the power it had, 0 to 1.
        key: everything that fixes the bend, for the keys of compiled programs.
        number: which bend of the patch it is; none is its place in the program.
        seed: chooses what is random.
        along: what is moved along with the features: 'colours', the image that smaller layers have drawn so
            far, 'noise' of the layers after this one, or 'all'; nothing unless given.
        reach: how far the bend goes at amount 1, in shares of its full strength, where it was calibrated:
            `amount` then moves the transform itself from neutral to there.
    """

    layer: str
    channels: F32
    places: F32 | None = None
    margin: int = 0
    guard: float = 0.0
    key: Hashable = ()
    number: int | None = None
    seed: int = 0
    along: str | None = None
    reach: float | None = None


@dataclass(frozen=True, eq=False)
class Place:
    """Where a rewrite acts.

    Attributes:
        layer: the layer's name.
        places: weights of the cells of its input, (H, W), in [0, 1]; none is everywhere. Demodulation is that
            of the amount without them.
        key: everything that fixes the rewrite, for the keys of compiled programs.
        number: which rewrite of the patch it is; none is its place in the program.
        seed: chooses what is random.
    """

    layer: str
    places: F32 | None = None
    key: Hashable = ()
    number: int | None = None
    seed: int = 0


def weigh_places(where: Callable[[F64, F64], F64], extent: tuple[int, int], margin: int = 0) -> F32:
    """Return the weights of a layer's places, (H, W), at the centres of its cells.

    Args:
        where: weights of places x and y in [0, 1], y measured down.
        extent: height and width of the image at the layer, cells.
        margin: cells beyond it on both sides together, which the weights have too.

    >>> weigh_places(lambda across, down: across + 0 * down, (1, 4)).tolist()
    [[0.125, 0.375, 0.625, 0.875]]
    """
    high, width = extent
    across = ((np.arange(width + margin) + (0.5 - margin / 2)) / width)[None, :]
    down = ((np.arange(high + margin) + (0.5 - margin / 2)) / high)[:, None]
    whole = (high + margin, width + margin)
    return np.ascontiguousarray(np.broadcast_to(where(across, down), whole), np.float32)
