"""`clavilux recreate`: a video made again from the recipe inside it, frame for frame."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from clavilux.cli import options

__all__ = ["recreate"]


def recreate(  # noqa: PLR0913  # a command has as many options as its users need
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
    stems: options.Stems = None,
    device: options.Device = "auto",
    force: options.Force = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Make a video again, frame for frame, from the recipe it carries and its song."""
    from clavilux.cli.console import Screen
    from clavilux.make.make import check_target, play, target_suffix
    from clavilux.make.recipe import read_recipe
    from clavilux.make.session import Session
    from clavilux.make.stage import prepare

    recipe = read_recipe(video)
    target = output or Path(f"{video.stem}-again{video.suffix}")
    then = recipe.settings
    folder = str(stems) if stems else then.stems
    settings = replace(then, device=device, model=model or then.model, stems=folder)
    with Screen(quiet=quiet, verbose=verbose) as screen:
        session = Session.of_user(screen)
        check_target(target, target_suffix(settings), overwrite=force)
        stage = prepare(song, settings, session=session)
        recipe.check(stage.plan.recipe)
        made = play(stage, target, session)
        same = made.pixels == recipe.pixels
        how = "frame for frame" if same else "within rounding: another machine drew them"
        screen.note(f"{target}: {made.frames} frames, the same {how}.")
