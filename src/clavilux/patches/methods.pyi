# Written by scripts/docs from the op table; change it there.
from typing import Literal

from clavilux.patches.latent import Latent
from clavilux.patches.noise import Mask, Noise
from clavilux.patches.palette import Entry, Palette
from clavilux.signals.expr import Signal

class PaletteMethods:
    """Ops on palette."""

    def variant(self, *, seed: int = 0) -> Palette:
        """Replace every image by another one that looks like it: the same scene, and each seed another take."""

    def entry(self, name: str) -> Entry:
        """One of the palette's latents by name: a pitch class, its number in a list, or a name of your own."""

    @property
    def rest(self) -> Entry:
        """The palette's latent for silence; (D,)."""

    @property
    def accent(self) -> Entry:
        """The palette's latent for hits; (D,)."""

    def weigh(self, weights: Signal | float) -> Latent:
        """Blend the palette's twelve latents by twelve weights, such as a chroma; silence shows the rest."""

    def loop(
        self, *, seconds: float | None = None, beats: float | None = None, bars: float | None = None, path: Literal["spline", "slerp"] = "spline"
    ) -> Latent:
        """Travel through all twelve latents and back within a length, smoothly (technique 14).

        A spline never stops; a slerp turns about the palette's mean and rests in every latent.
        """

class EntryMethods:
    """Ops on palette entry."""

class LatentMethods:
    """Ops on latents."""

    def mix(self, second: Latent, amount: Signal | float) -> Latent:
        """Blend from the first latents to the second as `amount` rises from 0 to 1."""

    def switch(self, second: Latent, amount: Signal | float) -> Latent:
        """Change from the first latents to the second, exactly the one at 0 and the other at 1; for scenes.

        What is not shown is not computed.
        """

    def toward(self, entry: Entry, amount: Signal | float) -> Latent:
        """Move towards one latent as far as `amount`, 0 not at all and 1 all the way (technique 6)."""

    def on(self, layers: str, other: Latent) -> Latent:
        """Use other latents on some layers: coarse (shapes), middle, fine (colour, texture), or '4-7'.

        Numbers count the latents of an image from 0, as StyleGAN's w does.

        Raises:
            PatchError: the model has no such layers.
        """

    def push(self, direction: str, by: Signal | float) -> Latent:
        """Move along a direction: energy, warmth, contrast, 'principal 1', 'fine 1' ...; 1 is a clear change.

        A model that has no such control says so.
        """

class MaskMethods:
    """Ops on mask."""

    def invert(self) -> Mask:
        """Keep what the mask removes, and remove what it keeps."""

class NoiseMethods:
    """Ops on noise."""

    def fast(
        self, amount: Signal | float, *, seconds: float | None = None, bars: float | None = None, name: str = ""
    ) -> Noise:
        """Blend into faster noise as `amount` rises from 0 to 1; the standard deviation stays."""

    def mix(self, second: Noise, amount: Signal | float) -> Noise:
        """Blend from the first noise to the second as `amount` rises from 0 to 1, at constant power."""

    def switch(self, second: Noise, amount: Signal | float) -> Noise:
        """Change from the first noise to the second at constant power, exactly the one at 0, the other at 1."""

    def scale(self, amount: Signal | float) -> Noise:
        """Multiply the noise's standard deviation by `amount`; scales of scales multiply."""

    def mask(self, shape: Mask) -> Noise:
        """Multiply the noise by a mask: all of it where the mask is 1, none where it is 0 (technique 8)."""

    def on(self, layers: str, other: Noise) -> Noise:
        """Use another noise on some layers: a group (coarse, middle, fine) or one layer, such as 'b32.conv0'."""

    def loop(self, *, seconds: float | None = None, bars: float | None = None) -> Noise:
        """Repeat the noise exactly after so many seconds or bars (technique 14)."""
