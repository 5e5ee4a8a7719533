"""The sizes of a StyleGAN2 network and the shapes of its arrays, known without any tensor.

Arrays are named as in the published PyTorch layout, such as `synthesis.b8.conv0.affine.bias`.
"""

from dataclasses import dataclass

__all__ = ["CONST", "Sizes"]

CONST = 4
"""Cells along each side of the learned constant."""


@dataclass(frozen=True)
class Sizes:
    """Everything that fixes the shapes of a network.

    Attributes:
        z_dim: Z, length of the random code.
        w_dim: D, length of a latent.
        mapping_layers: depth of the mapping from z to w.
        channels: feature channels of each block, 4 px first; its length fixes the resolution.
    """

    z_dim: int
    w_dim: int
    mapping_layers: int
    channels: tuple[int, ...]

    @property
    def resolutions(self) -> list[int]:
        """Feature size of each block, px.

        >>> Sizes(8, 8, 2, (16, 16, 8)).resolutions
        [4, 8, 16]
        """
        return [CONST << k for k in range(len(self.channels))]

    @property
    def resolution(self) -> int:
        """Side of the square picture the network was trained for, px."""
        return self.resolutions[-1]

    @property
    def num_ws(self) -> int:
        """Number of latents an image takes, L."""
        return 2 * len(self.channels)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name every tensor of the checkpoint and its shape; what a file is checked against."""
        wide = self.w_dim
        named: dict[str, tuple[int, ...]] = {"mapping.w_avg": (wide,)}
        for k in range(self.mapping_layers):
            named[f"mapping.fc{k}.weight"] = (wide, self.z_dim if k == 0 else wide)
            named[f"mapping.fc{k}.bias"] = (wide,)
        named["synthesis.b4.const"] = (self.channels[0], CONST, CONST)
        for resolution, before, here in zip(
            self.resolutions, (0, *self.channels), self.channels, strict=False
        ):
            block = f"synthesis.b{resolution}"
            if before:
                named |= self._conv(f"{block}.conv0", before, here, resolution)
            named |= self._conv(f"{block}.conv1", here, here, resolution)
            named |= self._styled(f"{block}.torgb", here, 3, 1)
        return named

    def _conv(self, name: str, into: int, out: int, resolution: int) -> dict[str, tuple[int, ...]]:
        noise: dict[str, tuple[int, ...]] = {
            f"{name}.noise_strength": (),
            f"{name}.noise_const": (resolution, resolution),
        }
        return self._styled(name, into, out, 3) | noise

    def _styled(self, name: str, into: int, out: int, kernel: int) -> dict[str, tuple[int, ...]]:
        return {
            f"{name}.weight": (out, into, kernel, kernel),
            f"{name}.bias": (out,),
            f"{name}.affine.weight": (into, self.w_dim),
            f"{name}.affine.bias": (into,),
        }
