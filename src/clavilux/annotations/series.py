"""Curves and events that other programs wrote, as tables of a time and a number.

Fields are separated by commas, semicolons, tabs or spaces; the first line may name the columns. Times are
seconds, or minutes and seconds, and may be in any order.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clavilux.annotations.tables import column_of, seconds, split_rows
from clavilux.annotations.text import read_text
from clavilux.arrays import F64
from clavilux.curves import Events
from clavilux.errors import ClaviluxError, FileError, suggest
from clavilux.features.corrections import MAX_SONG_SECONDS

__all__ = ["Series", "read_curve", "read_events"]

MAX_BYTES = 30_000_000
"""An hour of 100 values a second has 5 MB."""
MAX_NUMBER_LETTERS = 40
LARGEST = 1e30
"""Largest value: what float32 curves hold with room for arithmetic."""
MAX_VELOCITY = 127
CURVE_HINT = "each line is a time in seconds, a comma and a value"
EVENTS_HINT = "each line is a time in seconds, and a comma and a strength from 0 to 1 where it has one"
STRENGTHS = ("strength", "velocity", "value")
"""Columns that say how strong an event is; a velocity is MIDI's, up to 127."""


@dataclass(frozen=True, eq=False)
class Series:
    """Values at times.

    Attributes:
        times: float64 (N,) s, not decreasing, N >= 1.
        values: float64 (N,), finite.
    """

    times: F64
    values: F64


@dataclass(frozen=True)
class _Table:
    names: Sequence[str]  # of the columns; none where the first row has data already
    places: Sequence[str]  # "line 3" for every row
    rows: Sequence[Sequence[str]]

    def column(self, at: int) -> list[str]:
        return [fields[at].strip() if at < len(fields) else "" for fields in self.rows]


def read_curve(path: Path, column: str = "") -> Series:
    """Read a curve: rows of a time and a value.

    Args:
        path: the file.
        column: name of the values' column; the first that is not the time where it is not given.

    Raises:
        FileError: it cannot be read, or has no such column; names the line.
    """
    with _about(path, "curve"):
        table = _table(read_text(path, "file of a curve", MAX_BYTES), CURVE_HINT)
        time = _time_column(table)
        at = _named(table, column) if column else int(time == 0)
        return _sorted(_times(table, time), _numbers(table, table.column(at)))


def read_events(path: Path) -> Events:
    """Read events: rows of a time, and of a strength where there is one, else 1.

    A column called strength, velocity or value has the strengths; without names of columns the second one,
    if all of it is from 0 to 1. Other columns, such as ends and labels, are ignored.

    Raises:
        FileError: it cannot be read; names the line.
    """
    with _about(path, "events"):
        table = _table(read_text(path, "file of events", MAX_BYTES), EVENTS_HINT)
        found = _sorted(_times(table, _time_column(table)), _strengths(table))
        return Events(found.times, found.values)


@contextmanager
def _about(path: Path, what: str) -> Iterator[None]:
    """Name the file in what is wrong with a line of it."""
    try:
        yield
    except ClaviluxError as error:
        if error.where == str(path):
            raise
        raise FileError(
            f"The {what} in '{path}' cannot be used: {error.what}",
            where=str(path),
            value=error.value,
            hint=error.hint,
        ) from None


def _table(text: str, hint: str) -> _Table:
    delimiter, rows = split_rows(text, hint)
    names: Sequence[str] = ()
    if rows and _are_names(rows[0][1]):
        names = [field.strip().lower() for field in rows.pop(0)[1]]
    if not rows:
        raise FileError("there is not one time", hint=hint)
    if delimiter == "," and not names and _decimal_commas([fields for _, fields in rows]):
        raise FileError("its numbers have decimal commas", hint="write 0.5, not 0,5")
    return _Table(names, [place for place, _ in rows], [fields for _, fields in rows])


def _are_names(fields: Sequence[str]) -> bool:
    """Whether a row names columns: its first field begins with a letter, and none is a number."""
    return fields[0].strip()[:1].isalpha() and all(_floats([field]) is None for field in fields)


def _decimal_commas(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the commas between whole numbers are decimal: four numbers in a row, or times that repeat."""
    whole = all(field.strip().isdigit() for fields in rows for field in fields)
    counts, times = {len(fields) for fields in rows}, {fields[0] for fields in rows}
    return whole and (counts == {4} or (counts == {2} and len(times) < len(rows)))


def _time_column(table: _Table) -> int:
    return next((at for at, name in enumerate(table.names) if column_of(name) == "start"), 0)


def _named(table: _Table, column: str) -> int:
    if column.strip().lower() in table.names:
        return table.names.index(column.strip().lower())
    hint = suggest(column, table.names, otherwise="it has {}") if table.names else "its columns have no names"
    raise FileError(f"there is no column '{column[:MAX_NUMBER_LETTERS]}'", value=column, hint=hint)


def _sorted(times: F64, values: F64) -> Series:
    order = np.argsort(times, kind="stable")
    return Series(times[order], values[order])


def _times(table: _Table, at: int) -> F64:
    texts = table.column(at)
    found = _floats(texts)
    if found is not None and (found >= 0).all() and (found < MAX_SONG_SECONDS).all():
        return found
    # minutes and seconds, or what is wrong with the first line that cannot be read
    return np.array([seconds(text, place) for text, place in zip(texts, table.places, strict=True)])


def _numbers(table: _Table, texts: Sequence[str]) -> F64:
    found = _floats(texts)
    if found is not None and (np.abs(found) <= LARGEST).all():
        return found
    return np.array([_number(text, place) for text, place in zip(texts, table.places, strict=True)])


def _floats(texts: Sequence[str]) -> F64 | None:
    """Read finite decimal numbers; nothing where one of the texts is another."""
    if any(len(text) > MAX_NUMBER_LETTERS or "_" in text for text in texts):
        return None
    try:
        found = np.array([float(text) for text in texts])
    except ValueError:
        return None
    return found if np.isfinite(found).all() else None


def _strengths(table: _Table) -> F64:
    at = next((table.names.index(name) for name in STRENGTHS if name in table.names), None)
    if at is None:
        second = [] if table.names else table.column(1)
        found = _floats(second)
        plain = found is not None and len(found) and found.min() >= 0 and found.max() <= 1
        return found if found is not None and plain else np.ones(len(table.rows))
    texts = [text or "1" for text in table.column(at)]
    strengths = _numbers(table, texts)
    highest = MAX_VELOCITY if table.names[at] == "velocity" and strengths.max() > 1 else 1
    for text, place, strength in zip(texts, table.places, strengths.tolist(), strict=True):
        if not 0 <= strength <= highest:
            what, hint = f"the {table.names[at]} {text} is out of range", f"it goes from 0 to {highest}"
            raise FileError(f"{place}: {what}", value=text, hint=hint)
    return strengths / highest


def _number(text: str, place: str) -> float:
    shown = text[:MAX_NUMBER_LETTERS]
    if not text:
        raise FileError(f"{place}: there is no value", hint=CURVE_HINT)
    if _floats([text]) is None:
        comma = shown.replace(",", ".")
        hint = f"write {comma}" if "," in shown and _floats([comma]) is not None else CURVE_HINT
        raise FileError(f"{place}: '{shown}' is not a number", value=shown, hint=hint)
    if abs(float(text)) > LARGEST:
        raise FileError(
            f"{place}: {shown} is too large a value", value=shown, hint=f"{LARGEST:g} is the largest"
        )
    return float(text)
