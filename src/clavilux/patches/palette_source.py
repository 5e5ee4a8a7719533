"""Where palettes come from: what the ops of palettes ask of whatever model draws."""

from typing import Literal, Protocol

from clavilux.catalogue import Mood
from clavilux.patches.palette_latents import PaletteLatents

__all__ = ["PaletteSource", "Space"]

Space = Literal["w", "z"]
"""What a file's numbers are: latents, or random codes that the model maps to latents."""


class PaletteSource(Protocol):
    """Makes palettes of one model's latents; always the same ones."""

    def automatic(self, mood: Mood | None, seed: int) -> PaletteLatents:
        """Choose twelve latents that belong together."""

    def variant(self, palette: PaletteLatents, seed: int) -> PaletteLatents:
        """Replace every latent by another one that looks like it."""

    def from_seeds(self, numbers: str) -> PaletteLatents:
        """Take the images of some seeds."""

    def from_classes(self, numbers: str, seed: int) -> PaletteLatents:
        """Take an image of each of some classes."""

    def from_latents(self, file: str, space: Space) -> PaletteLatents:
        """Read latents from a file."""

    def from_image(self, file: str, seed: int) -> PaletteLatents:
        """Match the colours of an image."""

    def saved(self, name: str) -> PaletteLatents:
        """Read a palette that the user saved."""
