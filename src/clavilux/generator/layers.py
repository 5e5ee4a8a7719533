"""The arithmetic StyleGAN2 is made of, as plain functions of tensors.

Pictures and features are (B, C, H, W), latents (B, D); all float32, but features may be lower.
Equations: Karras et al. 2020 (arXiv:1912.04958), section 2; smoothing is with the filter [1, 3, 3, 1].
"""

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["EPSILON", "SQRT2", "demodulation", "double", "leaky", "smooth", "styled_conv"]

SQRT2 = 2.0**0.5
EPSILON = 1e-8


def leaky(x: Tensor) -> Tensor:
    """Bend negative values to a fifth, in place: leaky ReLU; its gain of root two is the caller's."""
    return F.leaky_relu_(x, 0.2)


def demodulation(style: Tensor, power: Tensor) -> Tensor:
    """Find what brings each output channel of a styled convolution back to unit variance.

    Args:
        style: (B, I) scales of the input channels.
        power: (O, I) squared weights summed over the kernel's cells.

    Returns:
        (B, O) factors, rsqrt(s^2 . sum_yx W^2 + eps): equation 3 without ever building W per sample.

    >>> demodulation(torch.full((1, 4), 3.0), torch.ones(2, 4)).mul(6).round().tolist()
    [[1.0, 1.0]]
    """
    return (style.square() @ power.T + EPSILON).rsqrt()


def styled_conv(x: Tensor, weight: Tensor, style: Tensor, factors: Tensor, *, up: bool) -> Tensor:
    """Scale, convolve, scale: one dense convolution shared by all samples.

    Scaling the input channels by the style equals scaling the weights' input channels, and scaling the output
    equals demodulating them (Karras et al. 2020, section 2.2), so no sample needs weights of its own.

    Args:
        x: (B, I, H, W).
        weight: (O, I, 3, 3).
        style: (B, I) scales of the input channels.
        factors: (B, O) scales of the output channels.
        up: double the size.

    Returns:
        (B, O, H, W), or (B, O, 2H, 2W) when `up`.

    >>> x, weight = torch.ones(2, 3, 4, 5), torch.ones(6, 3, 3, 3)
    >>> styled_conv(x, weight, torch.ones(2, 3), torch.ones(2, 6), up=True).shape
    torch.Size([2, 6, 8, 10])
    """
    x = x * style.to(x.dtype)[:, :, None, None]
    if up:
        x = smooth(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))
    else:
        x = F.conv2d(x, weight, padding=1)
    return x.mul_(factors.to(x.dtype)[:, :, None, None])


def smooth(x: Tensor) -> Tensor:
    """Even out the phases a transposed convolution leaves: filter both axes with [1, 3, 3, 1] / 4.

    The gain is 2 an axis, since every other sample between the originals was zero. Zeros surround the
    picture.

    Args:
        x: (B, C, 2H + 1, 2W + 1).

    Returns:
        (B, C, 2H, 2W).

    >>> smooth(torch.ones(1, 2, 5, 5))[0, 0, 1].tolist()
    [3.5, 4.0, 4.0, 3.5]
    """
    channels = x.shape[1]
    taps = torch.arange(4, dtype=x.dtype, device=x.device).sub_(1.5).abs_().mul_(-0.5).add_(1)
    # Computed rather than listed: a recorded graph cannot fetch numbers from this side.
    return F.conv2d(x, torch.outer(taps, taps).expand(channels, 1, 4, 4), padding=1, groups=channels)


def double(picture: Tensor) -> Tensor:
    """Double a picture's size with the same filter, written as its phases [1, 3] / 4 and [3, 1] / 4.

    >>> double(torch.ones(1, 3, 4, 4))[0, 0, 2].tolist()
    [0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75]
    """
    for axis in (2, 3):
        size = picture.shape[axis]
        padded = F.pad(picture, (0, 0, 1, 1) if axis == 2 else (1, 1))
        before, here, after = (padded.narrow(axis, k, size) for k in range(3))
        phases = torch.stack((before + 3 * here, 3 * here + after), dim=axis + 1) * 0.25
        picture = phases.flatten(axis, axis + 1)
    return picture
