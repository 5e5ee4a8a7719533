"""Arguments and switches that several commands share and that are no settings."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Force", "Json", "Quiet", "SongFile", "Source", "Verbose"]

SongFile = Annotated[
    Path, typer.Argument(metavar="SONG", help="An audio file, or a video with audio.", show_default=False)
]
Source = Annotated[
    Path,
    typer.Argument(
        metavar="SONG", help="An audio file, a video with audio, or a project file.", show_default=False
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace the file if it is already there.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result, or the error, as JSON.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing but errors.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Print more: every stage as it begins.")]
