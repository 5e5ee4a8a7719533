"""`clavilux new`, `check` and `set`: project files written, checked and changed."""

import os
from pathlib import Path
from typing import Annotated

import typer

from clavilux.cli import options
from clavilux.cli.corrections import CorrectionOptions
from clavilux.cli.settings import Chosen, takes
from clavilux.cli.source import auto
from clavilux.project.output import Output
from clavilux.project.project import Project

__all__ = ["change", "check", "new"]

ShowFile = Annotated[Path, typer.Argument(metavar="PROJECT", help="A project file.", show_default=False)]


@takes(Output, Project, CorrectionOptions)
def new(  # noqa: PLR0913  # switches beside the settings
    song: Annotated[
        Path,
        typer.Argument(
            metavar="SONG",
            help="An audio file, or a video made by Clavilux.",
            show_default=False,
        ),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The project to write.",
            show_default="SONG.toml in this folder",
        ),
    ] = None,
    chosen: Chosen,
    written_out: Annotated[
        bool, typer.Option("--written-out", help="Write the preset as the sentences it consists of.")
    ] = False,
    bends: Annotated[
        Path | None,
        typer.Option(
            "--bends",
            metavar="FILE",
            help="Add the bends of a YAML file as network-bending (Broad et al. 2020) reads them.",
            show_default=False,
        ),
    ] = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Write a project file of what would be rendered, to be changed by hand and rendered.

    Of a video that Clavilux made, it is the project that the video was made of.
    """
    from clavilux.cli.console import Screen
    from clavilux.make.project_files import new_project
    from clavilux.make.targets import default_target
    from clavilux.make.workspace import Workspace

    given = chosen.group(CorrectionOptions)
    corrections = given.given.merged(given.labelled)
    target = output or default_target(song.stem, ".toml", [song])
    with Screen(quiet=quiet) as screen:
        new_project(
            song,
            target,
            chosen.group(Project, corrections=None if corrections.none else corrections, **auto(chosen)),
            chosen.group(Output),
            written_out=written_out,
            overwrite=force,
            reads=[*given.files, *([bends] if bends else [])],
            bends=bends,
            workspace=Workspace.of_user(screen),
        )
        screen.note(f"{target}: change it with any editor, then: clavilux render {os.fspath(target)}")


def check(project: ShowFile, *, as_json: options.Json = False) -> None:
    """Find all that is wrong with a project file, line by line."""
    import json

    from clavilux.cli.remedies import as_table, explain
    from clavilux.errors import one_line
    from clavilux.make.project_files import check_project

    errors = check_project(project)
    if as_json:
        typer.echo(json.dumps([as_table(error)["error"] for error in errors], indent=2))
    elif errors:
        for error in errors:
            typer.echo(one_line(f"{project.name}, {explain(error)}"))
    else:
        typer.echo(one_line(f"{project.name}: nothing is wrong. Next: clavilux render {project}"))
        typer.echo("Sections, bars and stems that it names are looked up when the song is analysed.")
    if errors:
        raise typer.Exit(2)


def change(
    project: ShowFile,
    changes: Annotated[
        list[str],
        typer.Argument(metavar="KEY=VALUE...", help="Such as look.punch=1.5 or output.size=1920x1080."),
    ],
) -> None:
    """Change settings of a project file; comments and all other lines stay as they are."""
    from clavilux.errors import one_line
    from clavilux.make.project_files import change_project

    change_project(project, changes)
    typer.echo(one_line(f"{project}: changed {', '.join(text.partition('=')[0] for text in changes)}."))
