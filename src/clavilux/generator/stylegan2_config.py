"""The sizes of a StyleGAN2 network, its layer table and the shapes of its arrays, known without torch.

Arrays are named as in the published PyTorch layout, such as `synthesis.b8.conv0.affine.bias`; layers are
those names without the `synthesis.`. Feature sizes are those of a square image, px.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from clavilux.generator.block_sizes import CONST_SIZE, BlockSizes
from clavilux.generator.mapping_config import mapping_shapes, mapping_sizes
from clavilux.generator.network import Layer

__all__ = ["ColourPath", "LabelPath", "StyleGAN2Config"]

Shapes = dict[str, tuple[int, ...]]
ColourPath = Literal["skip", "resnet", "orig"]
"""How features become colours (Karras et al. 2020, figure 7): summed over all blocks, of the last block with
residual blocks, or of the last block."""
LabelPath = Literal["embed", "concat"]
"""How a class joins the random code: embedded and normalised beside it, or both normalised together."""


@dataclass(frozen=True)
class StyleGAN2Config(BlockSizes):
    """Everything but the weights that fixes a StyleGAN2 network.

    Attributes:
        z_dim: Z, length of the random code.
        w_dim: D, length of a latent.
        mapping_layers: depth of the mapping from z to w.
        channels: feature channels of each block, 4 px first; its length fixes the resolution.
        lr_multiplier: the mapping's learning-rate multiplier, part of its effective weights.
        colours: how features become colours.
        c_dim: number of classes; 0 where there are none.
        embed_dim: length of an embedded class.
        label: how a class joins the random code.
        hidden_dim: width of the mapping's inner layers, where it is not D.
        clamp: largest feature, which keeps half precision in range; None where there is none.
        noise: whether convolutions add noise.
    """

    z_dim: int
    w_dim: int
    mapping_layers: int
    channels: tuple[int, ...]
    lr_multiplier: float = 0.01
    colours: ColourPath = "skip"
    c_dim: int = 0
    embed_dim: int = 0
    label: LabelPath = "embed"
    hidden_dim: int = 0
    clamp: float | None = None
    noise: bool = True

    @classmethod
    def of_shapes(cls, shapes: Mapping[str, tuple[int, ...]]) -> "StyleGAN2Config | None":
        """Derive the sizes from the few arrays that settle them; None where these are missing or misshapen.

        What no shape shows, the learning-rate multiplier and the clamp, stays at its default.
        """
        channels: list[int] = []
        while (bias := shapes.get(f"synthesis.b{CONST_SIZE << len(channels)}.conv1.bias")) is not None:
            channels.append(bias[0] if len(bias) == 1 else 0)
        mapping = mapping_sizes(shapes)
        if mapping is None or not channels:
            return None
        skip = len(channels) == 1 or f"synthesis.b{CONST_SIZE}.torgb.bias" in shapes
        residual = f"synthesis.b{2 * CONST_SIZE}.skip.weight" in shapes
        return cls(
            **mapping,
            channels=tuple(channels),
            colours="resnet" if residual else "skip" if skip else "orig",
            label="concat" if mapping["c_dim"] and "mapping.embed.bias" not in shapes else "embed",
            noise=f"synthesis.b{CONST_SIZE}.conv1.noise_strength" in shapes,
        )

    @property
    def architecture(self) -> str:
        """Its kind, as checkpoints name it."""
        return f"stylegan2-{self.colours}"

    @property
    def sizes(self) -> tuple[int, ...]:
        """Every size that a file must keep within bounds."""
        return (self.z_dim, self.w_dim, self.resolution, *self.channels)

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
                taken = resolution // 2 if conv == "conv0" else resolution
                table[f"b{resolution}.{conv}"] = Layer(
                    resolution, channels, w_index, takes_noise=self.noise, conv_input=taken
                )
                w_index += 1
            if self.colours == "skip" or resolution == self.resolution:
                table[f"b{resolution}.torgb"] = Layer(resolution, 3, w_index, takes_noise=False)
        return table

    def shapes(self) -> Shapes:
        """Name every tensor of the checkpoint and its shape; what a file is checked against."""
        named: Shapes = dict(mapping_shapes(self))
        into = self.channels[0]
        named[f"synthesis.b{CONST_SIZE}.const"] = (into, CONST_SIZE, CONST_SIZE)
        for resolution, out in zip(self.resolutions, self.channels, strict=True):
            if self.colours == "resnet" and resolution > CONST_SIZE:
                named[f"synthesis.b{resolution}.skip.weight"] = (out, into, 1, 1)
            for name in (f"b{resolution}.{part}" for part in ("conv0", "conv1", "torgb")):
                if name not in self.layers:
                    continue
                is_conv = not name.endswith("torgb")
                named |= self._styled(
                    f"synthesis.{name}", into, self.layers[name].channels, 3 if is_conv else 1
                )
                if is_conv and self.noise:
                    named[f"synthesis.{name}.noise_strength"] = ()
                    named[f"synthesis.{name}.noise_const"] = (resolution, resolution)
                into = out
        return named

    def _styled(self, name: str, into: int, out: int, kernel: int) -> Shapes:
        return {
            f"{name}.weight": (out, into, kernel, kernel),
            f"{name}.bias": (out,),
            f"{name}.affine.weight": (into, self.w_dim),
            f"{name}.affine.bias": (into,),
        }
