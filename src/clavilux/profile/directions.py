"""Directions of a model's latents that change one thing: energy, warmth, contrast, or a principal component.

How they are found is in `direction_search`; they are kept, and read again without drawing anything.
"""

from dataclasses import dataclass

import numpy as np

from clavilux.arrays import F32
from clavilux.errors import ModelError, suggest
from clavilux.generator.model import Model
from clavilux.store import Store

__all__ = ["DIRECTIONS", "NAMED", "Direction", "directions_of", "find_direction"]

VERSION = 2
NAMED = ("energy", "warmth", "contrast")


@dataclass(frozen=True)
class DirectionSpec:
    """How directions are found.

    Attributes:
        images: drawn and described.
        held_out: share of them on which R^2 is measured.
        components: of the latents that are regressed on, at most.
        tried: images on which the layers and the step are chosen.
        step: what a push of 1 changes, standard deviations of the descriptor.
        max_stretch: most times the regression's own step, so that latents stay usual.
        principal: principal components of the latents.
        of_group: those of each group of layers.
        least: R^2 below which a model has no such control.
        warm_hue: CIELAB hue of orange, radians.
    """

    images: int = 384
    held_out: float = 0.25
    components: int = 64
    tried: int = 8
    step: float = 2.0
    max_stretch: float = 6.0
    principal: int = 8
    of_group: int = 3
    least: float = 0.2
    warm_hue: float = float(np.deg2rad(55))


DIRECTIONS = DirectionSpec()


@dataclass(frozen=True, eq=False)
class Direction:
    """A direction of latents.

    Attributes:
        name: 'energy', 'warmth', 'contrast', 'principal 1' and so on, or 'coarse 1', 'middle 1', 'fine 1'.
        shift: what a push of 1 adds to the latent of each layer, untruncated, (L, D).
        group: the layers it moves: 'coarse', 'middle', 'fine' or 'all'.
        r2: how well its descriptor follows from the latent, on images held out; of a principal one the
            share of the variance of the styles that it explains, on latents held out.
        effect: what a push of 1 changes of its descriptor, standard deviations; nan of a principal one.
    """

    name: str
    shift: F32
    group: str
    r2: float
    effect: float

    @property
    def works(self) -> bool:
        """Whether the model has this control."""
        return self.name not in NAMED or self.r2 >= DIRECTIONS.least


def directions_of(model: Model, store: Store) -> dict[str, Direction]:
    """Find a model's directions by name, or read them from the store."""
    kept = store.fetch(f"generator/directions/{VERSION}/{model.digest}", lambda: _searched(model))
    rows = zip(kept["names"], kept["shifts"], kept["groups"], kept["numbers"], strict=True)
    return {
        str(name): Direction(str(name), shift.astype(np.float32), str(group), *map(float, numbers))
        for name, shift, group, numbers in rows
    }


def find_direction(model: Model, store: Store, name: str) -> Direction:
    """Return one direction of a model.

    Raises:
        ModelError: it has none of that name, or it does not work with this model.
    """
    known = directions_of(model, store)
    if name not in known:
        hint = suggest(name, known, otherwise="there are {}")
        raise ModelError(f"There is no direction '{name[:40]}'", where="push", value=name, hint=hint)
    if not known[name].works:
        others = ", ".join(each for each, direction in known.items() if direction.works)
        raise ModelError(
            f"The model {model.name} has no control of {name}: R^2 is {known[name].r2:.2f}",
            where="push",
            value=name,
            hint=f"push {others}, or bend instead",
        )
    return known[name]


def _searched(model: Model) -> dict[str, np.ndarray]:
    from clavilux.profile.direction_search import search_directions  # it draws, in PyTorch

    found = search_directions(model)
    return {
        "names": np.array([each.name for each in found]),
        "shifts": np.stack([each.shift for each in found]),
        "groups": np.array([each.group for each in found]),
        "numbers": np.array([(each.r2, each.effect) for each in found]),
    }
