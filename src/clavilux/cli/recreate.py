"""`clavilux recreate`: a video made again from the recipe inside it, frame for frame."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from clavilux.cli import options
from clavilux.cli.settings import Chosen, takes
from clavilux.project.machine import Machine

__all__ = ["recreate"]


@takes(Machine, omit=("precision",))
def recreate(  # noqa: PLR0913  # switches beside the settings
    video: Annotated[
        Path, typer.Argument(metavar="VIDEO", help="A video made by Clavilux.", show_default=False)
    ],
    song: options.SongFile,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="The video to write.", show_default="VIDEO-again"
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="FILE", help="Where the model is now.", show_default="as then"),
    ] = None,
    stems: Annotated[
        str | None,
        typer.Option("--stems", metavar="FOLDER", help="Where the stems are now.", show_default="as then"),
    ] = None,
    chosen: Chosen,
    force: options.Force = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Make a video again, frame for frame, from the recipe it carries and its song."""
    from clavilux.cli.console import Screen
    from clavilux.make.prepare import prepare
    from clavilux.make.targets import check_target, default_target, files_read, target_suffix
    from clavilux.make.workspace import Workspace
    from clavilux.project.recipe import read_recipe

    recipe = read_recipe(video)
    then = recipe.project
    project = replace(then, model=model or then.model, stems=stems or then.stems)
    suffix = target_suffix(recipe.output)
    reads = files_read(song, stems=project.stems, model=project.model, others=[video])
    target = output or default_target(video.stem, f"-again{suffix}", reads)
    machine = chosen.group(Machine, precision=recipe.precision)
    with Screen(quiet=quiet, verbose=verbose) as screen:
        check_target(target, suffix, overwrite=force, reads=reads)
        job = prepare(song, project, recipe.output, machine, workspace=Workspace.of_user(screen))
        recipe.check(job.identity, job.samples)
        made = job.render(target, overwrite=force)
        same = made.pixels == recipe.pixels
        how = "frame for frame" if same else "within rounding: another machine drew them"
        screen.note(f"{target}: {made.frames} frames, the same {how}.")
