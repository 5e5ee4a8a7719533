"""What ops of latents, masks and noise compute values for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clavilux.arrays import F32, F64
from clavilux.curves import Grid

__all__ = ["MaskOf", "Moments"]

MaskOf = Callable[[F64, F64], F64]
"""Weights in [0, 1] of places x and y in [0, 1]; y is measured down."""


@dataclass(frozen=True)
class Moments:
    """The frames for which ops compute values, and the model they are for.

    Attributes:
        edges: start of each frame and end of the last, (B + 1,) s.
        grid: the song's beats and bars.
        num_ws: number of latents an image takes, L.
        groups: w indices of each layer group.
        noise_groups: names of the layers of each group that take noise.
        layers: names of all layers that take noise.
        images: the images of masks by the file's name, uint8 (S, S).
        directions: what a push of 1 adds to the latents, by the direction's name, (L, D).
    """

    edges: F64
    grid: Grid
    num_ws: int
    groups: Mapping[str, range]
    noise_groups: Mapping[str, frozenset[str]]
    layers: frozenset[str]
    images: Mapping[str, NDArray[np.uint8]]
    directions: Mapping[str, F32] = field(default_factory=dict)

    @property
    def times(self) -> F64:
        """Start of each frame, (B,) s."""
        return self.edges[:-1]
