"""Palettes that match something given: an image's colours, another palette, or a list of latents.

All of them are completed from the model's survey, so that every palette has a rest and an accent.
"""

import numpy as np

from clavilux import seeds
from clavilux.arrays import F32, F64
from clavilux.patches.palette_latents import PaletteLatents, on_ring
from clavilux.profile.palettes import PALETTE, in_fifths, rest_and_accents, without_outliers
from clavilux.profile.similarity import colour_distances, distances_of
from clavilux.profile.survey import Survey

__all__ = ["distinct_latents", "match_colours", "match_palette", "palette_of_list"]

NEAREST = 16
"""Images in an image's colours, of which the seed chooses twelve."""
TAKES = 1.0
"""How far the seed may look past the nearest image of a variant, as a share of its distance."""


def match_colours(pool: Survey, lab: F32, *, seed: int = 0) -> PaletteLatents:
    """Choose a palette in the colours of an image (1, 16, 16, 3), CIELAB.

    The seed chooses twelve of the sixteen images whose colours are nearest, compared as distributions.
    """
    random = seeds.generator(seed, "palette/image")
    order = np.argsort(colour_distances(pool.lab, lab)[:, 0], kind="stable")
    chosen = np.sort(random.choice(order[:NEAREST], PALETTE.ring, replace=False))
    near = order[: max(len(order) // 3, 2 * PALETTE.ring)]  # among which are rest and accent
    distances = distances_of(pool)
    ring = in_fifths(distances, chosen)
    rest, *accents = rest_and_accents(pool, distances, chosen, near, near)
    return PaletteLatents(pool.ws[ring], pool.ws[rest], pool.ws[random.choice(accents)])


def match_palette(pool: Survey, given: Survey, palette: PaletteLatents, *, seed: int = 0) -> PaletteLatents:
    """Replace every latent of a palette by that of a similar image of the pool.

    None stays what it was, and those of ring, rest and accent differ from each other where they did. The
    nearest images are assigned so that the sum of all distances is smallest (Kuhn 1955); the seed stretches
    each distance by up to twice, so each is another take.

    Args:
        pool: the model's survey.
        given: the palette's images, those that `distinct_latents` lists, in that order.
        palette: which is varied.
        seed: chooses the take.
    """
    from scipy.optimize import linear_sum_assignment  # takes half a second to import

    count = len(given.ws)
    gaps = distances_of(_joined(given, pool))[:count, count:]
    gaps = gaps * (1 + TAKES * seeds.uniform(seed, "palette/variant", 0, gaps.shape))
    gaps[:, _is_one_of(pool.ws, given.ws)] = gaps.max() * count + 1  # only where nothing else is left
    first = len(distinct_latents(palette, named=False))
    rows, columns = linear_sum_assignment(gaps[:first])
    other = gaps.argmin(axis=1)
    other[rows] = columns
    new = {latent.tobytes(): pool.ws[k] for latent, k in zip(given.ws, other, strict=True)}
    return PaletteLatents(
        np.stack([new[latent.tobytes()] for latent in palette.ring]),
        new[palette.rest.tobytes()],
        new[palette.accent.tobytes()],
        {name: new[latent.tobytes()] for name, latent in palette.named.items()},
    )


def distinct_latents(palette: PaletteLatents, *, named: bool = True) -> F32:
    """List a palette's latents once each: those of ring, rest and accent first; (K, D)."""
    listed = [*palette.ring, palette.rest, palette.accent, *(palette.named.values() if named else ())]
    return np.stack([*{latent.tobytes(): latent for latent in listed}.values()])


def palette_of_list(pool: Survey, given: Survey, images: F32) -> PaletteLatents:
    """Make a palette of latents (K, D): spread over the ring, numbered from '1', completed from the pool.

    Args:
        pool: the model's survey, in which rest and accent are found.
        given: at most twelve of the images, those of the ring.
        images: all of them.
    """
    other = ~_is_one_of(pool.ws, given.ws)
    rest_of_pool = Survey(pool.ws[other], pool.lab[other], pool.energy[other])
    both = _joined(given, rest_of_pool)
    distances: F64 = distances_of(both)
    chosen, count = np.arange(len(given.ws)), len(given.ws)
    usual = count + without_outliers(rest_of_pool, distances[count:, count:])
    rest, accent, *_ = rest_and_accents(both, distances, chosen, usual, usual)
    named = {str(k): latent for k, latent in enumerate(images, 1)}
    return PaletteLatents(on_ring(images), both.ws[rest], both.ws[accent], named)


def _joined(given: Survey, pool: Survey) -> Survey:
    """Join two surveys; where the given latents differ from layer to layer, the pool's are repeated."""
    ws = pool.ws if given.ws.ndim == 2 else np.repeat(pool.ws[:, None], given.ws.shape[1], axis=1)
    return Survey(
        np.concatenate([given.ws, ws]),
        *(np.concatenate([getattr(each, name) for each in (given, pool)]) for name in ("lab", "energy")),
    )


def _is_one_of(ws: F32, others: F32) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    known = {latent.tobytes() for latent in others}
    return np.array([latent.tobytes() in known for latent in ws])
