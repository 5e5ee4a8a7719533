"""StyleGAN3: latents in, images out, without any noise and without knowing where a pixel is.

Configurations T and R (Karras et al. 2021, arXiv:2106.12423). Drawing starts from Fourier features, sampled
on a grid that can be moved and turned; every layer applies its leaky ReLU to upsampled features, between two
low-pass filters, so that nothing aliases. Shapes: w (B, D), ws (B, L, D), features (B, C, H, W) with a margin
around the image, images (B, 3, H, W) nominally in [-1, 1].
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clavilux.generator.configured import ConfiguredNetwork
from clavilux.generator.layers import EPSILON, SQRT2, clamped, demodulation, leaky_relu
from clavilux.generator.mapping import Dense, MappingNetwork, under
from clavilux.generator.network import Extension, SideBranch, Tap
from clavilux.generator.stylegan3_config import FilteredLayer, StyleGAN3Config

__all__ = ["StyleGAN3"]


class StyleGAN3(ConfiguredNetwork):
    """A whole generator: z to w, ws to image; a `Network`.

    Args:
        config: the network's sizes.
        tensors: every tensor that `config.shapes()` names; float32.
    """

    config: StyleGAN3Config

    def __init__(self, config: StyleGAN3Config, tensors: Mapping[str, Tensor]) -> None:
        super().__init__(config, MappingNetwork(under(tensors, "mapping"), config))
        self.input = FourierInput(under(tensors, "synthesis.input"), config)
        self.convs = nn.ModuleList(
            FilteredConv(under(tensors, f"synthesis.{name}"), layer, config)
            for name, layer in zip(config.names[:-1], config.filtered[:-1], strict=True)
        )
        last = config.filtered[-1]
        self.torgb = FilteredConv(under(tensors, "synthesis.torgb"), last, config, colours=True)

    def start(self, cells: tuple[int, int], how: Extension) -> Tensor:  # noqa: ARG002  # it has no edge
        """Return where the Fourier features are sampled: x and y from the centre, in cells, (2, H, W)."""
        margin = self.config.input_size - self.config.input_rate
        y, x = (torch.arange(n + margin) + 0.5 - (n + margin) / 2 for n in cells)  # the centres of cells
        return torch.stack((x + 0 * y[:, None], y[:, None] + 0 * x))

    def to_precision(self, dtype: torch.dtype) -> None:
        """Keep features and the weights that meet them in a lower precision, from now on.

        The Fourier features, styles, demodulation and colours stay float32.
        """
        self.feature_dtype = dtype
        for conv in self.convs:
            conv.to_precision(dtype)  # type: ignore[operator]

    def forward(  # noqa: PLR0913  # as every network
        self,
        ws: Tensor,
        noise: Mapping[str, Tensor] | None = None,  # noqa: ARG002  # there is none
        *,
        const: Tensor | None = None,
        taps: Mapping[str, Tap] | None = None,
        rewrites: Mapping[str, SideBranch] | None = None,
        stop: int | None = None,  # noqa: ARG002  # only the last layer makes colours
        places: Tap | None = None,
        transform: Tensor | None = None,
    ) -> Tensor:
        """Draw images; see `Network.forward`.

        Both `places` and `transform` map places of the image to places it is drawn from: `places` those of a
        grid (B, 2, H, W) in cells from the centre, `transform` (B, 3, 3) those in sides of the image.
        """
        taps, rewrites = taps or {}, rewrites or {}
        grid = self.start(self.cells, "mirror").to(ws.device) if const is None else const
        if places is not None:
            grid = places(grid.expand(ws.shape[0], -1, -1, -1))
        x = self.input(ws[:, 0], grid, transform).to(self.feature_dtype)
        if "input" in taps:
            x = taps["input"](x)
        for k, conv in enumerate(self.convs):
            name = f"L{k}"
            x = conv(x, ws[:, k + 1], rewrites.get(name))
            if name in taps:
                x = taps[name](x)
        image: Tensor = self.torgb(x.to(torch.float32), ws[:, -1])
        return image * self.config.output_scale


class FourierInput(nn.Module):
    """Fourier features on a grid that the latent turns and moves, mixed by a matrix (section 3.2)."""

    is_features = False

    def __init__(self, tensors: Mapping[str, Tensor], config: StyleGAN3Config) -> None:
        super().__init__()
        self.bandwidth, self.rate = config.bandwidth, config.input_rate
        self.freqs = nn.Buffer(tensors["freqs"].clone())  # (C, 2), cycles across the image
        self.phases = nn.Buffer(tensors["phases"].clone())  # (C,), cycles
        self.transform = nn.Buffer(tensors["transform"].clone())  # (3, 3)
        self.weight = nn.Buffer(tensors["weight"] * config.input_channels**-0.5)  # (C, C)
        self.affine = Dense(tensors["affine.weight"], tensors["affine.bias"])

    def forward(self, w: Tensor, grid: Tensor, transform: Tensor | None) -> Tensor:
        """Return features (B, C, H, W) under w (B, D) at the places of a grid, (2, H, W) or (B, 2, H, W)."""
        t = self.affine(w)  # (B, 4): cosine, sine, and a shift along x and y
        t = t / t[:, :2].square().sum(dim=1, keepdim=True).sqrt()
        cosine, sine, right, down = t.unbind(dim=1)
        turn = torch.stack((cosine, -sine, sine, cosine), dim=1).reshape(-1, 2, 2)
        shift = -torch.stack((right, down), dim=1)[:, :, None]  # (B, 2, 1)
        theirs = self.transform if transform is None else transform @ self.transform
        # place -> turn (A place + a + shift): the given transform acts first, then the latent's own
        linear = turn @ theirs[..., :2, :2]  # (B, 2, 2)
        offset = turn @ (theirs[..., :2, 2:] + shift)  # (B, 2, 1)
        phases = self.phases + (self.freqs @ offset)[:, :, 0]  # (B, C)
        freqs = self.freqs @ linear  # (B, C, 2)
        # frequencies that the grid cannot hold fade out towards half its sampling rate
        radius = freqs.square().sum(dim=2).sqrt()
        fade = (1 - (radius - self.bandwidth) / (self.rate / 2 - self.bandwidth)).clamp(0, 1)
        high, wide = grid.shape[-2:]
        angle = freqs @ (grid / self.rate).flatten(-2) + phases[:, :, None]  # (B, C, HW), cycles
        x = torch.sin(angle * (2 * math.pi)) * fade[:, :, None]
        return (self.weight @ x).reshape(-1, self.phases.shape[0], high, wide)


class FilteredConv(nn.Module):
    """A styled convolution, then the leaky ReLU on upsampled features (section 3.1, equation 1)."""

    is_features = True

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        layer: FilteredLayer,
        config: StyleGAN3Config,
        *,
        colours: bool = False,
    ) -> None:
        super().__init__()
        self.layer, self.colours = layer, colours
        self.gain = 1.0 if colours else SQRT2
        self.clamp = None if config.clamp is None else config.clamp / self.gain
        self.affine = Dense(tensors["affine.weight"], tensors["affine.bias"])
        weight = tensors["weight"]  # (O, I, K, K)
        input_gain = tensors["magnitude_ema"].rsqrt()
        if colours:  # not demodulated: both gains are in the weights
            weight = weight * (input_gain * weight[0].numel() ** -0.5)
        self.weight = nn.Buffer(weight.clone(memory_format=torch.channels_last))
        self.power = nn.Buffer(weight.square().sum(dim=(2, 3)))  # (O, I), sum_yx W^2
        self.input_gain = nn.Buffer(input_gain.clone())  # (): keeps the variance that training measured
        self.bias = nn.Buffer(tensors["bias"].clone())
        self.scale = 1.0
        up, down = tensors.get("up_filter"), tensors.get("down_filter")
        self.up_filter = None if up is None else nn.Buffer(up * layer.up)  # zeros between take up - 1 of up
        # the gain of the leaky ReLU is applied after the clamp, by the filter that follows
        self.down_filter = None if down is None else nn.Buffer(down.flip(tuple(range(down.ndim))))

    def to_precision(self, dtype: torch.dtype) -> None:
        """Convolve and filter in a lower precision; see `StyledConv.to_precision` of StyleGAN2."""
        terms = self.weight[0].numel()
        self.scale *= terms**-0.5
        self.power = nn.Buffer(self.power / terms)
        self.weight = nn.Buffer((self.weight * terms**-0.5).to(dtype))

    def forward(self, x: Tensor, w: Tensor, rewrite: SideBranch | None = None) -> Tensor:
        """Map features x (B, I, H, W) under w (B, D) to (B, O, H', W')."""
        style = self.affine(w)  # (B, I)
        if x.dtype != style.dtype:
            style = style / (style.abs().amax(dim=1, keepdim=True) + EPSILON)
        x = x * style.to(x.dtype)[:, :, None, None]
        y = F.conv2d(x, self.weight, padding=self.layer.kernel - 1)  # a full convolution: the margin grows
        if rewrite is not None:
            branch = (rewrite.weight * self.scale).to(x.dtype)
            y = y + F.conv2d(rewrite.keys(x).to(x.dtype), branch, padding=branch.shape[-1] - 1)
        if not self.colours:
            extra = None if rewrite is None else rewrite.power(style) * self.scale**2
            factors = demodulation(style, self.power, extra) * self.input_gain
            y = y.mul_(factors.to(y.dtype)[:, :, None, None])
        return self.nonlinear(y.add_(self.bias.to(y.dtype)[:, None, None]))

    def nonlinear(self, x: Tensor) -> Tensor:
        """Upsample, apply the leaky ReLU, clamp, and downsample."""
        x = upsampled(x, self.up_filter, self.layer)
        if not self.colours:
            x = leaky_relu(x)
        x = clamped(x, self.clamp)
        if self.down_filter is not None:
            x = downsampled(x, self.down_filter, self.layer.down)
        return x if self.gain == 1 else x * self.gain


def upsampled(x: Tensor, taps: Tensor | None, layer: FilteredLayer) -> Tensor:
    """Put zeros between samples, pad or crop, and low-pass both axes; (B, C, H, W) to (B, C, H', W').

    Output i of a filter of K taps reads the padded samples i .. i + K - 1, so it is output i + K - 1 - before
    of the full convolution; of that, which has no zeros after the last sample, K - up - after are left over.
    """
    before, after = layer.padding
    if taps is None:
        return F.pad(x, (before, after, before, after))
    count, channels = layer.up_taps, x.shape[1]
    start, end = count - 1 - before, count - layer.up - after  # what is cropped, or padded where negative
    both = max(min(start, end), 0)
    for axis in (2, 3):
        kernel = taps.to(x.dtype).reshape(1, 1, *((count, 1) if axis == 2 else (1, count)))
        stride, padding = ((layer.up, 1), (both, 0)) if axis == 2 else ((1, layer.up), (0, both))
        kernel = kernel.expand(channels, -1, -1, -1)
        x = F.conv_transpose2d(x, kernel, stride=stride, padding=padding, groups=channels)
        x = cropped(x, axis, start - both, end - both)
    return x


def cropped(x: Tensor, axis: int, start: int, end: int) -> Tensor:
    """Crop an axis at both ends, or pad it with zeros where a number is negative."""
    if start == end == 0:
        return x
    if start < 0 or end < 0:
        return F.pad(x, (0, 0, -start, -end) if axis == 2 else (-start, -end))
    return x[:, :, start : x.shape[2] - end] if axis == 2 else x[..., start : x.shape[3] - end]


def downsampled(x: Tensor, taps: Tensor, step: int) -> Tensor:
    """Low-pass with a line along both axes, or with a disc, and keep every `step`-th sample."""
    channels, count = x.shape[1], taps.shape[0]
    taps = taps.to(x.dtype)
    if taps.ndim == 2:
        kernel = taps.expand(channels, 1, count, count)
        return F.conv2d(x, kernel, stride=step, groups=channels)
    x = F.conv2d(x, taps.reshape(1, 1, -1, 1).expand(channels, -1, -1, -1), stride=(step, 1), groups=channels)
    kernel = taps.reshape(1, 1, 1, -1).expand(channels, -1, -1, -1)
    return F.conv2d(x, kernel, stride=(1, step), groups=channels)
