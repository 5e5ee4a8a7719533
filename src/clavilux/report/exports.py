"""What was detected in a song, as files for other programs: tables, labels, cue sheets, MIDI, JSON.

An export is one file or two, each named by what follows the song's name. Where there is no beat, and the grid
is only a clock, no beats are written. Times are seconds.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import numpy as np

from clavilux.annotations.cues import COLUMNS
from clavilux.annotations.labels import TABLE_COLUMNS
from clavilux.arrays import AnyArray
from clavilux.curves import CONTROL_RATE, Sections
from clavilux.errors import SettingError, suggest
from clavilux.features.harmony.notes import chord_changes, find_notes
from clavilux.features.rhythm.bar_numbers import number_beats, number_detected_beats
from clavilux.features.song import Song
from clavilux.moments import Moment
from clavilux.report.midi import midi_file
from clavilux.report.song_json import song_json

__all__ = ["EXPORTS", "SUFFIXES", "export"]

Row = tuple[float, float | None, str, str, float | None]
"""A row of the table of events: time, end, kind, label, value."""

SUFFIXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "csv": (".events.csv", ".curves.csv"),
        "audacity": (".sections.txt", ".beats.txt"),
        "cue": (".cue", ".cues.csv"),
        "midi": (".mid",),
        "json": (".analysis.json",),
    }
)
"""Kind of export -> what follows the song's name."""
CUE_FRAMES_PER_SECOND = 75
MAX_CUE_TRACKS = 99
CUE_FILE_TYPES = {".mp3": "MP3", ".aif": "AIFF", ".aiff": "AIFF"}


def export(song: Song, kind: str, file: str, *, detail: int | None = None) -> dict[str, bytes]:
    """Write what was detected in a song in the format of another program.

    Args:
        song: any song, silence included.
        kind: csv, audacity, cue, midi or json.
        file: path of the song's file as seen from the export, which a cue sheet refers to.
        detail: level of detail of the sections, 2 to 10.

    Returns:
        What follows the song's name, as in ``SUFFIXES`` -> content of the file.

    Raises:
        SettingError: there is no such kind.

    >>> from clavilux.audio.sound import Audio
    >>> sorted(export(Song(Audio.from_samples(np.zeros(8000), 8000)), "audacity", "a.wav"))
    ['.beats.txt', '.sections.txt']
    """
    if kind not in EXPORTS:
        hint = suggest(kind, EXPORTS, otherwise="there are {}")
        raise SettingError(f"There is no export '{kind}'", where="export", value=kind, hint=hint)
    return EXPORTS[kind](song, detail, file)


def _tables(song: Song, detail: int | None, _: str) -> dict[str, bytes]:
    """Write a table of events and a table of curves."""
    sections = song.structure(detail)
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(TABLE_COLUMNS)
    for time, end, kind, label, value in sorted(_events(song, sections), key=lambda row: row[0]):
        ends, shown = "" if end is None else _exact(end), "" if value is None else f"{value:.4g}"
        table.writerow((_exact(time), ends, kind, label, shown))
    return {".events.csv": written.getvalue().encode(), ".curves.csv": _curves(song)}


def _events(song: Song, sections: Sections) -> Iterator[Row]:
    for kind, parts in (("track", song.tracks), ("section", sections)):
        for start, end, label, energy in _parts(parts):
            yield start, end, kind, label, energy
    beats = number_detected_beats(song.grid, song.duration)
    for time, number, name in zip(beats.times.tolist(), beats.beats, beats.names, strict=True):
        yield time, None, "downbeat" if number == 1 else "beat", name, None
    hits = {
        "kick": song.kick,
        "snare": song.snare,
        "hat": song.hat,
        "chords": chord_changes(song.chord_change()),
    }
    for kind, events in hits.items():
        for time, strength in zip(events.times.tolist(), events.strengths.tolist(), strict=True):
            yield time, None, kind, "", strength
    for kind, track in (("melody", song.melody), ("bass", song.bass_line)):
        for note in find_notes(track):
            yield note.start, note.end, kind, note.name, note.pitch


def _parts(parts: Sections) -> Iterator[tuple[float, float, str, float]]:
    """Return start, end, label and energy of each section."""
    bounds = parts.bounds.tolist()
    return zip(bounds, bounds[1:], parts.labels, parts.energies.tolist(), strict=False)


def _curves(song: Song) -> bytes:
    columns: dict[str, AnyArray] = {"time": np.arange(len(song.rms().values)) / CONTROL_RATE}
    for stem in ("mix", "bass", "chords", "drums"):
        columns[f"level_{stem}"] = song.rms(stem).values[:, 0]
    columns["loudness"] = song.loudness().values[:, 0]
    columns["chord_change"] = song.chord_change().values[:, 0]
    for name, track in (("melody", song.melody), ("bass", song.bass_line)):
        columns[f"{name}_pitch"] = track.pitch.values[:, 0]
        columns[f"{name}_confidence"] = track.confidence.values[:, 0]
    chroma = song.chroma()
    # '#' begins a comment in many readers
    names = (f"chroma_{label.replace('#', 'sharp')}" for label in chroma.labels)
    columns |= dict(zip(names, chroma.values.T, strict=True))
    written = io.BytesIO()
    formats = ["%.2f", *["%.4g"] * (len(columns) - 1)]
    header = ",".join(columns)
    np.savetxt(written, np.column_stack(list(columns.values())), formats, ",", header=header, comments="")
    return written.getvalue()


def _audacity(song: Song, detail: int | None, _: str) -> dict[str, bytes]:
    """Write two label tracks: regions for the sections, points for the beats."""
    sections = song.structure(detail)
    beats = number_detected_beats(song.grid, song.duration)
    points = [
        f"{_exact(time)}\t{_exact(time)}\t{name}\n"
        for time, name in zip(beats.times, beats.names, strict=True)
    ]
    regions = [f"{_exact(a)}\t{_exact(b)}\t{label}\n" for a, b, label, _ in _parts(sections)]
    return {".sections.txt": "".join(regions).encode(), ".beats.txt": "".join(points).encode()}


def _cue(song: Song, detail: int | None, file: str) -> dict[str, bytes]:
    """Write a cue sheet: a track for every track of a mix, else for every section.

    The same as a table, with columns to fill in, is read as a cue sheet of a project.
    """
    parts = song.tracks if len(song.tracks) > 1 else song.structure(detail)
    kind = CUE_FILE_TYPES.get(file[file.rfind(".") :].lower(), "WAVE")
    tags = song.audio.tags
    lines = [f'PERFORMER "{_quotable(tags["artist"])}"'] if "artist" in tags else []
    lines += [f'TITLE "{_quotable(tags.get("title", song.audio.name))}"', f'FILE "{_quotable(file)}" {kind}']
    frame = -1
    for number, (start, _, label, _) in enumerate(list(_parts(parts))[:MAX_CUE_TRACKS], 1):
        frame = max(round(start * CUE_FRAMES_PER_SECOND), frame + 1)  # every track lasts a frame at least
        seconds, frames = divmod(frame, CUE_FRAMES_PER_SECOND)
        lines += [f"  TRACK {number:02d} AUDIO", f'    TITLE "{_quotable(label)}"']
        lines += [f"    INDEX 01 {seconds // 60:02d}:{seconds % 60:02d}:{frames:02d}"]
    return {".cue": ("\n".join(lines) + "\n").encode(), ".cues.csv": _cue_table(song, parts)}


def _cue_table(song: Song, parts: Sections) -> bytes:
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(COLUMNS)
    for start, end, label, energy in _parts(parts):
        beats = song.grid.beats[(song.grid.beats >= start) & (song.grid.beats < end)]
        bpm = 60 / np.median(np.diff(beats)) if len(beats) > 1 and song.grid.confidence else None
        row = {
            "time": str(Moment("seconds", round(start, 3))),
            "title": label,
            "patch": "pulse",
            "energy": f"{energy:.2f}",
            "bpm": "" if bpm is None else f"{bpm:.1f}",
            "fade": "2 bars",
        }
        table.writerow([row.get(name, "") for name in COLUMNS])
    return written.getvalue().encode()


def _midi(song: Song, detail: int | None, _: str) -> dict[str, bytes]:
    """Write a MIDI file in sync with the song from its first sample on."""
    drums = {"kick": song.kick, "snare": song.snare, "hat": song.hat}
    voices = {"melody": find_notes(song.melody), "bass": find_notes(song.bass_line)}
    markers = [(start, label) for start, _, label, _ in _parts(song.structure(detail))]
    beats = number_beats(song.grid, song.duration)
    return {".mid": midi_file(beats, markers, drums, voices, metre=song.grid.beats_per_bar)}


def _json(song: Song, detail: int | None, _: str) -> dict[str, bytes]:
    return {".analysis.json": song_json(song, detail=detail)}


def _exact(seconds: float) -> str:
    """Format a number so that it is read back exactly, without an exponent."""
    return np.format_float_positional(seconds, trim="-")


def _quotable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).replace('"', "'")


EXPORTS: Mapping[str, Callable[[Song, int | None, str], dict[str, bytes]]] = MappingProxyType(
    {"csv": _tables, "audacity": _audacity, "cue": _cue, "midi": _midi, "json": _json}
)
"""Kind of export -> its writer, from song, level of detail and the path of the song's file."""
