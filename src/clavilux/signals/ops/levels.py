"""From a value to a value: limits, thresholds, steps and response curves, the same at every moment."""

import numpy as np

from clavilux.arrays import F64
from clavilux.signals.table import Param, choice, number, op, whole

__all__: list[str] = []

LARGEST = 1e6
"""Largest level that an op compares a signal with."""


def _level(default: float) -> Param:
    """Declare a parameter that is a value of the signal itself, or of what it becomes."""
    return number(default, -LARGEST, LARGEST)


@op("signal", "signal", sampling="pointwise", params={"low": _level(0), "high": _level(1)})
def clip(curve: F64, *, low: float, high: float) -> F64:
    """Limit to the range from `low` to `high`."""
    return np.clip(curve, low, high)


@op("signal", "signal", sampling="pointwise", params={"threshold": _level(0.5), "ratio": number(4, 1, 100)})
def compress(curve: F64, *, threshold: float, ratio: float) -> F64:
    """Weaken what is above the threshold: of what exceeds it, one part in `ratio` is left."""
    over = np.maximum(curve - threshold, 0)
    return np.asarray(curve - over + over / ratio)


@op("signal", "signal", sampling="pointwise", params={"threshold": _level(0.5), "ratio": number(2, 1, 100)})
def expand(curve: F64, *, threshold: float, ratio: float) -> F64:
    """Push what is below the threshold `ratio` times as far below it, but not past 0."""
    below = np.maximum(threshold - curve, 0)
    return np.where(below > 0, np.maximum(threshold - below * ratio, np.minimum(curve, 0)), curve)


@op("signal", "signal", sampling="pointwise", params={"level": _level(0.5), "soft": number(0, 0, LARGEST)})
def threshold(curve: F64, *, level: float, soft: float) -> F64:
    """Switch from 0 to 1 at a level, or pass smoothly in a range around it that is `soft` wide."""
    if soft == 0:
        return np.asarray(curve >= level, np.float64)
    x = np.clip((curve - level) / soft + 0.5, 0, 1)
    return np.asarray(x * x * (3 - 2 * x))  # smoothstep


@op("signal", "signal", sampling="pointwise", params={"steps": whole(..., 1, 1024)})
def quantize(curve: F64, steps: int) -> F64:
    """Round to the nearest of so many steps from 0 to 1, and on beyond them."""
    return np.asarray(np.floor(curve * steps + 0.5) / steps)


@op(
    "signal",
    "signal",
    sampling="pointwise",
    params={"low": _level(0), "high": _level(1), "to_low": _level(0), "to_high": _level(1)},
)
def map_range(curve: F64, *, low: float, high: float, to_low: float, to_high: float) -> F64:
    """Map the range from `low` to `high` evenly onto another; values outside are those at its ends.

    Either range may be upside down. One of no width is a step: `to_low` below it, `to_high` from it on.
    """
    if low == high:
        return np.where(curve < low, to_low, to_high)
    x = np.clip((curve - low) / (high - low), 0, 1)
    return np.asarray(to_low + x * (to_high - to_low))


@op(
    "signal",
    "signal",
    sampling="pointwise",
    params={"shape": choice("in", "out", "in_out", default="in_out"), "by": number(2, 1, 10)},
)
def ease(curve: F64, *, shape: str, by: float) -> F64:
    """Ease the way from 0 to 1 as animators do: slow at its start ('in'), at its end, or at both.

    `by` is the power of the curve, 1 a straight line. Values outside of 0 to 1 are clipped.
    """
    x = np.clip(curve, 0, 1)
    if shape == "in":
        return np.asarray(x**by)
    if shape == "out":
        return np.asarray(1 - (1 - x) ** by)
    half = np.minimum(x, 1 - x) * 2  # Penner 2002: the same ease in both halves, the second turned round
    return np.where(x < 0.5, half**by / 2, 1 - half**by / 2)
