"""`clavilux analyse`: what is detected in a song, as a table, JSON, a plot, or files for other programs."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clavilux.cli import options
from clavilux.cli.corrections import CorrectionOptions
from clavilux.cli.settings import Chosen, takes
from clavilux.errors import one_line
from clavilux.project.project import Project
from clavilux.project.setting import settings_of

if TYPE_CHECKING:
    from rich.table import Table

    from clavilux.report.summary import Summary, VoiceSummary

__all__ = ["analyse"]

ENERGY_WIDTH = 12
STEADY_TEMPO_SHARE = 0.02
"""Share of the tempo by which it may vary and still be shown as one number."""


@takes(CorrectionOptions)
def analyse(  # noqa: PLR0913  # a command has as many options as its users need
    song: options.SongFile,
    *,
    chosen: Chosen,
    save: Annotated[
        bool, typer.Option("--save", help="Keep these corrections beside the song, in SONG.clavilux.toml.")
    ] = False,
    stems: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help=settings_of(Project)["stems"].about, show_default=False),
    ] = None,
    track: Annotated[
        int | None,
        typer.Option(metavar="N", help=settings_of(Project)["track"].about, show_default=False),
    ] = None,
    detail: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="How many different sections to find, 2 to 10.", show_default="what fits"
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw the analysis as a PNG.")
    ] = None,
    export: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            help="Write csv, audacity (labels), cue, midi or json files for other programs; may be repeated.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FOLDER", help="Where exports go.", show_default="this folder"
        ),
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show what is detected in a song: tempo, bars, sections, key, melody, drums, loudness.

    What is wrong can be corrected, for this once or with --save for good: render, still and analyse then all
    use SONG.clavilux.toml.
    """
    from clavilux.cli.console import Screen
    from clavilux.errors import SettingError
    from clavilux.make.analyse import analyse as analyse_song
    from clavilux.make.analyse import check_plot_target, export_targets
    from clavilux.make.targets import files_read
    from clavilux.make.workspace import Workspace

    corrections = chosen.group(CorrectionOptions)
    given, labels = corrections.given, corrections.files
    kinds, folder = export or [], output or Path()
    if save and given.none and not labels:
        raise SettingError("There is nothing to save", hint="correct something, such as --bpm or --labels")
    if output is not None and not kinds:
        raise SettingError("There are no exports to put into --output", hint="choose them with --export")
    reads = files_read(song, stems=stems, others=labels)
    export_targets(song.stem, kinds, folder, overwrite=force, reads=reads)
    if plot is not None:
        check_plot_target(plot, overwrite=force, reads=reads)
    with Screen(quiet=quiet, as_json=as_json) as screen:
        analysed = analyse_song(
            song,
            stems=stems,
            track=track,
            corrections=given,
            labels=labels,
            detail=detail,
            workspace=Workspace.of_user(screen),
        )
        if save:
            screen.note(f"Kept in {analysed.save_corrections()}.")
        if plot is not None:
            screen.begin("Drawing")
            analysed.plot(plot, overwrite=force)
        screen.begin("Writing")
        for path in analysed.export(kinds, folder, overwrite=force):
            screen.note(f"{path}: written.")
    screen.result(analysed.summary.to_dict())
    if not (as_json or quiet):
        _print(analysed.summary)


def _print(found: "Summary") -> None:
    """Print a summary on stdout: a line each, then sections, or the tracks of a mix."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    title = Text(one_line(found.name))
    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    for name, value in _rows(found):
        table.add_row(name, value)
    console = Console(highlight=False, markup=False)
    console.print(table)
    console.print()
    console.print(_tracks(found) if len(found.tracks) > 1 else _sections(found))


def _rows(found: "Summary") -> Iterator[tuple[str, str]]:
    from clavilux.timeline import format_time

    channels = {1: "mono", 2: "stereo"}.get(found.channels, f"{found.channels} channels")
    yield "length", f"{format_time(found.duration)} ({found.duration:.2f} s)"
    yield "audio", "silence" if found.silent else f"{found.rate} Hz, {channels}"
    yield "loudness", f"{found.lufs:.1f} LUFS, at most {found.loudest:.1f}"
    yield "beat", _beat(found)
    if found.first_downbeat is not None:
        yield "bars", f"{found.bars}, the first at {found.first_downbeat:.2f} s"
        yield "loop", "1 bar" if found.loop_bars == 1 else f"{found.loop_bars} bars"
    yield "key", f"{found.key}, confidence {found.key_confidence:.2f}, tuned {found.tuning * 100:+.0f} cents"
    yield "chords", _count(found.chord_changes, "change")
    yield "melody", _voice(found.melody)
    yield "bass", _voice(found.bass)
    hits = (_count(found.kicks, "kick"), _count(found.snares, "snare"), _count(found.hats, "hat"))
    yield "drums", f"{found.drums}: {', '.join(hits)}"
    if found.corrections:
        yield "corrected", ", ".join(found.corrections)
    if len(found.tracks) > 1:
        yield "sections", f"{len(found.sections)}; --json lists them"


def _beat(found: "Summary") -> str:
    if found.first_downbeat is None:
        return "no steady beat"
    varies = found.tempo_high - found.tempo_low > STEADY_TEMPO_SHARE * found.tempo
    between = f" ({found.tempo_low:.0f} to {found.tempo_high:.0f})" if varies else ""
    return f"{found.tempo:.1f} bpm{between}, {found.beats_per_bar}/4, confidence {found.beat_confidence:.2f}"


def _voice(voice: "VoiceSummary") -> str:
    if voice.lowest is None:
        return "none"
    notes = _count(voice.notes, "note")
    return f"{voice.lowest} to {voice.highest}, {notes}, {voice.share:.0%} of the time"


def _sections(found: "Summary") -> "Table":
    """List the sections in the colours of the plot; the bar is their energy."""
    from rich.table import Table
    from rich.text import Text

    from clavilux.report.plot_style import section_colours
    from clavilux.timeline import format_time

    table = Table("start", "bars", "section", "energy", box=None, pad_edge=False)
    colours = section_colours([part.label for part in found.sections])
    for part in found.sections:
        colour = colours[part.label]
        bar = Text("█" * max(1, round(part.energy * ENERGY_WIDTH)), style=colour)
        bars = f"{round(part.bars, 1):g}" if found.first_downbeat is not None else ""
        table.add_row(format_time(part.start), bars, Text(part.label, style=f"bold {colour}"), bar)
    return table


def _tracks(found: "Summary") -> "Table":
    from rich.table import Table

    from clavilux.timeline import format_time

    table = Table("start", "length", "track", "bpm", box=None, pad_edge=False)
    for track in found.tracks:
        length = format_time(track.end - track.start)
        table.add_row(format_time(track.start), length, track.label, f"{track.tempo:.1f}")
    return table


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
