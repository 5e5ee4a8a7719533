"""Label files, read as beats, bar lines and sections.

A point labelled '12.3' is beat 3 of bar 12; points numbered 1, 2, 3, 4, 1, 2 ... are the beats of bars.
Points that are numbered on, or have no labels, are beats, bar lines or sections by their distance. Every
other label is a section: a region with its own end, or a point that lasts to the next. Times are seconds.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from clavilux.annotations.tables import FORMAT_HINT, Row, read_rows
from clavilux.curves import Grid, Sections
from clavilux.errors import ClaviluxError, FileError
from clavilux.features.corrections import MAX_SONG_SECONDS, UNNAMED, Corrections, Marks

__all__ = ["TABLE_COLUMNS", "Region", "join_regions", "parse_labels"]

TABLE_COLUMNS = ("time", "end", "kind", "label", "value")
"""Columns of our own event tables."""
BAR_AND_BEAT = re.compile(r"(\d{1,6})\.([1-9]\d?)")
NUMBER = re.compile(r"\d{1,6}")
MAX_BEATS_PER_BAR = 16
MAX_BEAT_SECONDS = 1.5
"""Points that are nearer to each other are beats: 40 a minute or more."""
MAX_BAR_SECONDS = 6.0
"""Points that are nearer than this, but no beats, are bar lines; points farther apart are sections."""
MIN_BARS = 4
"""Fewer points at the distance of bars are sections of a short song."""
MAX_GAP_SECONDS = 1.0
"""A shorter gap between two regions belongs to the first of them."""
MAX_OVERLAP_SECONDS = 0.01
"""Regions drawn by hand may overlap by this much."""
MAX_LABEL_LETTERS = 60


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


def parse_labels(text: str, name: str) -> Corrections:
    r"""Read labels: a table of any program in `tables`, or an event table exported by us.

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
    try:
        rows = [row for row in read_rows(text) if row.kind in {"", "beat", "downbeat", "section"}]
        if not rows:
            raise FileError("there is not one label", hint=FORMAT_HINT)
        points = sorted((row for row in rows if _is_point(row)), key=lambda row: row.start)
        beats, sections = _beats_of(points)
        regions = [_region(row) for row in rows if not _is_point(row)]
        regions += [_region(row) for row in sections]
        return Corrections(beats=beats, sections=join_regions(regions) if regions else None)
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


def _is_point(row: Row) -> bool:
    """Whether a row may be a beat: a point in time that is numbered, or has no label."""
    if row.kind:
        return row.kind != "section"
    label = row.text.strip()
    return row.end is None and (not label or bool(NUMBER.fullmatch(label) or BAR_AND_BEAT.fullmatch(label)))


def _region(row: Row) -> Region:
    return Region(row.start, row.end, _printable(row.text), row.place)


def _beats_of(points: Sequence[Row]) -> tuple[Grid | Marks | None, Sequence[Row]]:
    """Return what points are, beats or bar lines; or the points again where they are sections."""
    if not points:
        return None, ()
    labels = [point.text.strip() for point in points]
    times = np.array([point.start for point in points])
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    if any(point.kind for point in points) or any("." in label for label in labels):
        return _grid_of(points, [_number(point) for point in points]), ()
    numbers = [int(label) if label else None for label in labels]
    if step > MAX_BAR_SECONDS or (step > MAX_BEAT_SECONDS and len(points) < MIN_BARS and _count_on(numbers)):
        return None, points
    if not _count_on(numbers):
        return _grid_of(points, numbers), ()
    if len(points) == 1:
        raise FileError(f"{points[0].place}: one beat alone gives no tempo", hint="label two or more")
    _check_distinct(points)
    if step > MAX_BEAT_SECONDS or (len(points) > 2 and set(numbers) == {1} and step > 1.0):
        return Marks(times, "bar"), ()
    return Marks(times, "beat"), ()


def _count_on(numbers: Sequence[int | None]) -> bool:
    """Whether numbers tell nothing of bars: none, all alike, or counted on without a new beginning."""
    if None in numbers or len(set(numbers)) == 1:
        return True
    counts = [number for number in numbers if number is not None]
    return (
        all(after == before + 1 for before, after in pairwise(counts))
        and max(counts) > MAX_BEATS_PER_BAR // 2
    )


def _number(point: Row) -> int:
    label = point.text.strip()
    found = BAR_AND_BEAT.fullmatch(label)
    if found is None and not NUMBER.fullmatch(label):
        raise FileError(
            f"{point.place}: '{_printable(label)}' is not a beat",
            value=label,
            hint="write bar.beat, such as 12.3",
        )
    return int(found[2]) if found else int(label)


def _check_distinct(points: Sequence[Row]) -> None:
    for before, after in pairwise(points):
        if after.start == before.start:
            raise FileError(f"{after.place}: two beats at {after.start:g} s")


def _printable(text: str) -> str:
    kept = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(kept.split())[:MAX_LABEL_LETTERS].strip() or UNNAMED


def _grid_of(points: Sequence[Row], numbers: Sequence[int | None]) -> Grid:
    """Make a grid of beats whose numbers count through every bar."""
    first, counts = points[0].place, [number or 0 for number in numbers]
    if len(points) < 2:
        raise FileError(f"{first}: one beat alone gives no tempo", hint="label two or more")
    for (_, point), (before, after) in zip(pairwise(points), pairwise(counts), strict=True):
        if after not in {1, before + 1} or after > MAX_BEATS_PER_BAR:
            raise FileError(f"{point.place}: beat {after} follows beat {before}")
    _check_distinct(points)
    downbeats = [index for index, number in enumerate(counts) if number == 1]
    if not downbeats:
        raise FileError(f"{first}: no bar begins anywhere", hint="label the first beat of each bar 1")
    lengths = np.diff(downbeats)
    metre = int(np.bincount(lengths).argmax()) if len(lengths) else max(4, *counts)
    if metre < 2:
        raise FileError(f"{first}: bars of one beat", hint="count the beats of each bar 1, 2, 3 ...")
    return Grid([point.start for point in points], beats_per_bar=metre, bars=downbeats)
