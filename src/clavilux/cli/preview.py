"""`clavilux preview`: a contact sheet and two short videos, within seconds."""

from pathlib import Path
from typing import Annotated

import typer

from clavilux.cli import options
from clavilux.cli.corrections import CorrectionOptions
from clavilux.cli.settings import Chosen, takes
from clavilux.project.machine import Machine
from clavilux.project.output import Output
from clavilux.project.project import Project

__all__ = ["preview"]


@takes(Output, Project, CorrectionOptions, Machine, omit=("fps", "cells", "codec", "bits", "crf", "loop"))
def preview(  # switches beside the settings
    song: options.Source,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="NAME",
            help="What the names of the files begin with.",
            show_default="SONG in this folder",
        ),
    ] = None,
    chosen: Chosen,
    force: options.Force = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Show a whole piece within seconds: an image per section, its loudest and quietest parts as videos."""
    from clavilux.cli.console import Screen
    from clavilux.cli.source import source_of
    from clavilux.make.preview import draw_preview, preview_targets
    from clavilux.make.workspace import Workspace

    source = source_of(song, chosen)
    targets = preview_targets(output or Path(song.stem))
    with Screen(quiet=quiet, verbose=verbose) as screen:
        made = draw_preview(
            source.song,
            targets,
            source.project,
            source.output,
            chosen.group(Machine),
            workspace=Workspace.of_user(screen),
            overwrite=force,
            reads=source.reads,
        )
        screen.note(f"{made.sheet}, {made.loudest} and {made.quietest}. Next: clavilux render {song}")
