"""Labels written by hand, read as beats and sections: Audacity's label tracks, and our own tables.

A point named '1', '2', '3' ... or '12.3' (bar and beat) is a beat; '1' begins a bar. Everything else is a
part of the song: a region with its own end, or a point that lasts to the next. Times are seconds.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from clavilux.curves import Grid, Sections
from clavilux.errors import SettingError
from clavilux.features.corrections import LONGEST, UNNAMED, Corrections

__all__ = ["TABLE_COLUMNS", "Part", "join_parts", "parse_labels"]

TABLE_COLUMNS = ("time", "end", "kind", "label", "value")
"""Columns of our own table of events."""
BEAT = re.compile(r"([1-7])|\d{1,6}\.([1-9]\d?)")
CLOSE = 1.0
"""Seconds: a shorter rest between two parts belongs to the first of them."""
OVERLAP = 0.01
"""Seconds by which parts may overlap, as hands are not exact."""
LONGEST_NAME = 60


@dataclass(frozen=True)
class Part:
    """A stretch of song with a name.

    Attributes:
        start: s.
        end: s; none where it lasts to the next.
        label: its name.
        place: where it is written, for messages: "line 3".
    """

    start: float
    end: float | None
    label: str
    place: str


@dataclass(frozen=True)
class _Beat:
    time: float
    number: int
    place: str


def parse_labels(text: str, name: str) -> Corrections:
    r"""Read labels: Audacity's (start, tab, end, tab, text in each line) or a table exported by us.

    Args:
        text: what the file holds.
        name: of the file, for messages.

    Raises:
        SettingError: a line that cannot be read, parts that overlap, beats that do not count a metre, or no
            labels at all; it names the line.

    >>> said = parse_labels("0\t8.5\tverse\n8.5\t17\tchorus\n", "labels.txt")
    >>> said.sections.labels, said.sections.bounds.tolist()
    (('verse', 'chorus'), [0.0, 8.5, 17.0])
    """
    lines = text.removeprefix("\ufeff").splitlines()
    try:
        marks = list(_read_table(lines) if _is_table(lines) else _read_track(lines))
        beats = [mark for mark in marks if isinstance(mark, _Beat)]
        parts = [mark for mark in marks if isinstance(mark, Part)]
        if not marks:
            raise SettingError("there is not one label; write lines of start, tab, end, tab, text")
        return Corrections(
            beats=_count(sorted(beats, key=lambda beat: beat.time)) if beats else None,
            sections=join_parts(parts) if parts else None,
        )
    except SettingError as error:
        raise SettingError(f"The labels in '{name}' cannot be used: {str(error).rstrip('.')}.") from None


def join_parts(parts: Sequence[Part]) -> Sections:
    """Put named parts one after the other into sections from 0 s on.

    A rest of up to a second belongs to the part before it; a longer one is a part of its own, '-'.

    Raises:
        SettingError: two parts overlap, or one has no length.

    >>> join_parts([Part(0.3, 4.0, "A", "line 1"), Part(9.0, None, "B", "line 2")]).labels
    ('A', '-', 'B')
    """
    parts = sorted(parts, key=lambda part: part.start)
    nexts = [part.start for part in parts[1:]] + [LONGEST]
    bounds, labels, end = [0.0], list[str](), 0.0
    for part, following in zip(parts, nexts, strict=True):
        if part.start < end - OVERLAP:
            raise SettingError(
                f"{part.place}: '{part.label}' begins at {part.start:g} s; '{labels[-1]}' ends at {end:g} s"
            )
        start = max(part.start, end)
        if start - end > CLOSE:
            bounds.append(start)
            labels.append(UNNAMED)
        elif labels:
            bounds[-1] = start
        end = following if part.end is None else part.end
        if end <= start:
            raise SettingError(f"{part.place}: '{part.label}' ends at {end:g} s, where it has not begun")
        bounds.append(end)
        labels.append(part.label)
    return Sections(np.array(bounds), tuple(labels))


def _is_table(lines: Sequence[str]) -> bool:
    return bool(lines) and tuple(lines[0].split(",")[:3]) == TABLE_COLUMNS[:3]


def _read_track(lines: Sequence[str]) -> Iterator[Part | _Beat]:
    """Read Audacity's lines; a line that begins with a backslash holds frequencies, and is passed over."""
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("\\"):
            continue
        place, fields = f"line {number}", line.split("\t", 2)
        if len(fields) < 2:
            raise SettingError(f"{place}: '{line[:40]}' is not start, tab, end, tab, text")
        start, end = (_seconds(field, place) for field in fields[:2])
        label = _named(fields[2] if len(fields) == 3 else "")
        beat = BEAT.fullmatch(label)
        if start == end and beat:
            yield _Beat(start, int(beat[1] or beat[2]), place)
        else:
            yield Part(start, None if start == end else end, label, place)


def _read_table(lines: Sequence[str]) -> Iterator[Part | _Beat]:
    """Read the beats and sections of our own table; all other rows are passed over."""
    try:
        for number, row in enumerate(csv.DictReader(lines, restval="", strict=True), 2):
            place, kind, label = f"line {number}", row["kind"], _named(row["label"])
            beat = BEAT.fullmatch(label)
            if kind in {"beat", "downbeat"}:
                if beat is None:
                    raise SettingError(f"{place}: '{label}' is not a beat; write bar.beat, such as 12.3")
                yield _Beat(_seconds(row["time"], place), int(beat[1] or beat[2]), place)
            elif kind == "section":
                end = _seconds(row["end"], place) if row["end"] else None
                yield Part(_seconds(row["time"], place), end, label, place)
    except (csv.Error, KeyError) as error:
        raise SettingError(f"the table is damaged: {error}") from error


def _named(text: str) -> str:
    """Keep what can be shown of a name; a name of nothing is '-'."""
    kept = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(kept.split())[:LONGEST_NAME].strip() or UNNAMED


def _seconds(text: str, place: str) -> float:
    if "," in text:
        raise SettingError(
            f"{place}: '{text[:40]}' has a decimal comma; write {text[:40].strip().replace(',', '.')}"
        )
    try:
        seconds = float(text)
    except ValueError:
        raise SettingError(f"{place}: '{text[:40]}' is not a time in seconds") from None
    if not 0 <= seconds < LONGEST:
        raise SettingError(f"{place}: the time {seconds:g} s is not within the song")
    return seconds


def _count(beats: Sequence[_Beat]) -> Grid:
    """Make a grid of beats whose numbers count through every bar."""
    if len(beats) < 2:
        raise SettingError(f"{beats[0].place}: one beat alone gives no tempo; label two or more")
    for before, after in pairwise(beats):
        if after.number not in {1, before.number + 1}:
            raise SettingError(f"{after.place}: beat {after.number} follows beat {before.number}")
        if after.time == before.time:
            raise SettingError(f"{after.place}: two beats at {after.time:g} s")
    downbeats = [index for index, beat in enumerate(beats) if beat.number == 1]
    if not downbeats:
        raise SettingError(f"{beats[0].place}: no bar begins anywhere; label the first beat of each bar 1")
    lengths = np.diff(downbeats)
    metre = int(np.bincount(lengths).argmax()) if len(lengths) else max(4, *(beat.number for beat in beats))
    if metre < 2:
        raise SettingError(f"{beats[0].place}: bars of one beat; count the beats of each bar 1, 2, 3 ...")
    times = np.array([beat.time for beat in beats])
    return Grid(times, beats_per_bar=metre, bars=np.array(downbeats))
