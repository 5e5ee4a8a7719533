"""`clavilux project`: the latents of images of the user's own."""

from pathlib import Path
from typing import Annotated

import typer

from clavilux.cli import options
from clavilux.project.project import Project

__all__ = ["project"]


def project(  # noqa: PLR0913  # the options of one step
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="Images; their middle squares are used.", show_default=False),
    ],
    *,
    model: Annotated[
        str, typer.Option(metavar="NAME", help="A built-in model or a checkpoint file.")
    ] = Project.model,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The .npz to write.",
            show_default="IMAGE.npz in this folder",
        ),
    ] = None,
    one: Annotated[
        bool, typer.Option("--one", help="Find one latent for all layers: less like, but easier to move.")
    ] = False,
    page: Annotated[
        Path | None,
        typer.Option("--page", metavar="FILE", help="Draw each image beside the one found as a PNG."),
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Find the latents whose images come nearest to images of your own; patches read them from the file.

    It takes a minute or a few for each image on a processor.
    """
    from clavilux.cli.console import Screen
    from clavilux.make.latents import draw_projections, project_files, save_projections
    from clavilux.make.targets import check_target, default_target
    from clavilux.make.workspace import Workspace

    reads = [*images, Path(model)]
    target = output or default_target(images[0].stem, ".npz", images)
    check_target(target, ".npz", overwrite=force, reads=reads)
    if page is not None:
        check_target(page, ".png", overwrite=force, reads=reads)
    with Screen(as_json=as_json) as screen:
        workspace = Workspace.of_user(screen)
        drawn = workspace.model(model)
        found = project_files(images, drawn, workspace=workspace, per_layer=not one)
        save_projections(found, target, overwrite=force)
        if page is not None:
            draw_projections(images, found, drawn, page)
        for image, each in zip(images, found, strict=True):
            screen.note(
                f"{image.name}: CIELAB distance {each.distance:.1f}, where the nearest image of "
                f"{drawn.name} had {each.start:.1f}."
            )
        screen.note(f"{target}: use it in a patch as from_latents({str(target)!r}).")
    distances = [{"start": round(each.start, 2), "distance": round(each.distance, 2)} for each in found]
    screen.result({"file": str(target), "model": drawn.name, "images": distances})
