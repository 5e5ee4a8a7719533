"""`clavilux analyse`: what was heard, as a table, as JSON, as a picture, as files for other programs."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clavilux.cli import options

if TYPE_CHECKING:
    from rich.table import Table

    from clavilux.features.corrections import Corrections
    from clavilux.features.song import Song
    from clavilux.report.summary import Summary, Voice

__all__ = ["analyse"]

ENERGY_WIDTH = 12
STEADY = 0.02
"""Share of the tempo by which it may waver and still be said as one number."""


def analyse(  # noqa: PLR0913  # a command has as many options as its users need
    song: options.SongFile,
    *,
    bpm: options.Bpm = None,
    tempo: options.Tempo = None,
    first_downbeat: options.FirstDownbeat = None,
    beats_per_bar: options.BeatsPerBar = None,
    labels: options.Labels = None,
    save: Annotated[
        bool, typer.Option("--save", help="Keep these corrections beside the song, in SONG.clavilux.toml.")
    ] = False,
    stems: options.Stems = None,
    detail: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="How many kinds of sections to tell apart, 2 to 10.", show_default="what fits"
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw what was heard as a PNG.")
    ] = None,
    export: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            help="Write csv, audacity (labels), cue or midi files for other programs; may be repeated.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FOLDER", help="Where exports go.", show_default="beside the song"
        ),
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show what is heard in a song: tempo, bars, sections, key, melody, drums, loudness.

    What was heard wrongly can be corrected, for this once or with --save for good: render, still and analyse
    then all go by SONG.clavilux.toml.
    """
    from clavilux.annotations.sidecar import corrected
    from clavilux.audio.sound import open_audio
    from clavilux.audio.stem_files import open_stems
    from clavilux.cli.console import Screen
    from clavilux.cli.corrections import corrections_from
    from clavilux.errors import SettingError
    from clavilux.features.song import Song
    from clavilux.make.session import Session
    from clavilux.report.summary import summary

    said = corrections_from(bpm=bpm, tempo=tempo, first_downbeat=first_downbeat, beats_per_bar=beats_per_bar)
    if save and said.none and not labels:
        raise SettingError(
            "There is nothing to save; correct something, with --bpm or --labels for instance."
        )
    exports = _export_targets(song, export or [], output, force=force)
    _check_picture(plot, force=force)
    with Screen(quiet=quiet, as_json=as_json) as screen:
        screen.begin("Opening the song")
        audio = open_audio(song)
        corrections = corrected(song, said, labels or [])
        own = {} if stems is None else open_stems(stems, audio)
        screen.begin("Listening")
        heard = Song(audio, Session.of_user().store, own, corrections)
        found = summary(heard, detail=detail)
        if save:
            screen.note(f"Kept in {_save(song, said, labels or [])}.")
        if plot is not None:
            from clavilux.report.plot import plot as draw

            screen.begin("Drawing")
            draw(heard, plot, detail=detail)
        screen.begin("Writing")
        for path in _write_exports(heard, song, exports, detail):
            screen.note(f"{path}: written.")
    screen.result(found.to_dict())
    if not (as_json or quiet):
        _print(found)


def _check_picture(plot: Path | None, *, force: bool) -> None:
    from clavilux.make.make import check_target

    if plot is not None:
        check_target(plot, ".png", overwrite=force)


def _export_targets(
    song: Path, kinds: Sequence[str], folder: Path | None, *, force: bool
) -> dict[str, dict[str, Path]]:
    """Name the files of each kind by what follows the song's name, and make sure they can be written."""
    from clavilux.errors import SettingError
    from clavilux.make.make import check_target
    from clavilux.report.exports import SUFFIXES

    if folder is not None and not kinds:
        raise SettingError("--output is where exports go; say which with --export.")
    targets: dict[str, dict[str, Path]] = {}
    for kind in kinds:
        if kind not in SUFFIXES:
            raise SettingError(f"There is no export '{kind}'; there are {', '.join(SUFFIXES)}.")
        place = song.parent if folder is None else folder
        targets[kind] = {suffix: place / f"{song.stem}{suffix}" for suffix in SUFFIXES[kind]}
        for path in targets[kind].values():
            check_target(path, path.suffix, overwrite=force)
    return targets


def _write_exports(
    heard: "Song", song: Path, targets: dict[str, dict[str, Path]], detail: int | None
) -> Iterator[Path]:
    from clavilux.files import write_atomic
    from clavilux.report.exports import export

    for kind, paths in targets.items():
        for suffix, data in export(heard, kind, song.name, detail=detail).items():
            write_atomic(paths[suffix], data)
            yield paths[suffix]


def _save(song: Path, said: "Corrections", labels: Sequence[Path]) -> Path:
    from clavilux.annotations.sidecar import Sidecar

    return Sidecar.beside(song).save(said, labels)


def _print(found: "Summary") -> None:
    """Print what was heard on stdout: a line each, then sections, or the tracks of a mix."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(found.name), title_justify="left", show_header=False, box=None, pad_edge=False)
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
    yield "sound", "silence" if found.silent else f"{found.rate} Hz, {channels}"
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
    wavers = found.tempo_high - found.tempo_low > STEADY * found.tempo
    between = f" ({found.tempo_low:.0f} to {found.tempo_high:.0f})" if wavers else ""
    return f"{found.tempo:.1f} bpm{between}, {found.beats_per_bar}/4, confidence {found.beat_confidence:.2f}"


def _voice(voice: "Voice") -> str:
    if voice.lowest is None:
        return "none heard"
    notes = _count(voice.notes, "note")
    return f"{voice.lowest} to {voice.highest}, {notes}, heard {voice.heard:.0%} of the time"


def _sections(found: "Summary") -> "Table":
    """List sections in their colours on the plot; the bar is their energy."""
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
