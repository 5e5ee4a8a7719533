"""R3GAN: a random code in, an image out, by residual blocks without normalisation, styles or noise.

Huang et al. 2024 (arXiv:2501.05441), section 3. Shapes: ws (B, 1, D), features (B, C, H, W), images
(B, 3, H, W) nominally in [-1, 1].
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clavilux.generator.configured import ConfiguredNetwork
from clavilux.generator.layers import leaky_relu, upsample2x
from clavilux.generator.mapping import under
from clavilux.generator.network import SideBranch, Tap
from clavilux.generator.plain import CodeMapping
from clavilux.generator.r3gan_config import R3GANConfig

__all__ = ["R3GAN"]


class R3GAN(ConfiguredNetwork):
    """A whole generator: ws to image; a `Network`.

    Args:
        config: the network's sizes.
        tensors: every tensor that `config.shapes()` names; float32.
    """

    config: R3GANConfig

    def __init__(self, config: R3GANConfig, tensors: Mapping[str, Tensor]) -> None:
        super().__init__(config, CodeMapping(config, tensors.get("embed.weight"), on_sphere=False))
        self.const = nn.Buffer(tensors["b4.const"].clone())  # (C, 4, 4)
        self.linear = nn.Buffer(tensors["b4.linear"].clone())  # (C, D)
        self.stages = nn.ModuleList(
            Stage(under(tensors, f"b{side}"), count, groups)
            for side, count, groups in zip(config.resolutions, config.blocks, config.groups, strict=True)
        )
        self.torgb = nn.Buffer(tensors[f"b{config.resolution}.torgb"].clone())  # (3, C, 1, 1)

    def to_precision(self, dtype: torch.dtype) -> None:
        """Compute features in a lower precision from now on; colours stay float32."""
        self.feature_dtype = dtype
        self.stages.to(dtype)

    def forward(
        self,
        ws: Tensor,
        noise: Mapping[str, Tensor] | None = None,  # noqa: ARG002  # there is none
        *,
        const: Tensor | None = None,
        taps: Mapping[str, Tap] | None = None,
        rewrites: Mapping[str, SideBranch] | None = None,  # noqa: ARG002  # its weights are not styled
        stop: int | None = None,  # noqa: ARG002  # only the last block makes colours
    ) -> Tensor:
        """Draw images, (B, 3, h R / 4, w R / 4); see `Network.forward`."""
        taps = taps or {}
        const = self.const if const is None else const
        x = const * F.linear(ws[:, 0], self.linear)[:, :, None, None]  # (B, C, h, w)
        x = x.to(self.feature_dtype)
        if "const" in taps:
            x = taps["const"](x)
        for side, stage in zip(self.config.resolutions, self.stages, strict=True):
            x = stage(x, taps, f"b{side}")
        return F.conv2d(x.to(self.torgb.dtype), self.torgb)


class Stage(nn.Module):
    """The blocks of one feature size, after an upsampling but at first."""

    is_features = True

    def __init__(self, tensors: Mapping[str, Tensor], count: int, groups: int) -> None:
        super().__init__()
        self.up = "const" not in tensors
        transition = tensors.get("transition")  # (O, I, 1, 1)
        self.transition = None if transition is None else nn.Buffer(transition.clone())
        self.blocks = nn.ModuleList(ResidualBlock(under(tensors, f"block{k}"), groups) for k in range(count))

    def forward(self, x: Tensor, taps: Mapping[str, Tap], name: str) -> Tensor:
        """Map features (B, I, H, W) to (B, O, H', W')."""
        if self.transition is not None:
            x = F.conv2d(x, self.transition)
        if self.up:
            x = upsample2x(x)
        for k, block in enumerate(self.blocks):
            x = block(x)
            if f"{name}.block{k}" in taps:
                x = taps[f"{name}.block{k}"](x)
        return x


class ResidualBlock(nn.Module):
    """x + W3 a(W2 a(W1 x + b1) + b2), with a grouped convolution W2 and a leaky ReLU without gain."""

    def __init__(self, tensors: Mapping[str, Tensor], groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.conv1 = nn.Buffer(tensors["conv1"].clone())  # (E, C, 1, 1)
        self.bias1 = nn.Buffer(tensors["bias1"].clone())  # (E,)
        self.conv2 = nn.Buffer(tensors["conv2"].clone())  # (E, E / groups, K, K)
        self.bias2 = nn.Buffer(tensors["bias2"].clone())  # (E,)
        self.conv3 = nn.Buffer(tensors["conv3"].clone())  # (C, E, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (B, C, H, W) to features of the same shape."""
        y = leaky_relu(F.conv2d(x, self.conv1, self.bias1))
        padding = self.conv2.shape[-1] // 2
        y = leaky_relu(F.conv2d(y, self.conv2, self.bias2, padding=padding, groups=self.groups))
        return x + F.conv2d(y, self.conv3)
