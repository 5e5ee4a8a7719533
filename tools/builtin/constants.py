"""Constant tensors where they are needed: copied to a device once, since every copy would make it wait."""

from functools import cache

import torch
from torch import Tensor

__all__ = ["on"]


@cache
def on(device: torch.device, constant: Tensor) -> Tensor:
    """Return a constant on a device, the same tensor every time."""
    return constant.to(device)
