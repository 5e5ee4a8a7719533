"""A preset: a patch that needs no tuning, with the few knobs that change it, and the registry of all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from clavilux.errors import PatchError, suggest
from clavilux.patch.patch import Patch
from clavilux.signals.table import Param

__all__ = ["Preset"]


@dataclass(frozen=True)
class Preset:
    """A function from a seed and some knobs to a patch.

    Attributes:
        name: what it is chosen by.
        build: makes the patch; takes the seed and every knob by name.
        knobs: what each knob accepts, and where it stands.
    """

    name: str
    build: Callable[..., Patch]
    knobs: Mapping[str, Param] = field(default_factory=dict)

    @property
    def about(self) -> str:
        """What it does, in a sentence."""
        return (self.build.__doc__ or "").strip().partition("\n")[0]

    def __call__(self, seed: int = 0, **knobs: float) -> Patch:
        """Make the patch of a seed.

        Raises:
            PatchError: there is no such knob, or it does not go so far.
        """
        for name in knobs:
            if name not in self.knobs:
                hint = suggest(name, self.knobs, otherwise="it has {}")
                raise PatchError(f"The preset {self.name} has no knob '{name}'", where=name, hint=hint)
        place = f"the preset {self.name}"
        given = {name: knobs.get(name, param.default) for name, param in self.knobs.items()}
        return self.build(
            seed, **{name: self.knobs[name].check(name, value, place) for name, value in given.items()}
        )
