"""How unlike images look: by their colours, their layout and their detail.

Colours are CIELAB under D65, on the coarse grid of a survey, (N, 16, 16, 3); distances are (N, M).
"""

import functools

import numpy as np

from clavilux import seeds
from clavilux.arrays import F32, F64
from clavilux.profile.survey import Survey

__all__ = ["colour_distances", "distances_of"]

SLICES = 16
"""Directions in which colour distributions are compared."""


@functools.lru_cache(maxsize=2)
def distances_of(pool: Survey) -> F64:
    """Compute how unlike the images look: colours first, then layout, then energy; (N, N), median 1.7.

    Those of the latest pools are kept, and must not be written to.
    """
    colours = _colours(pool.lab)
    # mean lightness on an 8 x 8 grid, without that of the whole image
    layout = pool.lab[..., 0].reshape(-1, 8, 2, 8, 2).mean(axis=(2, 4)).reshape(len(pool.lab), -1)
    layout = layout - layout.mean(axis=1, keepdims=True)
    terms = ((1.0, colours), (0.5, layout), (0.2, pool.energy[:, None]))
    found = np.asarray(sum(share * _median_one(_distances(term, term)) for share, term in terms))
    found.flags.writeable = False
    return found


def colour_distances(first: F32, second: F32) -> F64:
    """Compare colours (N, 16, 16, 3) and (M, 16, 16, 3) as distributions, wherever they are; (N, M).

    >>> black, white = np.zeros((1, 16, 16, 3)), np.full((1, 16, 16, 3), (100, 0, 0))
    >>> float(colour_distances(black, black)[0, 0]), float(colour_distances(black, white)[0, 0]) > 0
    (0.0, True)
    """
    return _distances(_colours(first), _colours(second))


def _colours(lab: F32) -> F64:
    """Describe the distributions of colours so that they are compared by sliced Wasserstein distance.

    Rabin et al. 2011; (N, 32 * 16).
    """
    pixels = lab.reshape(len(lab), -1, 3).astype(np.float64)  # (N, 256, 3)
    directions = seeds.normal(0, "generator/slices", 0, (3, SLICES))
    directions /= np.linalg.norm(directions, axis=0)
    # SW(p, q)^2 = mean over directions d of |sort(p . d) - sort(q . d)|^2; every eighth rank
    ranks = np.sort(np.einsum("npc,cd->npd", pixels, directions), axis=1)[:, 4::8]
    return np.asarray(ranks.reshape(len(pixels), -1))


def _distances(first: F32 | F64, second: F32 | F64) -> F64:
    """Return Euclidean distances of rows (N, D) and (M, D), (N, M).

    Squares are summed in the order of `scipy.spatial.distance.cdist`, bit for bit, as a palette's order hangs
    on it; that takes a third of a second to import.
    """
    total = np.zeros((len(first), len(second)))
    for x, y in zip(first.T.astype(np.float64), second.T.astype(np.float64), strict=True):
        step = x[:, None] - y
        total += step * step
    return np.sqrt(total)


def _median_one(distances: F64) -> F64:
    return distances / max(float(np.median(distances)), 1e-9)
