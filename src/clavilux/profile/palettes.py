"""What a generator can paint, and palettes chosen from it.

A survey draws a pool of pictures once; a palette is twelve of them that belong together, in an order in which
neighbours on the circle of fifths look alike, with a calm picture for silence and a bright one for hits.
Colours are CIELAB under D65; latents are w, untruncated; the pool is looked at under truncation 0.7.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from clavilux import seeds
from clavilux.errors import ModelError
from clavilux.profile.survey import LEAST_POOL, Survey

__all__ = ["Mood", "PaletteLatents", "choose_palette"]

Floats = NDArray[np.float32]
Reals = NDArray[np.float64]
Indices = NDArray[np.int64]
Mood = Literal["warm", "cool", "calm", "wild"]

RING = 12
ACCENTS = 4

WARM_HUE = np.deg2rad(50)
"""CIELAB hue of orange; its opposite is the cool blue."""
DARK, BRIGHT = 12.0, 90.0


@dataclass(frozen=True)
class PaletteLatents:
    """Twelve latents, one for each pitch class from C up, and two more.

    Attributes:
        ring: (12, D); in fifths (entry 7 k mod 12 for k = 0, 1, ...) neighbours look alike, all round.
        rest: (D,), calm, for silence.
        accent: (D,), bright, for hits.
    """

    ring: Floats
    rest: Floats
    accent: Floats


def choose_palette(pool: Survey, *, seed: int = 0, mood: Mood | None = None) -> PaletteLatents:
    """Choose a palette: a theme by seed and mood, its twelve typical pictures, and their order.

    Outliers are left out, a random picture sets the theme, k-medoids finds twelve pictures that stand for
    those near it, and the exact shortest tour orders them; tour position k becomes pitch class 7 k mod 12.

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
    if mood is not None and mood not in get_args(Mood):
        raise ModelError(f"There is no mood '{mood}'; it is {', '.join(get_args(Mood))}.")
    distances = _distances(pool)
    usual = _without_outliers(pool, distances)
    fitting = _in_mood(pool, usual, mood)
    random = seeds.generator(seed, f"palette/{mood}")
    theme = fitting[random.integers(len(fitting))]
    near = fitting[np.argsort(distances[theme, fitting], kind="stable")][: max(len(fitting) // 3, 2 * RING)]
    chosen = near[_medoids(distances[np.ix_(near, near)], _vividness(pool)[near])]
    tour = chosen[_shortest_tour(distances[np.ix_(chosen, chosen)])]
    ring = np.empty_like(tour)
    ring[7 * np.arange(RING) % RING] = tour
    rest, *accents = _rest_and_accents(pool, distances, chosen, fitting, usual)
    return PaletteLatents(pool.ws[ring], pool.ws[rest], pool.ws[random.choice(accents)])


def _distances(pool: Survey) -> Reals:
    """Measure how unlike the pictures look: colours first, then layout, then energy; (N, N), median 1.7.

    Colours are compared as distributions, by sliced Wasserstein distance: sorted projections of the pixels.
    """
    pixels = pool.lab.reshape(len(pool.lab), -1, 3).astype(np.float64)
    directions = seeds.normal(0, "generator/slices", 0, (3, 16))
    directions /= np.linalg.norm(directions, axis=0)
    colours = np.sort(np.einsum("npc,cd->npd", pixels, directions), axis=1)[:, 4::8]
    layout = pool.lab[..., 0].reshape(-1, 8, 2, 8, 2).mean(axis=(2, 4)).reshape(len(pixels), -1)
    layout = layout - layout.mean(axis=1, keepdims=True)
    terms = ((1.0, colours.reshape(len(pixels), -1)), (0.5, layout), (0.2, pool.energy[:, None]))
    return np.asarray(sum(share * _median_one(cdist(term, term)) for share, term in terms))


def _median_one(distances: Reals) -> Reals:
    return distances / max(float(np.median(distances)), 1e-9)


def _without_outliers(pool: Survey, distances: Reals) -> Indices:
    """Leave out pictures too dark or bright, and the tenth that is unlike any other."""
    lightness = pool.lab[..., 0].mean(axis=(1, 2))
    alone = np.sort(distances, axis=1)[:, 5]
    good = np.flatnonzero((lightness > DARK) & (lightness < BRIGHT) & (alone <= np.quantile(alone, 0.9)))
    return good if len(good) >= LEAST_POOL else np.arange(len(pool.ws))


def _standard(values: NDArray[np.floating]) -> Reals:
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-9), np.float64)


def _chroma(pool: Survey) -> Reals:
    return np.asarray(np.hypot(pool.lab[..., 1], pool.lab[..., 2]).mean(axis=(1, 2)), np.float64)


def _vividness(pool: Survey) -> Reals:
    """Say how much a picture shows: colour, contrast and detail, in standard deviations of the pool; (N,)."""
    contrast = pool.lab[..., 0].std(axis=(1, 2))
    return _standard(_standard(_chroma(pool)) + _standard(contrast) + 0.5 * _standard(pool.energy))


def _in_mood(pool: Survey, usual: Indices, mood: Mood | None) -> Indices:
    """Keep the pictures a mood asks for; without one, leave the dull third out."""
    hue = np.cos(WARM_HUE) * pool.lab[..., 1] + np.sin(WARM_HUE) * pool.lab[..., 2]
    warmth, vivid = _standard(hue.mean(axis=(1, 2))), _vividness(pool)
    scores = {
        None: vivid,
        "warm": warmth + 0.3 * vivid,
        "cool": 0.3 * vivid - warmth,
        "calm": -vivid,
        "wild": vivid,
    }
    keep = max(round(len(usual) * (0.67 if mood is None else 0.4)), LEAST_POOL)
    return np.sort(usual[np.argsort(-scores[mood][usual], kind="stable")][:keep])


def _medoids(distances: Reals, vivid: Reals) -> Indices:
    """Find twelve pictures that stand for all, each typical of its cluster yet among its vivid ones.

    Starts from the theme (row 0) and the pictures farthest from those already taken.
    """
    chosen = [0]
    while len(chosen) < RING:
        gap = distances[:, chosen].min(axis=1)
        gap[chosen] = -1
        chosen.append(int(gap.argmax()))
    medoids = np.array(chosen)
    scale = max(float(distances.mean()), 1e-9)
    for _ in range(20):
        owner = distances[:, medoids].argmin(axis=1)
        owner[medoids] = np.arange(RING)
        clusters = [np.flatnonzero(owner == k) for k in range(RING)]
        typical = [distances[np.ix_(c, c)].mean(axis=1) / scale - 0.15 * vivid[c] for c in clusters]
        better = np.array([c[score.argmin()] for c, score in zip(clusters, typical, strict=True)])
        if (better == medoids).all():
            break
        medoids = better
    return medoids


def _shortest_tour(distances: Reals) -> Indices:
    """Order the pictures in the shortest closed tour (Held & Karp 1962), from the most typical one.

    Args:
        distances: (12, 12), symmetric.

    Returns:
        (12,) indices.
    """
    count = len(distances)
    first = int(distances.sum(axis=1).argmin())
    others = [k for k in range(count) if k != first]
    best: dict[tuple[int, int], tuple[float, int]] = {
        (1 << k, k): (distances[first, node], -1) for k, node in enumerate(others)
    }
    steps = distances[np.ix_(others, others)].tolist()
    for visited in range(1, 1 << len(others)):
        ends = [k for k in range(len(others)) if visited >> k & 1]
        for end in ends if len(ends) > 1 else []:
            rest = visited ^ (1 << end)
            best[visited, end] = min((best[rest, k][0] + steps[k][end], k) for k in ends if k != end)
    visited = (1 << len(others)) - 1
    end = min(range(len(others)), key=lambda k: best[visited, k][0] + distances[others[k], first])
    tour = [first]
    while end >= 0:
        tour.append(others[end])
        visited, end = visited ^ (1 << end), best[visited, end][1]
    return np.array(tour)


def _rest_and_accents(
    pool: Survey, distances: Reals, chosen: Indices, fitting: Indices, usual: Indices
) -> list[int]:
    """Find the calm picture of the same mood, then some that stand out, lighter than the ring's mean."""
    lightness = _standard(pool.lab[..., 0].mean(axis=(1, 2)))
    vivid = _vividness(pool)
    mean_gap, least_gap = distances[:, chosen].mean(axis=1), distances[:, chosen].min(axis=1)
    calm = vivid + 0.5 * lightness + _standard(mean_gap)
    calm[chosen] = np.inf
    bright = lightness + 0.5 * vivid + 0.5 * _standard(least_gap)
    rest = int(fitting[calm[fitting].argmin()])
    free = np.setdiff1d(usual, [*chosen, rest])
    lighter = free[lightness[free] > lightness[chosen].mean()]
    accents = lighter if len(lighter) else free
    return [rest, *accents[np.argsort(-bright[accents], kind="stable")][:ACCENTS].tolist()]
