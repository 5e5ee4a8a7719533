"""The event network as torch trains it: the weights that `clavilux.features.rhythm.activations` runs.

Inputs are (B, T, 198), time before features: a convolution is one matrix product over its taps side by side,
many times faster on a processor than torch's own dilated convolution.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clavilux.features.rhythm.activations import OUTPUTS

__all__ = ["Net"]

INPUTS = 198
INITIAL_BIAS = -3.0
"""Of the outputs before training: events are rare, sigmoid(-3) is 0.05."""


class Convolution(nn.Module):
    """A convolution over time; ``weight`` is (taps, inputs, outputs), of a single tap (inputs, outputs)."""

    def __init__(self, inputs: int, outputs: int, taps: int = 1, dilation: int = 1) -> None:
        super().__init__()
        shape = (taps, inputs, outputs) if taps > 1 else (inputs, outputs)
        self.weight = nn.Parameter(torch.randn(shape) * (inputs * taps) ** -0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.taps, self.dilation = taps, dilation

    def forward(self, values: Tensor) -> Tensor:
        # (B, T, F) -> (B, T, taps F) @ (taps F, C)
        time, reach = values.shape[1], self.taps // 2 * self.dilation
        padded = F.pad(values, (0, 0, reach, reach))
        shifts = range(0, 2 * reach + 1, self.dilation)
        beside = torch.cat([padded[:, shift : shift + time] for shift in shifts], dim=2)
        return beside @ self.weight.flatten(0, -2) + self.bias


class Block(nn.Module):
    """A residual block: a dilated convolution over time, ReLU, and a pointwise convolution."""

    def __init__(self, channels: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.wide = Convolution(channels, channels, 3, dilation)
        self.back = Convolution(channels, channels)
        self.dropout = dropout

    def forward(self, hidden: Tensor) -> Tensor:
        wide = torch.relu(self.wide(hidden))
        if self.training:  # dropout of whole channels: single values are slow to draw
            kept = torch.rand(len(wide), 1, wide.shape[2]) >= self.dropout
            wide = wide * (kept / (1 - self.dropout))
        return hidden + self.back(wide)


class Net(nn.Module):
    """The network, (B, T, 198) to logits (B, T, 5); `EventNet` reads its state."""

    def __init__(self, channels: int = 48, blocks: int = 9, dropout: float = 0.1) -> None:
        super().__init__()
        self.first = Convolution(INPUTS, channels, 3)
        self.blocks = nn.ModuleList(Block(channels, 2**block, dropout) for block in range(blocks))
        self.last = Convolution(channels, len(OUTPUTS))
        nn.init.constant_(self.last.bias, INITIAL_BIAS)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = torch.relu(self.first(inputs))
        for block in self.blocks:
            hidden = block(hidden)
        return self.last(hidden)
