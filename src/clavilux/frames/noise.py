"""Noise for a window of frames: tracks of random knots, blended, masked and cut to every layer's size.

A track at (layer) is knots N_k = f(seed, key, layer, k) joined by a cubic B-spline. The spline's four
weights are divided by the root of their sum of squares, so the variance is 1 at every moment and the motion
is smooth. Knots are indexed by seconds or bars; a loop takes k modulo.
"""

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

KEPT_MOMENTS = 2
"""Moments around which a track's knots are kept in memory: now, and the other side of a crossfade."""

ROWS, STRETCH = 8, 16384
"""Frames and places of a product: on one core, in its cache. A product of other rows may round otherwise."""


class NoiseSource:
    """Draws the noise of some layers.

    Frames are sums of knots, so those of a window are a matrix product: weights of all frames by knots.

    Args:
        sizes: height and width of every layer's noise, in order.
        seed: chooses the noise.
    """

    def __init__(self, sizes: Mapping[str, tuple[int, int]], seed: int) -> None:
        self._sizes, self._seed = dict(sizes), seed
        self._knots: dict[str, list[tuple[list[int], F32]]] = {}
        self._gains: dict[tuple[frozenset[str] | None, tuple[MaskOf, ...]], F32] = {}

    def at(self, terms: Sequence[Term], times: F64, grid: Grid) -> dict[str, F32]:
        """Sum terms at some times (B,) s; float32 (B, 1, H, W) for each layer."""
        if not self._sizes:  # StyleGAN3 takes none
            return {}
        parts = [(*self._weighed(term, times, grid), self._gain(term)) for term in terms]
        layers, start = {}, 0
        for layer, (height, width) in self._sizes.items():
            end = start + height * width
            rows = -(-len(times) // ROWS) * ROWS
            noise = np.empty((rows, end - start), np.float32)
            for row in range(0, rows, ROWS):
                frames = slice(row, row + ROWS)
                for first in range(0, end - start, STRETCH):
                    places = slice(start + first, min(start + first + STRETCH, end))
                    _add_up(parts, frames, places, noise[frames, first : first + STRETCH])
            layers[layer] = noise[: len(times)].reshape(-1, 1, height, width)
            start = end
        return layers

    def _weighed(self, term: Term, times: F64, grid: Grid) -> tuple[F32, F32]:
        """Return the weights of a term's knots at some times (B, K), and the knots, (K, pixels).

        B is filled up to whole products with zeros.
        """
        position, period = positions(term.track, times, grid)
        firsts = np.floor(position).astype(int)
        spline = np.prod([np.ones(len(times)), *term.factors], axis=0)[:, None] * _spline(position - firsts)
        used = firsts[:, None] + np.arange(KNOTS)
        used = used % period if period else used
        numbers = np.unique(used)
        weights = np.zeros((-(-len(times) // ROWS) * ROWS, len(numbers)))
        for column in range(KNOTS):  # no knot of a moment appears twice
            weights[np.arange(len(times)), np.searchsorted(numbers, used[:, column])] = spline[:, column]
        return weights.astype(np.float32), self._knots_of(term.track.key, numbers.tolist())

    def _knots_of(self, track: str, numbers: list[int]) -> F32:
        """Return some knots of a track for all layers, one after the other, (K, pixels)."""
        kept = self._knots.setdefault(track, [])
        for entry in kept:
            if entry[0] == numbers:
                return entry[1]
        known = {number: row for had, rows in kept for number, row in zip(had, rows, strict=True)}
        knots = np.stack(
            [known[number] if number in known else self._knot(track, number) for number in numbers]
        )
        kept.append((numbers, knots))
        del kept[:-KEPT_MOMENTS]
        return knots

    def _knot(self, track: str, number: int) -> F32:
        """Draw a knot of a track for all layers, one after the other."""
        return np.concatenate(
            [
                normal(self._seed, f"noise/{track}/{layer}", number, (height * width,))
                for layer, (height, width) in self._sizes.items()
            ]
        )

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


def _add_up(parts: Sequence[tuple[F32, F32, F32 | None]], frames: slice, places: slice, out: F32) -> None:
    """Sum the terms of some frames at some places into `out`, (frames, places)."""
    if not parts:
        out[:] = 0
    for k, (weights, knots, gain) in enumerate(parts):
        if k == 0 and gain is None:
            np.matmul(weights[frames], knots[:, places], out=out)
            continue
        term = weights[frames] @ knots[:, places]
        if gain is not None:
            term *= gain[places]
        if k == 0:
            out[:] = term
        else:
            out += term


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


def _spline(t: F64) -> F64:
    """Return the weights (B, 4) of four knots at t (B,) in [0, 1): a cubic B-spline of sum of squares 1."""
    weights = np.array([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3])
    return np.asarray((weights / np.sqrt((weights**2).sum(axis=0))).T)
