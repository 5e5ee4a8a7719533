"""A patch: everything that is shown, as one value."""

from dataclasses import dataclass

from clavilux.patch.latents import LatentField
from clavilux.patch.noise import NoiseField

__all__ = ["Patch"]


@dataclass(frozen=True)
class Patch:
    """What a song is drawn with.

    Attributes:
        latents: shape and colour.
        noise: texture.
        psi: truncation; 0 is the model's average picture, 1 its full variety.
    """

    latents: LatentField
    noise: NoiseField
    psi: float = 1.0

    def __str__(self) -> str:
        return f"latents = {self.latents}\nnoise = {self.noise}\npsi = {self.psi:g}"
