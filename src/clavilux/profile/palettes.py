"""Palettes, chosen from a survey of a generator.

A palette is twelve images of the pool that belong together, in an order in which neighbours on the circle of
fifths look alike, with a calm image for silence and a bright one for hits. Colours are CIELAB under D65;
latents are w (N, D), untruncated; distances are (N, N).
"""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clavilux import seeds
from clavilux.arrays import F64, I64
from clavilux.catalogue import FIFTHS, MOODS, Mood
from clavilux.errors import ModelError, suggest
from clavilux.patches.palette_latents import PaletteLatents
from clavilux.profile.similarity import distances_of
from clavilux.profile.survey import SURVEY, Survey

__all__ = [
    "PALETTE",
    "PaletteSpec",
    "choose_palette",
    "in_fifths",
    "in_mood",
    "palette_images",
    "rest_and_accents",
    "without_outliers",
]


@dataclass(frozen=True)
class PaletteSpec:
    """How palettes are chosen; shares and weights are judged by eye on silk and glass.

    Attributes:
        ring: images of the ring, one for each pitch class.
        accents: brightest images among which the seed chooses the accent.
        min_lightness: darker images are omitted, CIELAB L*.
        max_lightness: brighter images are omitted, CIELAB L*.
        usual_share: share of the images that is kept when outliers are omitted.
        neighbour: which nearest image decides what is an outlier.
        vivid_share: share of the images kept without a mood, the dull ones omitted.
        mood_share: share of the images kept for a mood.
        warm_hue: CIELAB hue of orange, radians; its opposite is the cool blue.
    """

    ring: int = len(FIFTHS)
    accents: int = 4
    min_lightness: float = 12.0
    max_lightness: float = 90.0
    usual_share: float = 0.9
    neighbour: int = 5
    vivid_share: float = 0.67
    mood_share: float = 0.4
    warm_hue: float = float(np.deg2rad(50))


PALETTE = PaletteSpec()


def choose_palette(pool: Survey, *, seed: int = 0, mood: Mood | None = None) -> PaletteLatents:
    """Choose a palette: a theme by seed and mood, its twelve typical images, and their order.

    Outliers are omitted, a random image sets the theme, k-medoids finds twelve images that represent those
    near it, and the exact shortest tour orders them along the circle of fifths.

    Args:
        pool: the model's survey.
        seed: chooses the theme.
        mood: 'warm' and 'cool' by colour, 'calm' and 'wild' by contrast, detail and saturation.

    Raises:
        ModelError: there is no such mood.

    >>> from clavilux.generator.model import load_model
    >>> from clavilux.profile.survey import survey
    >>> from clavilux.store import Store
    >>> palette = choose_palette(survey(load_model("silk"), Store(), count=24), mood="warm")
    >>> palette.ring.shape, palette.rest.shape
    ((12, 128), (128,))
    """
    if mood is not None and mood not in MOODS:
        hint = suggest(mood, MOODS, otherwise="it is {}")
        raise ModelError(f"There is no mood '{mood}'", where="mood", value=mood, hint=hint)
    distances = distances_of(pool)
    usual = without_outliers(pool, distances)
    fitting = in_mood(pool, usual, mood)
    random = seeds.generator(seed, f"palette/{mood}")
    chosen = _members(pool, distances, fitting, int(fitting[random.integers(len(fitting))]))
    ring = in_fifths(distances, chosen)
    rest, *accents = rest_and_accents(pool, distances, chosen, fitting, usual)
    return PaletteLatents(pool.ws[ring], pool.ws[rest], pool.ws[random.choice(accents)])


def palette_images(pool: Survey, distances: F64, *, seed: int, mood: Mood | None) -> I64:
    """Return which twelve images of the pool a palette has, in no order; cheaper than the palette.

    Args:
        pool: the model's survey.
        distances: between its images, of `distances_of`.
        seed: chooses the theme, as in `choose_palette`.
        mood: as there.
    """
    fitting = in_mood(pool, without_outliers(pool, distances), mood)
    random = seeds.generator(seed, f"palette/{mood}")
    return _members(pool, distances, fitting, int(fitting[random.integers(len(fitting))]))


def _members(pool: Survey, distances: F64, fitting: I64, theme: int) -> I64:
    """Return twelve images that represent those near a theme."""
    order = np.argsort(distances[theme, fitting], kind="stable")
    near = fitting[order][: max(len(fitting) // 3, 2 * PALETTE.ring)]
    return np.asarray(near[_medoids(distances[np.ix_(near, near)], _vividness(pool)[near])])


def in_fifths(distances: F64, chosen: I64) -> I64:
    """Order twelve images in the shortest closed tour along the circle of fifths; pitch class C first."""
    tour = chosen[_shortest_tour(distances[np.ix_(chosen, chosen)])]
    ring = np.empty_like(tour)
    ring[list(FIFTHS)] = tour  # tour position k becomes pitch class 7 k mod 12
    return ring


def without_outliers(pool: Survey, distances: F64) -> I64:
    """Omit images that are too dark or too bright, and the tenth that is least like any other."""
    lightness = pool.lab[..., 0].mean(axis=(1, 2))
    gap = np.sort(distances, axis=1)[:, PALETTE.neighbour]
    good = (
        (lightness > PALETTE.min_lightness)
        & (lightness < PALETTE.max_lightness)
        & (gap <= np.quantile(gap, PALETTE.usual_share))
    )
    return np.flatnonzero(good) if good.sum() >= SURVEY.min_count else np.arange(len(pool.ws))


def _z_score(values: NDArray[np.floating]) -> F64:
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-9), np.float64)


def _chroma(pool: Survey) -> F64:
    return np.asarray(np.hypot(pool.lab[..., 1], pool.lab[..., 2]).mean(axis=(1, 2)), np.float64)


def _vividness(pool: Survey) -> F64:
    """Score colour, contrast and detail together, in standard deviations of the pool; (N,)."""
    contrast = pool.lab[..., 0].std(axis=(1, 2))
    return _z_score(_z_score(_chroma(pool)) + _z_score(contrast) + 0.5 * _z_score(pool.energy))


def in_mood(pool: Survey, usual: I64, mood: Mood | None) -> I64:
    """Return the images that fit a mood; without one, omit the dull third."""
    hue = np.cos(PALETTE.warm_hue) * pool.lab[..., 1] + np.sin(PALETTE.warm_hue) * pool.lab[..., 2]
    warmth, vivid = _z_score(hue.mean(axis=(1, 2))), _vividness(pool)
    scores = {
        None: vivid,
        "warm": warmth + 0.3 * vivid,
        "cool": 0.3 * vivid - warmth,
        "calm": -vivid,
        "wild": vivid,
    }
    share = PALETTE.vivid_share if mood is None else PALETTE.mood_share
    keep = max(round(len(usual) * share), SURVEY.min_count)
    return np.sort(usual[np.argsort(-scores[mood][usual], kind="stable")][:keep])


def _medoids(distances: F64, vivid: F64) -> I64:
    """Find twelve images that represent all, each typical of its cluster yet vivid (k-medoids).

    Starts from the theme (row 0) and the images farthest from those already chosen.
    """
    chosen = [0]
    while len(chosen) < PALETTE.ring:
        gap = distances[:, chosen].min(axis=1)
        gap[chosen] = -1
        chosen.append(int(gap.argmax()))
    medoids = np.array(chosen)
    scale = max(float(distances.mean()), 1e-9)
    for _ in range(20):
        owner = distances[:, medoids].argmin(axis=1)
        owner[medoids] = np.arange(PALETTE.ring)
        clusters = [np.flatnonzero(owner == k) for k in range(PALETTE.ring)]
        # mean distance to the cluster, in units of the mean of all, less 0.15 z-scores of vividness
        typical = [distances[np.ix_(c, c)].mean(axis=1) / scale - 0.15 * vivid[c] for c in clusters]
        better = np.array([c[score.argmin()] for c, score in zip(clusters, typical, strict=True)])
        if (better == medoids).all():
            break
        medoids = better
    return medoids


def _shortest_tour(distances: F64) -> I64:
    """Order the images in the shortest closed tour (Held & Karp 1962), from the most typical one.

    Args:
        distances: (12, 12), symmetric.

    Returns:
        (12,) indices.
    """
    count = len(distances)
    first = int(distances.sum(axis=1).argmin())
    others = [k for k in range(count) if k != first]
    steps = distances[np.ix_(others, others)]
    # best[S, k]: shortest path from `first` through all of S that ends at k in S, and the node before k
    best, before = (np.full((1 << len(others), len(others)), fill) for fill in (np.inf, -1))
    best[1 << np.arange(len(others)), np.arange(len(others))] = distances[first, others]
    for end, visited in _sets(len(others)):
        # best[S, k] = min over j of best[S - k, j] + d(j, k)
        paths = best[visited ^ (1 << end)] + steps[:, end]
        before[visited, end] = paths.argmin(axis=1)
        best[visited, end] = paths.min(axis=1)
    last, tour = len(best) - 1, [first]
    end = int((best[last] + distances[others, first]).argmin())
    while end >= 0:
        tour.append(others[end])
        last, end = last ^ (1 << end), int(before[last, end])
    return np.array(tour)


@functools.cache
def _sets(count: int) -> list[tuple[int, I64]]:
    """List nodes and the sets of two or more that have them, as bits, smaller sets first."""
    sets = np.arange(1 << count)
    sizes = np.array([each.bit_count() for each in range(1 << count)])
    return [
        (node, sets[(sizes == size) & (sets >> node & 1 == 1)])
        for size in range(2, count + 1)
        for node in range(count)
    ]


def rest_and_accents(pool: Survey, distances: F64, chosen: I64, fitting: I64, usual: I64) -> list[int]:
    """Find the calm image of the same mood, then some accents, lighter than the ring's mean."""
    lightness = _z_score(pool.lab[..., 0].mean(axis=(1, 2)))
    vivid = _vividness(pool)
    mean_gap, least_gap = distances[:, chosen].mean(axis=1), distances[:, chosen].min(axis=1)
    calm = vivid + 0.5 * lightness + _z_score(mean_gap)
    calm[chosen] = np.inf
    bright = lightness + 0.5 * vivid + 0.5 * _z_score(least_gap)
    rest = int(fitting[calm[fitting].argmin()])
    free = np.setdiff1d(usual, [*chosen, rest])
    lighter = free[lightness[free] > lightness[chosen].mean()]
    accents = lighter if len(lighter) else free
    return [rest, *accents[np.argsort(-bright[accents], kind="stable")][: PALETTE.accents].tolist()]
