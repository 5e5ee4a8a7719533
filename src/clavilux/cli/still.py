"""`clavilux still`: one frame of the video a song would have."""

from pathlib import Path
from typing import Annotated

import typer

from clavilux.cli import options
from clavilux.cli.render import settings_from

__all__ = ["still"]


def still(  # noqa: PLR0913  # a command has as many options as its users need
    song: options.SongFile,
    *,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="When in the song: 64.5 or 1:04.5.")] = "0",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="The PNG to write.", show_default="SONG.png in this folder"
        ),
    ] = None,
    fps: options.Fps = "30",
    size: options.Size = "1280x720",
    cells: options.Cells = None,
    seed: options.Seed = 0,
    model: options.ModelName = "silk",
    psi: options.Psi = None,
    bpm: options.Bpm = None,
    tempo: options.Tempo = None,
    first_downbeat: options.FirstDownbeat = None,
    beats_per_bar: options.BeatsPerBar = None,
    labels: options.Labels = None,
    stems: options.Stems = None,
    device: options.Device = "auto",
    force: options.Force = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Draw one frame of a song's video as a PNG."""
    from clavilux.annotations.sidecar import corrected
    from clavilux.cli.console import Screen
    from clavilux.cli.corrections import corrections_from
    from clavilux.make import make
    from clavilux.make.session import Session
    from clavilux.timeline import parse_time

    said = corrections_from(bpm=bpm, tempo=tempo, first_downbeat=first_downbeat, beats_per_bar=beats_per_bar)
    settings = settings_from(
        fps=fps,
        size=size,
        cells=cells,
        start="0",
        duration=None,
        seed=seed,
        model=model,
        psi=psi,
        stems=None if stems is None else str(stems),
        corrections=corrected(song, said, labels or ()),
        device=device,
    )
    target = output or Path(f"{song.stem}.png")
    with Screen(quiet=quiet, verbose=verbose) as screen:
        session = Session.of_user(screen)
        make.still(song, target, parse_time(at), settings, overwrite=force, session=session)
        screen.note(f"{target}: the picture at {at}.")
