"""The sizes of an R3GAN network, its layer table and the shapes of its arrays, known without torch.

Layers are `const`, `b4.block0`, `b4.block1`, ..., `b8.block0`, ..., and the last block's `torgb`.
"""

from dataclasses import dataclass
from functools import cached_property

from clavilux.generator.network import Layer
from clavilux.generator.plain_config import PlainConfig

__all__ = ["R3GANConfig"]


@dataclass(frozen=True)
class R3GANConfig(PlainConfig):
    """Everything but the weights that fixes an R3GAN generator.

    Attributes:
        blocks: residual blocks of each feature size.
        widths: channels inside the residual blocks of each feature size.
        groups: groups of the convolutions inside.
        kernel: side of their kernels.
    """

    blocks: tuple[int, ...] = ()
    widths: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    kernel: int = 3

    @property
    def architecture(self) -> str:
        """Its kind, as checkpoints name it."""
        return "r3gan"

    @property
    def sizes(self) -> tuple[int, ...]:
        """Every size that a file must keep within bounds."""
        return (*super().sizes, *self.widths, *self.groups, self.kernel)

    def problem(self) -> str:
        """Return why no network has these numbers; empty where one may."""
        if not len(self.channels) == len(self.blocks) == len(self.widths) == len(self.groups):
            return "its stages have not as many blocks as widths"
        if any(width % groups for width, groups in zip(self.widths, self.groups, strict=True)):
            return "its channels are no multiple of its groups"
        return "" if self.kernel % 2 else "its kernels are even"

    @cached_property
    def layers(self) -> dict[str, Layer]:
        """Every layer in order; the constant alone takes a latent.

        >>> list(R3GANConfig(4, (6, 4), 0, 0, (1, 2), (8, 8), (2, 2)).layers)
        ['const', 'b4.block0', 'b8.block0', 'b8.block1', 'b8.torgb']
        """
        table = {"const": Layer(4, self.channels[0], 0, takes_noise=False)}
        for side, channels, count in zip(self.resolutions, self.channels, self.blocks, strict=False):
            for k in range(min(count, 200)):
                table[f"b{side}.block{k}"] = Layer(side, channels, None, takes_noise=False)
        table[f"b{self.resolution}.torgb"] = Layer(self.resolution, 3, None, takes_noise=False)
        return table

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name every array of the checkpoint and its shape; what a file is checked against."""
        named = self.embed_shapes()
        named |= {"b4.const": (self.channels[0], 4, 4), "b4.linear": (self.channels[0], self.w_dim)}
        into = self.channels[0]
        for k, (side, channels) in enumerate(zip(self.resolutions, self.channels, strict=True)):
            if channels != into:
                named[f"b{side}.transition"] = (channels, into, 1, 1)
            into, inside = channels, self.widths[k]
            for block in range(self.blocks[k]):
                named |= {
                    f"b{side}.block{block}.conv1": (inside, into, 1, 1),
                    f"b{side}.block{block}.bias1": (inside,),
                    f"b{side}.block{block}.conv2": (
                        inside,
                        inside // self.groups[k],
                        self.kernel,
                        self.kernel,
                    ),
                    f"b{side}.block{block}.bias2": (inside,),
                    f"b{side}.block{block}.conv3": (into, inside, 1, 1),
                }
        named[f"b{self.resolution}.torgb"] = (3, into, 1, 1)
        return named
