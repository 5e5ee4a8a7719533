"""Noise for a window of frames: tracks of random knots, blended, masked and cut to every layer's size.

A track at (layer) is knots N_k = f(seed, key, layer, k) joined by a cubic B-spline. The spline's four
weights are divided by the root of their sum of squares, so the variance is 1 at every moment and the motion
is smooth. Knots are indexed by seconds or bars; a loop takes k modulo.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np

from clavilux.arrays import F32, F64
from clavilux.curves import Grid
from clavilux.patches.moments import MaskOf
from clavilux.patches.ops.noise import Term, Track
from clavilux.seeds import normal

__all__ = ["NoiseSource", "positions"]

KNOTS = 4
"""Knots that are blended at a moment, and the fewest in a loop."""

KEPT_KNOTS = 8
"""Knots of a track kept in memory: those around one moment, and around the moments of a crossfade."""
MAX_KNOT_BYTES = 2**29
"""Of all tracks: those of more than a patch has who draws with a dozen are drawn again."""


class NoiseSource:
    """Draws the noise of some layers.

    Args:
        sizes: height and width of every layer's noise, in order.
        seed: chooses the noise.
    """

    def __init__(self, sizes: Mapping[str, tuple[int, int]], seed: int) -> None:
        self._sizes, self._seed = dict(sizes), seed
        self._pixels = sum(height * width for height, width in sizes.values())
        self._knots: OrderedDict[tuple[str, int], F32] = OrderedDict()
        self._gains: dict[tuple[frozenset[str] | None, tuple[MaskOf, ...]], F32] = {}

    def at(self, terms: Sequence[Term], times: F64, grid: Grid) -> dict[str, F32]:
        """Sum terms at some times (B,) s; float32 (B, 1, H, W) for each layer."""
        if not self._sizes:  # StyleGAN3 takes none
            return {}
        flat = np.empty((len(times), self._pixels), np.float32)
        places = [positions(term.track, times, grid) for term in terms]
        gains = [self._gain(term) for term in terms]
        for row in range(len(times)):
            self._frame(flat[row], row, list(zip(terms, places, gains, strict=True)))
        return self._split(flat)

    def _frame(self, out: F32, row: int, terms: list[tuple[Term, tuple[F64, int], F32 | None]]) -> None:
        fresh = True
        for term, (position, period), gain in terms:
            first = int(np.floor(position[row]))
            weights = _spline(position[row] - first)
            for factor in term.factors:
                weights = weights * factor[row]
            for k, weight in enumerate(weights, first):
                if not weight:
                    continue
                knot = self._knot(term.track.key, k % period if period else k)
                knot = knot if gain is None else gain * knot
                if fresh:
                    np.multiply(knot, np.float32(weight), out=out)
                    fresh = False
                else:
                    out += np.float32(weight) * knot
        if fresh:
            out[:] = 0

    def _knot(self, track: str, index: int) -> F32:
        """Return knot `index` of a track for all layers, one after the other."""
        key = (track, index)
        if key not in self._knots:
            self._knots[key] = np.concatenate(
                [
                    normal(self._seed, f"noise/{track}/{layer}", index, (height * width,))
                    for layer, (height, width) in self._sizes.items()
                ]
            )
            same = [other for other in self._knots if other[0] == track]
            if len(same) > KEPT_KNOTS:
                del self._knots[same[0]]
            if len(self._knots) > max(KEPT_KNOTS, MAX_KNOT_BYTES // (4 * self._pixels)):
                self._knots.popitem(last=False)  # the one that was used longest ago
        self._knots.move_to_end(key)
        return self._knots[key]

    def _gain(self, term: Term) -> F32 | None:
        """Return what a term's masks and layers multiply every pixel by; none where that is 1 everywhere."""
        if term.layers is None and not term.masks:
            return None
        key = (term.layers, term.masks)
        if key in self._gains:
            return self._gains[key]
        parts = []
        for layer, (height, width) in self._sizes.items():
            down, across = np.mgrid[:height, :width]
            gain = np.full((height, width), float(term.layers is None or layer in term.layers))
            for mask in term.masks:
                gain = gain * mask((across + 0.5) / width, (down + 0.5) / height)
            parts.append(gain.ravel())
        self._gains[key] = np.concatenate(parts).astype(np.float32)
        return self._gains[key]

    def _split(self, flat: F32) -> dict[str, F32]:
        layers, start = {}, 0
        for layer, (height, width) in self._sizes.items():
            layers[layer] = flat[:, start : start + height * width].reshape(-1, 1, height, width)
            start += height * width
        return layers


def positions(track: Track, times: F64, grid: Grid) -> tuple[F64, int]:
    """Return where a track is at some times, (B,) in knots, and after how many knots it repeats, 0 for never.

    A loop has a whole number of knots, as near to the track's spacing as that allows.
    """
    if not track.loop:
        return (times if track.unit == "seconds" else grid.bar_at(times)) / track.spacing, 0
    bar_seconds = 60 / grid.tempo * grid.beats_per_bar
    unit = {"seconds": 1.0, "bars": bar_seconds}
    period = max(round(track.loop * unit[track.loop_unit] / (track.spacing * unit[track.unit])), KNOTS)
    clock = times if track.loop_unit == "seconds" else grid.bar_at(times)
    return clock / track.loop * period, period


def _spline(t: float) -> F64:
    """Return the weights of four knots at t in [0, 1): a cubic B-spline, scaled to sum of squares 1."""
    weights = np.array([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3])
    return np.asarray(weights / np.sqrt((weights**2).sum()))
