"""The arithmetic of StyleGAN2, as plain functions of tensors.

Images and features are (B, C, H, W), latents (B, D); all float32, but features may be in a lower precision.
Equations: Karras et al. 2020 (arXiv:1912.04958), section 2; the resampling filter is [1, 3, 3, 1].
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from clavilux.generator.network import SideBranch

__all__ = [
    "EPSILON",
    "SQRT2",
    "blended",
    "clamped",
    "demodulation",
    "fir",
    "leaky_relu",
    "normalized",
    "phases",
    "styled_conv",
    "upsample2x",
    "upsample_colours",
]

SQRT2 = 2.0**0.5
EPSILON = 1e-8
COLOURS = 3


def leaky_relu(x: Tensor) -> Tensor:
    """Apply the leaky ReLU of slope 0.2 in place; its gain of sqrt(2) has been applied by the caller."""
    return F.leaky_relu_(x, 0.2)


def clamped(x: Tensor, limit: float | None) -> Tensor:
    """Limit features to [-limit, limit]: in place, unless the gradient of what made them is needed.

    >>> clamped(torch.tensor([-3.0, 0.5]), 2.0).tolist()
    [-2.0, 0.5]
    """
    if limit is None:
        return x
    return x.clamp(-limit, limit) if x.requires_grad else x.clamp_(-limit, limit)


def normalized(x: Tensor) -> Tensor:
    """Scale vectors (B, D) to unit second moment: onto the sphere of radius sqrt(D).

    >>> normalized(torch.full((1, 4), 3.0)).tolist()
    [[1.0, 1.0, 1.0, 1.0]]
    """
    return x * (x.square().mean(dim=1, keepdim=True) + EPSILON).rsqrt()


def blended(own: Tensor, others: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Turn a value into others, each by an amount per frame (B,): x + sum_k a_k (x_k - x).

    Args:
        own: (B, ...), or (1, ...) where it is the same for all frames.
        others: what it turns into, of the same shape, and the amounts (B,).

    >>> blended(torch.zeros(2, 3), [(torch.ones(2, 3), torch.tensor([0.0, 0.5]))]).tolist()
    [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]]
    """
    total = own
    for other, amount in others:
        a = amount.to(own.dtype).reshape(-1, *(1,) * (own.ndim - 1))
        total = total + a * (other.to(own.dtype) - own)
    return total


def demodulation(style: Tensor, power: Tensor, extra: Tensor | None = None) -> Tensor:
    """Compute the factors that return each output channel of a styled convolution to unit variance.

    Args:
        style: (B, I) scales of the input channels.
        power: (O, I) squared weights summed over the kernel.
        extra: (B, O) what a rewrite adds to the sum, 2 a B + a^2 C.

    Returns:
        (B, O) factors.

    >>> demodulation(torch.full((1, 4), 3.0), torch.ones(2, 4)).mul(6).round().tolist()
    [[1.0, 1.0]]
    """
    total = style.square() @ power.T  # (B, O): A = sum_i s_i^2 sum_yx W_oiyx^2, without W of each sample
    if extra is not None:
        total = total + extra  # A + 2 a B + a^2 C, the same sum of W0 + a Lambda d^T
    return (total + EPSILON).rsqrt()  # Karras et al. 2020, equation 3


def styled_conv(  # noqa: PLR0913  # a layer's parts, each given once
    x: Tensor,
    weight: Tensor,
    style: Tensor,
    factors: Tensor,
    *,
    up: bool,
    in_phases: bool = False,
    noise: Tensor | None = None,
    rewrite: SideBranch | None = None,
) -> Tensor:
    """Scale, convolve, scale, add noise: one dense convolution shared by all samples.

    Scaling the input channels by the style equals scaling the weights' input channels, and scaling the output
    equals demodulating them (Karras et al. 2020, section 2.2), so no sample needs weights of its own.

    Args:
        x: (B, I, H, W).
        weight: (O, I, 3, 3).
        style: (B, I) scales of the input channels.
        factors: (B, O) scales of the output channels.
        up: double the size.
        in_phases: the weight of a convolution that doubles is given as its `phases`, (4 O, I, 3, 3).
        noise: added to every channel, (B, 1, H', W') of the output's size.
        rewrite: a side branch of the weights, in the scale of `weight`.

    Returns:
        (B, O, H, W), or (B, O, 2H, 2W) when `up`.

    >>> x, weight = torch.ones(2, 3, 4, 5), torch.ones(6, 3, 3, 3)
    >>> styled_conv(x, weight, torch.ones(2, 3), torch.ones(2, 6), up=True).shape
    torch.Size([2, 6, 8, 10])
    """
    x = x * style.to(x.dtype)[:, :, None, None]  # x'_i = s_i x_i
    y = _conv(x, weight, up=up and not in_phases)
    if rewrite is not None:  # y = (1 + c) W0 * x' + Lambda * (a d^T x')
        if rewrite.own is not None:
            y = y * (1 + rewrite.own.to(y.dtype))[:, None, None, None]
        beside = rewrite.weight.to(x.dtype)
        beside = phases(beside) if in_phases else beside
        y = y + _conv(rewrite.keys(x).to(x.dtype), beside, up=up and not in_phases)
    factors = factors.to(y.dtype)
    if in_phases:
        return _interleaved(y, factors, noise)
    if up:
        y = fir(y)
    y = y.mul_(factors[:, :, None, None])
    return y if noise is None else y.add_(noise.to(y.dtype))


def _conv(x: Tensor, weight: Tensor, *, up: bool) -> Tensor:
    if up:
        return F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)  # (B, O, 2H + 1, 2W + 1)
    return F.conv2d(x, weight, padding=1)  # (B, O, H, W)


def phases(weight: Tensor) -> Tensor:
    """Merge a convolution that doubles with the filter after it, as convolutions for its four phases.

    Zeros between the samples, a kernel of 3 taps and a filter of 4 are a kernel of 6, of which the even and
    the odd samples of the output read 3 each: w'_pd = sum_i f_(i - p + 1 + 2 d) w_i for phase p in {0, 1} and
    tap d in {-1, 0, 1}. On a graphics card that is faster than filtering every channel; on a processor the
    arithmetic, four times as much, is slower.

    Args:
        weight: (O, I, 3, 3), of a transposed convolution of stride 2.

    Returns:
        (4 O, I, 3, 3), channels-last: the output's samples of even rows and columns, even and odd, odd and
        even, odd.

    >>> phases(torch.ones(1, 1, 3, 3))[:, 0].sum(dim=(1, 2)).tolist()
    [9.0, 9.0, 9.0, 9.0]
    """
    three, two = (torch.arange(n, dtype=torch.float32, device=weight.device) for n in (3, 2))
    tap = three + 1 - two[:, None, None] + 2 * (three - 1)[:, None]  # (phase, d, i)
    # [1, 3, 3, 1] / 4 at 0 to 3 and 0 elsewhere, computed: see `_kernel`
    lines = torch.relu(1 - (tap - 1.5).abs() / 2)
    merged = torch.einsum("pdy,qex,oiyx->pqoide", lines, lines, weight.to(torch.float32))
    return merged.flatten(0, 2).to(weight.dtype, memory_format=torch.channels_last)


def _interleaved(y: Tensor, factors: Tensor, noise: Tensor | None) -> Tensor:
    """Scale the four phases (B, 4 O, H, W) by (B, O), add noise, and put them between each other."""
    batch, channels = factors.shape
    high, wide = y.shape[2:]
    size = (2 * high, 2 * wide)
    out = torch.empty(batch, channels, *size, dtype=y.dtype, device=y.device)
    out = out.to(memory_format=torch.channels_last)
    fours, scale = y.view(batch, 2, 2, channels, high, wide), factors[:, None, None, :, None, None]
    if noise is None:
        torch.mul(fours, scale, out=_four(out))
    else:
        torch.addcmul(_four(noise.to(y.dtype)), fours, scale, out=_four(out))
    return out


def _four(image: Tensor) -> Tensor:
    """View an image (B, C, 2H, 2W) as its phases, (B, 2, 2, C, H, W)."""
    batch, channels, high, wide = image.shape
    return image.view(batch, channels, high // 2, 2, wide // 2, 2).permute(0, 3, 5, 1, 2, 4)


def fir(x: Tensor, padding: int = 1) -> Tensor:
    """Filter both axes with [1, 3, 3, 1] / 4, as after a transposed convolution.

    The gain is 2 an axis, since every other sample between the originals was zero.

    Args:
        x: (B, C, H, W).
        padding: zeros around the image.

    Returns:
        (B, C, H - 3 + 2 padding, W - 3 + 2 padding).

    >>> fir(torch.ones(1, 2, 5, 5))[0, 0, 1].tolist()
    [3.5, 4.0, 4.0, 3.5]
    """
    channels = x.shape[1]
    return F.conv2d(x, _kernel(x).expand(channels, 1, 4, 4), padding=padding, groups=channels)


def upsample2x(x: Tensor) -> Tensor:
    """Double the size of features: zeros between their samples, then the same filter.

    >>> upsample2x(torch.ones(1, 3, 4, 4))[0, 0, 2].tolist()
    [0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75]
    """
    channels = x.shape[1]
    kernel = _kernel(x).expand(channels, 1, 4, 4)
    return F.conv_transpose2d(x, kernel, stride=2, padding=1, groups=channels)


def upsample_colours(image: Tensor) -> Tensor:
    """Double the size of an image (B, 3, H, W) as `upsample2x` does.

    So few channels are faster convolved as one, though most of the weights are 0.
    """
    same = torch.eye(COLOURS, dtype=image.dtype, device=image.device)[:, :, None, None]
    return F.conv_transpose2d(image, same * _kernel(image), stride=2, padding=1)


def _kernel(x: Tensor) -> Tensor:
    """Return the filter [1, 3, 3, 1] / 4 along both axes, (4, 4), where and as what x is."""
    # 1 - |k - 1.5| / 2, computed: a CUDA graph cannot copy constants from the host.
    line = torch.arange(4, dtype=x.dtype, device=x.device).sub_(1.5).abs_().mul_(-0.5).add_(1)
    return torch.outer(line, line)
