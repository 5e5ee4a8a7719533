"""StyleGAN2: latents and noise in, images out.

Skip architecture, unconditional (Karras et al. 2020, arXiv:1912.04958; mapping from Karras et al. 2019,
arXiv:1812.04948). Every size is read off the checkpoint, whose names and runtime gains are those of the
published PyTorch layout. Shapes: z (B, Z), w (B, D), ws (B, L, D), one w for each convolution and one for the
last ToRGB; images (B, 3, H, W) nominally in [-1, 1], R / 4 pixels for each cell of the constant.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clavilux.errors import ModelError
from clavilux.generator.layers import EPSILON, SQRT2, demodulation, leaky_relu, styled_conv, upsample2x
from clavilux.generator.network import Layer, SideBranch, Tap
from clavilux.generator.stylegan2_config import CONST_SIZE, StyleGAN2Config

__all__ = ["StyleGAN2"]


class StyleGAN2(nn.Module):
    """A whole generator: z to w, ws to image; a `Network`.

    Args:
        config: the network's sizes.
        tensors: every tensor that `config.shapes()` names; float32.
    """

    architecture = "stylegan2-skip"

    def __init__(self, config: StyleGAN2Config, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.config = config
        self.mapping = MappingNetwork(_under(tensors, "mapping"), config)
        self.const = nn.Buffer(tensors[f"synthesis.b{CONST_SIZE}.const"])  # (C, 4, 4)
        self.blocks = nn.ModuleList(
            Block(_under(tensors, "synthesis"), f"b{r}", config.layers) for r in config.resolutions
        )
        self.feature_dtype = torch.float32

    @property
    def z_dim(self) -> int:
        """Length of a random code, Z."""
        return self.config.z_dim

    @property
    def c_dim(self) -> int:
        """Number of classes: none."""
        return 0

    @property
    def w_dim(self) -> int:
        """Length of a latent, D."""
        return self.config.w_dim

    @property
    def num_ws(self) -> int:
        """Number of latents an image takes, L."""
        return self.config.num_ws

    @property
    def resolution(self) -> int:
        """Side of the square image the network was trained for, R, px."""
        return self.config.resolution

    @property
    def w_avg(self) -> Tensor:
        """The mean latent, (D,)."""
        return self.mapping.w_avg

    @property
    def layers(self) -> Mapping[str, Layer]:
        """Every layer by name, in order."""
        return self.config.layers

    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """Map random codes z (B, Z) to latents (B, D), untruncated.

        Raises:
            ModelError: classes were given.
        """
        if c is not None:
            raise ModelError("This network has no classes", hint="give random codes alone")
        w: Tensor = self.mapping(z)
        return w

    def canvas(self, cells: tuple[int, int]) -> tuple[int, int]:
        """Return height and width of the image that a constant of these rows and columns grows into, px."""
        rows, columns = cells
        return rows * self.resolution // CONST_SIZE, columns * self.resolution // CONST_SIZE

    def to_precision(self, dtype: torch.dtype) -> None:
        """Keep features and the weights that meet them in a lower precision, from now on.

        Styles, demodulation and colours stay float32.
        """
        self.feature_dtype = dtype
        for module in self.modules():
            if isinstance(module, StyledConv):
                module.to_precision(dtype)

    def forward(
        self,
        ws: Tensor,
        noise: Mapping[str, Tensor],
        *,
        const: Tensor | None = None,
        taps: Mapping[str, Tap] | None = None,
        rewrites: Mapping[str, SideBranch] | None = None,
        stop: int | None = None,
    ) -> Tensor:
        """Draw images, (B, 3, h R / 4, w R / 4); see `Network.forward`."""
        taps, rewrites = taps or {}, rewrites or {}
        const = (self.const if const is None else const).to(self.feature_dtype)
        x = const.expand(ws.shape[0], -1, -1, -1)  # (B, C, h, w)
        if "const" in taps:
            x = taps["const"](x)
        image: Tensor | None = None
        for resolution, block in zip(self.config.resolutions, self.blocks, strict=True):
            if image is not None and stop is not None and resolution > stop:
                break
            x, rgb = block(x, ws, noise, taps, rewrites)
            image = rgb if image is None else upsample2x(image) + rgb
        assert image is not None
        return image


class MappingNetwork(nn.Module):
    """Random codes to latents: normalise, then dense layers with leaky ReLU."""

    def __init__(self, tensors: Mapping[str, Tensor], config: StyleGAN2Config) -> None:
        super().__init__()
        self.w_avg = nn.Buffer(tensors["w_avg"])  # (D,)
        self.dense = nn.ModuleList(
            Dense(tensors[f"fc{k}.weight"], tensors[f"fc{k}.bias"], config.lr_multiplier)
            for k in range(config.mapping_layers)
        )

    def forward(self, z: Tensor) -> Tensor:
        """Map z (B, Z) to w (B, D), untruncated."""
        x = z * (z.square().mean(dim=1, keepdim=True) + EPSILON).rsqrt()  # onto the sphere of radius sqrt(Z)
        for dense in self.dense:
            x = leaky_relu(dense(x) * SQRT2)
        return x


class Block(nn.Module):
    """One octave: an upsampling convolution (none at 4 px), a plain one, and ToRGB."""

    def __init__(self, tensors: Mapping[str, Tensor], name: str, layers: Mapping[str, Layer]) -> None:
        super().__init__()
        self.names = [conv for conv in (f"{name}.conv0", f"{name}.conv1") if conv in layers]
        self.w_indices = [layers[conv].w_index for conv in (*self.names, f"{name}.torgb")]
        self.convs = nn.ModuleList(
            StyledConv(_under(tensors, conv), up=conv.endswith("conv0")) for conv in self.names
        )
        self.torgb = ToRGB(_under(tensors, f"{name}.torgb"))

    def forward(
        self,
        x: Tensor,
        ws: Tensor,
        noise: Mapping[str, Tensor],
        taps: Mapping[str, Tap],
        rewrites: Mapping[str, SideBranch],
    ) -> tuple[Tensor, Tensor]:
        """Return features and colours of this block; x (B, I, H, W), ws (B, L, D)."""
        for name, w_index, conv in zip(self.names, self.w_indices[:-1], self.convs, strict=True):
            x = conv(x, ws[:, w_index], noise[name], rewrites.get(name))
            if name in taps:
                x = taps[name](x)
        return x, self.torgb(x, ws[:, self.w_indices[-1]])


class StyledConv(nn.Module):
    """One styled and demodulated 3 x 3 convolution, noise, bias and leaky ReLU."""

    is_features = True

    def __init__(self, tensors: Mapping[str, Tensor], *, up: bool) -> None:
        super().__init__()
        self.up = up
        self.affine = Dense(tensors["affine.weight"], tensors["affine.bias"])
        # Channels-last: convolutions on a processor are 1.5 times as fast where a pixel's channels adjoin.
        self.weight = nn.Buffer(
            tensors["weight"].contiguous(memory_format=torch.channels_last)
        )  # (O, I, 3, 3)
        self.power = nn.Buffer(tensors["weight"].square().sum(dim=(2, 3)))  # (O, I), sum_yx W^2
        self.bias = nn.Buffer(tensors["bias"])  # (O,)
        self.noise_strength = nn.Buffer(tensors["noise_strength"])  # ()
        self.noise_const = nn.Buffer(tensors["noise_const"])  # (R, R)
        self.scale = 1.0

    def to_precision(self, dtype: torch.dtype) -> None:
        """Convolve in a lower precision, with weights so small that no sum leaves its range.

        Demodulation undoes any common factor of an output channel's weights.
        """
        terms = self.weight[0].numel()
        self.scale *= terms**-0.5
        self.power = nn.Buffer(self.power / terms)
        self.weight = nn.Buffer((self.weight * terms**-0.5).to(dtype))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor, rewrite: SideBranch | None = None) -> Tensor:
        """Map features x (B, I, H, W) under w (B, D) and noise (B, 1, H', W') to (B, O, H', W')."""
        style = self.affine(w)  # (B, I)
        if x.dtype != style.dtype:  # demodulation cancels the style's length; see `to_precision`
            style = style / (style.abs().amax(dim=1, keepdim=True) + EPSILON)
        if rewrite is not None:
            rewrite = _Scaled(rewrite, self.scale)
        extra = None if rewrite is None else rewrite.power(style)  # (B, O)
        factors = demodulation(style, self.power, extra) * SQRT2  # (B, O), with the gain of the leaky ReLU
        x = styled_conv(x, self.weight, style, factors, up=self.up, rewrite=rewrite)
        texture = noise * (self.noise_strength * SQRT2)
        return leaky_relu(x.add_(texture.to(x.dtype)).add_((self.bias[:, None, None] * SQRT2).to(x.dtype)))


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


class ToRGB(nn.Module):
    """Features to colours: a styled 1 x 1 convolution, never demodulated; its gain is in the weights."""

    is_features = True

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.affine = Dense(tensors["affine.weight"], tensors["affine.bias"])
        weight = tensors["weight"]  # (3, I, 1, 1)
        self.weight = nn.Buffer(weight * weight.shape[1] ** -0.5)
        self.bias = nn.Buffer(tensors["bias"])  # (3,)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map features x (B, I, H, W) under w (B, D) to colours (B, 3, H, W)."""
        style = self.affine(w)  # (B, I)
        x = x.to(style.dtype)
        return F.conv2d(x * style[:, :, None, None], self.weight, self.bias).contiguous()


class Dense(nn.Module):
    """A dense layer whose runtime gains (equalised learning rate) are already multiplied in.

    The bias is the weight of inputs that are always 1: OpenVINO forgets that a layer is to stay float32 when
    it fuses a sum to it. There are enough to keep rows aligned, so that each comes out the same anywhere.
    """

    is_features = False
    ONES = 16

    def __init__(self, weight: Tensor, bias: Tensor, lr_multiplier: float = 1.0) -> None:
        super().__init__()
        weight = weight * (lr_multiplier * weight.shape[1] ** -0.5)
        share = bias[:, None] * (lr_multiplier / self.ONES)
        self.weight = nn.Buffer(torch.cat((weight, share.expand(-1, self.ONES)), dim=1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, I) to (B, O)."""
        ones = torch.ones_like(x[:, :1]).expand(-1, self.ONES)
        return F.linear(torch.cat((x, ones), dim=1), self.weight)


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Select the tensors below a name, the name removed."""
    return {
        name.removeprefix(f"{prefix}."): t for name, t in tensors.items() if name.startswith(f"{prefix}.")
    }
