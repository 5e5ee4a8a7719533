"""What the model's survey tells the director: which palettes lie far apart, and how far drums may push them.

Nothing is drawn: the light that a push moves and the distances between images are measured on the survey.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from clavilux.arrays import F64, I64
from clavilux.catalogue import FIFTHS
from clavilux.patches.presets.preset import Hit
from clavilux.profile.light import light_moved, light_toward
from clavilux.profile.palettes import choose_palette, in_fifths, palette_images
from clavilux.profile.similarity import distances_of
from clavilux.profile.survey import Survey

__all__ = ["ModelLight"]

TINY = 1e-9
MIN_ENERGY = 1e-3
"""Of an image without detail, so that it has a logarithm."""


@dataclass(frozen=True)
class LightSpec:
    """How palettes are chosen.

    Attributes:
        seeds: palettes of each mood among which the director chooses.
        evenness: weight of how unevenly hits move the images that are shown, beside the logarithm of how
            far apart the nearest two looks are.
    """

    seeds: int = 8
    evenness: float = 1.0


LIGHT = LightSpec()


@dataclass(frozen=True, eq=False)
class ModelLight:
    """What is known of a model's palettes.

    Attributes:
        pool: the model's survey.
        seed: of the project, from which the seeds of looks count.
    """

    pool: Survey
    seed: int = 0

    @cached_property
    def _distances(self) -> F64:
        return distances_of(self.pool)

    @cached_property
    def _images(self) -> dict[tuple[str, int], I64]:
        return {}

    def _of(self, mood: str, seed: int) -> I64:
        """Return the images of a palette as they are on its ring, a fifth from one to the next, (12,)."""
        key = (mood, seed)
        if key not in self._images:
            images = palette_images(
                self.pool,
                self._distances,
                seed=self.seed + seed,
                mood=mood or None,  # type: ignore[arg-type]
            )
            self._images[key] = in_fifths(self._distances, images)[list(FIFTHS)]
        return self._images[key]

    def choose(self, moods: Sequence[str], shares: Sequence[F64]) -> list[int]:
        """Choose a seed for each of some palettes, so that sections look different and answer hits alike.

        Of all combinations it is the one in which the two looks that are nearest lie farthest apart, less
        the standard deviation, over the song, of the logarithm of what a hit moves: where one section answers
        its drums and the next does not, the image follows the sections and not the drums.

        Args:
            moods: of the palettes, two or more.
            shares: of the song, for which a palette shows each place of its ring, (12,); of all together 1.
        """
        rings = [[self._of(mood, seed) for seed in range(LIGHT.seeds)] for mood in moods]
        scores = np.log(self._apart(rings, shares)) - LIGHT.evenness * self._uneven(rings, shares)
        return [int(seed) for seed in np.unravel_index(int(scores.argmax()), scores.shape)]

    def _apart(self, rings: Sequence[Sequence[I64]], shares: Sequence[F64]) -> F64:
        """Return how far apart the nearest two looks of each combination are, an axis for each look.

        It is 1 where both show the same, as an energy distance is 0 there (Szekely and Rizzo 2013):
        2 E d(X, Y) / (E d(X, X') + E d(Y, Y')) of images X and Y that they show.
        """
        shown = [
            [self._weights(ring, share) for ring in each] for each, share in zip(rings, shares, strict=True)
        ]
        within = [np.array([self._between(x, x) for x in each]) for each in shown]
        apart = np.full([len(each) for each in rings], np.inf)
        for i, j in combinations(range(len(rings)), 2):
            ratios = 2 * np.array([[self._between(x, y) for y in shown[j]] for x in shown[i]])
            ratios /= np.maximum(within[i][:, None] + within[j], TINY)
            same = np.array([[set(a) == set(b) for b in rings[j]] for a in rings[i]])
            ratios[same] = TINY  # no palette twice
            apart = np.minimum(apart, _along(ratios, (i, j), len(rings)))
        return apart

    def _uneven(self, rings: Sequence[Sequence[I64]], shares: Sequence[F64]) -> F64:
        """Return how unevenly a hit moves what each combination shows, an axis for each look.

        A zoom moves most pixels where detail is fine: what moves in a drawn video is proportional to it. This
        is the standard deviation of its logarithm over the song.
        """
        detail = np.log(np.maximum(self.pool.energy.astype(np.float64), MIN_ENERGY))  # (N,)
        mean, square = np.zeros(len(rings) * (1,)), np.zeros(len(rings) * (1,))
        for place, (palettes, share) in enumerate(zip(rings, shares, strict=True)):
            shown = detail[np.stack(palettes)]  # (seeds, 12)
            mean = mean + _along(shown @ share, (place,), len(rings))
            square = square + _along(shown**2 @ share, (place,), len(rings))
        return np.asarray(np.sqrt(np.maximum(square - mean**2, 0)))  # Var X = E X^2 - (E X)^2

    def _weights(self, ring: I64, share: F64) -> tuple[I64, F64]:
        """Return the images of a ring and their weights: half where the drift is, half where chords are."""
        return ring, 0.5 * share / max(float(share.sum()), TINY) + 0.5 / len(ring)

    def _between(self, first: tuple[I64, F64], second: tuple[I64, F64]) -> float:
        """Return the mean distance of two weighted sets of images."""
        return float(first[1] @ self._distances[np.ix_(first[0], second[0])] @ second[1])

    def moved(self, hit: Hit, palettes: Sequence[tuple[str, int]], shares: Sequence[F64]) -> float:
        """Return how much light a full hit moves at 1 of its knob, on the mean of what a palette shows.

        It is the change of relative luminance that a quarter of a field reaches, of the palette where that is
        most; a flash is 0.1.

        Args:
            hit: what moves the image.
            palettes: moods and seeds; an empty mood is any.
            shares: of the song, for which each shows the places of its ring, (12,).
        """
        moved = light_moved(self.pool, hit.zoom, hit.shift)
        means = []
        for (mood, seed), share in zip(palettes, shares, strict=True):
            way = hit.accent * light_toward(self.pool, self._accent(mood, seed)) if hit.accent else 0
            means.append(float(np.average((moved + way)[self._of(mood, seed)], weights=share + TINY)))
        return max(means)

    def _accent(self, mood: str, seed: int) -> int:
        """Return the image of a palette's accent."""
        palette = choose_palette(self.pool, seed=self.seed + seed, mood=mood or None)  # type: ignore[arg-type]
        return int(np.abs(self.pool.ws - palette.accent).sum(axis=1).argmin())


def _along(values: F64, axes: Sequence[int], count: int) -> F64:
    """Give an array of some axes, in order, all of `count` axes."""
    return np.expand_dims(values, tuple(axis for axis in range(count) if axis not in axes))
