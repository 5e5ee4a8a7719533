"""The operations of noise: a sum of terms, each a track with what multiplies it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from clavilux.arrays import F64
from clavilux.catalogue import GROUPS
from clavilux.errors import PatchError, suggest
from clavilux.patches.moments import MaskOf, Moments
from clavilux.signals.table import number, op, text

__all__ = ["Term", "Track", "noise_layers"]


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
def mix(first: Terms, second: Terms, amount: F64) -> Terms:
    """Blend from the first noise to the second as `amount` rises from 0 to 1, at constant power."""
    return _blended(first, second, amount)


@op("noise", "noise", "noise", "signal", style="function")
def switch(first: Terms, second: Terms, amount: F64) -> Terms:
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
def add(first: Terms, second: Terms) -> Terms:
    """Add two noises; where both are independent, their variances add."""
    return (*first, *second)


@op("noise", "noise", "noise", needs="moments", params={"layers": text()})
def on(moments: Moments, base: Terms, layers: str, other: Terms) -> Terms:
    """Use another noise on some layers: a group (coarse, middle, fine) or one layer, such as 'b32.conv0'."""
    chosen = noise_layers(layers, moments.noise_groups, moments.layers)
    return (*_only(base, moments.layers - chosen), *_only(other, chosen))


def noise_layers(layers: str, groups: Mapping[str, frozenset[str]], known: frozenset[str]) -> frozenset[str]:
    """Return the names of a group's layers that take noise, or the one of this name.

    Raises:
        PatchError: there are none.
    """
    chosen = groups.get(layers, frozenset({layers} & known))
    if not chosen and layers not in groups:
        hint = suggest(layers, [*GROUPS, *sorted(known)], otherwise="there are {}")
        what = f"There are no layers '{layers[:40]}' that take noise"
        raise PatchError(what, where="on", value=layers, hint=hint)
    return chosen


@op(
    "noise",
    "noise",
    params={"seconds": number(None, 0.1, 3600, "seconds"), "bars": number(None, 0.25, 1024, "bars")},
)
def loop(base: Terms, *, seconds: float | None, bars: float | None) -> Terms:
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
