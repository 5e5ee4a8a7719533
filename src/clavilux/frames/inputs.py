"""Latents and noise for a window of frames.

A frame's inputs are a function of the project and the frame's number alone: they are bit-equal in whichever
window they are computed. Sums therefore run in a fixed order per frame, never through a matrix product whose
rounding may depend on the window's size.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clavilux.patch.latents import LatentField, Loop, Mix, On, Palette, Toward, Weigh
from clavilux.patch.noise import NoiseField
from clavilux.profile.palettes import PaletteLatents
from clavilux.seeds import normal
from clavilux.signals.evaluate import Evaluation
from clavilux.signals.expr import Signal
from clavilux.timeline import Window

__all__ = ["BoundLatents", "BoundNoise", "NoiseTrack"]

Floats = NDArray[np.float32]

MAX_GAIN = 1.6
"""How far a blend of several pictures may be stretched back to the spread of one."""

LOUD_SHARE = 0.1
"""Sum of the weights from which a blend belongs wholly to its pictures, below it partly to the rest."""


@dataclass(frozen=True)
class BoundLatents:
    """A latent field with its palettes resolved.

    Attributes:
        field: the symbolic field.
        evaluation: signals of the song.
        palettes: the latents each palette stands for.
        groups: w indices of each layer group.
        num_ws: number of w indices, L.
        w_avg: the model's mean latent, (D,).
        psi: truncation, applied here and nowhere else.
    """

    field: LatentField
    evaluation: Evaluation
    palettes: Mapping[Palette, PaletteLatents]
    groups: Mapping[str, range]
    num_ws: int
    w_avg: Floats
    psi: float

    def at(self, window: Window) -> Floats:
        """Compute the latents of a window's frames, truncated; float32 (B, L, D)."""
        ws = np.broadcast_to(
            self._field(self.field, window.edges), (window.count, self.num_ws, len(self.w_avg))
        )
        return np.asarray(self.w_avg + self.psi * (ws - self.w_avg), np.float32)

    def _field(self, field: LatentField, edges: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute a field, (B, L, D), or (B, 1, D) where all layers agree."""
        match field:
            case Weigh():
                return self._weigh(field, edges)
            case Loop():
                return self._loop(field, edges)
            case Mix():
                first, second = self._field(field.first, edges), self._field(field.second, edges)
                return np.asarray(first + self._amount(field.amount, edges) * (second - first))
            case Toward():
                base = self._field(field.base, edges)
                target = getattr(self.palettes[field.entry.palette], field.entry.name)
                return np.asarray(base + self._amount(field.amount, edges) * (target - base))
            case On():
                base, other = self._field(field.base, edges), self._field(field.other, edges)
                whole = np.broadcast_to(base, (len(base), self.num_ws, base.shape[2])).copy()
                layers = self.groups[field.group]
                whole[:, layers.start : layers.stop] = other if other.shape[1] == 1 else other[:, layers]
                return whole
        raise TypeError(type(field).__name__)

    def _amount(self, signal: Signal, edges: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.evaluation.frames(signal, edges)[:, :1, None]

    def _weigh(self, field: Weigh, edges: NDArray[np.float64]) -> NDArray[np.float64]:
        """Blend around the palette's mean and undo the shrinking that averaging brings.

        w = P + g sum c_i (W_i - P) + (1 - sum c)(rest - P), g = min(1.6, (sum c_i^2)^-1/2).
        """
        palette = self.palettes[field.palette]
        weights = np.maximum(self.evaluation.frames(field.weights, edges), 0)
        shares = weights / np.maximum(weights.sum(axis=1, keepdims=True), LOUD_SHARE)
        total = shares.sum(axis=1, keepdims=True)
        gain = np.minimum(MAX_GAIN, 1 / np.sqrt(np.maximum((shares**2).sum(axis=1, keepdims=True), 1e-12)))
        centre = palette.ring.mean(axis=0, dtype=np.float64)
        blend = (
            centre + _weighted(gain * shares, palette.ring - centre) + (1 - total) * (palette.rest - centre)
        )
        return np.asarray(blend[:, None])

    def _loop(self, field: Loop, edges: NDArray[np.float64]) -> NDArray[np.float64]:
        """Follow the closed Catmull-Rom spline through the ring, neighbours a fifth apart."""
        ring = self.palettes[field.palette].ring[[7 * k % 12 for k in range(12)]].astype(np.float64)
        position = self.evaluation.song.grid.bar_at(edges[:-1]) / field.bars * len(ring)
        step = np.floor(position)
        t = position - step
        spline = np.stack(
            [
                (-(t**3) + 2 * t**2 - t) / 2,
                (3 * t**3 - 5 * t**2 + 2) / 2,
                (-3 * t**3 + 4 * t**2 + t) / 2,
                (t**3 - t**2) / 2,
            ],
            axis=1,
        )
        knots = (step[:, None].astype(np.int64) + np.arange(-1, 3)) % len(ring)
        return np.asarray((spline[:, :, None] * ring[knots]).sum(axis=1)[:, None])


def _weighted(weights: NDArray[np.float64], latents: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum latents (K, D) by weights (B, K), each frame in the same order whatever B."""
    return np.asarray((weights[:, :, None] * latents).sum(axis=1))


class NoiseTrack:
    """Unit-variance noise that drifts: random knots joined by a cubic B-spline.

    The spline's four weights are divided by the root of their sum of squares, so the variance is 1 at every
    moment and the motion has no corners. Knots one `seconds` apart make the noise half changed after
    0.96 `seconds` (the width of the spline's autocorrelation).
    """

    KNOTS = 4

    def __init__(self, draw: Callable[[int], Floats], seconds: float) -> None:
        self._draw = draw
        self._seconds = seconds
        self._kept: OrderedDict[int, Floats] = OrderedDict()

    def at(self, time: float) -> tuple[NDArray[np.float64], list[Floats]]:
        """Return the four weights and the four knots whose weighted sum is the noise at `time` seconds."""
        position = time / self._seconds
        first = int(np.floor(position))
        t = position - first
        spline = np.array([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3])
        return spline / np.sqrt((spline**2).sum()), [self._knot(first + k) for k in range(self.KNOTS)]

    def _knot(self, index: int) -> Floats:
        if index not in self._kept:
            self._kept[index] = self._draw(index)
            while len(self._kept) > self.KNOTS + 1:
                self._kept.popitem(last=False)
        return self._kept[index]


class BoundNoise:
    """A noise field at the sizes a program wants."""

    def __init__(
        self, field: NoiseField, evaluation: Evaluation, shapes: Mapping[str, tuple[int, int]], seed: int
    ) -> None:
        self._field = field
        self._evaluation = evaluation
        self._shapes = dict(shapes)
        self._slow = self._track("slow", field.seconds, seed)
        self._fast = None if field.fast_seconds is None else self._track("fast", field.fast_seconds, seed)

    def at(self, window: Window) -> dict[str, Floats]:
        """Compute the noise of a window's frames for every layer; float32 (B, 1, H, W) each."""
        amount = self._evaluation.frames(self._field.amount, window.edges)[:, 0]
        haste = np.clip(self._evaluation.frames(self._field.haste, window.edges)[:, 0], 0, 1)
        size = sum(height * width for height, width in self._shapes.values())
        flat = np.empty((window.count, size), np.float32)
        for row, time, level, hurry in zip(flat, window.times, amount, haste, strict=True):
            self._frame(row, time, level, hurry)
        return self._split(flat)

    def _frame(self, row: Floats, time: float, level: float, haste: float) -> None:
        """Write one frame: both tracks at constant power, cos^2 + sin^2 = 1."""
        weights, knots = self._slow.at(time)
        weights = weights * level * np.cos(haste * np.pi / 2)
        if self._fast is not None:
            fast_weights, fast_knots = self._fast.at(time)
            weights = np.concatenate([weights, fast_weights * level * np.sin(haste * np.pi / 2)])
            knots = knots + fast_knots
        np.multiply(knots[0], np.float32(weights[0]), out=row)
        for weight, knot in zip(weights[1:], knots[1:], strict=True):
            if weight:
                row += np.float32(weight) * knot

    def _track(self, name: str, seconds: float, seed: int) -> NoiseTrack:
        def draw(index: int) -> Floats:
            return np.concatenate(
                [
                    normal(seed, f"noise/{name}/{layer}", index, (height * width,))
                    for layer, (height, width) in self._shapes.items()
                ]
            )

        return NoiseTrack(draw, seconds)

    def _split(self, flat: Floats) -> dict[str, Floats]:
        layers, start = {}, 0
        for layer, (height, width) in self._shapes.items():
            layers[layer] = flat[:, start : start + height * width].reshape(-1, 1, height, width)
            start += height * width
        return layers
