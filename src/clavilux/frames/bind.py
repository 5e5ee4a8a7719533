"""The one place where patch, song and model meet: symbols become arrays."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clavilux.arrays import F32
from clavilux.frames.bound import Bound, Stage
from clavilux.generator.model import Model
from clavilux.generator.program import Program
from clavilux.image_files import read_image
from clavilux.patches.ops.latents import layer_range
from clavilux.patches.ops.noise import noise_layers
from clavilux.patches.palette import Entry, Palette
from clavilux.patches.palette_latents import PaletteLatents
from clavilux.patches.patch import Patch
from clavilux.profile.directions import find_direction
from clavilux.profile.edit_files import read_edit
from clavilux.profile.model_palettes import ModelPalettes
from clavilux.profile.saved import palette_path
from clavilux.profile.survey import Survey
from clavilux.signals.evaluate import Curves
from clavilux.signals.expr import naming
from clavilux.signals.table import OPS
from clavilux.store import Store

MASK_SIDE = 256
"""Side of the grid on which the image of a mask is kept."""

__all__ = ["bind", "choose_directions", "choose_palettes", "files_of"]


def bind(  # noqa: PLR0913  # everything that a bound patch is made of
    patch: Patch,
    curves: Curves,
    model: Model,
    program: Program,
    *,
    seed: int = 0,
    palettes: Mapping[Palette, PaletteLatents] | None = None,
    directions: Mapping[str, F32] | None = None,
) -> Bound:
    """Resolve a patch for a song's curves and a model.

    Args:
        patch: what to show.
        curves: `evaluate(patch.signals, song)`.
        model: what draws; gives layer groups and the mean latent.
        program: gives the sizes of the noise.
        seed: chooses the noise.
        palettes: latents of the patch's palettes; chosen from the model unless given.
        directions: the model's directions that the patch pushes along; found in the model unless given.

    Raises:
        ModelError: palettes cannot be chosen from the model.
        PatchError: a palette has no entry of a name.
        ClaviluxError: whatever `choose_palettes` raises, unless palettes are given.
    """
    chosen = choose_palettes(patch, model) if palettes is None else palettes
    for node in patch.nodes:
        if isinstance(node, Entry):  # an unknown name is said now, not when the first frame is drawn
            with naming(node):
                OPS[node.op].compute(
                    None, [chosen[each] for each in node.inputs if isinstance(each, Palette)], node.params
                )
    along = choose_directions(patch, model) if directions is None else directions
    stage = Stage.of(model, program)
    images: dict[str, NDArray[np.uint8]] = {}
    for node in patch.nodes:
        params = dict(node.params)
        with naming(node):
            if node.op == "latent.on":
                layer_range(str(params["layers"]), stage.groups, stage.num_ws)
            elif node.op == "noise.on" and stage.noise_sizes:
                noise_layers(str(params["layers"]), stage.noise_groups, frozenset(stage.noise_sizes))
            elif node.op == "image":
                images[str(params["path"])] = read_image(
                    Path(str(params["path"])), "L", (MASK_SIDE, MASK_SIDE)
                )
    return Bound(patch, curves, chosen, model.w_avg, stage, seed, images, along)


def choose_directions(patch: Patch, model: Model, store: Store | None = None) -> dict[str, F32]:
    """Find the directions along which a patch pushes latents, by name, (L, D) each.

    Args:
        patch: what to show.
        model: what draws.
        store: keeps the model's directions.

    Raises:
        ModelError: the model has no such direction.
    """
    found: dict[str, F32] = {}
    for node in patch.nodes:
        name = str(dict(node.params).get("direction", ""))
        if node.op == "latent.push" and name not in found:
            with naming(node):
                found[name] = find_direction(model, store or Store(), name).shift
    return found


def choose_palettes(
    patch: Patch,
    model: Model,
    store: Store | None = None,
    folder: Path | None = None,
    *,
    find_pool: Callable[[], Survey] | None = None,
) -> dict[Palette, PaletteLatents]:
    """Choose the latents of every palette of a patch from a model.

    Args:
        patch: what to show.
        model: what draws.
        store: keeps the model's survey, from which palettes are chosen.
        folder: of the user's saved palettes.
        find_pool: finds the survey where it is needed; by default it is drawn or read from the store.

    Raises:
        ModelError: palettes cannot be chosen from the model.
        FileError: a file that the patch names cannot be read, or is no file of this model's latents.
        SettingError: seeds that cannot be read.
    """
    source = ModelPalettes(model, store or Store(), folder, find_pool)
    chosen: dict[Palette, PaletteLatents] = {}
    for node in patch.palettes:  # each before its variants
        inputs = [chosen[each] for each in node.inputs if isinstance(each, Palette)]
        with naming(node):
            chosen[node] = OPS[node.op].compute(source, inputs, node.params)
    return chosen


def files_of(patch: Patch, folder: Path | None) -> list[Path]:
    """Return every file on whose content a patch depends: those its ops name, masks of edits, saved palettes.

    Args:
        patch: what to show.
        folder: of the user's saved palettes.

    Raises:
        SettingError: a name that no palette can have.
        FileError: an edit cannot be read.
    """
    edits = [read_edit(Path(str(dict(n.params)["path"]))) for n in patch.rewrites if n.op == "rewrite.edit"]
    masks = list(dict.fromkeys(mask for edit in edits for mask in edit.files))
    saved = [str(dict(node.params)["name"]) for node in patch.palettes if node.op == "saved"]
    return [*patch.files, *masks, *(palette_path(folder, name) for name in saved if folder is not None)]
