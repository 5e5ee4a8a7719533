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
    "styled_conv",
    "upsample2x",
]

SQRT2 = 2.0**0.5
EPSILON = 1e-8


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


def styled_conv(
    x: Tensor, weight: Tensor, style: Tensor, factors: Tensor, *, up: bool, rewrite: SideBranch | None = None
) -> Tensor:
    """Scale, convolve, scale: one dense convolution shared by all samples.

    Scaling the input channels by the style equals scaling the weights' input channels, and scaling the output
    equals demodulating them (Karras et al. 2020, section 2.2), so no sample needs weights of its own.

    Args:
        x: (B, I, H, W).
        weight: (O, I, 3, 3).
        style: (B, I) scales of the input channels.
        factors: (B, O) scales of the output channels.
        up: double the size.
        rewrite: a side branch of the weights, in the scale of `weight`.

    Returns:
        (B, O, H, W), or (B, O, 2H, 2W) when `up`.

    >>> x, weight = torch.ones(2, 3, 4, 5), torch.ones(6, 3, 3, 3)
    >>> styled_conv(x, weight, torch.ones(2, 3), torch.ones(2, 6), up=True).shape
    torch.Size([2, 6, 8, 10])
    """
    x = x * style.to(x.dtype)[:, :, None, None]  # x'_i = s_i x_i
    y = _conv(x, weight, up=up)
    if rewrite is not None:  # y = (1 + c) W0 * x' + Lambda * (a d^T x')
        if rewrite.own is not None:
            y = y * (1 + rewrite.own.to(y.dtype))[:, None, None, None]
        y = y + _conv(rewrite.keys(x).to(x.dtype), rewrite.weight.to(x.dtype), up=up)
    if up:
        y = fir(y)
    return y.mul_(factors.to(y.dtype)[:, :, None, None])


def _conv(x: Tensor, weight: Tensor, *, up: bool) -> Tensor:
    if up:
        return F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)  # (B, O, 2H + 1, 2W + 1)
    return F.conv2d(x, weight, padding=1)  # (B, O, H, W)


def fir(x: Tensor) -> Tensor:
    """Filter both axes with [1, 3, 3, 1] / 4, as after a transposed convolution.

    The gain is 2 an axis, since every other sample between the originals was zero. Zeros surround the
    image.

    Args:
        x: (B, C, 2H + 1, 2W + 1).

    Returns:
        (B, C, 2H, 2W).

    >>> fir(torch.ones(1, 2, 5, 5))[0, 0, 1].tolist()
    [3.5, 4.0, 4.0, 3.5]
    """
    channels = x.shape[1]
    # 1 - |k - 1.5| / 2 = [1, 3, 3, 1] / 4, computed: a CUDA graph cannot copy constants from the host.
    kernel = torch.arange(4, dtype=x.dtype, device=x.device).sub_(1.5).abs_().mul_(-0.5).add_(1)
    return F.conv2d(x, torch.outer(kernel, kernel).expand(channels, 1, 4, 4), padding=1, groups=channels)


def upsample2x(image: Tensor) -> Tensor:
    """Double an image's size with the same filter, written as its phases [1, 3] / 4 and [3, 1] / 4.

    >>> upsample2x(torch.ones(1, 3, 4, 4))[0, 0, 2].tolist()
    [0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75]
    """
    for axis in (2, 3):
        size = image.shape[axis]
        padded = F.pad(image, (0, 0, 1, 1) if axis == 2 else (1, 1))
        before, here, after = (padded.narrow(axis, k, size) for k in range(3))
        phases = torch.stack((before + 3 * here, 3 * here + after), dim=axis + 1) * 0.25
        image = phases.flatten(axis, axis + 1)
    return image
