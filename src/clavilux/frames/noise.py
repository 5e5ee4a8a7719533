"""Noise for a window of frames: tracks of random knots, blended, masked and cut to every layer's size.

A track at (layer) is knots N_k = f(seed, key, layer, k) joined by a cubic B-spline. The spline's four
weights are divided by the root of their sum of squares, so the variance is 1 at every moment and the motion
is smooth. Knots are indexed by seconds or bars; a loop takes k modulo.
"""

from collections.abc import Iterator, Mapping, Sequence

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

MOST_KNOTS = 7
"""Knots of a product: from 8 on it is summed in another order, and rounds otherwise."""


class NoiseSource:
    """Draws the noise of some layers.

    Frames are sums of knots, so those of a window are a matrix product: weights of all frames by knots.

    Args:
        sizes: height and width of every layer's noise, in order.
        seed: chooses the noise.
    """

    def __init__(self, sizes: Mapping[str, tuple[int, int]], seed: int) -> None:
        self._sizes, self._seed = dict(sizes), seed
        self._knots: dict[str, dict[int, dict[int, F32]]] = {}  # of each track, by the call that used them
        self._call = 0
        self._gains: dict[tuple[frozenset[str] | None, tuple[MaskOf, ...]], list[F32 | None]] = {}

    def at(self, terms: Sequence[Term], times: F64, grid: Grid) -> dict[str, F32]:
        """Sum terms at some times (B,) s; float32 (B, 1, H, W) for each layer."""
        self._call += 1
        rows = -(-len(times) // ROWS) * ROWS  # whole products
        flat = [np.empty((rows, height * width), np.float32) for height, width in self._sizes.values()]
        summed = [False] * len(flat)
        for term in terms if flat else []:  # StyleGAN3 takes none
            weights, numbers = _weights(term, times, grid)
            if numbers:
                weights = np.pad(weights, ((0, rows - len(times)), (0, 0)))
                _add(weights, self._knots_of(term.track.key, numbers), self._gains_of(term), flat, summed)
        for noise, there in zip(flat, summed, strict=True):
            if not there:
                noise[:] = 0
        return {
            layer: noise[: len(times)].reshape(-1, 1, height, width)
            for noise, (layer, (height, width)) in zip(flat, self._sizes.items(), strict=True)
        }

    def _knots_of(self, track: str, numbers: tuple[int, ...]) -> list[F32]:
        """Return some knots of a track for all layers, one after the other, (pixels,) each."""
        moments = self._knots.pop(track, {})
        known = {number: knot for knots in moments.values() for number, knot in knots.items()}
        found = {
            number: known[number] if number in known else self._knot(track, number) for number in numbers
        }
        moments.setdefault(self._call, {}).update(found)
        if len(moments) > KEPT_MOMENTS:
            del moments[next(iter(moments))]
        self._knots[track] = moments  # now the last used
        while len(self._knots) > 1 and self._bytes() > MAX_KNOT_BYTES:
            del self._knots[next(iter(self._knots))]
        return list(found.values())

    def _bytes(self) -> int:
        tracks = self._knots.values()
        kept = {id(knot): knot for moments in tracks for knots in moments.values() for knot in knots.values()}
        return sum(knot.nbytes for knot in kept.values())

    def _knot(self, track: str, number: int) -> F32:
        """Draw a knot of a track for all layers, one after the other."""
        areas = {layer: height * width for layer, (height, width) in self._sizes.items()}
        knot, start = np.empty(sum(areas.values()), np.float32), 0
        for layer, area in areas.items():
            normal(self._seed, f"noise/{track}/{layer}", number, (area,), out=knot[start : start + area])
            start += area
        return knot

    def _gains_of(self, term: Term) -> list[F32 | None]:
        """Return by what a term is multiplied in every layer, (pixels,) or (1,); none where it is not."""
        key = (term.layers, term.masks)
        if key not in self._gains:
            self._gains[key] = [
                _gain(term.masks, *size) if term.layers is None or layer in term.layers else None
                for layer, size in self._sizes.items()
            ]
        return self._gains[key]


def _gain(masks: Sequence[MaskOf], height: int, width: int) -> F32:
    """Return the product of masks on a layer, (pixels,); without one, (1,) of one."""
    if not masks:
        return np.ones(1, np.float32)
    down, across = np.mgrid[:height, :width]
    product = np.ones((height, width))
    for mask in masks:
        product = product * mask((across + 0.5) / width, (down + 0.5) / height)
    return product.ravel().astype(np.float32)


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


def _add(
    weights: F32,
    knots: Sequence[F32],
    gains: Sequence[F32 | None],
    layers: Sequence[F32],
    summed: list[bool],
) -> None:
    """Add a term to the noise of its layers, (B, pixels) each; of those not summed yet it is the first."""
    products = []
    for row in range(0, len(weights), ROWS):
        some = slice(row, row + ROWS)
        for number, part in enumerate(_parts(weights[some])):
            used = np.flatnonzero(part.any(axis=0)).tolist() or [0]  # all 0: any knot
            products.append((some, number == 0, np.ascontiguousarray(part[:, used]), used))
    start = 0
    for index, (noise, gain) in enumerate(zip(layers, gains, strict=True)):
        own = [knot[start : start + noise.shape[1]] for knot in knots]
        start += noise.shape[1]
        if gain is not None:
            for some, first, part, used in products:
                fresh = first and not summed[index]
                _add_product(part, [own[k] for k in used], gain, noise[some], fresh=fresh)
            summed[index] = True


def _parts(weights: F32) -> Iterator[F32]:
    """Split weights (B, K) into some whose sum they are, each of no more knots than a product may have."""
    first = 0
    for last in range(1, len(weights) + 1):
        whole = last == len(weights)
        if whole or np.count_nonzero(weights[first : last + 1].any(axis=0)) > MOST_KNOTS:
            part = np.zeros_like(weights)
            part[first:last] = weights[first:last]
            first = last
            yield part


def _add_product(weights: F32, knots: Sequence[F32], gain: F32, noise: F32, *, fresh: bool) -> None:
    for first in range(0, noise.shape[1], STRETCH):
        places = slice(first, first + STRETCH)
        sums = noise[:, places]
        stretch = np.stack([knot[places] for knot in knots])
        term = np.matmul(weights, stretch, out=sums if fresh else None)
        if len(gain) > 1:
            term *= gain[places]
        if not fresh:
            sums += term


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
