"""StyleGAN2: latents and noise in, pictures out.

Skip architecture, unconditional (Karras et al. 2020, arXiv:1912.04958; mapping from Karras et al. 2019,
arXiv:1812.04948). Every size is read off the checkpoint, whose names and runtime gains are those of the
published PyTorch layout. Shapes: z (B, Z), w (B, D), ws (B, L, D), one w for each convolution and one for the
last colour layer; pictures (B, 3, H, W) nominally in [-1, 1], R / 4 pixels for each cell of the constant.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clavilux.generator.layers import EPSILON, SQRT2, demodulation, double, leaky, styled_conv
from clavilux.generator.sizes import Sizes

__all__ = ["StyleGAN2"]


class StyleGAN2(nn.Module):
    """A whole generator: z to w, ws to picture.

    Args:
        sizes: the network's sizes.
        tensors: every tensor that `sizes.shapes()` names; float32.
        lr_multiplier: the mapping's learning-rate multiplier, part of its effective weights.
    """

    def __init__(self, sizes: Sizes, tensors: Mapping[str, Tensor], *, lr_multiplier: float = 0.01) -> None:
        super().__init__()
        self.sizes = sizes
        self.mapping = MappingNetwork(_under(tensors, "mapping"), sizes.mapping_layers, lr_multiplier)
        self.const = nn.Buffer(tensors["synthesis.b4.const"])  # (C, 4, 4)
        self.blocks = nn.ModuleList(Block(_under(tensors, f"synthesis.b{r}")) for r in sizes.resolutions)
        self.features = torch.float32

    def lower(self, dtype: torch.dtype) -> None:
        """Keep features and the weights that meet them in a lower precision, from now on.

        Styles, demodulation and colours stay float32.
        """
        self.features = dtype
        for module in self.modules():
            if isinstance(module, StyledConv):
                module.lower(dtype)

    @property
    def layers(self) -> dict[str, int]:
        """Name the convolutions that take noise, in order, with the feature size of each in px.

        >>> import torch
        >>> sizes = Sizes(4, 4, 1, (2, 2))
        >>> network = StyleGAN2(sizes, {name: torch.zeros(shape) for name, shape in sizes.shapes().items()})
        >>> network.layers
        {'b4.conv1': 4, 'b8.conv0': 8, 'b8.conv1': 8}
        """
        names = [(f"b{r}.conv{k}", r) for r in self.sizes.resolutions for k in (0, 1)]
        return dict(names[1:])

    def forward(
        self, ws: Tensor, noise: Sequence[Tensor], *, const: Tensor | None = None, last: int | None = None
    ) -> Tensor:
        """Draw pictures.

        Args:
            ws: (B, L, D).
            noise: for each of `layers` in order, broadcastable to (B, 1, H, W) of its features.
            const: (C, h, w), in place of the learned constant.
            last: stop after the block of this resolution and return the picture so far.

        Returns:
            (B, 3, h R / 4, w R / 4), nominally in [-1, 1].
        """
        const = (self.const if const is None else const).to(self.features)
        x = const.expand(ws.shape[0], -1, -1, -1)
        picture: Tensor | None = None
        for k, (resolution, block) in enumerate(zip(self.sizes.resolutions, self.blocks, strict=True)):
            x, colour = block(x, ws[:, max(2 * k - 1, 0) : 2 * k + 2], noise[max(2 * k - 1, 0) : 2 * k + 1])
            picture = colour if picture is None else double(picture) + colour
            if resolution == last:
                break
        assert picture is not None
        return picture


class MappingNetwork(nn.Module):
    """Random codes to latents: normalise, then a few leaky dense layers."""

    def __init__(self, tensors: Mapping[str, Tensor], layers: int, lr_multiplier: float) -> None:
        super().__init__()
        self.w_avg = nn.Buffer(tensors["w_avg"])  # (D,)
        self.dense = nn.ModuleList(
            Dense(tensors[f"fc{k}.weight"], tensors[f"fc{k}.bias"], lr_multiplier) for k in range(layers)
        )

    def forward(self, z: Tensor) -> Tensor:
        """Map z (B, Z) to w (B, D), untruncated."""
        x = z * (z.square().mean(dim=1, keepdim=True) + EPSILON).rsqrt()
        for dense in self.dense:
            x = leaky(dense(x) * SQRT2)
        return x


class Block(nn.Module):
    """One octave: an upsampling convolution (none at 4 px), a plain one, and a colour layer."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        convs = [name for name in ("conv0", "conv1") if f"{name}.weight" in tensors]
        self.convs = nn.ModuleList(StyledConv(_under(tensors, name), up=name == "conv0") for name in convs)
        self.torgb = ToRGB(_under(tensors, "torgb"))

    def forward(self, x: Tensor, ws: Tensor, noise: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return features and colours; x (B, I, H, W), ws (B, 2 or 3, D), noise one or two (B, 1, H, W)."""
        for k, conv in enumerate(self.convs):
            x = conv(x, ws[:, k], noise[k])
        return x, self.torgb(x, ws[:, len(self.convs)])


class StyledConv(nn.Module):
    """One styled and demodulated 3 x 3 convolution, noise, bias and leaky ReLU."""

    def __init__(self, tensors: Mapping[str, Tensor], *, up: bool) -> None:
        super().__init__()
        self.up = up
        self.affine = Dense(tensors["affine.weight"], tensors["affine.bias"])
        # Features keep their channels together, as convolutions on a processor like them: 1.5 times as fast.
        self.weight = nn.Buffer(
            tensors["weight"].contiguous(memory_format=torch.channels_last)
        )  # (O, I, 3, 3)
        self.power = nn.Buffer(tensors["weight"].square().sum(dim=(2, 3)))  # (O, I)
        self.bias = nn.Buffer(tensors["bias"])  # (O,)
        self.noise_strength = nn.Buffer(tensors["noise_strength"])  # ()
        self.noise_const = nn.Buffer(tensors["noise_const"])  # (R, R)

    def lower(self, dtype: torch.dtype) -> None:
        """Convolve in a lower precision, with weights so small that no sum leaves its range.

        Demodulation undoes any common factor of an output channel's weights.
        """
        terms = self.weight[0].numel()
        self.power = nn.Buffer(self.power / terms)
        self.weight = nn.Buffer((self.weight * terms**-0.5).to(dtype))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """Map features x (B, I, H, W) under w (B, D) and noise (B, 1, H', W') to (B, O, H', W')."""
        style = self.affine(w)  # (B, I)
        if x.dtype != style.dtype:  # only its direction counts; see `lower`
            style = style / (style.abs().amax(dim=1, keepdim=True) + EPSILON)
        factors = demodulation(style, self.power) * SQRT2  # (B, O)
        x = styled_conv(x, self.weight, style, factors, up=self.up)
        light = noise * (self.noise_strength * SQRT2)
        return leaky(x.add_(light.to(x.dtype)).add_((self.bias[:, None, None] * SQRT2).to(x.dtype)))


class ToRGB(nn.Module):
    """Features to colours: a styled 1 x 1 convolution, never demodulated; its gain is in the weights."""

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
    """Select the tensors below a name, the name cut off."""
    return {
        name.removeprefix(f"{prefix}."): t for name, t in tensors.items() if name.startswith(f"{prefix}.")
    }
