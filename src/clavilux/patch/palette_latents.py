"""A palette's latents for one model: plain arrays that whoever draws and whoever patches both know."""

from dataclasses import dataclass

import numpy as np

from clavilux.arrays import F32

__all__ = ["PaletteLatents"]


@dataclass(frozen=True, eq=False)
class PaletteLatents:
    """A palette's latents for one model.

    Attributes:
        ring: (12, D), pitch class C first; along the circle of fifths neighbours look alike, all round.
        rest: (D,), calm, for silence.
        accent: (D,), bright, for hits.
    """

    ring: F32
    rest: F32
    accent: F32

    def __post_init__(self) -> None:
        for name in ("ring", "rest", "accent"):
            values = np.array(getattr(self, name), np.float32)
            values.setflags(write=False)
            object.__setattr__(self, name, values)
