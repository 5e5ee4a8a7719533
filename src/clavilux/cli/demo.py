"""`clavilux demo`: a first video with nothing at hand."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clavilux.cli import options
from clavilux.cli.render import make_video
from clavilux.cli.settings import Chosen, takes
from clavilux.cli.source import auto
from clavilux.project.machine import Machine
from clavilux.project.output import Output
from clavilux.project.project import Project

if TYPE_CHECKING:
    from clavilux.cli.console import Screen

__all__ = ["demo"]

OF_CLIPS = ("seed", "duration", "model", "psi", "mute", "solo")
"""What of a project the clips of the tour take from the command line; the rest is theirs."""


@takes(Output, Project, Machine, omit=("codec", "bits", "start", "loop", "stems", "seed", "precision"))
def demo(  # noqa: PLR0913  # switches beside the settings
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The video to write.",
            show_default="clavilux-demo.mp4, clavilux-tour.mp4 or the clip's name",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Another number, another piece and other images.")
    ] = 0,
    tour: Annotated[
        bool,
        typer.Option("--tour", help="Every technique in turn, a clip of 8 s each, with a caption."),
    ] = False,
    clip: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this clip of the tour; once for each.", show_default="all"),
    ] = None,
    chosen: Chosen,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Compose a short piece of music and make its video, or a tour of all techniques."""
    from clavilux.cli.console import Screen
    from clavilux.demo.composer import compose

    with Screen(quiet=quiet, verbose=verbose, as_json=as_json) as screen:
        if tour or clip:
            _show_tour(clip or [], output, seed, chosen, screen, force=force)
            return
        target = output or Path("clavilux-demo.mp4")
        groups = (
            chosen.group(Project, seed=seed, **auto(chosen)),
            chosen.group(Output),
            chosen.group(Machine),
        )
        screen.begin("Composing")
        make_video(compose(seed).audio, target, groups, screen, force=force)


def _show_tour(  # which clips, where to, and how it is shown
    keys: list[str], output: Path | None, seed: int, chosen: Chosen, screen: "Screen", *, force: bool
) -> None:
    """Make the tour, or some of its clips."""
    from clavilux.errors import SettingError
    from clavilux.make.workspace import Workspace
    from clavilux.timeline import format_time
    from clavilux.tour.clips import choose_clips
    from clavilux.tour.film import make_tour

    clips = choose_clips(keys)
    own = sorted(chosen.typed & chosen.values[Project].keys() - set(OF_CLIPS))
    if own:
        raise SettingError(
            f"The clips of the tour have their own {own[0]}",
            where=own[0],
            value=chosen.values[Project][own[0]],
            hint="omit it, or make another video than the tour",
        )
    given = chosen.group(Project, seed=seed)  # checked before anything is composed

    def change(project: Project) -> Project:
        return chosen.over(project, seed=given.seed)

    one = f"clavilux-{clips[0].key}.mp4" if len(clips) == 1 else "clavilux-tour.mp4"
    made = make_tour(
        output or Path(one),
        clips,
        change,
        chosen.group(Output),
        chosen.group(Machine),
        workspace=Workspace.of_user(screen),
        overwrite=force,
    )
    for chapter, clip in zip(made.chapters, clips, strict=True):
        screen.note(f"{format_time(float(chapter.start))}  {chapter.title} ({clip.key})")
    screen.note(
        f"{made.path}: {made.frames} frames, {format_time(made.duration)}, in {format_time(made.seconds)}."
    )
    screen.note(f"Next: one of them alone with --clip {clips[0].key}, on other music with --seed {seed + 1}")
    screen.result(
        {
            "output": str(made.path),
            "frames": made.frames,
            "duration": made.duration,
            "clips": [
                {"clip": clip.key, "title": clip.title, "start": float(chapter.start)}
                for chapter, clip in zip(made.chapters, clips, strict=True)
            ],
            "seconds": round(made.seconds, 2),
        }
    )
