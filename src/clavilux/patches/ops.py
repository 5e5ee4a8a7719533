"""The visual operations: palettes, latents, masks and noise, as plain functions of small NumPy arrays.

Latents are float64 (B, L, D), or (B, 1, D) where all layers agree; amounts are signals (B, 1) sampled for the
same frames. Noise is a sum of terms, each a track with what multiplies it. A frame's values depend on nothing
but its own time: sums run in a fixed order per frame, never through a matrix product whose rounding depends
on B.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clavilux.arrays import F32, F64, I64
from clavilux.catalogue import FIFTHS, GROUPS, MOODS, Mood
from clavilux.curves import Grid
from clavilux.errors import PatchError, suggest
from clavilux.patches.palette_latents import PaletteLatents
from clavilux.patches.palette_source import PaletteSource, Space
from clavilux.signals.lengths import Length
from clavilux.signals.table import choice, file, number, op, text, whole

__all__ = ["MaskOf", "Moments", "Term", "Track"]

MAX_GAIN = 1.6
"""How far a blend of several latents may be stretched back to the spread of one."""

LAYERS = r"(\d{1,3})(?:-(\d{1,3}))?"
"""Numbers of layers: 5, or 4-7."""
LOUD_SHARE = 0.1
"""Sum of the weights from which a blend consists of its latents alone; below it, partly of the rest."""

MaskOf = Callable[[F64, F64], F64]
"""Weights in [0, 1] of places x and y in [0, 1]; y is measured down."""


@dataclass(frozen=True)
class Moments:
    """The frames for which ops compute values, and the model they are for.

    Attributes:
        edges: start of each frame and end of the last, (B + 1,) s.
        grid: the song's beats and bars.
        num_ws: number of latents an image takes, L.
        groups: w indices of each layer group.
        noise_groups: names of the layers of each group that take noise.
        layers: names of all layers that take noise.
        images: the images of masks by the file's name, uint8 (S, S).
        directions: what a push of 1 adds to the latents, by the direction's name, (L, D).
    """

    edges: F64
    grid: Grid
    num_ws: int
    groups: Mapping[str, range]
    noise_groups: Mapping[str, frozenset[str]]
    layers: frozenset[str]
    images: Mapping[str, NDArray[np.uint8]]
    directions: Mapping[str, F32] = field(default_factory=dict)

    @property
    def times(self) -> F64:
        """Start of each frame, (B,) s."""
        return self.edges[:-1]


# --- palettes


SEED = whole(0, -(2**63), 2**63 - 1)


@op("palette", needs="source", params={"mood": choice(*MOODS, default=None), "seed": SEED})
def palette(source: PaletteSource, *, mood: Mood | None, seed: int) -> PaletteLatents:
    """Choose twelve latents of whatever model draws that belong together, by mood and seed."""
    return source.automatic(mood, seed)


@op("palette", needs="source", params={"numbers": text()})
def from_seeds(source: PaletteSource, numbers: str) -> PaletteLatents:
    """Take the images of some seeds, such as '1-12,24'; they lie along the circle of fifths, from C."""
    return source.from_seeds(numbers)


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


# --- latents


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


@op("latent", "latent", "latent", "signal", style="function")
def mix(first: F64, second: F64, amount: F64) -> F64:
    """Blend from the first latents to the second as `amount` rises from 0 to 1."""
    return np.asarray(first + amount[:, :1, None] * (second - first))


@op("latent", "latent", "latent", "signal", style="function", lazy=True)
def switch(first: Callable[[], F64], second: Callable[[], F64], amount: Callable[[], F64]) -> F64:
    """Change from the first latents to the second, exactly the one at 0 and the other at 1; for scenes.

    What is not shown is not computed.
    """
    share = amount()[:, :1, None]
    if not share.any():
        return first()
    if share.min() >= 1:
        return second()
    from_, to = first(), second()
    return np.asarray(np.where(share >= 1, to, from_ + share * (to - from_)))


@op("latent", "latent", "entry", "signal")
def toward(base: F64, entry: F32, amount: F64) -> F64:
    """Move towards one latent as far as `amount`, 0 not at all and 1 all the way (technique 6)."""
    return np.asarray(base + amount[:, :1, None] * (entry - base))


@op("latent", "latent", "latent", needs="moments", params={"layers": choice(*GROUPS, pattern=LAYERS)})
def on(moments: Moments, base: F64, layers: str, other: F64) -> F64:
    """Use other latents on some layers: coarse (shapes), middle, fine (colour, texture), or '4-7'.

    Numbers count the latents of an image from 0, as StyleGAN's w does.

    Raises:
        PatchError: the model has no such layers.
    """
    whole = np.broadcast_to(base, (len(base), moments.num_ws, base.shape[2])).copy()
    chosen = layer_range(layers, moments.groups, moments.num_ws)
    whole[:, chosen.start : chosen.stop] = other if other.shape[1] == 1 else other[:, chosen]
    return whole


def layer_range(layers: str, groups: Mapping[str, range], num_ws: int) -> range:
    """Return the w indices of a group, or of numbers such as '5' or '4-7'.

    Raises:
        PatchError: the model has no such layers.

    >>> layer_range("4-7", {}, 14)
    range(4, 8)
    """
    if layers in groups:
        return groups[layers]
    if found := re.fullmatch(LAYERS, layers):
        first, last = int(found[1]), int(found[2] or found[1])
        if first <= last < num_ws:
            return range(first, last + 1)
    hint = suggest(layers, groups, otherwise=f"there are {{}}, and the numbers from 0 to {num_ws - 1}")
    raise PatchError(f"The model has no layers '{layers[:40]}'", where="on", value=layers, hint=hint)


def _weighted(weights: F64, latents: F64) -> F64:
    """Sum latents (K, D) by weights (B, K), each frame in the same order whatever B."""
    return np.asarray((weights[:, :, None] * latents).sum(axis=1))


# --- masks

EDGE = {"soft": number(0.1, 0, 1)}
PLACE = {"x": number(0.5, -1, 2), "y": number(0.5, -1, 2)}


@op("mask", params={**PLACE, "radius": number(0.3, 0, 2), **EDGE})
def disc(*, x: float, y: float, radius: float, soft: float) -> MaskOf:
    """Keep a disc: x and y from the left and the top, 0 to 1; radius and soft edge in image sides."""
    return lambda across, down: _inside(radius - np.hypot(across - x, down - y), soft)


@op("mask", params={**PLACE, "radius": number(0.35, 0, 2), "width": number(0.1, 0, 2), **EDGE})
def ring(*, x: float, y: float, radius: float, width: float, soft: float) -> MaskOf:
    """Keep a ring of a radius and a width, in image sides."""
    return lambda across, down: _inside(width / 2 - np.abs(np.hypot(across - x, down - y) - radius), soft)


@op("mask", params={"side": choice("left", "right", "top", "bottom", default="left"), **EDGE})
def half(*, side: str, soft: float) -> MaskOf:
    """Keep one half of the image: left, right, top or bottom."""
    sign = 1.0 if side in {"left", "top"} else -1.0
    return lambda across, down: _inside(sign * (0.5 - (across if side in {"left", "right"} else down)), soft)


@op("mask", params={"degrees": number(0, -360, 360, "degrees")})
def gradient(*, degrees: float) -> MaskOf:
    """Rise evenly from 0 to 1 across the image, from left to right at 0 degrees, downwards at 90."""
    a = np.deg2rad(degrees)
    reach = abs(np.cos(a)) + abs(np.sin(a))
    return lambda across, down: np.clip(
        0.5 + ((across - 0.5) * np.cos(a) + (down - 0.5) * np.sin(a)) / reach, 0.0, 1.0
    )


@op("mask", needs="moments", params={"path": file()})
def image(moments: Moments, path: str) -> MaskOf:
    """Keep what is white in an image file and remove what is black; it is stretched over the whole image."""
    grey = moments.images[path].astype(np.float64) / 255

    def weights(across: F64, down: F64) -> F64:
        from scipy.ndimage import map_coordinates

        places = [np.asarray(each) * len(grey) - 0.5 for each in (down, across)]
        return np.asarray(map_coordinates(grey, places, order=1, mode="nearest"))

    return weights


@op("mask", "mask")
def invert(mask: MaskOf) -> MaskOf:
    """Keep what the mask removes, and remove what it keeps."""
    return lambda across, down: 1 - mask(across, down)


def _inside(depth: F64, soft: float) -> F64:
    """Return 1 inside, 0 outside, and a smooth step over the soft edge about depth 0."""
    t = np.clip(depth / max(soft, 1e-6) + 0.5, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


# --- noise


@dataclass(frozen=True)
class Track:
    """One stream of noise that drifts: random knots joined by a smooth kernel, see `frames.noise`.

    Attributes:
        spacing: distance of the knots, in units; the noise has half changed after 0.96 of it.
        unit: seconds or bars.
        name: names the stream; streams of one name are the same noise. A stream without one is the same as
            another of its speed and loop.
        loop: length after which the noise repeats, in loop units; 0 never.
        loop_unit: seconds or bars.
    """

    spacing: float
    unit: Literal["seconds", "bars"]
    name: str
    loop: float = 0.0
    loop_unit: Literal["seconds", "bars"] = "bars"

    @property
    def key(self) -> str:
        """What its knots are drawn from, besides the seed."""
        repeats = f" loop {self.loop_unit}={self.loop!r}" if self.loop else ""
        return self.name or f"{self.unit}={self.spacing!r}{repeats}"


@dataclass(frozen=True)
class Term:
    """A track and what multiplies it.

    Attributes:
        track: the noise, standard deviation 1.
        factors: amounts per frame, (B,) each, outermost first.
        layers: names of the layers it is on; none is all.
        masks: weights of places.
    """

    track: Track
    factors: tuple[F64, ...] = ()
    layers: frozenset[str] | None = None
    masks: tuple[MaskOf, ...] = ()

    @property
    def amplitude(self) -> F64:
        """The product of its factors, (B,) or ()."""
        return np.asarray(np.prod(self.factors, axis=0))

    def is_like(self, other: "Term") -> bool:
        """Whether another term is the same noise in the same places, whatever multiplies it."""
        return (self.track, self.layers, self.masks) == (other.track, other.layers, other.masks)

    def times(self, amount: F64) -> "Term":
        """Multiply by an amount per frame, (B,)."""
        return replace(self, factors=(amount, *self.factors))


Terms = tuple[Term, ...]
SPEED = {
    "seconds": number(None, 0.01, 3600, "seconds"),
    "bars": number(None, 0.01, 1024, "bars"),
    "name": text(""),
}


@op("noise", params=SPEED)
def drift(*, seconds: float | None, bars: float | None, name: str) -> Terms:
    """Begin with noise that has half changed after so many seconds or bars; one name is one noise."""
    return (Term(_track(seconds, bars, name)),)


@op("noise", "noise", "signal", params={"seconds": SPEED["seconds"], "bars": SPEED["bars"], "name": text("")})
def fast(base: Terms, amount: F64, *, seconds: float | None, bars: float | None, name: str) -> Terms:
    """Blend into faster noise as `amount` rises from 0 to 1; the standard deviation stays."""
    return _blended(base, (Term(_track(seconds, bars, name)),), amount)


@op("noise", "noise", "noise", "signal", style="function", params={})
def mix_(first: Terms, second: Terms, amount: F64) -> Terms:
    """Blend from the first noise to the second as `amount` rises from 0 to 1, at constant power."""
    return _blended(first, second, amount)


@op("noise", "noise", "noise", "signal", style="function")
def switch_(first: Terms, second: Terms, amount: F64) -> Terms:
    """Change from the first noise to the second at constant power, exactly the one at 0, the other at 1."""
    return _blended(first, second, amount)


@op("noise", "noise", "signal")
def scale(base: Terms, amount: F64) -> Terms:
    """Multiply the noise's standard deviation by `amount`; scales of scales multiply."""
    return tuple(term.times(amount[:, 0]) for term in base)


@op("noise", "noise", "mask")
def mask(base: Terms, shape: MaskOf) -> Terms:
    """Multiply the noise by a mask: all of it where the mask is 1, none where it is 0 (technique 8)."""
    return tuple(replace(term, masks=(*term.masks, shape)) for term in base)


@op("noise", "noise", "noise", symbol="+")
def add_(first: Terms, second: Terms) -> Terms:
    """Add two noises; where both are independent, their variances add."""
    return (*first, *second)


@op("noise", "noise", "noise", needs="moments", params={"layers": text()})
def on_(moments: Moments, base: Terms, layers: str, other: Terms) -> Terms:
    """Use another noise on some layers: a group (coarse, middle, fine) or one layer, such as 'b32.conv0'."""
    chosen = moments.noise_groups.get(layers) or frozenset({layers} & moments.layers)
    if not chosen:
        hint = suggest(layers, [*GROUPS, *sorted(moments.layers)], otherwise="there are {}")
        raise PatchError(
            f"There are no layers '{layers}' that take noise", where="on", value=layers, hint=hint
        )
    rest = moments.layers - chosen
    return (*_only(base, rest), *_only(other, chosen))


@op(
    "noise",
    "noise",
    params={"seconds": number(None, 0.1, 3600, "seconds"), "bars": number(None, 0.25, 1024, "bars")},
)
def loop_(base: Terms, *, seconds: float | None, bars: float | None) -> Terms:
    """Repeat the noise exactly after so many seconds or bars (technique 14)."""
    unit: Literal["seconds", "bars"] = "bars" if seconds is None else "seconds"
    length = float((bars if seconds is None else seconds) or 0)
    return tuple(replace(term, track=replace(term.track, loop=length, loop_unit=unit)) for term in base)


def _track(seconds: float | None, bars: float | None, name: str) -> Track:
    unit: Literal["seconds", "bars"] = "bars" if seconds is None else "seconds"
    spacing = float((bars if seconds is None else seconds) or 0)
    return Track(spacing, unit, name)


def _blended(first: Terms, second: Terms, amount: F64) -> Terms:
    """Blend two noises at constant power; a track that both have blends by its power: it does not swell."""
    share = np.clip(amount[:, 0], 0, 1)
    fade_in = np.sin(share * np.pi / 2)
    fade_out = np.where(share >= 1, 0.0, np.cos(share * np.pi / 2))  # cos^2 + sin^2 = 1
    left = list(second)
    blended = []
    for term in first:
        same = next((other for other in left if other.is_like(term)), None)
        if same is None:
            blended.append(term.times(fade_out))
        else:
            left.remove(same)
            power = np.hypot(fade_out * term.amplitude, fade_in * same.amplitude)
            blended.append(replace(term, factors=(power,)))
    return (*blended, *(term.times(fade_in) for term in left))


def _only(terms: Terms, layers: frozenset[str]) -> Terms:
    return tuple(
        replace(term, layers=layers if term.layers is None else term.layers & layers) for term in terms
    )
