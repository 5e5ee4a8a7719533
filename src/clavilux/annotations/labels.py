"""Label files made by hand, read as beats and sections: Audacity label tracks, and our own event tables.

A point label '1', '2', '3' ... or '12.3' (bar and beat) is a beat; '1' begins a bar. Every other label is a
section: a region with its own end, or a point that lasts to the next. Times are seconds.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from clavilux.curves import Grid, Sections
from clavilux.errors import ClaviluxError, FileError
from clavilux.features.corrections import MAX_SONG_SECONDS, UNNAMED, Corrections

__all__ = ["TABLE_COLUMNS", "Region", "join_regions", "parse_labels"]

TABLE_COLUMNS = ("time", "end", "kind", "label", "value")
"""Columns of our own event tables."""
BEAT = re.compile(r"([1-7])|\d{1,6}\.([1-9]\d?)")
"""A beat of its bar, or bar and beat."""
MAX_GAP_SECONDS = 1.0
"""A shorter gap between two regions belongs to the first of them."""
MAX_OVERLAP_SECONDS = 0.01
"""Regions drawn by hand may overlap by this much."""
MAX_LABEL_LETTERS = 60
FORMAT_HINT = "each line is start, tab, end, tab, text"


@dataclass(frozen=True)
class Region:
    """A labelled stretch of song.

    Attributes:
        start: s.
        end: s; none where it lasts to the next region.
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
    r"""Read labels: an Audacity label track (start, tab, end, tab, text) or an event table exported by us.

    Args:
        text: content of the file.
        name: of the file, for messages.

    Raises:
        FileError: a line that cannot be read, regions that overlap, beats that do not count up to a metre,
            or no labels at all; it names the line.

    >>> labels = parse_labels("0\t8.5\tverse\n8.5\t17\tchorus\n", "labels.txt")
    >>> labels.sections.labels, labels.sections.bounds.tolist()
    (('verse', 'chorus'), [0.0, 8.5, 17.0])
    """
    lines = text.removeprefix("\ufeff").splitlines()
    try:
        labels = list(_read_table(lines) if _is_table(lines) else _read_track(lines))
        if not labels:
            raise FileError("there is not one label", hint=FORMAT_HINT)
        beats = [label for label in labels if isinstance(label, _Beat)]
        regions = [label for label in labels if isinstance(label, Region)]
        return Corrections(
            beats=_grid_of(sorted(beats, key=lambda beat: beat.time)) if beats else None,
            sections=join_regions(regions) if regions else None,
        )
    except ClaviluxError as error:
        raise FileError(
            f"The labels in '{name}' cannot be used: {error.what}",
            where=name,
            value=error.value,
            hint=error.hint,
        ) from None


def join_regions(regions: Sequence[Region]) -> Sections:
    """Join regions into sections from 0 s on.

    A gap of up to a second belongs to the region before it; a longer one becomes a section '-'.

    Raises:
        FileError: two regions overlap, or one has no length.

    >>> join_regions([Region(0.3, 4.0, "A", "line 1"), Region(9.0, None, "B", "line 2")]).labels
    ('A', '-', 'B')
    """
    regions = sorted(regions, key=lambda region: region.start)
    next_starts = [region.start for region in regions[1:]] + [MAX_SONG_SECONDS]
    bounds, labels, end = [0.0], list[str](), 0.0
    for region, next_start in zip(regions, next_starts, strict=True):
        if region.start < end - MAX_OVERLAP_SECONDS:
            raise FileError(
                f"{region.place}: '{region.label}' begins at {region.start:g} s; "
                f"'{labels[-1]}' ends at {end:g} s"
            )
        start = max(region.start, end)
        if start - end > MAX_GAP_SECONDS:
            bounds.append(start)
            labels.append(UNNAMED)
        elif labels:
            bounds[-1] = start
        end = next_start if region.end is None else region.end
        if end <= start:
            raise FileError(f"{region.place}: '{region.label}' ends at {end:g} s, before it begins")
        bounds.append(end)
        labels.append(region.label)
    return Sections(np.array(bounds), tuple(labels))


def _is_table(lines: Sequence[str]) -> bool:
    return bool(lines) and tuple(lines[0].split(",")[:3]) == TABLE_COLUMNS[:3]


def _read_track(lines: Sequence[str]) -> Iterator[Region | _Beat]:
    """Read an Audacity label track; lines that begin with a backslash hold frequencies and are skipped."""
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("\\"):
            continue
        place, fields = f"line {number}", line.split("\t", 2)
        if len(fields) < 2:
            raise FileError(f"{place}: '{line[:40]}' is not start, tab, end, tab, text", value=line[:40])
        start, end = (_seconds(field, place) for field in fields[:2])
        label = _printable(fields[2] if len(fields) == 3 else "")
        beat = BEAT.fullmatch(label)
        if start == end and beat:
            yield _Beat(start, int(beat[1] or beat[2]), place)
        else:
            yield Region(start, None if start == end else end, label, place)


def _read_table(lines: Sequence[str]) -> Iterator[Region | _Beat]:
    """Read the beats and sections of our own event table; all other rows are skipped."""
    try:
        for number, row in enumerate(csv.DictReader(lines, restval="", strict=True), 2):
            place, kind, label = f"line {number}", row["kind"], _printable(row["label"])
            beat = BEAT.fullmatch(label)
            if kind in {"beat", "downbeat"}:
                if beat is None:
                    raise FileError(
                        f"{place}: '{label}' is not a beat", value=label, hint="write bar.beat, such as 12.3"
                    )
                yield _Beat(_seconds(row["time"], place), int(beat[1] or beat[2]), place)
            elif kind == "section":
                end = _seconds(row["end"], place) if row["end"] else None
                yield Region(_seconds(row["time"], place), end, label, place)
    except (csv.Error, KeyError) as error:
        raise FileError(f"the table is damaged: {error}") from error


def _printable(text: str) -> str:
    kept = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(kept.split())[:MAX_LABEL_LETTERS].strip() or UNNAMED


def _seconds(text: str, place: str) -> float:
    shown = text[:40]
    if "," in text:
        raise FileError(
            f"{place}: '{shown}' has a decimal comma",
            value=shown,
            hint=f"write {shown.strip().replace(',', '.')}",
        )
    try:
        seconds = float(text)
    except ValueError:
        raise FileError(f"{place}: '{shown}' is not a time in seconds", value=shown) from None
    if not 0 <= seconds < MAX_SONG_SECONDS:
        raise FileError(f"{place}: the time {seconds:g} s is not within the song", value=seconds)
    return seconds


def _grid_of(beats: Sequence[_Beat]) -> Grid:
    """Make a grid of beats whose numbers count through every bar."""
    first = beats[0].place
    if len(beats) < 2:
        raise FileError(f"{first}: one beat alone gives no tempo", hint="label two or more")
    for before, after in pairwise(beats):
        if after.number not in {1, before.number + 1}:
            raise FileError(f"{after.place}: beat {after.number} follows beat {before.number}")
        if after.time == before.time:
            raise FileError(f"{after.place}: two beats at {after.time:g} s")
    downbeats = [index for index, beat in enumerate(beats) if beat.number == 1]
    if not downbeats:
        raise FileError(f"{first}: no bar begins anywhere", hint="label the first beat of each bar 1")
    lengths = np.diff(downbeats)
    metre = int(np.bincount(lengths).argmax()) if len(lengths) else max(4, *(beat.number for beat in beats))
    if metre < 2:
        raise FileError(f"{first}: bars of one beat", hint="count the beats of each bar 1, 2, 3 ...")
    times = np.array([beat.time for beat in beats])
    return Grid(times, beats_per_bar=metre, bars=np.array(downbeats))
