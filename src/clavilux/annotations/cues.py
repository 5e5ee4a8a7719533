"""Cue sheets: the tracks of a mix, and what is said of each. CSV, TOML, or the .cue of a CD.

    time,title,patch,palette,seed,fade,gain,energy,bpm,punch
    0:00,Opening,pulse,calm,3,,,0.4,122,
    6:12,Second,pulse,warm,5,4 bars,1.2,0.9,126,1.5

Only the time is needed. Columns that are none of these are knobs of the preset.
"""

import csv
import io
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from clavilux.curves import Sections
from clavilux.errors import ClaviluxError, FileError
from clavilux.features.corrections import MAX_SONG_SECONDS
from clavilux.files import read_small
from clavilux.moments import Fade
from clavilux.schemas import toml_tables
from clavilux.timeline import parse_time

__all__ = ["COLUMNS", "Cue", "check_cues", "read_cues", "tracks_of"]

COLUMNS = ("time", "title", "patch", "palette", "seed", "fade", "gain", "energy", "bpm")
"""What every cue sheet may hold."""
NUMBERS: Mapping[str, tuple[float, float]] = {"gain": (0, 10), "energy": (0, 1), "bpm": (20, 400)}
"""Numbers of a track, and their range."""
FADE = Fade(2, "bars")
MAX_BYTES = 1_000_000
MAX_CUES = 500
MIN_TRACK_SECONDS = 0.1
MAX_TITLE = 200
CUE_INDEX = re.compile(r"INDEX +01 +(\d{1,4}):(\d{1,2}):(\d{1,2})", re.IGNORECASE)
CUE_REMARK = re.compile(r'REM +(\w{1,20}) +"?([^"]{0,200})"?', re.IGNORECASE)
"""A remark such as REM PATCH club: what a column of a table says."""
CUE_TITLE = re.compile(r'TITLE +"?([^"]{0,200})"?', re.IGNORECASE)


@dataclass(frozen=True)
class Cue:
    """One track of a mix.

    Attributes:
        time: where it begins, s.
        title: what it is called.
        patch: a preset, or a project file whose look it has; empty for the mix's own.
        palette: a mood or a saved palette; empty for any.
        seed: chooses its images; none counts on from the mix's.
        fade: how long the change to it takes.
        gain: multiplies the amount of its noise.
        energy: 0 calm to 1 wild; sets the preset's knobs where they are not given.
        knobs: of the preset.
    """

    time: float
    title: str
    patch: str = ""
    palette: str = ""
    seed: int | None = None
    fade: Fade = FADE
    gain: float = 1.0
    energy: float | None = None
    knobs: Mapping[str, Any] = field(default_factory=dict)


def read_cues(path: Path) -> list[Cue]:
    """Read a cue sheet; its tracks in order of time.

    Raises:
        FileError: it cannot be read; the message names the first line that is wrong.
    """
    cues, errors = check_cues(path)
    if errors:
        raise FileError(
            f"The cue sheet '{path}' cannot be used: {errors[0].what}",
            where=str(path),
            value=errors[0].value,
            hint=errors[0].hint,
        )
    return cues


def check_cues(path: Path) -> tuple[list[Cue], list[ClaviluxError]]:
    """Read the tracks of a cue sheet that can be read, in order of time, and find all that is wrong with it.

    Raises:
        FileError: it is no file that can be read.
    """
    content = read_small(path, "cue sheet", MAX_BYTES)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")  # as programs for CDs write it
    suffix = path.suffix.lower()
    read = {".toml": _toml, ".cue": _cue}.get(suffix, _csv)
    cues: list[Cue] = []
    errors: list[ClaviluxError] = []
    try:
        for place, row in read(text):
            try:
                cues.append(_read(place, row))
            except ClaviluxError as error:
                errors.append(error)
    except ClaviluxError as error:  # the rest of the sheet cannot be told apart
        errors.append(error)
    cues.sort(key=lambda cue: cue.time)
    errors += [
        FileError(f"two tracks begin at {b.time:g} s", hint="move one of them")
        for a, b in itertools.pairwise(cues)
        if b.time - a.time < MIN_TRACK_SECONDS
    ]
    if not errors and not 0 < len(cues) <= MAX_CUES:
        hint = "write a line for each track, with its time"
        errors.append(FileError(f"it has {len(cues)} tracks", hint=hint))
    return cues, errors


def tracks_of(cues: list[Cue]) -> Sections:
    """Return the tracks of a mix; what comes before the first cue belongs to the first track.

    >>> tracks_of([Cue(3.0, "a"), Cue(60.0, "b")]).bounds.tolist()
    [0.0, 60.0, 86400.0]
    """
    starts = [0.0, *(cue.time for cue in cues[1:])]
    return Sections(np.array([*starts, MAX_SONG_SECONDS]), tuple(cue.title for cue in cues))


def _read(place: str, row: Mapping[str, Any]) -> Cue:
    """Read the values of one track.

    Raises:
        FileError: one of them cannot be; the message names the place.
    """
    try:
        return _cue_of(place, row)
    except ClaviluxError as error:
        raise FileError(f"{place}: {error.what}", value=error.value, hint=error.hint) from None


def _cue_of(place: str, row: Mapping[str, Any]) -> Cue:
    given = dict(_filled_in(row))
    found: dict[str, Any] = {
        "time": _time(given.pop("time", None)),
        "title": str(given.pop("title", place)).strip()[:MAX_TITLE],
    }
    for name in ("patch", "palette"):
        if name in given:
            found[name] = str(given.pop(name)).strip()
    if "seed" in given:
        found["seed"] = int(_number("seed", given.pop("seed"), 0, 2**53))
    if "fade" in given:
        found["fade"] = Fade.parse(str(given.pop("fade")))
    for name, (low, high) in NUMBERS.items():
        if name in given:
            value = _number(name, given.pop(name), low, high)
            if name != "bpm":  # for the reader: the beats are detected
                found[name] = value
    return Cue(**found, knobs={name: _knob(value) for name, value in given.items()})


def _filled_in(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a track says, by the names of the columns in small letters."""
    for name, value in row.items():
        if isinstance(value, list | dict):
            raise FileError(f"{name} is neither text nor a number")
        if value is not None and str(value).strip():
            yield str(name).strip().lower(), value


def _time(value: Any) -> float:
    if value is None:
        raise FileError("it has no time", hint="write one, such as 6:12")
    seconds = float(parse_time(str(value)))
    if seconds >= MAX_SONG_SECONDS:
        raise FileError(f"'{value}' is after the end of any song", value=str(value))
    return seconds


def _number(name: str, value: Any, low: float, high: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not low <= number <= high:
        raise FileError(
            f"{name} is {str(value)[:40]!r}",
            value=str(value),
            hint=f"it is a number from {low:g} to {high:g}",
        )
    return number


def _knob(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return str(value).strip()


def _csv(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        names = [str(name).strip().lower() for name in reader.fieldnames or ()]
        if "time" not in names:
            raise FileError(
                "its first line names no column 'time'", hint=f"begin it with {','.join(COLUMNS)}"
            )
        for row in reader:
            if None in row or None in row.values():
                raise FileError(f"line {reader.line_num} has not as many fields as the first line")
            if any(str(value).strip() for value in row.values()):
                yield f"line {reader.line_num}", row
    except csv.Error as error:
        raise FileError(f"line {reader.line_num + 1} is damaged ({error})") from None


def _toml(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    rows = toml_tables(text).get("cues")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise FileError("it has no [[cues]]", hint="write [[cues]] before each track")
    for number, row in enumerate(rows, 1):
        yield f"cue {number}", row


def _cue(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    tracks: list[dict[str, Any]] = []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.upper().startswith("TRACK"):
            tracks.append({"title": f"Track {len(tracks) + 1}"})
        elif not tracks:
            continue
        elif named := CUE_TITLE.match(stripped):
            tracks[-1]["title"] = named[1]
        elif index := CUE_INDEX.match(stripped):
            minutes, seconds, frames = (int(part) for part in index.groups())
            tracks[-1]["time"] = str(60 * minutes + seconds + frames / 75)
        elif (remark := CUE_REMARK.match(stripped)) and remark[1].lower() in COLUMNS:
            tracks[-1][remark[1].lower()] = remark[2]
    for number, track in enumerate(tracks, 1):
        yield f"track {number}", track
