"""Two curves become one, value by value."""

import numpy as np

from clavilux.arrays import F64
from clavilux.signals.table import op

__all__: list[str] = []


@op("signal", "signal", "signal", "signal", sampling="pointwise", style="function")
def mix(first: F64, second: F64, amount: F64) -> F64:
    """Blend from the first to the second as `amount` rises from 0 to 1."""
    return first + amount * (second - first)


@op("signal", "signal", "signal", sampling="pointwise", symbol="+")
def add(first: F64, second: F64) -> F64:
    """Add two signals."""
    return first + second


@op("signal", "signal", "signal", sampling="pointwise", symbol="-")
def subtract(first: F64, second: F64) -> F64:
    """Subtract the second signal from the first."""
    return first - second


@op("signal", "signal", "signal", sampling="pointwise", symbol="*")
def multiply(first: F64, second: F64) -> F64:
    """Multiply two signals."""
    return first * second


@op("signal", "signal", "signal", sampling="pointwise", symbol="/")
def divide(first: F64, second: F64) -> F64:
    """Divide the first signal by the second; 0 where the second is 0."""
    return np.divide(first, second, out=np.zeros(np.broadcast(first, second).shape), where=second != 0)


@op("signal", "signal", "signal", sampling="pointwise")
def min_(first: F64, other: F64) -> F64:
    """Take the lower of two signals at every moment."""
    return np.minimum(first, other)


@op("signal", "signal", "signal", sampling="pointwise")
def max_(first: F64, other: F64) -> F64:
    """Take the higher of two signals at every moment."""
    return np.maximum(first, other)
