"""FastGAN, as projected GANs use it: a random code and noise in, an image out.

Liu et al. 2021 (arXiv:2101.04775), Sauer et al. 2021 (arXiv:2111.01007). Every convolution makes twice the
channels, of which half gate the others; features are scaled by others sixteen times smaller. Shapes:
ws (B, 1, D), features (B, C, H, W), images (B, 3, H, W) nominally in [-1, 1].
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clavilux.generator.configured import ConfiguredNetwork
from clavilux.generator.fastgan_config import FastGANConfig
from clavilux.generator.layers import normalized
from clavilux.generator.mapping import under
from clavilux.generator.network import SideBranch, Tap
from clavilux.generator.plain import CodeMapping

__all__ = ["FastGAN"]


class FastGAN(ConfiguredNetwork):
    """A whole generator: ws to image; a `Network`.

    Args:
        config: the network's sizes.
        tensors: every tensor that `config.shapes()` names; float32.
    """

    config: FastGANConfig

    def __init__(self, config: FastGANConfig, tensors: Mapping[str, Tensor]) -> None:
        super().__init__(config, CodeMapping(config, tensors.get("embed.weight"), on_sphere=True))
        self.const = nn.Buffer(tensors["const.weight"].flatten(0, 1).clone())  # (Z 2C, 4, 4)
        self.bias = nn.Buffer(tensors["const.bias"].clone())  # (2C,)
        self.names = [name for name in config.layers if ".conv" in name]
        self.convs = nn.ModuleList(GatedConv(under(tensors, name)) for name in self.names)
        self.gates = nn.ModuleDict({str(side): Gate(under(tensors, f"b{side}")) for side in config.gates})
        self.torgb = nn.Buffer(tensors[f"b{config.resolution}.torgb.weight"].clone())  # (3, C, 3, 3)
        self.torgb_bias = nn.Buffer(tensors[f"b{config.resolution}.torgb.bias"].clone())  # (3,)

    def to_precision(self, dtype: torch.dtype) -> None:
        """Compute features in a lower precision from now on; colours stay float32."""
        self.feature_dtype = dtype
        for module in (*self.convs, *self.gates.values()):
            module.to_precision(dtype)

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
        const = self.const if const is None else const
        z, label = ws[:, 0, : self.config.z_dim], ws[:, 0, self.config.z_dim :]
        high, wide = const.shape[1:]
        x = normalized(z) @ const.reshape(self.config.z_dim, -1)  # a transposed convolution of one pixel
        x = x.reshape(-1, self.bias.shape[0], high, wide) + self.bias[:, None, None]
        x = F.glu(x, dim=1).to(self.feature_dtype)  # (B, C, h, w)
        if "const" in taps:
            x = taps["const"](x)
        features = {4: x}
        for k, (name, conv) in enumerate(zip(self.names, self.convs, strict=True)):
            side = self.config.layers[name].resolution
            if name.endswith("conv0"):
                x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = conv(x, noise.get(name), label)
            if side in self.config.gates and self.names[k + 1 : k + 2] != [f"b{side}.conv1"]:
                x = self.gates[str(side)](features[self.config.gates[side]], x)
            if name in taps:
                x = taps[name](x)
            features[side] = x
        return F.conv2d(x.to(self.torgb.dtype), self.torgb, self.torgb_bias, padding=1)


class GatedConv(nn.Module):
    """A 3 x 3 convolution with noise and batch normalisation, half of whose channels gate the others."""

    is_features = True

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.weight = nn.Buffer(tensors["weight"].clone(memory_format=torch.channels_last))  # (2O, I, 3, 3)
        self.bias = nn.Buffer(tensors["bias"].clone())  # (2O,)
        strength = tensors.get("noise_strength")
        self.noise_strength = None if strength is None else nn.Buffer(strength.clone())  # (2O,)
        self.by_class: nn.ModuleDict | None = None
        if "gain.weight" in tensors:
            self.by_class = nn.ModuleDict({part: _Linear(under(tensors, part)) for part in ("gain", "shift")})

    def to_precision(self, dtype: torch.dtype) -> None:
        """Convolve in a lower precision."""
        self.weight = nn.Buffer(self.weight.to(dtype))

    def forward(self, x: Tensor, noise: Tensor | None, label: Tensor) -> Tensor:
        """Map features x (B, I, H, W), noise (B, 1, H, W) and embedded classes (B, E) to (B, O, H, W)."""
        x = F.conv2d(x, self.weight, padding=1)
        if noise is not None and self.noise_strength is not None:
            x = x + (noise * self.noise_strength[:, None, None]).to(x.dtype)
        x = x + self.bias.to(x.dtype)[:, None, None]
        if self.by_class is not None:
            gain = 1 + self.by_class["gain"](label)  # (B, 2O)
            shift = self.by_class["shift"](label)
            x = x * gain.to(x.dtype)[:, :, None, None] + shift.to(x.dtype)[:, :, None, None]
        return F.glu(x, dim=1)


class Gate(nn.Module):
    """Scale features by smaller ones: squeezed to a number for each channel (section 3.1, equation 1)."""

    is_features = True

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.squeeze = nn.Buffer(tensors["squeeze"].clone())  # (O, I, 4, 4)
        self.excite = nn.Buffer(tensors["excite"].clone())  # (O, O, 1, 1)

    def to_precision(self, dtype: torch.dtype) -> None:
        """Compute in a lower precision."""
        self.squeeze, self.excite = (nn.Buffer(each.to(dtype)) for each in (self.squeeze, self.excite))

    def forward(self, small: Tensor, x: Tensor) -> Tensor:
        """Scale x (B, O, H, W) by small features (B, I, h, w)."""
        pooled = F.conv2d(F.adaptive_avg_pool2d(small, 4), self.squeeze)  # (B, O, 1, 1)
        return x * torch.sigmoid(F.conv2d(F.silu(pooled), self.excite))


class _Linear(nn.Module):
    is_features = False

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.weight, self.bias = (nn.Buffer(tensors[name].clone()) for name in ("weight", "bias"))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)
