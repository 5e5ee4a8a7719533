"""`clavilux demo`: a first video with nothing at hand."""

from pathlib import Path
from typing import Annotated

import typer

from clavilux.cli import options
from clavilux.cli.render import make_video
from clavilux.cli.settings import Chosen, takes
from clavilux.cli.source import auto
from clavilux.project.machine import Machine
from clavilux.project.output import Output
from clavilux.project.project import Project

__all__ = ["demo"]


@takes(Output, Project, Machine, omit=("codec", "bits", "start", "loop", "stems", "seed", "precision"))
def demo(  # noqa: PLR0913  # switches beside the settings
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The video to write.")
    ] = Path("clavilux-demo.mp4"),
    seed: Annotated[
        int, typer.Option(metavar="N", help="Another number, another piece and other images.")
    ] = 0,
    chosen: Chosen,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Compose a short piece of music and make its video."""
    from clavilux.cli.console import Screen
    from clavilux.demo.composer import compose

    settings = (chosen.group(Project, seed=seed, **auto(chosen)), chosen.group(Output), chosen.group(Machine))
    with Screen(quiet=quiet, verbose=verbose, as_json=as_json) as screen:
        screen.begin("Composing")
        piece = compose(seed)
        make_video(piece.audio, output, settings, screen, force=force)
