"""`clavilux render`: a song in, a video out."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clavilux.cli import options
from clavilux.cli.corrections import CorrectionOptions
from clavilux.cli.measure import TOO_MANY_FLASHES
from clavilux.cli.settings import Chosen, takes
from clavilux.project.machine import Machine
from clavilux.project.output import Output
from clavilux.project.project import Project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clavilux.audio.sound import Audio
    from clavilux.cli.console import Screen

__all__ = ["make_video", "render"]


@takes(Output, Project, CorrectionOptions, Machine)
def render(  # noqa: PLR0913  # switches beside the settings
    song: options.Source,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The video to write, or the folder for images.",
            show_default="SONG.mp4 in this folder",
        ),
    ] = None,
    chosen: Chosen,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure", help="Measure how the video follows the song, and its flashes, as it is drawn."
        ),
    ] = False,
    page: Annotated[
        Path | None,
        typer.Option("--page", metavar="FILE", help="Measure it, and draw the measures as curves, a PNG."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be made, and stop.")] = False,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Make a music video of a song, or of a project file.

    The video has the song's own audio, in sync, and exactly as many frames as the song needs.

    With --measure or --page it ends with exit code 1 where there are more flashes than WCAG 2.3.1 and
    ITU-R BT.1702 allow.
    """
    from clavilux.cli.console import Screen
    from clavilux.cli.source import source_of
    from clavilux.make.targets import default_target, target_suffix

    source = source_of(song, chosen)
    target = output or default_target(song.stem, target_suffix(source.output), source.reads)
    settings = (source.project, source.output, chosen.group(Machine))
    with Screen(quiet=quiet, verbose=verbose, as_json=as_json) as screen:
        make_video(
            source.song,
            target,
            settings,
            screen,
            force=force,
            dry_run=dry_run,
            reads=source.reads,
            measure=measure,
            page=page,
        )


def make_video(  # noqa: PLR0913  # what to make, where, and how it is shown
    source: "Path | Audio",
    target: Path,
    settings: tuple[Project, Output, Machine],
    screen: "Screen",
    *,
    force: bool,
    dry_run: bool = False,
    reads: "Sequence[Path]" = (),
    measure: bool = False,
    page: Path | None = None,
) -> None:
    """Make a video, or only show what it would be."""
    from clavilux.make.measure import check_measurable
    from clavilux.make.prepare import prepare
    from clavilux.make.targets import check_target, target_suffix
    from clavilux.make.workspace import Workspace
    from clavilux.report.words import flashes_in_words, measures_in_words
    from clavilux.timeline import format_time

    check_target(target, target_suffix(settings[1]), overwrite=force, reads=reads)
    measure = measure or page is not None
    if measure:
        check_measurable(settings[1])
    if page is not None:
        check_target(page, ".png", overwrite=force, reads=[*reads, target])
    job = prepare(source, *settings, workspace=Workspace.of_user(screen))
    for line in job.describe():
        screen.note(line)
    plan = {"output": str(target), **job.identity, "segments": len(job.plan.segments)}
    if dry_run:
        screen.result(plan)
        return
    made = job.render(target, overwrite=force, measure=measure)
    again = (
        f"clavilux analyse {shlex.quote(str(source))}" if isinstance(source, Path) else "clavilux render SONG"
    )
    screen.note(
        f"{target}: {made.frames} frames, {format_time(made.duration)}, in {format_time(made.seconds)}."
    )
    lines = [] if made.flashes is None else [flashes_in_words(made.flashes)]
    measures = None if made.measured is None else made.measured.measures
    for line in lines if measures is None else measures_in_words(measures):
        screen.note(f"{line}.")
    if made.measured is not None and page is not None:
        screen.begin("Drawing")
        made.measured.plot(page, overwrite=force)
        screen.note(f"{page}: written.")
    screen.note(f"Next: another look with --seed {job.project.seed + 1}, or {again}")
    result = plan | {"seconds": round(made.seconds, 2)}
    screen.result(result if measures is None else result | {"measures": measures.to_dict()})
    if measures is not None and not measures.trace.flashes.passes:
        raise typer.Exit(TOO_MANY_FLASHES)
