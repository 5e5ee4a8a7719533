"""The sizes of a StyleGAN network of 2019, its layer table and the shapes of its arrays, known without torch.

Layers are named as those of StyleGAN2; `b4.conv0` is what follows the constant, which has no convolution.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from clavilux.generator.block_sizes import CONST_SIZE, BlockSizes
from clavilux.generator.mapping_config import mapping_shapes, mapping_sizes
from clavilux.generator.network import Layer

__all__ = ["StyleGAN1Config"]


@dataclass(frozen=True)
class StyleGAN1Config(BlockSizes):
    """Everything but the weights that fixes a StyleGAN network of the first generation.

    Attributes:
        z_dim: Z, length of the random code.
        w_dim: D, length of a latent.
        mapping_layers: depth of the mapping from z to w.
        channels: feature channels of each block, 4 px first; its length fixes the resolution.
        lr_multiplier: the mapping's learning-rate multiplier.
        c_dim: number of classes; 0 where there are none.
        embed_dim: length of an embedded class.
        label: how a class joins the random code: both are normalised together.
        hidden_dim: width of the mapping's inner layers, where it is not D.
    """

    z_dim: int
    w_dim: int
    mapping_layers: int
    channels: tuple[int, ...]
    lr_multiplier: float = 0.01
    c_dim: int = 0
    embed_dim: int = 0
    label: str = "concat"
    hidden_dim: int = 0

    @classmethod
    def of_shapes(
        cls, shapes: Mapping[str, tuple[int, ...]], *, lr_multiplier: float
    ) -> "StyleGAN1Config | None":
        """Derive the sizes from the few arrays that settle them; None where these are missing."""
        channels: list[int] = []
        while len(bias := shapes.get(f"synthesis.b{CONST_SIZE << len(channels)}.conv1.bias", ())) == 1:
            channels.append(bias[0])
        mapping = mapping_sizes(shapes)
        if mapping is None or not channels:
            return None
        return cls(**mapping, channels=tuple(channels), lr_multiplier=lr_multiplier)

    @property
    def architecture(self) -> str:
        """Its kind, as checkpoints name it."""
        return "stylegan1"

    @property
    def sizes(self) -> tuple[int, ...]:
        """Every size that a file must keep within bounds."""
        return (self.z_dim, self.w_dim, self.resolution, *self.channels)

    @property
    def num_ws(self) -> int:
        """Number of latents an image takes, L: two for each block."""
        return 2 * len(self.channels)

    @cached_property
    def layers(self) -> dict[str, Layer]:
        """Every layer in order; the colours of the last block take no latent.

        >>> list(StyleGAN1Config(4, 4, 1, (5, 3)).layers)
        ['const', 'b4.conv0', 'b4.conv1', 'b8.conv0', 'b8.conv1', 'b8.torgb']
        """
        table = {"const": Layer(CONST_SIZE, self.channels[0], None, takes_noise=False)}
        for k, (side, channels) in enumerate(zip(self.resolutions, self.channels, strict=True)):
            for own in range(2):
                table[f"b{side}.conv{own}"] = Layer(side, channels, 2 * k + own, takes_noise=True)
        table[f"b{self.resolution}.torgb"] = Layer(self.resolution, 3, None, takes_noise=False)
        return table

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name every array of the checkpoint and its shape; what a file is checked against."""
        named = dict(mapping_shapes(self))
        into = self.channels[0]
        named[f"synthesis.b{CONST_SIZE}.const"] = (into, CONST_SIZE, CONST_SIZE)
        for name, layer in self.layers.items():
            if layer.w_index is None:
                continue
            if layer.w_index:
                named[f"synthesis.{name}.weight"] = (layer.channels, into, 3, 3)
            into = layer.channels
            named |= {
                f"synthesis.{name}.bias": (into,),
                f"synthesis.{name}.noise_strength": (into,),
                f"synthesis.{name}.noise_const": (layer.resolution, layer.resolution),
                f"synthesis.{name}.affine.weight": (2 * into, self.w_dim),
                f"synthesis.{name}.affine.bias": (2 * into,),
            }
        named[f"synthesis.b{self.resolution}.torgb.weight"] = (3, into, 1, 1)
        named[f"synthesis.b{self.resolution}.torgb.bias"] = (3,)
        return named
