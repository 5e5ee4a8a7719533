"""Small bends and rewrites, as transforms to come will be written."""

import torch
from torch import Tensor, nn

from clavilux import seeds
from clavilux.generator.inputs import InputSpec

__all__ = ["Gain", "Rule"]

AMOUNT = InputSpec((), "float32", "linear")


class Gain(nn.Module):
    """A bend that multiplies the first channels: y = x + a m (x g - x)."""

    def __init__(self, layer: str, gain: float = 3.0, *, is_features: bool = True) -> None:
        super().__init__()
        self.layer, self.gain, self.is_features = layer, gain, is_features
        self.inputs = {"amount": AMOUNT}
        self.spec = ("gain", layer, gain, is_features)

    def forward(self, x: Tensor, amount: Tensor) -> Tensor:
        mask = (torch.arange(x.shape[1], device=x.device) < 2).to(x.dtype)[:, None, None]
        a = amount.to(x.dtype)[:, None, None, None]
        return x + a * mask * (x * self.gain - x)


class Rule(nn.Module):
    """A rewrite of rank one: W = W0 + a Lambda d^T (Bau et al. 2020)."""

    is_features = True

    def __init__(self, layer: str, base: Tensor) -> None:
        super().__init__()
        out, into = base.shape[:2]
        self.layer, self.inputs, self.spec = layer, {"amount": AMOUNT}, ("rule", layer)
        self.weight = nn.Buffer(torch.from_numpy(seeds.normal(0, "lambda", 0, (out, 1, 3, 3))))  # Lambda
        self.direction = nn.Buffer(torch.from_numpy(seeds.normal(0, "d", 0, (into,))))
        cross = torch.einsum("oiyx,oyx->oi", base, self.weight[:, 0])
        self.cross = nn.Buffer(cross * self.direction)  # (O, I), P_oi = d_i sum_yx W0 Lambda
        self.energy = nn.Buffer(self.weight.square().sum(dim=(1, 2, 3)))  # (O,), sum_yx Lambda^2

    def keys(self, x: Tensor, amount: Tensor) -> Tensor:
        m = (x * self.direction.to(x.dtype)[:, None, None]).sum(dim=1, keepdim=True)
        return m * amount.to(x.dtype)[:, None, None, None]

    def power(self, style: Tensor, amount: Tensor) -> Tensor:
        a, squares = amount[:, None], style.square()  # (B, 1), (B, I)
        b = squares @ self.cross.T
        c = self.energy * (squares @ self.direction.square())[:, None]
        return 2 * a * b + a**2 * c
