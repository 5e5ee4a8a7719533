"""StyleGAN2: latents and noise in, images out.

Skip, residual and plain architectures (Karras et al. 2020, arXiv:1912.04958), with the clamp of half
precision (Karras et al. 2020, arXiv:2006.06676). Every size is read off the checkpoint, whose names and
runtime gains are those of the published PyTorch layout. Shapes: w (B, D), ws (B, L, D), one w for each
convolution and one for the last ToRGB; images (B, 3, H, W) nominally in [-1, 1], R / 4 pixels for each cell
of the constant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clavilux.generator.block_sizes import CONST_SIZE
from clavilux.generator.configured import ConfiguredNetwork
from clavilux.generator.layers import (
    EPSILON,
    SQRT2,
    blended,
    clamped,
    demodulation,
    leaky_relu,
    phases,
    styled_conv,
    upsample2x,
    upsample_colours,
)
from clavilux.generator.mapping import Dense, MappingNetwork, under
from clavilux.generator.network import SideBranch, Tap
from clavilux.generator.stylegan2_config import StyleGAN2Config

__all__ = ["StyleGAN2"]

ROWS = 8
"""Of the weights of colours in half precision: 3, and zeros up to what matrix units multiply at once."""


class StyleGAN2(ConfiguredNetwork):
    """A whole generator: z to w, ws to image; a `Network`.

    Args:
        config: the network's sizes.
        tensors: every tensor that `config.shapes()` names; float32.
    """

    config: StyleGAN2Config

    def __init__(self, config: StyleGAN2Config, tensors: Mapping[str, Tensor]) -> None:
        super().__init__(config, MappingNetwork(under(tensors, "mapping"), config))
        self.const = nn.Buffer(tensors[f"synthesis.b{CONST_SIZE}.const"].clone())  # (C, 4, 4)
        self.blocks = nn.ModuleList(
            Block(under(tensors, f"synthesis.b{r}"), f"b{r}", config) for r in config.resolutions
        )

    def to_precision(self, dtype: torch.dtype) -> None:
        """Keep features and the weights that meet them in a lower precision, from now on.

        Styles, demodulation and colours stay float32.
        """
        self.feature_dtype = dtype
        for module in self.modules():
            if isinstance(module, StyledConv | Residual):
                module.to_precision(dtype)

    def forward(  # noqa: PLR0913  # as `Network` declares it, and what only this family has
        self,
        ws: Tensor,
        noise: Mapping[str, Tensor],
        *,
        const: Tensor | None = None,
        taps: Mapping[str, Tap] | None = None,
        rewrites: Mapping[str, SideBranch] | None = None,
        stop: int | None = None,
        colours: Mapping[str, Tap] | None = None,
    ) -> Tensor:
        """Draw images, (B, 3, h R / 4, w R / 4); see `Network.forward`."""
        taps, rewrites = taps or {}, rewrites or {}
        const = (self.const if const is None else const).to(self.feature_dtype)
        x = const.expand(ws.shape[0], -1, -1, -1)  # (B, C, h, w)
        if "const" in rewrites:
            x = blended(x, [(other.const, a) for other, a in rewrites["const"].others])
        if "const" in taps:
            x = taps["const"](x)
        image: Tensor | None = None
        for resolution, block in zip(self.config.resolutions, self.blocks, strict=True):
            if image is not None and stop is not None and resolution > stop:
                break
            x, rgb = block(x, ws, noise, taps, rewrites)
            if image is not None and colours:
                for name in (f"b{resolution}.conv0", f"b{resolution}.conv1"):
                    image = colours[name](image) if name in colours else image
            image = (
                rgb if image is None else upsample_colours(image) + rgb
            )  # colours of all blocks, or of the last
        assert image is not None
        return image


class Block(nn.Module):
    """One octave: an upsampling convolution (none at 4 px), a plain one, and ToRGB where there is one."""

    def __init__(self, tensors: Mapping[str, Tensor], name: str, config: StyleGAN2Config) -> None:
        super().__init__()
        layers = config.layers
        self.names = [conv for conv in (f"{name}.conv0", f"{name}.conv1") if conv in layers]
        self.w_indices = [layers[conv].w_index for conv in self.names]
        residual = tensors.get("skip.weight")
        self.skip = None if residual is None else Residual(residual)
        self.convs = nn.ModuleList(
            StyledConv(
                under(tensors, conv.removeprefix(f"{name}.")),
                up=conv.endswith("conv0"),
                # both branches of a residual block are scaled by sqrt(1/2), which keeps their sum's variance
                gain=0.5**0.5 if self.skip is not None and conv.endswith("conv1") else 1.0,
                clamp=config.clamp,
            )
            for conv in self.names
        )
        self.torgb: ToRGB | None = None
        if f"{name}.torgb" in layers:
            self.torgb = ToRGB(under(tensors, "torgb"), config.clamp, name=f"{name}.torgb")
            self.w_indices.append(layers[f"{name}.torgb"].w_index)

    def forward(
        self,
        x: Tensor,
        ws: Tensor,
        noise: Mapping[str, Tensor],
        taps: Mapping[str, Tap],
        rewrites: Mapping[str, SideBranch],
    ) -> tuple[Tensor, Tensor | None]:
        """Return features and colours of this block; x (B, I, H, W), ws (B, L, D)."""
        last = rewrites.get(self.names[-1])
        beside = None if self.skip is None else self.skip(x)
        if beside is not None and last is not None:
            beside = blended(beside, [(other.skip(x), a) for other, a in last.others])
        for k, (name, conv) in enumerate(zip(self.names, self.convs, strict=True)):
            x = conv(x, ws[:, self.w_indices[k]], noise.get(name), rewrites.get(name))
            if beside is not None and k == len(self.convs) - 1:
                x = beside.add_(x)
            if name in taps:
                x = taps[name](x)
        if self.torgb is None:
            return x, None
        mixed = rewrites.get(self.torgb.name)
        return x, self.torgb(x, ws[:, self.w_indices[-1]], () if mixed is None else mixed.others)


class Residual(nn.Module):
    """The branch beside a residual block's convolutions: a 1 x 1 convolution, upsampled."""

    is_features = True

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Buffer(weight * (0.5 / weight.shape[1]) ** 0.5)  # (O, I, 1, 1)

    def to_precision(self, dtype: torch.dtype) -> None:
        """Compute in a lower precision."""
        self.weight = nn.Buffer(self.weight.to(dtype))

    def forward(self, x: Tensor) -> Tensor:
        """Map features (B, I, H, W) to (B, O, 2H, 2W)."""
        return upsample2x(F.conv2d(x, self.weight.to(x.dtype)))


class StyledConv(nn.Module):
    """One styled and demodulated 3 x 3 convolution, noise, bias and leaky ReLU."""

    is_features = True

    def __init__(
        self, tensors: Mapping[str, Tensor], *, up: bool, gain: float = 1.0, clamp: float | None = None
    ) -> None:
        super().__init__()
        self.up, self.in_phases = up, False
        self.gain = SQRT2 * gain  # with the gain of the leaky ReLU
        self.clamp = None if clamp is None else clamp * gain
        self.affine = Dense(tensors["affine.weight"], tensors["affine.bias"])
        # Channels-last: convolutions on a processor are 1.5 times as fast where a pixel's channels adjoin.
        self.weight = nn.Buffer(tensors["weight"].clone(memory_format=torch.channels_last))  # (O, I, 3, 3)
        self.power = nn.Buffer(tensors["weight"].square().sum(dim=(2, 3)))  # (O, I), sum_yx W^2
        self.bias = nn.Buffer(tensors["bias"].clone())  # (O,)
        if "noise_strength" in tensors:
            self.noise_strength = nn.Buffer(tensors["noise_strength"].clone())  # ()
            self.noise_const = nn.Buffer(tensors["noise_const"].clone())  # (R, R)
        self.scale = 1.0

    def to_precision(self, dtype: torch.dtype) -> None:
        """Convolve in a lower precision, with weights so small that no sum leaves its range.

        Demodulation undoes any common factor of an output channel's weights. Lower precision is for
        accelerators, so a convolution that doubles is in `phases`.
        """
        terms = self.weight[0].numel()
        self.scale *= terms**-0.5
        self.power = nn.Buffer(self.power / terms)
        weight, self.in_phases = self.weight * terms**-0.5, self.up
        self.weight = nn.Buffer((phases(weight) if self.in_phases else weight).to(dtype))

    def forward(
        self, x: Tensor, w: Tensor, noise: Tensor | None, rewrite: SideBranch | None = None
    ) -> Tensor:
        """Map features x (B, I, H, W) under w (B, D) and noise (B, 1, H', W') to (B, O, H', W')."""
        others = () if rewrite is None else rewrite.others
        style = blended(self.affine(w), [(other.affine(w), a) for other, a in others])  # (B, I)
        if x.dtype != style.dtype:  # demodulation cancels the style's length; see `to_precision`
            style = style / (style.abs().amax(dim=1, keepdim=True) + EPSILON)
        if rewrite is not None:
            rewrite = _Scaled(rewrite, self.scale)
        extra = None if rewrite is None else rewrite.power(style)  # (B, O)
        factors = demodulation(style, self.power, extra) * self.gain  # (B, O)
        if noise is not None:
            strength = _shared(self.noise_strength, [(other.noise_strength, a) for other, a in others])
            noise = noise * (strength * self.gain)
        x = styled_conv(
            x,
            self.weight,
            style,
            factors,
            up=self.up,
            in_phases=self.in_phases,
            noise=noise,
            rewrite=rewrite,
        )
        bias = _shared(self.bias, [(other.bias, a) for other, a in others]) * self.gain
        return clamped(leaky_relu(x.add_(bias.to(x.dtype))), self.clamp)


def _shared(own: Tensor, others: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Blend what all frames share, () or (O,); (B, 1 or O, 1, 1), with B = 1 where there are no others."""
    return blended(own.reshape(1, -1, 1, 1), [(other.reshape(1, -1, 1, 1), a) for other, a in others])


@dataclass(frozen=True)
class _Scaled:
    """A side branch in the scale of its layer's weights."""

    branch: SideBranch
    scale: float

    @property
    def weight(self) -> Tensor:
        return self.branch.weight if self.scale == 1 else self.branch.weight * self.scale

    def keys(self, x: Tensor) -> Tensor:
        return self.branch.keys(x)

    def power(self, style: Tensor) -> Tensor:
        power = self.branch.power(style)
        return power if self.scale == 1 else power * self.scale**2

    @property
    def own(self) -> Tensor | None:
        return self.branch.own

    @property
    def others(self) -> Sequence[tuple[Any, Tensor]]:
        return self.branch.others


class ToRGB(nn.Module):
    """Features to colours: a styled 1 x 1 convolution, never demodulated; its gain is in the weights."""

    is_features = True

    def __init__(self, tensors: Mapping[str, Tensor], clamp: float | None = None, name: str = "") -> None:
        super().__init__()
        self.clamp, self.name = clamp, name
        self.affine = Dense(tensors["affine.weight"], tensors["affine.bias"])
        weight = tensors["weight"]  # (3, I, 1, 1)
        self.weight = nn.Buffer(weight * weight.shape[1] ** -0.5)
        self.bias = nn.Buffer(tensors["bias"].clone())  # (3,)

    def forward(self, x: Tensor, w: Tensor, others: Sequence[tuple[Any, Tensor]] = ()) -> Tensor:
        """Map features x (B, I, H, W) under w (B, D) to colours (B, 3, H, W); see `SideBranch.others`."""
        style = blended(self.affine(w), [(other.affine(w), a) for other, a in others])  # (B, I)
        mixed = blended(
            _coloured(x, style, self), [(_coloured(x, style, other), a) for other, a in others]
        ).contiguous()
        return clamped(mixed, self.clamp)


def _coloured(x: Tensor, style: Tensor, layer: Any) -> Tensor:
    """Return float32 colours (B, 3, H, W) of features (B, I, H, W) scaled by a style (B, I)."""
    if x.dtype == style.dtype:
        return F.conv2d(x * style[:, :, None, None], layer.weight, layer.bias)
    # Features in a lower precision stay as they are: each sample's own weights meet them, so small that no
    # sum leaves their range.
    own = layer.weight[:, :, 0, 0] * style[:, None]  # (B, 3, I)
    length = own.abs().amax(dim=(1, 2), keepdim=True) * own.shape[2] + EPSILON
    rows = F.pad(own / length, (0, 0, 0, ROWS - 3)).to(x.dtype)
    found = torch.bmm(rows, x.flatten(2))[:, :3].to(style.dtype) * length
    colours: Tensor = found.reshape(len(x), 3, *x.shape[2:]) + layer.bias[:, None, None]
    return colours
