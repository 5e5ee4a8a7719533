"""What networks without a mapping share: latents are random codes, with the class behind them."""

from dataclasses import dataclass

import numpy as np

from clavilux.arrays import F32
from clavilux.generator.block_sizes import BlockSizes

__all__ = ["PlainConfig"]


@dataclass(frozen=True)
class PlainConfig(BlockSizes):
    """Sizes of a network whose first layer alone takes a latent.

    Attributes:
        z_dim: Z, length of the random code.
        channels: feature channels of each block, 4 px first; its length fixes the resolution.
        c_dim: number of classes; 0 where there are none.
        embed_dim: length of an embedded class, which follows the code in a latent.
    """

    z_dim: int
    channels: tuple[int, ...]
    c_dim: int = 0
    embed_dim: int = 0

    @property
    def w_dim(self) -> int:
        """Length of a latent, D."""
        return self.z_dim + self.embed_dim

    @property
    def num_ws(self) -> int:
        """Number of latents an image takes: one."""
        return 1

    @property
    def mapping_layers(self) -> int:
        """Depth of the mapping: a latent is a code."""
        return 1

    @property
    def sizes(self) -> tuple[int, ...]:
        """Every size that a file must keep within bounds."""
        return (self.z_dim, self.resolution, *self.channels)

    def mean_latent(self, embed: F32 | None) -> F32:
        """Return the mean latent, (D,): that of all codes, and of all embedded classes (E, c_dim)."""
        codes = np.zeros(self.z_dim, np.float32)
        return codes if embed is None else np.concatenate((codes, embed.mean(axis=1)))

    def embed_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name the array of embedded classes, and its shape."""
        return {"embed.weight": (self.embed_dim, self.c_dim)} if self.c_dim else {}
