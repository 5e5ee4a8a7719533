"""What the model's survey tells the director: which palettes lie far apart, and how far drums may push them.

Nothing is drawn: the light that a push moves and the distances between images are measured on the survey.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clavilux.arrays import F64, I64
from clavilux.catalogue import MOODS
from clavilux.patches.presets.strike import ZOOM
from clavilux.profile.light import light_moved
from clavilux.profile.palettes import palette_images
from clavilux.profile.similarity import distances_of
from clavilux.profile.survey import Survey

__all__ = ["ModelLight"]

ZOOMS = {"strike": ZOOM}
"""By how much a full hit enlarges the image, of each preset whose drums move it there and back."""


@dataclass(frozen=True)
class LightSpec:
    """How palettes are chosen, and how far their light may move.

    Attributes:
        moved: change of relative luminance on a quarter of a field that a full hit may cause, on the mean of
            a palette's images; a flash is 0.1.
        least: smallest punch that is left.
        seeds: palettes of each mood among which the director chooses.
        evenness: what a palette whose own images differ much loses, beside its distance to the others.
        darkness: what one loses whose light moves as much as is allowed, and another in proportion.
    """

    moved: float = 0.1
    least: float = 0.4
    seeds: int = 8
    evenness: float = 0.25
    darkness: float = 0.5


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

    @cached_property
    def _pushed(self) -> dict[str, F64]:
        return {preset: light_moved(self.pool, zoom) for preset, zoom in ZOOMS.items()}

    def _moved(self, preset: str) -> F64:
        """Return how much light a full hit of a preset moves in each image, (N,)."""
        return self._pushed[preset] if preset in ZOOMS else np.zeros(len(self.pool.ws))

    def _of(self, mood: str, seed: int) -> I64:
        """Return the images of a palette."""
        key = (mood, seed)
        if key not in self._images:
            self._images[key] = palette_images(
                self.pool,
                self._distances,
                seed=self.seed + seed,
                mood=mood,  # type: ignore[arg-type]
            )
        return self._images[key]

    def spread(self, moods: Sequence[str], preset: str) -> list[int]:
        """Choose a seed for each of some palettes, so that they lie far apart and each holds together.

        The first is the one whose own images differ least; each further one has the largest ratio of the
        distance to the nearest of those before it over the distances within both. Where the preset's drums
        move light, palettes in which they move less of it are preferred.

        Args:
            moods: of the palettes, the most important first.
            preset: its name.
        """
        chosen: list[tuple[str, int]] = []
        for mood in moods:
            free = [seed for seed in range(LIGHT.seeds) if (mood, seed) not in chosen]
            scores = [self._score(self._of(mood, seed), chosen, preset) for seed in free]
            chosen.append((mood, free[int(np.argmax(scores))]))
        return [seed for _, seed in chosen]

    def _score(self, images: I64, chosen: Sequence[tuple[str, int]], preset: str) -> float:
        within = self._between(images, images)
        others = [self._of(*each) for each in chosen]
        ratios = [
            2 * self._between(images, other) / (within + self._between(other, other)) for other in others
        ]
        uneven = within / float(np.median(self._distances))
        bright = self._moved(preset)[images].mean() / LIGHT.moved
        return min(ratios, default=0.0) - LIGHT.evenness * uneven - LIGHT.darkness * float(bright)

    def _between(self, first: I64, second: I64) -> float:
        return float(self._distances[np.ix_(first, second)].mean())

    def safe_punch(self, preset: str, palettes: Sequence[tuple[str, int]], punch: float) -> float:
        """Return how far a preset's drums may push palettes so that a full hit stays below a flash.

        Args:
            preset: its name; of one whose drums leave the light alone the punch stays.
            palettes: moods and seeds; saved palettes are left out, which the survey does not know.
            punch: how far they would push.
        """
        known = [(mood, seed) for mood, seed in palettes if mood in MOODS]
        if preset not in ZOOMS or not known:
            return punch
        moved = self._moved(preset)
        most = max(float(moved[self._of(*each)].mean()) for each in known)
        return min(punch, max(LIGHT.moved / max(most, 1e-6), LIGHT.least))
