"""Images of the user's, projected into a model's latents, and written to a file that patches read."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from clavilux.array_files import save_arrays
from clavilux.files import write_error
from clavilux.generator.model import Model
from clavilux.make.pictures import Page
from clavilux.make.workspace import Workspace
from clavilux.profile.projection import (
    PROJECTION,
    Projection,
    find_perceptual_loss,
    project_image,
    read_target,
)

__all__ = ["draw_projections", "project_files", "save_projections"]

TILE, GAP = 256, 14
"""Side of an image on the page, and what is between two, px."""


def project_files(
    files: Sequence[Path], model: Model, *, workspace: Workspace, per_layer: bool = True
) -> list[Projection]:
    """Find the latents whose images come nearest to those of some files.

    Args:
        files: images; their middle squares are projected.
        model: the generator.
        workspace: keeps the model's survey; is informed.
        per_layer: find one latent for each layer, in W+; else one for all, in W.

    Raises:
        FileError: a file is no image that can be read.
    """
    targets = [read_target(file, model) for file in files]  # all of them, before the work begins
    report, store = workspace.report, workspace.store
    perceptual = find_perceptual_loss(model)
    report.note(perceptual.words)
    found = []
    for number, (file, target) in enumerate(zip(files, targets, strict=True), start=1):
        count = f" ({number} of {len(files)})" if len(files) > 1 else ""
        report.begin(f"Projecting {file.name}{count}", PROJECTION.small_steps + PROJECTION.steps)
        found.append(
            project_image(
                model, target, store, perceptual=perceptual, per_layer=per_layer, step=report.advance
            )
        )
    return found


def save_projections(found: Sequence[Projection], target: Path, *, overwrite: bool) -> Path:
    """Write latents to an `.npz` file, (N, D) or (N, L, D).

    Raises:
        OutputError: it cannot be written.
    """
    try:
        save_arrays(target, {"ws": np.stack([each.ws for each in found])}, replace=overwrite)
    except OSError as error:
        raise write_error(target, error) from error
    return target


def draw_projections(files: Sequence[Path], found: Sequence[Projection], model: Model, target: Path) -> Path:
    """Draw every image beside what the model draws in its place, as a PNG.

    Raises:
        OutputError: it cannot be written.
    """
    page = Page(2 * TILE + 3 * GAP, len(found) * (TILE + GAP) + GAP)
    for k, (file, each) in enumerate(zip(files, found, strict=True)):
        wanted = ((read_target(file, model)[0] + 1) * 127.5).byte().permute(1, 2, 0).numpy()
        for column, image in enumerate((wanted, each.image)):
            page.place(image, GAP + column * (TILE + GAP), GAP + k * (TILE + GAP), TILE)
    page.save(target)
    return target
