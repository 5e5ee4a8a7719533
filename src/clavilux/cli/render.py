"""`clavilux render`: a song in, a video out."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clavilux.cli import options

if TYPE_CHECKING:
    from clavilux.audio.sound import Audio
    from clavilux.cli.console import Screen
    from clavilux.make.settings import Settings
    from clavilux.make.stage import Stage

__all__ = ["make_video", "render", "settings_from"]


def render(  # noqa: PLR0913  # a command has as many options as its users need
    song: options.SongFile,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The video to write, or the folder for pictures.",
            show_default="SONG.mp4 in this folder",
        ),
    ] = None,
    fps: options.Fps = "30",
    size: options.Size = "1280x720",
    cells: options.Cells = None,
    start: options.Start = "0",
    duration: options.Duration = None,
    seed: options.Seed = 0,
    model: options.ModelName = "silk",
    psi: options.Psi = None,
    codec: options.Codec = "h264",
    bits: options.Bits = None,
    crf: options.Crf = None,
    loop: options.Loop = False,
    bpm: options.Bpm = None,
    tempo: options.Tempo = None,
    first_downbeat: options.FirstDownbeat = None,
    beats_per_bar: options.BeatsPerBar = None,
    labels: options.Labels = None,
    stems: options.Stems = None,
    device: options.Device = "auto",
    precision: options.Precision = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be made, and stop.")] = False,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Make a music video of a song.

    The video has the song's own sound, in sync, and exactly as many frames as the song needs.
    """
    from clavilux.annotations.sidecar import corrected
    from clavilux.cli.console import Screen
    from clavilux.cli.corrections import corrections_from
    from clavilux.make.make import target_suffix

    said = corrections_from(bpm=bpm, tempo=tempo, first_downbeat=first_downbeat, beats_per_bar=beats_per_bar)
    settings = settings_from(
        fps=fps,
        size=size,
        cells=cells,
        start=start,
        duration=duration,
        seed=seed,
        model=model,
        psi=psi,
        codec=codec,
        bits=bits,
        crf=crf,
        loop=loop,
        stems=None if stems is None else str(stems),
        corrections=corrected(song, said, labels or ()),
        device=device,
        precision=precision,
    )
    target = output or Path(f"{song.stem}{target_suffix(settings)}")
    with Screen(quiet=quiet, verbose=verbose, as_json=as_json) as screen:
        make_video(song, target, settings, screen, force=force, dry_run=dry_run)


def settings_from(
    *, fps: str, size: str, cells: str | None, start: str, duration: str | None, **others: object
) -> "Settings":
    """Read the options that are written as text, and check all of them together."""
    from clavilux.make.settings import Settings, parse_cells, parse_size
    from clavilux.timeline import parse_fps, parse_time

    return Settings(
        fps=parse_fps(fps),
        size=parse_size(size),
        cells=None if cells is None else parse_cells(cells),
        start=parse_time(start),
        duration=None if duration is None else parse_time(duration),
        **others,  # type: ignore[arg-type]
    )


def make_video(
    source: "Path | Audio",
    target: Path,
    settings: "Settings",
    screen: "Screen",
    *,
    force: bool,
    dry_run: bool = False,
) -> None:
    """Make a video, or only say what it would be, and say so."""
    from clavilux.make.make import check_target, play, target_suffix
    from clavilux.make.session import Session
    from clavilux.make.stage import prepare
    from clavilux.timeline import format_time

    session = Session.of_user(screen)
    check_target(target, target_suffix(settings), overwrite=force)
    stage = prepare(source, settings, session=session)
    for line in _describe(stage):
        screen.note(line)
    plan = {"output": str(target), **stage.plan.recipe, "segments": len(stage.plan.segments)}
    if dry_run:
        screen.result(plan)
        return
    made = play(stage, target, session)
    again = (
        f"clavilux analyse {shlex.quote(str(source))}" if isinstance(source, Path) else "clavilux render SONG"
    )
    screen.note(
        f"{target}: {made.frames} frames, {format_time(made.duration)}, in {format_time(made.seconds)}.\n"
        f"Next: another look with --seed {settings.seed + 1}, or {again}"
    )
    screen.result(plan | {"seconds": round(made.seconds, 2)})


def _describe(stage: "Stage") -> list[str]:
    """Say what was heard and what will be played."""
    from clavilux.timeline import format_time

    width, height = stage.program.size
    cells = "x".join(map(str, stage.program.cells))
    timeline, model, seed = stage.timeline, stage.model, stage.settings.seed
    length = format_time(float(timeline.duration))
    return [
        f"Heard: {stage.heard}",
        f"Playing: {model.name} ({model.resolution} px, cells {cells}), preset pulse, seed {seed}",
        f"Making: {length}, {timeline.frames} frames of {width}x{height} at {float(timeline.fps):g} fps",
    ]
