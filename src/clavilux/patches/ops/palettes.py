"""The operations of palettes: where their latents come from, and how they become the latents shown.

Sums run in a fixed order per frame, never through a matrix product whose rounding depends on the number of
frames.
"""

from typing import Literal

import numpy as np

from clavilux.arrays import F32, F64, I64
from clavilux.catalogue import FIFTHS, MOODS, Mood
from clavilux.patches.moments import Moments
from clavilux.patches.palette_latents import PaletteLatents
from clavilux.patches.palette_source import PaletteSource, Space
from clavilux.signals.lengths import Length
from clavilux.signals.table import choice, file, number, op, text, whole

__all__ = ["SEED"]

MAX_GAIN = 1.6
"""How far a blend of several latents may be stretched back to the spread of one."""

LOUD_SHARE = 0.1
"""Sum of the weights from which a blend consists of its latents alone; below it, partly of the rest."""

SEED = whole(0, -(2**63), 2**63 - 1)


@op("palette", needs="source", params={"mood": choice(*MOODS, default=None), "seed": SEED})
def palette(source: PaletteSource, *, mood: Mood | None, seed: int) -> PaletteLatents:
    """Choose twelve latents of whatever model draws that belong together, by mood and seed."""
    return source.automatic(mood, seed)


@op("palette", needs="source", params={"numbers": text()})
def from_seeds(source: PaletteSource, numbers: str) -> PaletteLatents:
    """Take the images of some seeds, such as '1-12,24'; they lie along the circle of fifths, from C."""
    return source.from_seeds(numbers)


@op("palette", needs="source", params={"numbers": text(), "seed": whole(0, -(2**63), 2**63 - 1)})
def from_classes(source: PaletteSource, numbers: str, *, seed: int) -> PaletteLatents:
    """Take one image of each of a conditional model's classes, such as '3,7'; classes count from 0.

    All are of one random code, so that between two of them only the class changes: weighing them is a mix of
    classes, and `mix(from_classes('3').loop(bars=4), from_classes('7').loop(bars=4), kick)` another.
    """
    return source.from_classes(numbers, seed)


@op("palette", needs="source", params={"path": file(), "space": choice("w", "z", default="w")})
def from_latents(source: PaletteSource, path: str, *, space: Space) -> PaletteLatents:
    """Read latents w, or random codes z, from an .npy, .npz or .pt file, in their order."""
    return source.from_latents(path, space)


@op("palette", needs="source", params={"path": file(), "seed": SEED})
def from_image(source: PaletteSource, path: str, *, seed: int) -> PaletteLatents:
    """Choose images in the colours of an image file, such as a record's cover."""
    return source.from_image(path, seed)


@op("palette", needs="source", params={"name": text()})
def saved(source: PaletteSource, name: str) -> PaletteLatents:
    """Use a palette saved with `clavilux palette new`."""
    return source.saved(name)


@op("palette", "palette", needs="source", params={"seed": SEED})
def variant(source: PaletteSource, palette: PaletteLatents, *, seed: int) -> PaletteLatents:
    """Replace every image by another one that looks like it: the same scene, and each seed another take."""
    return source.variant(palette, seed)


@op("entry", "palette", params={"name": text()})
def entry(palette: PaletteLatents, name: str) -> F32:
    """One of the palette's latents by name: a pitch class, its number in a list, or a name of your own."""
    return palette.entry(name)


@op("entry", "palette", style="attribute")
def rest(palette: PaletteLatents) -> F32:
    """The palette's latent for silence; (D,)."""
    return palette.rest


@op("entry", "palette", style="attribute")
def accent(palette: PaletteLatents) -> F32:
    """The palette's latent for hits; (D,)."""
    return palette.accent


@op("latent", "palette", "signal")
def weigh(palette: PaletteLatents, weights: F64) -> F64:
    """Blend the palette's twelve latents by twelve weights, such as a chroma; silence shows the rest."""
    w = np.maximum(weights, 0)
    c = w / np.maximum(w.sum(axis=1, keepdims=True), LOUD_SHARE)  # shares c_i, (B, 12)
    total = c.sum(axis=1, keepdims=True)
    # g = min(1.6, (sum c_i^2)^-1/2) undoes the shrinking of averages
    gain = np.minimum(MAX_GAIN, 1 / np.sqrt(np.maximum((c**2).sum(axis=1, keepdims=True), 1e-12)))
    centre = palette.ring.mean(axis=0, dtype=np.float64)  # P, (D,)
    # w = P + g sum c_i (W_i - P) + (1 - sum c)(rest - P)
    blend = centre + _weighted(gain * c, palette.ring - centre) + (1 - total) * (palette.rest - centre)
    return np.asarray(blend[:, None])


@op(
    "latent",
    "palette",
    needs="moments",
    params={
        "seconds": number(None, 1e-3, 3600, "seconds"),
        "beats": number(None, 1e-3, 4096, "beats"),
        "bars": number(None, 1e-3, 1024, "bars"),
        "path": choice("spline", "slerp", default="spline"),
    },
)
def loop(  # its length has three units
    moments: Moments,
    palette: PaletteLatents,
    *,
    seconds: float | None,
    beats: float | None,
    bars: float | None,
    path: Literal["spline", "slerp"],
) -> F64:
    """Travel through all twelve latents and back within a length, smoothly (technique 14).

    A spline never stops; a slerp turns about the palette's mean and rests in every latent.
    """
    ring = palette.ring[list(FIFTHS)].astype(np.float64)  # neighbours a fifth apart, (12, D)
    position = Length(seconds, beats, bars).position(moments.grid, moments.times) * len(ring)
    step = np.floor(position)
    t = position - step
    if path == "slerp":
        return _slerp(ring, step.astype(np.int64), t * t * (3 - 2 * t))[:, None]
    # Weights of the closed Catmull-Rom spline on the four latents around t, (B, 4)
    spline = np.stack(
        [
            (-(t**3) + 2 * t**2 - t) / 2,
            (3 * t**3 - 5 * t**2 + 2) / 2,
            (-3 * t**3 + 4 * t**2 + t) / 2,
            (t**3 - t**2) / 2,
        ],
        axis=1,
    )
    knots = (step[:, None].astype(np.int64) + np.arange(-1, 3)) % len(ring)
    return np.asarray((spline[:, :, None] * ring[knots]).sum(axis=1)[:, None])


def _slerp(ring: F64, step: I64, t: F64) -> F64:
    """Interpolate on spheres about the ring's mean (Shoemake 1985), from latent `step` on; (B, D)."""
    centre = ring.mean(axis=0)
    near, far = (ring[(step + k) % len(ring)] - centre for k in (0, 1))
    lengths = [np.maximum(np.linalg.norm(each, axis=1), 1e-9)[:, None] for each in (near, far)]
    cosine = (near * far).sum(axis=1, keepdims=True) / (lengths[0] * lengths[1])
    angle = np.arccos(np.clip(cosine, -1 + 1e-9, 1 - 1e-9))
    u = t[:, None]
    # (sin((1 - u) a) a_0 + sin(u a) a_1) / sin a, on a length that goes evenly from one to the other
    turned = np.sin((1 - u) * angle) * near / lengths[0] + np.sin(u * angle) * far / lengths[1]
    return np.asarray(centre + turned / np.sin(angle) * ((1 - u) * lengths[0] + u * lengths[1]))


def _weighted(weights: F64, latents: F64) -> F64:
    """Sum latents (K, D) by weights (B, K), each frame in the same order whatever B."""
    return np.asarray((weights[:, :, None] * latents).sum(axis=1))
