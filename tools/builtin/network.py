"""The StyleGAN2 generator in a form that trains quickly on a processor: scale, convolve, scale.

Parameter names, shapes and runtime gains are those of the published PyTorch implementation, so its state
dict is what every reader of checkpoints knows. Equations: Karras et al. 2020 (arXiv:1912.04958), skip
architecture. Images are (B, 3, R, R) in [-1, 1]; z is (B, z_dim) standard normal; ws is (B, L, w_dim). Under
autocast the features stay in half precision, and colours are added up in single precision.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from constants import on

__all__ = ["Generator", "Sizes", "fir_double", "grow"]

Painting = tuple[Tensor, Tensor | None]
SQRT2 = 2.0**0.5
LR_MULTIPLIER = 0.1
NEW_NOISE = 0.2
FIR = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
# SMOOTHING[3 a + b, 6 (a + s) + b + t] = FIR[s] FIR[t]: what each of 3 x 3 weights adds to 6 x 6
SMOOTHING = torch.stack(
    [F.pad(FIR[:, None] * FIR, (b, 2 - b, a, 2 - a)).flatten() for a in range(3) for b in range(3)]
)


@dataclass(frozen=True)
class Sizes:
    """Everything that fixes the shapes of a generator."""

    resolution: int
    z_dim: int = 128
    w_dim: int = 128
    mapping_layers: int = 3
    channel_base: int = 4096
    channel_max: int = 128

    def channels(self, resolution: int) -> int:
        """Feature channels of the block at ``resolution``."""
        return min(self.channel_base // resolution, self.channel_max)

    @property
    def resolutions(self) -> list[int]:
        """The blocks' resolutions, 4 first."""
        return [2**k for k in range(2, self.resolution.bit_length())]

    @property
    def num_ws(self) -> int:
        """How many w vectors an image takes: one a convolution, one for the last ToRGB."""
        return 2 * len(self.resolutions)


def smooth_twice(x: Tensor) -> Tensor:
    """Filter both axes with [1, 3, 3, 1] / 4 (gain 2 an axis, for doubled signals), three samples shorter."""
    line = on(x.device, FIR)
    kernel = (line[:, None] * line).expand(x.shape[1], 1, 4, 4)
    return F.conv2d(x, kernel, groups=x.shape[1])


def convolve_up(x: Tensor, weight: Tensor) -> Tensor:
    """Double the size of (B, I, H, W), convolve with weights (O, I, 3, 3) and smooth.

    On a GPU both in one convolution of 6 x 6: faster than to move the features through memory twice.
    """
    if not x.is_cuda:
        x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
        return smooth_twice(F.pad(x, (1, 1, 1, 1)))
    return F.conv_transpose2d(x, smoothed(weight).transpose(0, 1), stride=2, padding=2)


def smoothed(weight: Tensor) -> Tensor:
    """Convolve weights (O, I, 3, 3) with the filter: (O, I, 6, 6)."""
    return (weight.flatten(2) @ on(weight.device, SMOOTHING)).unflatten(2, (6, 6))


def fir_double(image: Tensor) -> Tensor:
    """Double the size of (B, C, H, W) with the paper's [1, 3, 3, 1] filter, written as its two phases."""
    for dim in (2, 3):
        size = image.shape[dim]
        pad = (0, 0, 1, 1) if dim == 2 else (1, 1)
        padded = F.pad(image, pad)
        before, here, after = (padded.narrow(dim, k, size) for k in range(3))
        phases = torch.stack((before + 3 * here, 3 * here + after), dim=dim + 1) * 0.25
        image = phases.flatten(dim, dim + 1)
    return image


class Affine(nn.Module):
    """A linear layer with equalised learning rate and unit scale, its bias beginning at one."""

    def __init__(self, w_dim: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, w_dim))
        self.bias = nn.Parameter(torch.ones(channels))

    def forward(self, w: Tensor) -> Tensor:
        return F.linear(w, self.weight * self.weight.shape[1] ** -0.5, self.bias)


class ModulatedConv(nn.Module):
    """One styled 3 x 3 convolution with noise and leaky ReLU; doubles the size when ``up``.

    The activation's gain, the root of two, is applied before it, where the factors are small.
    """

    def __init__(self, sizes: Sizes, resolution: int, fan: tuple[int, int], *, up: bool) -> None:
        super().__init__()
        into, out = fan
        self.up = up
        self.weight = nn.Parameter(torch.randn(out, into, 3, 3))
        self.bias = nn.Parameter(torch.zeros(out))
        self.affine = Affine(sizes.w_dim, into)
        self.noise_strength = nn.Parameter(torch.zeros([]))
        self.register_buffer("noise_const", torch.randn(resolution, resolution))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        style = self.affine(w)
        power = self.weight.square().sum((2, 3))
        demodulation = SQRT2 * (style.float().square() @ power.T + 1e-8).rsqrt()
        x = x * style[:, :, None, None].to(x.dtype)
        x = convolve_up(x, self.weight) if self.up else F.conv2d(x, self.weight, padding=1)
        bias = (SQRT2 * self.bias)[None, :, None, None].to(x.dtype)
        x = torch.addcmul(bias, x, demodulation[:, :, None, None].to(x.dtype))
        if noise is not None:
            x = x + (noise * (SQRT2 * self.noise_strength)).to(x.dtype)
        return F.leaky_relu(x, 0.2)


class ToRGB(nn.Module):
    """The 1 x 1 convolution from features to colour: styled, never demodulated."""

    def __init__(self, sizes: Sizes, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.affine = Affine(sizes.w_dim, channels)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        style = self.affine(w) * x.shape[1] ** -0.5
        return F.conv2d(x * style[:, :, None, None].to(x.dtype), self.weight, self.bias).float()


class Block(nn.Module):
    """One octave: an upsampling convolution (none at 4 px), a plain one, and a colour image added on."""

    def __init__(self, sizes: Sizes, resolution: int) -> None:
        super().__init__()
        out = sizes.channels(resolution)
        if resolution == 4:
            self.const = nn.Parameter(torch.randn(out, 4, 4))
        else:
            fan = (sizes.channels(resolution // 2), out)
            self.conv0 = ModulatedConv(sizes, resolution, fan, up=True)
        self.conv1 = ModulatedConv(sizes, resolution, (out, out), up=False)
        self.torgb = ToRGB(sizes, out)


class Mapping(nn.Module):
    """z to w: a few leaky layers at a tenth of the learning rate."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.layers = sizes.mapping_layers
        for k in range(self.layers):
            into = sizes.z_dim if k == 0 else sizes.w_dim
            layer = nn.Module()
            layer.weight = nn.Parameter(torch.randn(sizes.w_dim, into) / LR_MULTIPLIER)
            layer.bias = nn.Parameter(torch.zeros(sizes.w_dim))
            setattr(self, f"fc{k}", layer)
        self.register_buffer("w_avg", torch.zeros(sizes.w_dim))

    def forward(self, z: Tensor) -> Tensor:
        x = z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()
        for k in range(self.layers):
            layer = getattr(self, f"fc{k}")
            gain = LR_MULTIPLIER * layer.weight.shape[1] ** -0.5
            x = F.leaky_relu(F.linear(x, layer.weight * gain, layer.bias * LR_MULTIPLIER), 0.2) * SQRT2
        return x


class Synthesis(nn.Module):
    """ws to an image, octave by octave."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.resolutions = sizes.resolutions
        for resolution in self.resolutions:
            setattr(self, f"b{resolution}", Block(sizes, resolution))

    def convolutions(self) -> list[ModulatedConv]:
        """Every styled convolution, in order of their noises."""
        blocks = [getattr(self, f"b{resolution}") for resolution in self.resolutions]
        return [conv for b in blocks for conv in ([b.conv0, b.conv1] if hasattr(b, "conv0") else [b.conv1])]

    def noises(
        self, batch: int, *, mode: str = "random", cut: dict[int, int] | None = None
    ) -> list[Tensor] | None:
        """The noise images of one pass: ``random`` (B, 1, H, W), ``const`` (1, 1, H, W), or ``none``.

        ``cut`` tells of octaves that are generated in part how many pixels across, for random noise.
        """
        if mode == "none":
            return None
        stored = [conv.noise_const[None, None] for conv in self.convolutions()]
        if mode == "const":
            return stored
        sides = [(cut or {}).get(n.shape[-1], n.shape[-1]) for n in stored]
        return [torch.randn(batch, 1, side, side, device=stored[0].device) for side in sides]

    def forward(self, ws: Tensor, noises: list[Tensor] | None, const: Tensor | None = None) -> Tensor:
        return self.climb(self.resolutions, self.base(len(ws), const), ws, noises)[1]

    def base(self, batch: int, const: Tensor | None = None) -> Painting:
        """What generation begins with: the constant, and no image yet."""
        const = self.b4.const if const is None else const
        return const.expand(batch, -1, -1, -1).contiguous(memory_format=torch.channels_last), None

    def climb(
        self, resolutions: Sequence[int], below: Painting, ws: Tensor, noises: list[Tensor] | None
    ) -> Painting:
        """Generate some octaves on what those ``below`` generated: features and the image so far."""
        x, image = below
        for resolution in resolutions:
            block, first = getattr(self, f"b{resolution}"), index_of(resolution)
            convolutions = [block.conv0, block.conv1] if resolution > 4 else [block.conv1]
            for index, conv in enumerate(convolutions, first):
                x = conv(x, ws[:, index], None if noises is None else noises[index])
            colour = block.torgb(x, ws[:, first + len(convolutions)])
            image = colour if image is None else fir_double(image) + colour
        return x, image


def index_of(resolution: int) -> int:
    """Which w, and which noise, an octave's first convolution takes."""
    return max(2 * resolution.bit_length() - 7, 0)


class Generator(nn.Module):
    """A whole StyleGAN2 generator: z to image."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.mapping = Mapping(sizes)
        self.synthesis = Synthesis(sizes)

    def widen(self, w: Tensor, *, psi: float = 1.0) -> Tensor:
        """Repeat w (B, w_dim) for every layer, pulled towards the average by ``1 - psi``."""
        w = self.mapping.w_avg + psi * (w - self.mapping.w_avg)
        return w[:, None].expand(-1, self.sizes.num_ws, -1)

    def forward(self, z: Tensor, *, psi: float = 1.0, noise: str = "const") -> Tensor:
        ws = self.widen(self.mapping(z), psi=psi)
        return self.synthesis(ws, self.synthesis.noises(z.shape[0], mode=noise))


def grow(
    state: dict[str, Tensor], sizes: Sizes, *, waiting: dict[str, Tensor] | None = None
) -> dict[str, Tensor]:
    """Fit the weights of a smaller generator into a larger one, which then generates the same image, larger.

    Blocks that the weights lack are those ``waiting``, or begin at random with enough noise for sparks to
    grow from; either way with a colour layer of zeros, so that they add nothing until they have learned.
    Blocks beyond the size are left out.
    """
    waiting = waiting or {}
    fresh = Generator(sizes).state_dict()
    for name, value in fresh.items():
        if name in state:
            fresh[name] = state[name].to(value.dtype).clone()
        elif name.endswith(("torgb.weight", "torgb.bias")):
            fresh[name] = torch.zeros_like(value)
        elif name in waiting:
            fresh[name] = waiting[name].to(value.dtype).clone()
        elif name.endswith("noise_strength"):
            fresh[name] = torch.full_like(value, NEW_NOISE)
    return fresh
