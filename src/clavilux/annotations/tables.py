"""Tables of labels as musicians' programs write them, read as rows of start, end and text.

    Audacity, Sonic Visualiser, .lab       start, end, text; tabs, commas or spaces
    madmom, BeatNet, aubio, .beats         time, and the number of the beat in its bar where it is known
    Reaper, Audition, Premiere, our own    a line of column names first

Times are seconds, or minutes and seconds.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from clavilux.errors import FileError, SettingError
from clavilux.features.corrections import MAX_SONG_SECONDS
from clavilux.timeline import parse_time

__all__ = ["FORMAT_HINT", "Row", "column_of", "read_rows", "seconds", "split_rows"]

FORMAT_HINT = "each line is start, tab, end, tab, text"

COLUMNS: Mapping[str, str] = {
    "start": "start time position in onset begin tc_in time_start start_time",
    "end": "end out offset end_time tc_out time_end",
    "length": "length duration",
    "text": "label name text title marker marker_name section value description comment",
    "kind": "kind",
}
"""What columns are called, by what they hold."""

COLUMN_NAMES = {word: column for column, words in COLUMNS.items() for word in words.split()}

OTHER_FORMATS: Sequence[tuple[str, str]] = (
    (r"[\[{]\s*(\"|\{|\[|\})", "is JSON"),
    (r"<", "is XML"),
    (r"MThd", "is a MIDI file"),
    (r"(REM |PERFORMER |TITLE |FILE \").*", "is a cue sheet"),
    (r"\[\w+:.*\]", "holds lyrics"),
    (r"\d+\s*\n\d+:\d+:\d+,\d+ -->", "holds subtitles"),
    (r"TITLE:|FCM:", "is an edit decision list"),
    (r"%PDF|\x89PNG|RIFF|ID3|PK\x03", "is no text"),
)
"""How texts of other kinds begin, and what they are called."""

MAX_FIELDS = 100
COMMENT = re.compile(r"\s*[;%]|\s*#(?!,)|sep=.$")
"""Lines that are no data: comments, and Excel's own note of what separates fields."""


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        start: s.
        end: s; none for a point in time.
        text: its label.
        kind: of an event in our own tables; empty elsewhere.
        place: where it is written, for messages: "line 3".
    """

    start: float
    end: float | None
    text: str
    kind: str
    place: str


def read_rows(text: str) -> Iterator[Row]:
    r"""Read the rows of a table.

    Raises:
        FileError: it is no table of labels, or a line cannot be read; names the line.

    >>> [(row.start, row.text) for row in read_rows("0.5\t1\n1.0\t2\n")]
    [(0.5, '1'), (1.0, '2')]
    """
    delimiter, rows = split_rows(text, f"save labels as text: {FORMAT_HINT}")
    if not rows:
        return
    columns = _columns(rows[0][1])
    if not columns and len(rows) > 1 and not _is_time(rows[0][1][0]) and _is_time(rows[1][1][0]):
        rows = rows[1:]  # names of columns in another language
    if columns:
        yield from (_named(fields, columns, place) for place, fields in rows[1:])
    else:
        values = delimiter == "," and not _ends(fields for _, fields in rows)
        yield from (_plain(fields, place, values=values) for place, fields in rows)


def split_rows(text: str, hint: str) -> tuple[str, list[tuple[str, list[str]]]]:
    """Return what separates the fields of a table, and its rows: where each is written, and its fields.

    Args:
        text: content of the file.
        hint: what to write instead, for a file of another format.

    Raises:
        FileError: it is no table, or a line cannot be read; names the line.
    """
    for pattern, name in OTHER_FORMATS:
        if re.match(pattern, text.lstrip()):
            raise FileError(f"it {name}, which is not read here", hint=hint)
    lines = [
        (number, line)
        for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1)
        if line.strip() and not line.startswith("\\") and not COMMENT.match(line)
    ]
    delimiter = _delimiter([line for _, line in lines])
    return delimiter, [
        (f"line {number}", _fields(line, delimiter, f"line {number}")) for number, line in lines
    ]


def column_of(name: str) -> str:
    """Return what a column holds by its name: "start" for "Time"; nothing where it is another."""
    return COLUMN_NAMES.get(re.sub(r"\W+", "_", name.strip().lower()).strip("_"), "")


def _delimiter(lines: Sequence[str]) -> str:
    """Return what separates the fields of most lines: a tab, a semicolon, a comma, or spaces."""
    for mark in "\t;":
        if sum(mark in line for line in lines) * 2 > len(lines):
            return mark
    return "," if sum("," in line for line in lines) * 2 > len(lines) and not _decimal_commas(lines) else " "


def _decimal_commas(lines: Sequence[str]) -> bool:
    return all(re.match(r"\s*\d+,\d+\s+\d+,\d+(\s|$)", line) for line in lines)


def _fields(line: str, delimiter: str, place: str) -> list[str]:
    if delimiter == " ":
        fields = line.split(None, 2)
        # of two words the second may begin a label of several
        return fields if len(fields) < 3 or _is_time(fields[1]) else [fields[0], " ".join(fields[1:])]
    if delimiter == "\t":
        return line.split("\t", MAX_FIELDS)
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))[:MAX_FIELDS]
    except (csv.Error, StopIteration) as error:
        raise FileError(f"{place}: the table is damaged: {error}") from error


def _columns(fields: Sequence[str]) -> dict[str, int]:
    """Return where each column is, if these are the names of columns; else nothing."""
    found: dict[str, int] = {}
    for place, column in enumerate(map(column_of, fields)):
        if column:
            found.setdefault(column, place)
    return found if "start" in found else {}


def _named(fields: Sequence[str], columns: Mapping[str, int], place: str) -> Row:
    values = {name: fields[at].strip() if at < len(fields) else "" for name, at in columns.items()}
    start, end = seconds(values["start"], place), None
    if values.get("end"):
        end = seconds(values["end"], place)
    elif values.get("length"):
        end = min(start + seconds(values["length"], place), MAX_SONG_SECONDS)
    return Row(start, None if end == start else end, values.get("text", ""), values.get("kind", ""), place)


def _ends(rows: Iterable[Sequence[str]]) -> bool:
    """Whether the second of three columns are ends, one before the next start, and not values of a curve."""
    last = 0.0
    for fields in rows:
        if len(fields) > 2 and _is_time(fields[0]) and _is_time(fields[1].strip()):
            start, end = (float(parse_time(field)) for field in fields[:2])
            if end < start or start < last:
                return False
            last = end
    return True


def _plain(fields: Sequence[str], place: str, *, values: bool) -> Row:
    """Read start, end and text; a time and text; a time alone; or, with values, a time, a value and text."""
    start = seconds(fields[0], place)
    if len(fields) == 1:
        return Row(start, None, "", "", place)
    second = fields[1].strip()
    if len(fields) == 2 and (number := re.fullmatch(r"(\d{1,6})(\.0+)?", second)):  # of a beat
        return Row(start, None, number[1], "", place)
    if len(fields) == 2 and not _is_time(second):
        return Row(start, None, second, "", place)
    text = fields[2] if len(fields) > 2 else ""
    if values:
        return Row(start, None, text, "", place)
    end = seconds(second, place)
    return Row(start, None if end == start else end, text, "", place)


def _is_time(text: str) -> bool:
    try:
        parse_time(text)
    except SettingError:
        return False
    return True


def seconds(text: str, place: str) -> float:
    """Read a time, bounded by the length of songs.

    Raises:
        FileError: it is none; names the line.
    """
    shown = text.strip()[:40]
    if re.fullmatch(r"-?\d+,\d+", shown):
        hint = f"write {shown.replace(',', '.')}"
        raise FileError(f"{place}: '{shown}' has a decimal comma", value=shown, hint=hint)
    if re.fullmatch(r"\d+\.\d+\.\d+", shown):
        hint = "show time in minutes and seconds in the program that writes it"
        raise FileError(f"{place}: '{shown}' counts bars and beats", value=shown, hint=hint)
    if re.fullmatch(r"\d+:\d+:\d+[:;]\d+", shown):
        hint = "show time in seconds in the program that writes it"
        raise FileError(f"{place}: '{shown}' counts frames of a video", value=shown, hint=hint)
    if re.fullmatch(r"-\d.*", shown):
        raise FileError(f"{place}: the time {shown} is not within the song", value=shown)
    exponent = re.fullmatch(r"\d{1,3}(\.\d{1,20})?[eE][+-]?\d{1,2}", shown)
    try:
        found = float(shown) if exponent else float(parse_time(shown))
    except SettingError:
        raise FileError(
            f"{place}: '{shown}' is not a time in seconds", value=shown, hint=FORMAT_HINT
        ) from None
    if not 0 <= found < MAX_SONG_SECONDS:
        raise FileError(f"{place}: the time {found:g} s is not within the song", value=found)
    return found
