"""StyleGAN, the first generation: latents and noise in, images out.

Karras et al. 2019 (arXiv:1812.04948), with the runtime gains of the published networks. Every convolution is
followed by noise, bias, leaky ReLU and adaptive instance normalisation. Shapes: w (B, D), ws (B, L, D), two w
for each block; features (B, C, H, W); images (B, 3, H, W) nominally in [-1, 1].
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clavilux.generator.block_sizes import CONST_SIZE
from clavilux.generator.configured import ConfiguredNetwork
from clavilux.generator.layers import EPSILON, leaky_relu
from clavilux.generator.mapping import Dense, MappingNetwork, under
from clavilux.generator.network import SideBranch, Tap
from clavilux.generator.stylegan1_config import StyleGAN1Config

__all__ = ["StyleGAN1"]


class StyleGAN1(ConfiguredNetwork):
    """A whole generator: z to w, ws to image; a `Network`.

    Args:
        config: the network's sizes.
        tensors: every tensor that `config.shapes()` names; float32.
    """

    config: StyleGAN1Config

    def __init__(self, config: StyleGAN1Config, tensors: Mapping[str, Tensor]) -> None:
        super().__init__(config, MappingNetwork(under(tensors, "mapping"), config))
        self.const = nn.Buffer(tensors[f"synthesis.b{CONST_SIZE}.const"].clone())  # (C, 4, 4)
        self.names = [name for name, layer in config.layers.items() if layer.w_index is not None]
        self.convs = nn.ModuleList(
            StyledConv(
                under(tensors, f"synthesis.{name}"),
                up=name.endswith("conv0") and config.layers[name].w_index != 0,
            )
            for name in self.names
        )
        self.torgb = Colours(under(tensors, f"synthesis.b{config.resolution}.torgb"))

    def to_precision(self, dtype: torch.dtype) -> None:
        """Convolve in a lower precision from now on; styles and colours stay float32."""
        self.feature_dtype = dtype
        for conv in self.convs:
            conv.to_precision(dtype)  # type: ignore[operator]

    def forward(
        self,
        ws: Tensor,
        noise: Mapping[str, Tensor],
        *,
        const: Tensor | None = None,
        taps: Mapping[str, Tap] | None = None,
        rewrites: Mapping[str, SideBranch] | None = None,  # noqa: ARG002  # its weights are not styled
        stop: int | None = None,  # noqa: ARG002  # only the last block makes colours
    ) -> Tensor:
        """Draw images, (B, 3, h R / 4, w R / 4); see `Network.forward`."""
        taps = taps or {}
        const = (self.const if const is None else const).to(self.feature_dtype)
        x = const.expand(ws.shape[0], -1, -1, -1)  # (B, C, h, w)
        if "const" in taps:
            x = taps["const"](x)
        for k, (name, conv) in enumerate(zip(self.names, self.convs, strict=True)):
            x = conv(x, ws[:, k], noise.get(name))
            if name in taps:
                x = taps[name](x)
        image: Tensor = self.torgb(x)
        return image


class StyledConv(nn.Module):
    """A convolution (none at first), noise, bias, leaky ReLU and adaptive instance normalisation."""

    is_features = True

    def __init__(self, tensors: Mapping[str, Tensor], *, up: bool) -> None:
        super().__init__()
        self.up = up
        weight = tensors.get("weight")  # (O, I, 3, 3)
        if weight is not None:
            weight = (
                weight * (2 / weight[0].numel()) ** 0.5
            )  # He et al. 2015, with the gain of the leaky ReLU
            weight = box_summed(weight).transpose(0, 1).contiguous() if up else weight
            weight = nn.Buffer(weight.clone(memory_format=torch.channels_last))
        self.weight = weight
        self.bias = nn.Buffer(tensors["bias"].clone())  # (O,)
        self.noise_strength = nn.Buffer(tensors["noise_strength"].clone())  # (O,)
        self.noise_const = nn.Buffer(tensors["noise_const"].clone())  # (R, R)
        self.affine = Dense(tensors["affine.weight"], tensors["affine.bias"])

    def to_precision(self, dtype: torch.dtype) -> None:
        """Convolve in a lower precision."""
        if self.weight is not None:
            self.weight = nn.Buffer(self.weight.to(dtype))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        """Map features x (B, I, H, W) under w (B, D) and noise (B, 1, H', W') to (B, O, H', W')."""
        scale, shift = self.affine(w).chunk(2, dim=1)  # (B, O) each
        if self.weight is not None and self.up:
            x = blur(F.conv_transpose2d(x, self.weight, stride=2, padding=1))
        elif self.weight is not None:
            x = F.conv2d(x, self.weight, padding=1)
        if noise is not None:
            x = x + (noise * self.noise_strength[:, None, None]).to(x.dtype)
        x = leaky_relu(x + self.bias.to(x.dtype)[:, None, None])
        # y = (1 + scale) (x - mean) / std + shift, over each channel of each image (equation 1)
        mean = x.mean(dim=(2, 3), keepdim=True)
        x = x - mean
        power = x.square().mean(dim=(2, 3)).to(scale.dtype)  # (B, O)
        factors = (scale + 1) * (power + EPSILON).rsqrt()
        styled: Tensor = x * factors.to(x.dtype)[:, :, None, None] + shift.to(x.dtype)[:, :, None, None]
        return styled


class Colours(nn.Module):
    """Features to colours: a plain 1 x 1 convolution."""

    is_features = True

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        weight = tensors["weight"]  # (3, I, 1, 1)
        self.weight = nn.Buffer(weight * weight.shape[1] ** -0.5)
        self.bias = nn.Buffer(tensors["bias"].clone())  # (3,)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (B, I, H, W) to colours (B, 3, H, W)."""
        return F.conv2d(x.to(self.weight.dtype), self.weight, self.bias)


def box_summed(weight: Tensor) -> Tensor:
    """Return the kernel of a transposed convolution that repeats every pixel, then correlates with a kernel.

    A pixel repeated 2 x 2 and correlated with k spreads k, turned by half a circle and summed over a 2 x 2
    box: (O, I, 3, 3) to (O, I, 4, 4).

    >>> box_summed(torch.ones(1, 1, 3, 3))[0, 0, 0].tolist()
    [1.0, 2.0, 2.0, 1.0]
    """
    padded = F.pad(weight.flip((2, 3)), (1, 1, 1, 1))
    return padded[..., 1:, 1:] + padded[..., :-1, 1:] + padded[..., 1:, :-1] + padded[..., :-1, :-1]


def blur(x: Tensor) -> Tensor:
    """Filter both axes of features (B, C, H, W) with [1, 2, 1] / 4; zeros surround the image.

    >>> blur(torch.ones(1, 1, 3, 3))[0, 0, 1].tolist()
    [0.75, 1.0, 0.75]
    """
    channels = x.shape[1]
    # 1 - |k - 1| / 2 = [1, 2, 1] / 2, computed: a CUDA graph cannot copy constants from the host.
    kernel = torch.arange(3, dtype=x.dtype, device=x.device).sub_(1).abs_().mul_(-0.5).add_(1).mul_(0.5)
    return F.conv2d(x, torch.outer(kernel, kernel).expand(channels, 1, 3, 3), padding=1, groups=channels)
