"""`clavilux still`: one frame of the video a song would have."""

from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from clavilux.cli import options
from clavilux.cli.corrections import CorrectionOptions
from clavilux.cli.settings import Chosen, takes
from clavilux.project.machine import Machine
from clavilux.project.output import Output
from clavilux.project.project import Project

__all__ = ["still"]


@takes(
    Output,
    Project,
    CorrectionOptions,
    Machine,
    omit=("codec", "bits", "crf", "flash_safety", "start", "duration", "loop", "precision"),
)
def still(  # noqa: PLR0913  # switches beside the settings
    song: options.Source,
    *,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="When in the song: 64.5 or 1:04.5.")] = "0",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="The PNG to write.", show_default="SONG.png in this folder"
        ),
    ] = None,
    chosen: Chosen,
    force: options.Force = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Draw one frame of the video of a song, or of a project file, as a PNG."""
    from clavilux.cli.console import Screen
    from clavilux.cli.source import source_of
    from clavilux.make import still as images
    from clavilux.make.targets import check_target, default_target
    from clavilux.make.workspace import Workspace
    from clavilux.timeline import parse_time

    source = source_of(song, chosen)
    settings = {
        each.name: getattr(group, each.name)
        for group in (source.output, source.project, chosen.group(Machine))
        for each in fields(group)
    }
    target, moment = output or default_target(song.stem, ".png", source.reads), parse_time(at)
    check_target(target, ".png", overwrite=force, reads=source.reads)
    with Screen(quiet=quiet, verbose=verbose) as screen:
        workspace = Workspace.of_user(screen)
        images.still(source.song, target, moment, overwrite=force, workspace=workspace, **settings)
        screen.note(f"{target}: the image at {at}.")
