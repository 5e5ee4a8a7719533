"""`clavilux demo`: a first video with nothing at hand."""

from pathlib import Path
from typing import Annotated

import typer

from clavilux.cli import options
from clavilux.cli.render import make_video, settings_from

__all__ = ["demo"]


def demo(  # noqa: PLR0913  # a command has as many options as its users need
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The video to write.")
    ] = Path("clavilux-demo.mp4"),
    fps: options.Fps = "30",
    size: options.Size = "1280x720",
    cells: options.Cells = None,
    duration: options.Duration = None,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Another number, another piece and other pictures.")
    ] = 0,
    model: options.ModelName = "silk",
    psi: options.Psi = None,
    crf: options.Crf = None,
    device: options.Device = "auto",
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Compose a short piece of music and make its video."""
    from clavilux.cli.console import Screen
    from clavilux.demo.composer import compose

    settings = settings_from(
        fps=fps,
        size=size,
        cells=cells,
        start="0",
        duration=duration,
        seed=seed,
        model=model,
        psi=psi,
        crf=crf,
        device=device,
    )
    with Screen(quiet=quiet, verbose=verbose, as_json=as_json) as screen:
        screen.begin("Composing")
        piece = compose(seed)
        make_video(piece.audio, output, settings, screen, force=force)
