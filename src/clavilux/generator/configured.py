"""What a network of any architecture reads off its config and its mapping."""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from clavilux.generator.canvas import extend
from clavilux.generator.network import Extension, Layer, NetworkSizes

__all__ = ["ConfiguredNetwork"]


class ConfiguredNetwork(nn.Module):
    """What every `Network` has; one that extends no learned constant has a `start` of its own.

    Args:
        config: the network's sizes.
        mapping: maps codes and classes to latents, and has their mean `w_avg`.
    """

    def __init__(self, config: NetworkSizes, mapping: nn.Module) -> None:
        super().__init__()
        self.config = config
        self.mapping = mapping
        self.feature_dtype = torch.float32

    @property
    def architecture(self) -> str:
        """Its kind, as checkpoints name it."""
        return self.config.architecture

    @property
    def z_dim(self) -> int:
        """Length of a random code, Z."""
        return self.config.z_dim

    @property
    def c_dim(self) -> int:
        """Number of classes; 0 where there are none."""
        return self.config.c_dim

    @property
    def w_dim(self) -> int:
        """Length of a latent, D."""
        return self.config.w_dim

    @property
    def num_ws(self) -> int:
        """Number of latents an image takes, L."""
        return self.config.num_ws

    @property
    def resolution(self) -> int:
        """Side of the square image the network was trained for, R, px."""
        return self.config.resolution

    @property
    def layers(self) -> Mapping[str, Layer]:
        """Every layer by name, in order."""
        return self.config.layers

    @property
    def w_avg(self) -> Tensor:
        """The mean latent, (D,)."""
        return cast("Tensor", self.mapping.w_avg)

    @property
    def cells(self) -> tuple[int, int]:
        """The network's own rows and columns of cells."""
        return self.config.cells

    @property
    def repeats(self) -> bool:
        """Whether more cells repeat a learned constant."""
        return self.config.repeats

    @property
    def moves(self) -> bool:
        """Whether the image can be moved under the network."""
        return self.config.moves

    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """Map random codes z (B, Z), and classes c (B, c_dim) where there are any, to latents (B, D).

        Raises:
            ModelError: classes were given and there are none, or the other way round.
        """
        w: Tensor = self.mapping(z, c)
        return w

    def canvas(self, cells: tuple[int, int]) -> tuple[int, int]:
        """Return height and width of the image that a constant of these rows and columns grows into, px."""
        return self.config.canvas(cells)

    def start(self, cells: tuple[int, int], how: Extension) -> Tensor:
        """Return the constant, extended to these rows and columns, (C, rows, columns)."""
        return torch.from_numpy(extend(cast("Tensor", self.const).cpu().numpy(), cells, how))
