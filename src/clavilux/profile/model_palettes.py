"""The palettes of one model, however a patch asks for them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from clavilux import seeds
from clavilux.arrays import F32
from clavilux.catalogue import Mood
from clavilux.errors import ModelError
from clavilux.generator.generate import seed_latents
from clavilux.generator.model import Model
from clavilux.patches.palette_latents import PaletteLatents
from clavilux.patches.palette_source import Space
from clavilux.profile.latent_files import read_latents
from clavilux.profile.matched import distinct_latents, match_colours, match_palette, palette_of_list
from clavilux.profile.palettes import PALETTE, choose_palette
from clavilux.profile.photo import read_colours
from clavilux.profile.saved import read_palette
from clavilux.profile.seed_lists import parse_seeds
from clavilux.profile.survey import Survey, describe, survey
from clavilux.store import Store

__all__ = ["ModelPalettes"]


@dataclass(frozen=True)
class ModelPalettes:
    """Makes palettes of one model's latents; always the same ones.

    Attributes:
        model: whose latents they are.
        store: keeps what the model's images look like.
        folder: of saved palettes; without one none is found.
        find_pool: finds the model's survey; by default it is drawn or read from the store.
    """

    model: Model
    store: Store = field(default_factory=Store)
    folder: Path | None = None
    find_pool: Callable[[], Survey] | None = None

    @cached_property
    def pool(self) -> Survey:
        """The model's survey."""
        return survey(self.model, self.store) if self.find_pool is None else self.find_pool()

    def automatic(self, mood: Mood | None, seed: int) -> PaletteLatents:
        """Choose twelve latents that belong together.

        Raises:
            ModelError: there is no such mood.
        """
        return choose_palette(self.pool, seed=seed, mood=mood)

    def variant(self, palette: PaletteLatents, seed: int) -> PaletteLatents:
        """Replace every latent by another one that looks like it."""
        given = describe(self.model, distinct_latents(palette), self.store)
        return match_palette(self.pool, given, palette, seed=seed)

    def from_seeds(self, numbers: str) -> PaletteLatents:
        """Take the images that `Model.generate` draws for some seeds.

        Raises:
            SettingError: the numbers cannot be read.
        """
        return self.of_list(self.of_seeds(parse_seeds(numbers)))

    def from_classes(self, numbers: str, seed: int) -> PaletteLatents:
        """Take the images of one random code under some classes.

        Raises:
            SettingError: the numbers cannot be read.
            ModelError: the model has no classes, or not these.
        """
        chosen, count = parse_seeds(numbers), self.model.c_dim
        if not chosen or max(chosen) >= count:
            raise ModelError(
                f"The model {self.model.name} has no class {max(chosen, default=0)}",
                where="from_classes",
                value=numbers,
                hint=f"its classes are 0 to {count - 1}" if count else "it has no classes: use from_seeds",
            )
        code = seeds.normal(seed, "palette/classes", 0, (1, self.model.z_dim))
        classes = np.eye(count, dtype=np.float32)[chosen]
        return self.of_list(self.model.map(np.repeat(code, len(chosen), axis=0), classes))

    def from_latents(self, file: str, space: Space) -> PaletteLatents:
        """Read latents from a file.

        Raises:
            FileError: it cannot be read, or holds no latents of this model.
        """
        return self.of_list(read_latents(Path(file), self.model, space))

    def from_image(self, file: str, seed: int) -> PaletteLatents:
        """Match the colours of an image.

        Raises:
            FileError: it is no image that can be read.
        """
        return match_colours(self.pool, read_colours(Path(file)), seed=seed)

    def saved(self, name: str) -> PaletteLatents:
        """Read a palette that the user saved.

        Raises:
            FileError: there is none, or it is another model's.
        """
        palette = read_palette(self.folder, name)
        palette.check_model(name, self.model)
        return palette.latents

    def of_seeds(self, numbers: list[int]) -> F32:
        """Return the latents of the images of some seeds, (N, D), untruncated."""
        return np.concatenate([seed_latents(self.model, seed) for seed in numbers])

    def of_list(self, images: F32) -> PaletteLatents:
        """Make a palette of latents (K, D) or (K, L, D): spread over the ring, numbered from '1'."""
        on_ring = np.stack([*{latent.tobytes(): latent for latent in images[: PALETTE.ring]}.values()])
        return palette_of_list(self.pool, describe(self.model, on_ring, self.store), images)
