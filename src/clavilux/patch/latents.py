"""What shape and colour the picture takes: fields of latents, written with palettes and signals.

A palette is twelve pictures of a model, one for each pitch class, with a rest for silence and an accent for
hits; which pictures, is settled when the patch meets a model. A field says which of them, or what blend, is
shown when. Fields are immutable and equal by value.

>>> from clavilux.signals.sources import song
>>> warm = Palette(mood="warm")
>>> look = warm.loop(bars=8).toward(warm.accent, song.snare.decay(beats=0.5))
>>> print(look)
palette(mood='warm', seed=0).loop(bars=8).toward('accent', snare.decay(beats=0.5))
"""

from dataclasses import dataclass
from typing import Literal

from clavilux.errors import PatchError
from clavilux.signals.expr import Signal, as_signal

__all__ = [
    "Entry",
    "Group",
    "LatentField",
    "Loop",
    "Mix",
    "Mood",
    "On",
    "Palette",
    "Toward",
    "Weigh",
    "mix",
]

Group = Literal["coarse", "middle", "fine"]
Mood = Literal["warm", "cool", "calm", "wild"]

GROUPS: tuple[Group, ...] = ("coarse", "middle", "fine")


@dataclass(frozen=True)
class Palette:
    """Twelve pictures that belong together, chosen from a model by mood and seed."""

    mood: Mood | None = None
    seed: int = 0

    @property
    def accent(self) -> "Entry":
        """The palette's picture for hits."""
        return Entry(self, "accent")

    @property
    def rest(self) -> "Entry":
        """The palette's picture for silence."""
        return Entry(self, "rest")

    def weigh(self, weights: Signal) -> "Weigh":
        """Blend the twelve pictures by twelve weights, such as a chroma (technique 2)."""
        return Weigh(self, as_signal(weights))

    def loop(self, *, bars: float) -> "Loop":
        """Travel through all twelve pictures and back within this many bars, smoothly (technique 14)."""
        if not 0 < bars <= 1024:
            raise PatchError(f"A loop of {bars:g} bars cannot be travelled; give between 0 and 1024 bars.")
        return Loop(self, float(bars))

    def __str__(self) -> str:
        mood = f"mood='{self.mood}', " if self.mood else ""
        return f"palette({mood}seed={self.seed})"


@dataclass(frozen=True)
class Entry:
    """One named picture of a palette."""

    palette: Palette
    name: Literal["rest", "accent"]


@dataclass(frozen=True)
class LatentField:
    """A latent for every layer at every moment; built by `Palette.weigh`, `Palette.loop` and `mix`."""

    def on(self, group: Group, other: "LatentField") -> "On":
        """Let another field play on one group of layers: coarse (shape), middle or fine (colour, texture)."""
        if group not in GROUPS:
            raise PatchError(f"There is no layer group '{group}'; it is coarse, middle or fine.")
        return On(self, group, other)

    def toward(self, entry: Entry, amount: Signal | float) -> "Toward":
        """Move towards one picture as far as `amount` says, 0 not at all and 1 all the way (technique 6)."""
        return Toward(self, entry, as_signal(amount))


@dataclass(frozen=True)
class Weigh(LatentField):
    """The palette's pictures blended by weights; silence goes to the palette's rest."""

    palette: Palette
    weights: Signal

    def __str__(self) -> str:
        return f"{self.palette}.weigh({self.weights})"


@dataclass(frozen=True)
class Loop(LatentField):
    """A closed smooth path through the palette's pictures, locked to the bars."""

    palette: Palette
    bars: float

    def __str__(self) -> str:
        return f"{self.palette}.loop(bars={self.bars:g})"


@dataclass(frozen=True)
class Mix(LatentField):
    """From one field to another as a signal goes from 0 to 1."""

    first: LatentField
    second: LatentField
    amount: Signal

    def __str__(self) -> str:
        return f"mix({self.first}, {self.second}, {self.amount})"


@dataclass(frozen=True)
class On(LatentField):
    """One field with another in its place on a group of layers."""

    base: LatentField
    group: Group
    other: LatentField

    def __str__(self) -> str:
        return f"{self.base}.on('{self.group}', {self.other})"


@dataclass(frozen=True)
class Toward(LatentField):
    """A field pulled towards one picture by a signal."""

    base: LatentField
    entry: Entry
    amount: Signal

    def __str__(self) -> str:
        return f"{self.base}.toward('{self.entry.name}', {self.amount})"


def mix(first: LatentField, second: LatentField, amount: Signal | float) -> Mix:
    """Go from the first field to the second as `amount` goes from 0 to 1."""
    return Mix(first, second, as_signal(amount))
