"""A preset: a patch that needs no tuning, with the few knobs that change it.

@patch
def garden(song, seed, punch=knob(1.0, 0, 2), drift=knob(8, 1, 32, unit="bars")):
kick = song.kick.decay(beats=0.25)
warm = palette(mood="warm", seed=seed)
return Patch(warm.loop(bars=drift), clavilux.drift(seconds=4).scale(0.6 + punch * kick))

garden(punch=1.5)       a patch
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clavilux.errors import PatchError, suggest
from clavilux.patches.patch import Patch
from clavilux.signals.sources import song as the_song
from clavilux.signals.table import Param, Value, choice, number, text

__all__ = ["Hit", "Preset", "knob", "patch"]


@dataclass(frozen=True)
class Hit:
    """By how much a full hit of the drums moves a preset's image, there and back, at 1 of a knob.

    Attributes:
        knob: the gain.
        zoom: by how much the image is enlarged, 0.1 a tenth.
        shift: to the right, as a share of the width.
        accent: how far it goes towards the accent of its palette, 0 to 1.
        least: share of the knob's default that is left where hits would flash: with less they are not seen.
    """

    knob: str = "punch"
    zoom: float = 0.0
    shift: float = 0.0
    accent: float = 0.0
    least: float = 0.4


@dataclass(frozen=True)
class Preset:
    """A function from a seed and some knobs to a patch.

    Attributes:
        name: what it is chosen by.
        build: makes the patch; takes the song and the seed where it has arguments of these names, and every
            knob by name.
        knobs: what each knob accepts, and where it stands.
    """

    name: str
    build: Callable[..., Patch]
    knobs: Mapping[str, Param] = field(default_factory=dict)

    @property
    def about(self) -> str:
        """What it does, in a sentence."""
        return (self.build.__doc__ or "").strip().partition("\n")[0]

    def about_knob(self, name: str) -> str:
        """What a knob does, by the docstring, and what it accepts.

        >>> from clavilux.patches.presets import find_preset
        >>> find_preset("pulse").about_knob("punch")
        'punch, 0 to 2: how much the kick adds to the texture.'
        """
        accepts = self.knobs[name].range
        doc = inspect.cleandoc(self.build.__doc__ or "")
        said = re.search(rf"^    {name}: (.*(?:\n     .*)*)", doc, re.MULTILINE)
        return f"{name}, {accepts}" + (f": {' '.join(said[1].split())}" if said else "")

    def __call__(self, seed: int = 0, **knobs: Any) -> Patch:
        """Make the patch of a seed.

        Raises:
            PatchError: there is no such knob, or it does not go so far.
        """
        given: dict[str, Any] = {"song": the_song, "seed": seed}
        taken = inspect.signature(self.build).parameters
        made = self.build(
            **{name: value for name, value in given.items() if name in taken}, **self.checked(knobs)
        )
        if not isinstance(made, Patch):
            raise PatchError(
                f"The preset {self.name} returns {type(made).__name__}, not a patch",
                where=self.name,
                value=made,
                hint="end its function with return Patch(...) or return score(...)",
            )
        return made

    def checked(self, knobs: Mapping[str, Any]) -> dict[str, Value]:
        """Return the value of every knob: as given, else where it stands.

        Raises:
            PatchError: there is no such knob, or it does not go so far.
        """
        for name, value in knobs.items():
            if name not in self.knobs:
                hint = suggest(name, self.knobs, otherwise="it has {}")
                raise PatchError(
                    f"The preset {self.name} has no knob '{name}'", where=name, value=value, hint=hint
                )
        place = f"the preset {self.name}"
        return {
            name: param.check(name, knobs.get(name, param.default), place)
            for name, param in self.knobs.items()
        }


def knob(
    value: float | str, low: float = 0, high: float = 1, *, unit: str = "", choices: tuple[str, ...] = ()
) -> Any:
    """Declare a knob of a preset: the default of one of its function's arguments.

    Args:
        value: where it stands; text for a knob that takes words.
        low: the smallest number it accepts.
        high: the largest.
        unit: of the number, such as bars; empty for ratios.
        choices: the words it accepts; none is any text.

    >>> knob(8, 1, 32, unit="bars").range
    '1 to 32 bars'
    """
    if isinstance(value, str):
        return choice(*choices, default=value) if choices else text(value)
    return number(float(value), low, high, unit)


def patch(function: Callable[..., Patch]) -> Preset:
    """Turn a function that makes a patch into a preset; its arguments are its knobs.

    The argument `song` is the song as patches name it, `seed` the project's seed; every other argument is a
    knob, with `knob(...)` as its default.

    Raises:
        TypeError: an argument is neither.

    >>> @patch
    ... def still(song, brightness=knob(1.0, 0, 2)):
    ...     '''Hold one image.'''
    ...     from clavilux.patches.functions import drift, palette
    ...     return Patch(palette().loop(bars=64), drift(bars=8).scale(brightness))
    >>> still.knobs["brightness"].range, still(brightness=0.5) == still(brightness=0.5)
    ('0 to 2', True)
    """
    knobs = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name in {"song", "seed"}:
            continue
        if not isinstance(parameter.default, Param):
            raise TypeError(f"the argument '{name}' of {function.__name__} needs a knob(...) as its default")
        knobs[name] = parameter.default
    return Preset(function.__name__, function, knobs)
