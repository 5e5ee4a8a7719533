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

MAX_KNOT_BYTES = 2**29
"""Of the knots of all tracks; beyond it those used longest ago are given up, and drawn again when needed."""

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
        self._knots: dict[tuple[str, tuple[int, ...]], F32] = {}
        self._gains: dict[tuple[frozenset[str] | None, tuple[MaskOf, ...]], F32] = {}

    def at(self, terms: Sequence[Term], times: F64, grid: Grid) -> dict[str, F32]:
        """Sum terms at some times (B,) s; float32 (B, 1, H, W) for each layer."""
        rows = -(-len(times) // ROWS) * ROWS  # whole products
        flat = [np.empty((rows, height * width), np.float32) for height, width in self._sizes.values()]
        fresh = True
        for term in terms if flat else []:  # StyleGAN3 takes none
            weights, numbers = _weights(term, times, grid)
            if numbers:
                weights = np.pad(weights, ((0, rows - len(times)), (0, 0)))
                _add(weights, self._knots_of(term.track.key, numbers), self._gain(term), flat, fresh=fresh)
                fresh = False
        for noise in flat if fresh else []:
            noise[:] = 0
        return {
            layer: noise[: len(times)].reshape(-1, 1, height, width)
            for noise, (layer, (height, width)) in zip(flat, self._sizes.items(), strict=True)
        }

    def _knots_of(self, track: str, numbers: tuple[int, ...]) -> F32:
        """Return some knots of a track for all layers, one after the other, (K, pixels)."""
        key = (track, numbers)
        if key in self._knots:
            self._knots[key] = self._knots.pop(key)  # now the last used
            return self._knots[key]
        own = [other for other in self._knots if other[0] == track]
        known = {
            number: row for other in own for number, row in zip(other[1], self._knots[other], strict=True)
        }
        made = np.stack([known[n] if n in known else self._knot(track, n) for n in numbers])
        if len(own) >= KEPT_MOMENTS:
            del self._knots[own[0]]
        self._knots[key] = made
        while sum(knots.nbytes for knots in self._knots.values()) > MAX_KNOT_BYTES and len(self._knots) > 1:
            del self._knots[next(iter(self._knots))]
        return made

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


def _weights(term: Term, times: F64, grid: Grid) -> tuple[F32, tuple[int, ...]]:
    """Return the weights of a term's knots at some times (B, K), and which knots those are."""
    position, period = positions(term.track, times, grid)
    first = np.floor(position).astype(int)
    splines = _spline(position - first)
    for factor in term.factors:
        splines = splines * factor[:, None]
    used = first[:, None] + np.arange(KNOTS)
    used = used % period if period else used
    numbers = np.unique(used[splines != 0])
    weights = np.zeros((len(times), len(numbers) + 1))
    for column in range(KNOTS):  # no knot appears twice in a row
        place = np.where(splines[:, column] != 0, np.searchsorted(numbers, used[:, column]), len(numbers))
        weights[np.arange(len(times)), place] = splines[:, column]
    return weights[:, :-1].astype(np.float32), tuple(numbers.tolist())


def _add(weights: F32, knots: F32, gain: F32 | None, layers: Sequence[F32], *, fresh: bool) -> None:
    """Add a term to the noise of all layers, (B, pixels) each; where that is fresh, there is none yet."""
    start = 0
    for noise in layers:
        end = start + noise.shape[1]
        for first in range(start, end, STRETCH):
            places = slice(first, min(first + STRETCH, end))
            for row in range(0, len(noise), ROWS):
                some = slice(row, row + ROWS)
                sums = noise[some, places.start - start : places.stop - start]
                term = np.matmul(weights[some], knots[:, places], out=sums if fresh else None)
                if gain is not None:
                    term *= gain[places]
                if not fresh:
                    sums += term
        start = end


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
