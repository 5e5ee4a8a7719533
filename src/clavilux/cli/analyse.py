"""`clavilux analyse`: what was heard, as a table, as JSON, as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clavilux.cli import options

if TYPE_CHECKING:
    from clavilux.features.summary import Summary

__all__ = ["analyse"]


def analyse(
    song: options.SongFile,
    *,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw what was heard as a PNG.")
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show what is heard in a song: tempo, beats, key, drums, loudness."""
    from clavilux.audio.sound import open_audio
    from clavilux.cli.console import Screen
    from clavilux.features.plot import plot as draw
    from clavilux.features.song import Song
    from clavilux.features.summary import summary
    from clavilux.make.make import check_target
    from clavilux.make.session import Session

    if plot is not None:
        check_target(plot, ".png", overwrite=force)
    with Screen(quiet=quiet, as_json=as_json) as screen:
        screen.begin("Opening the song")
        audio = open_audio(song)
        screen.begin("Listening")
        heard = Song(audio, Session.of_user().store)
        found = summary(heard)
        if plot is not None:
            screen.begin("Drawing")
            draw(heard, plot)
    screen.result(found.to_dict())
    if not (as_json or quiet):
        _print_table(found)


def _print_table(found: "Summary") -> None:
    """Print what was heard, a line each, on stdout."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=found.name, title_justify="left", show_header=False, box=None, pad_edge=False)
    for name, value in _rows(found):
        table.add_row(name, value)
    Console(highlight=False).print(table)


def _rows(found: "Summary") -> list[tuple[str, str]]:
    from clavilux.timeline import format_time

    first = f", the first bar at {found.downbeats[0]:.2f} s" if found.downbeats else ""
    channels = {1: "mono", 2: "stereo"}.get(found.channels, f"{found.channels} channels")
    return [
        ("length", f"{format_time(found.duration)} ({found.duration:.2f} s)"),
        ("sound", "silence" if found.silent else f"{found.rate} Hz, {channels}"),
        ("beat", f"{found.tempo:.1f} bpm, {found.beats_per_bar}/4, confidence {found.beat_confidence:.2f}"),
        ("bars", f"{len(found.downbeats)}{first}"),
        ("key", f"{found.key}, confidence {found.key_confidence:.2f}, tuned {found.tuning * 100:+.0f} cents"),
        ("drums", f"{found.drums}: {found.kicks} kicks, {found.snares} snares, {found.hats} hats"),
    ]
