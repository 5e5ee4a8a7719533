"""The one place where patch, song and model meet: symbols become arrays."""

from collections.abc import Mapping

from clavilux.catalogue import GROUPS
from clavilux.frames.bound import Bound, Stage
from clavilux.generator.model import Model
from clavilux.generator.program import Program
from clavilux.patch.palette import Palette
from clavilux.patch.palette_latents import PaletteLatents
from clavilux.patch.patch import Patch
from clavilux.profile.palettes import choose_palette
from clavilux.profile.survey import survey
from clavilux.signals.evaluate import Curves
from clavilux.signals.table import OPS
from clavilux.store import Store

__all__ = ["bind", "choose_palettes"]


def bind(
    patch: Patch,
    curves: Curves,
    model: Model,
    program: Program,
    *,
    seed: int = 0,
    palettes: Mapping[Palette, PaletteLatents] | None = None,
) -> Bound:
    """Resolve a patch for a song's curves and a model.

    Args:
        patch: what to show.
        curves: `evaluate(patch.signals, song)`.
        model: what draws; gives layer groups and the mean latent.
        program: gives the sizes of the noise.
        seed: chooses the noise.
        palettes: latents of the patch's palettes; chosen from the model unless given.

    Raises:
        ModelError: palettes cannot be chosen from the model.
    """
    chosen = choose_palettes(patch, model) if palettes is None else palettes
    return Bound(patch, curves, chosen, model.w_avg, _stage(model, program), seed)


def choose_palettes(patch: Patch, model: Model, store: Store | None = None) -> dict[Palette, PaletteLatents]:
    """Choose the latents of every palette of a patch from a model.

    Args:
        patch: what to show.
        model: what draws.
        store: keeps the model's survey, from which palettes are chosen.
    """
    found = patch.palettes
    pool = survey(model, store or Store()) if found else None
    return {
        node: OPS[node.op].function(lambda **how: choose_palette(pool, **how), **dict(node.params))  # type: ignore[arg-type]
        for node in found
    }


def _stage(model: Model, program: Program) -> Stage:
    sizes = {
        name.removeprefix("noise/"): (spec.shape[1], spec.shape[2])
        for name, spec in program.inputs.items()
        if name.startswith("noise/")
    }
    groups: dict[str, range] = {name: model.group(name) for name in GROUPS}
    layers = model.network.layers
    return Stage(
        model.num_ws,
        groups,
        sizes,
        {
            name: frozenset(layer for layer in sizes if layers[layer].w_index in group)
            for name, group in groups.items()
        },
    )
