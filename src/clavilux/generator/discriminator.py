"""The features of a StyleGAN2 discriminator: what a generator's opponent sees in an image.

Karras et al. 2020 (arXiv:1912.04958), figure 7 (residual) and appendix B: colours become features, then each
block halves the side, y = (conv1(conv0(x)) + skip(x)) / sqrt(2), with weights scaled by their fan-in
(Karras et al. 2018, arXiv:1710.10196, section 4.1). Before a convolution of stride 2 features are low-passed
with [1, 3, 3, 1] / 8. Images are (B, 3, H, W) in [-1, 1]; being convolutional, blocks also take images that
are smaller than those of the training.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clavilux.arrays import F32
from clavilux.generator.layers import SQRT2, fir

__all__ = ["Discriminator"]


class Discriminator(nn.Module):
    """The residual blocks of a StyleGAN2 discriminator.

    Args:
        arrays: as `checkpoints.read_discriminator` returns them.
    """

    def __init__(self, arrays: Mapping[str, F32]) -> None:
        super().__init__()
        self.sides = sorted({int(name[1:].partition(".")[0]) for name in arrays}, reverse=True)
        for name, array in arrays.items():
            gain = array[0].size ** -0.5 if name.endswith("weight") else 1.0
            self.register_buffer(name.replace(".", "_"), torch.from_numpy(array.copy()) * gain)

    def features(self, image: Tensor) -> Iterator[Tensor]:
        """Compute the features after the colours and after each block, (B, C, H, W), the largest first.

        Blocks end before features are smaller than 4 cells.
        """
        x = self._conv(image, f"b{self.sides[0]}.fromrgb")
        yield x
        for side in self.sides:
            if x.shape[-1] < 2 * 4:
                return
            y = self._conv(self._conv(x, f"b{side}.conv0"), f"b{side}.conv1", halve=True)
            skipped = F.conv2d(low_pass(x, 1)[:, :, ::2, ::2], self._of(f"b{side}.skip.weight"))
            x = (y + skipped) / SQRT2
            yield x

    def _of(self, name: str) -> Tensor:
        return self.get_buffer(name.replace(".", "_"))

    def _conv(self, x: Tensor, name: str, *, halve: bool = False) -> Tensor:
        weight, bias = self._of(f"{name}.weight"), self._of(f"{name}.bias")
        y = (
            F.conv2d(low_pass(x, 2), weight, bias, stride=2)
            if halve
            else F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)
        )
        return F.leaky_relu(y, 0.2) * SQRT2  # not in place: its gradient is needed


def low_pass(x: Tensor, padding: int) -> Tensor:
    """Filter both axes of features (B, C, H, W) with [1, 3, 3, 1] / 8, zeros around them.

    >>> low_pass(torch.ones(1, 2, 6, 6), 1)[0, 0, 2].tolist()
    [0.875, 1.0, 1.0, 1.0, 0.875]
    """
    return fir(x, padding) / 4
