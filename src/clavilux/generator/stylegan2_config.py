"""The sizes of a StyleGAN2 network, its layer table and the shapes of its arrays, known without torch.

Arrays are named as in the published PyTorch layout, such as `synthesis.b8.conv0.affine.bias`; layers are
those names without the `synthesis.`. Feature sizes are those of a square image, px.
"""

from dataclasses import dataclass
from functools import cached_property

from clavilux.generator.network import Layer

__all__ = ["CONST_SIZE", "StyleGAN2Config"]

CONST_SIZE = 4
"""Rows and columns of the learned constant."""

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class StyleGAN2Config:
    """Everything but the weights that fixes a StyleGAN2 skip network.

    Attributes:
        z_dim: Z, length of the random code.
        w_dim: D, length of a latent.
        mapping_layers: depth of the mapping from z to w.
        channels: feature channels of each block, 4 px first; its length fixes the resolution.
        lr_multiplier: the mapping's learning-rate multiplier, part of its effective weights.
    """

    z_dim: int
    w_dim: int
    mapping_layers: int
    channels: tuple[int, ...]
    lr_multiplier: float = 0.01

    @property
    def resolutions(self) -> list[int]:
        """Feature size of each block, px.

        >>> StyleGAN2Config(8, 8, 2, (16, 16, 8)).resolutions
        [4, 8, 16]
        """
        return [CONST_SIZE << k for k in range(len(self.channels))]

    @property
    def resolution(self) -> int:
        """Side of the square image the network was trained for, px."""
        return self.resolutions[-1]

    @property
    def num_ws(self) -> int:
        """Number of latents an image takes, L: one for each convolution and one for the last ToRGB."""
        return 2 * len(self.channels)

    @cached_property
    def layers(self) -> dict[str, Layer]:
        """Every layer in order; a ToRGB shares its latent with the convolution after it.

        >>> layers = StyleGAN2Config(4, 4, 1, (5, 3)).layers
        >>> list(layers)
        ['const', 'b4.conv1', 'b4.torgb', 'b8.conv0', 'b8.conv1', 'b8.torgb']
        >>> [layer.w_index for layer in layers.values()]
        [None, 0, 1, 1, 2, 3]
        """
        table = {"const": Layer(CONST_SIZE, self.channels[0], None, takes_noise=False)}
        w_index = 0
        for resolution, channels in zip(self.resolutions, self.channels, strict=True):
            for conv in ("conv0", "conv1") if w_index else ("conv1",):
                table[f"b{resolution}.{conv}"] = Layer(resolution, channels, w_index, takes_noise=True)
                w_index += 1
            table[f"b{resolution}.torgb"] = Layer(resolution, 3, w_index, takes_noise=False)
        return table

    def shapes(self) -> Shapes:
        """Name every tensor of the checkpoint and its shape; what a file is checked against."""
        named: Shapes = {"mapping.w_avg": (self.w_dim,)}
        for k in range(self.mapping_layers):
            named[f"mapping.fc{k}.weight"] = (self.w_dim, self.w_dim if k else self.z_dim)
            named[f"mapping.fc{k}.bias"] = (self.w_dim,)
        channels = 0
        for name, layer in self.layers.items():
            if layer.w_index is None:
                channels = layer.channels
                named[f"synthesis.b{CONST_SIZE}.{name}"] = (channels, CONST_SIZE, CONST_SIZE)
                continue
            named |= self._styled(
                f"synthesis.{name}", channels, layer.channels, 3 if layer.takes_noise else 1
            )
            if layer.takes_noise:
                named[f"synthesis.{name}.noise_strength"] = ()
                named[f"synthesis.{name}.noise_const"] = (layer.resolution, layer.resolution)
                channels = layer.channels
        return named

    def _styled(self, name: str, into: int, out: int, kernel: int) -> Shapes:
        return {
            f"{name}.weight": (out, into, kernel, kernel),
            f"{name}.bias": (out,),
            f"{name}.affine.weight": (into, self.w_dim),
            f"{name}.affine.bias": (into,),
        }
