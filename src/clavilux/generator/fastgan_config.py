"""The sizes of a FastGAN network, its layer table and the shapes of its arrays, known without torch.

Layers are `const`, `b8.conv0`, `b8.conv1` where a block has two convolutions, ..., and the last block's
`torgb`. Batch normalisation is part of the weights.
"""

from dataclasses import dataclass
from functools import cached_property

from clavilux.generator.network import Layer
from clavilux.generator.plain_config import PlainConfig

__all__ = ["FastGANConfig"]

GATE_STEP = 16
"""A gate scales features by others this many times smaller (Liu et al. 2021, section 3.1)."""
GATED = range(64, 513)
"""Feature sizes that have a gate, px."""


@dataclass(frozen=True)
class FastGANConfig(PlainConfig):
    """Everything but the weights that fixes a FastGAN generator.

    Attributes:
        depths: convolutions of each block after the first, 8 px first.
        noisy: which of these blocks add noise.
    """

    depths: tuple[int, ...] = ()
    noisy: tuple[bool, ...] = ()

    @property
    def architecture(self) -> str:
        """Its kind, as checkpoints name it."""
        return "fastgan"

    def problem(self) -> str:
        """Return why no network has these numbers; empty where one may."""
        if not len(self.channels) - 1 == len(self.depths) == len(self.noisy):
            return "its blocks have not as many depths as channels"
        return "" if set(self.depths) <= {1, 2} else "a block of it has neither one convolution nor two"

    @cached_property
    def layers(self) -> dict[str, Layer]:
        """Every layer in order; the first alone takes a latent.

        >>> list(FastGANConfig(4, (6, 4, 2), 0, 0, (2, 1), (True, False)).layers)
        ['const', 'b8.conv0', 'b8.conv1', 'b16.conv0', 'b16.torgb']
        """
        table = {"const": Layer(4, self.channels[0], 0, takes_noise=False)}
        for k, (depth, noisy) in enumerate(zip(self.depths, self.noisy, strict=False)):
            side = self.resolutions[min(k + 1, len(self.channels) - 1)]
            for conv in range(depth):
                table[f"b{side}.conv{conv}"] = Layer(side, self.channels[k + 1], None, takes_noise=noisy)
        table[f"b{self.resolution}.torgb"] = Layer(self.resolution, 3, None, takes_noise=False)
        return table

    @property
    def gates(self) -> dict[int, int]:
        """The feature sizes that are scaled by others, and those others', px."""
        return {side: side // GATE_STEP for side in self.resolutions if side in GATED}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name every array of the checkpoint and its shape; what a file is checked against."""
        named = self.embed_shapes()
        width = dict(zip(self.resolutions, self.channels, strict=True))
        named |= {"const.weight": (self.z_dim, 2 * width[4], 4, 4), "const.bias": (2 * width[4],)}
        for name, layer in self.layers.items():
            if ".conv" not in name:
                continue
            side, out = layer.resolution, 2 * layer.channels  # half of them gate the others
            into = layer.channels if name.endswith("conv1") else width[side // 2]
            named |= {f"{name}.weight": (out, into, 3, 3), f"{name}.bias": (out,)}
            if layer.takes_noise:
                named[f"{name}.noise_strength"] = (out,)
            if self.c_dim:
                for part in ("gain", "shift"):
                    named |= {f"{name}.{part}.weight": (out, self.embed_dim), f"{name}.{part}.bias": (out,)}
        for side, small in self.gates.items():
            named[f"b{side}.squeeze"] = (width[side], width[small], 4, 4)
            named[f"b{side}.excite"] = (width[side], width[side], 1, 1)
        last = f"b{self.resolution}.torgb"
        return named | {f"{last}.weight": (3, self.channels[-1], 3, 3), f"{last}.bias": (3,)}
