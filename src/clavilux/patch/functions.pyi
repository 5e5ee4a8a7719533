# Written by scripts/docs from the op table; change it there.
from typing import Literal

from clavilux.moments import Moment
from clavilux.patch.noise import Mask, Noise
from clavilux.patch.palette import Palette
from clavilux.signals.expr import Signal

def disc(*, x: float = 0.5, y: float = 0.5, radius: float = 0.3, soft: float = 0.1) -> Mask:
    """Keep a disc: x and y from the left and the top, 0 to 1; radius and soft edge in image sides."""

def drift(*, seconds: float | None = None, bars: float | None = None, name: str = "") -> Noise:
    """Begin with noise that has half changed after so many seconds or bars; one name is one noise."""

def from_image(path: str, *, seed: int = 0) -> Palette:
    """Choose images in the colours of an image file, such as a record's cover."""

def from_latents(path: str, *, space: Literal["w", "z"] = "w") -> Palette:
    """Read latents w, or random codes z, from an .npy, .npz or .pt file, in their order."""

def from_seeds(numbers: str) -> Palette:
    """Take the images of some seeds, such as '1-12,24'; they lie along the circle of fifths, from C."""

def gate(start: str | Moment, end: str | Moment = "end") -> Signal:
    """Hold 1 between two moments of the song and 0 elsewhere; (T, 1)."""

def gradient(*, degrees: float = 0) -> Mask:
    """Rise evenly from 0 to 1 across the image, from left to right at 0 degrees, downwards at 90."""

def half(*, side: Literal["left", "right", "top", "bottom"] = "left", soft: float = 0.1) -> Mask:
    """Keep one half of the image: left, right, top or bottom."""

def palette(*, mood: Literal["warm", "cool", "calm", "wild"] | None = None, seed: int = 0) -> Palette:
    """Choose twelve latents of whatever model draws that belong together, by mood and seed."""

def ring(
    *, x: float = 0.5, y: float = 0.5, radius: float = 0.35, width: float = 0.1, soft: float = 0.1
) -> Mask:
    """Keep a ring of a radius and a width, in image sides."""

def saved(name: str) -> Palette:
    """Use a palette saved with `clavilux palette new`."""
