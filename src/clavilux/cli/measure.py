"""`clavilux measure`: how a video follows its song, and whether it flashes too much."""

from pathlib import Path
from typing import Annotated

import typer

from clavilux.cli import options

__all__ = ["TOO_MANY_FLASHES", "measure"]

TOO_MANY_FLASHES = 1
"""Exit code where a limit of flashes is exceeded."""


def measure(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="Any video.", show_default=False)],
    *,
    page: Annotated[
        Path | None, typer.Option("--page", metavar="FILE", help="Draw the measures as curves, a PNG.")
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="SONG",
            help="Another song, to find by how much colours match harmony by chance; may be repeated.",
            show_default="the song itself, shifted",
        ),
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure how a video follows its song, and its flashes by WCAG 2.3.1 and ITU-R BT.1702.

    Ends with exit code 1 where there are more flashes than these allow. It helps to reduce a risk; it is no
    certificate.
    """
    from clavilux.cli.console import Screen
    from clavilux.make.measure import measure_video
    from clavilux.make.targets import check_target
    from clavilux.make.workspace import Workspace
    from clavilux.report.words import measures_in_words

    if page is not None:
        check_target(page, ".png", overwrite=force, reads=[video])
    with Screen(quiet=quiet, as_json=as_json) as screen:
        measured = measure_video(video, against=against or (), workspace=Workspace.of_user(screen))
        if page is not None:
            screen.begin("Drawing")
            measured.plot(page, overwrite=force)
            screen.note(f"{page}: written.")
    screen.result(measured.measures.to_dict())
    if not (as_json or quiet):
        for line in measures_in_words(measured.measures):
            typer.echo(line)
    if not measured.measures.trace.flashes.passes:
        raise typer.Exit(TOO_MANY_FLASHES)
