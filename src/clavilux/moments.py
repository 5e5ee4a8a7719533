"""Moments of a song, named as a musician names them: ``1:04.5``, ``bar 17``, ``beat 3``, ``B.2``, ``end``.

A moment is symbolic and fits any song; `Moment.seconds` resolves it against one song's grid and sections.
Bars and beats count from 1: bar 1 begins on the song's first downbeat, beat 1 is its first beat. ``B.2`` is
where the section B begins for the second time.
"""

import json
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, Self, cast, get_args

from clavilux.curves import Grid, Sections
from clavilux.errors import SettingError, SongError, suggest
from clavilux.timeline import MAX_HOURS, format_time, parse_time

__all__ = ["Fade", "Moment", "Span", "Unit"]

Unit = Literal["seconds", "bar", "beat", "section", "end"]

MAX_COUNT = 999_999
"""Of bars, beats and occurrences."""
MAX_LABEL_LENGTH = 100
MAX_TEXT_LENGTH = 1000
"""Enough for the longest label with every character escaped."""
NANOSECONDS = 10**9
MAX_LENGTH = 600
"""Of seconds, beats or bars."""

LENGTH = re.compile(r"(\d{1,3}(?:\.\d{1,12})?) *(second|beat|bar)s?", re.IGNORECASE)

COUNTED = re.compile(r"(bar|beat) +(\d{1,6})", re.IGNORECASE)
SECTION = re.compile(r'("(?:[^"\\]|\\.)*"|[^".]+)(?:\.(\d{1,6}))?', re.DOTALL)
PLAIN_LABEL = re.compile(r"(?!(?:bar|beat|end)\b)[^\W\d_]\w*(?:[ '-]\w+)*", re.IGNORECASE)
"""A label that needs no quotation marks: it cannot be taken for a time, a bar, a beat or the end."""


@dataclass(frozen=True)
class Moment:
    """A moment of any song.

    Attributes:
        unit: what it is counted in.
        number: the time in seconds, 0 to 24 hours, rounded to nanoseconds; which bar or beat; or which
            occurrence of the section. The last three are whole and count from 1.
        label: of the section.

    Raises:
        SettingError: a number that is out of range or not whole, or a section without a label.

    >>> Moment.parse("bar 17") == Moment("bar", 17)
    True
    >>> str(Moment("section", 2, "B")), str(Moment("seconds", 64.5))
    ('B.2', '1:04.5')
    """

    unit: Unit
    number: Fraction | float = 1
    label: str = ""

    def __post_init__(self) -> None:
        if self.unit not in get_args(Unit):
            raise SettingError(
                f"There is no moment counted in '{self.unit}'",
                value=self.unit,
                hint=suggest(self.unit, get_args(Unit)),
            )
        if bool(self.label) != (self.unit == "section") or len(self.label) > MAX_LABEL_LENGTH:
            raise SettingError(
                f"A moment of unit '{self.unit}' cannot have the label '{self.label[:MAX_LABEL_LENGTH]}'",
                value=self.label,
                hint=f"sections, and only they, have labels, of at most {MAX_LABEL_LENGTH} letters",
            )
        object.__setattr__(self, "number", self._checked())

    def _checked(self) -> Fraction:
        if self.unit == "end":
            return Fraction(1)
        low, high = (0, MAX_HOURS * 3600) if self.unit == "seconds" else (1, MAX_COUNT)
        if not low <= self.number <= high or (self.unit != "seconds" and self.number != int(self.number)):
            kind = "a number" if self.unit == "seconds" else "a whole number"
            raise SettingError(
                f"The {self.unit} of a moment cannot be {self.number}",
                value=self.number,
                hint=f"it is {kind} from {low} to {high}",
            )
        return Fraction(round(Fraction(self.number) * NANOSECONDS), NANOSECONDS)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a moment; `str` writes it back.

        A section's first occurrence may be written without its number, and a label that could be something
        else, or has a dot in it, goes in double quotation marks: ``"bar 3".1``, ``"1".2``.

        Raises:
            SettingError: not a moment, or a time past 24 hours.

        >>> [str(Moment.parse(text)) for text in ("64.5", "Bar 17", "beat 3", "chorus", '"2".1', "end")]
        ['1:04.5', 'bar 17', 'beat 3', 'chorus.1', '"2".1', 'end']
        """
        text = text.strip()
        if text.lower() == "end":
            return cls("end")
        if counted := COUNTED.fullmatch(text):
            return cls(cast("Unit", counted[1].lower()), int(counted[2]))
        section = SECTION.fullmatch(text) if len(text) <= MAX_TEXT_LENGTH else None
        if section and (label := _label(section[1])):
            return cls("section", int(section[2] or 1), label)
        if re.match(r"[\d.]", text):
            return cls("seconds", parse_time(text))
        raise SettingError(
            f"'{text[:MAX_LABEL_LENGTH]}' is not a moment of a song",
            value=text,
            hint='write a time (1:04.5), bar 17, beat 3, a section (B.2 or "my part".1) or end',
        )

    def __str__(self) -> str:
        if self.unit == "end":
            return "end"
        if self.unit == "seconds":
            whole, rest = divmod(round(self.number * NANOSECONDS), NANOSECONDS)
            return format_time(whole) + (f".{rest:09d}".rstrip("0") if rest else "")
        if self.unit == "section":
            plain = PLAIN_LABEL.fullmatch(self.label)
            return f"{self.label if plain else json.dumps(self.label, ensure_ascii=False)}.{self.number}"
        return f"{self.unit} {self.number}"

    def seconds(self, grid: Grid, sections: Sections, duration: float) -> float:
        """Return the time of this moment in a song, s, from 0 to its duration.

        Args:
            grid: the song's beats and bars.
            sections: its sections.
            duration: its length, s.

        Raises:
            SongError: the song has no such bar, beat or section, or ends before.

        >>> import numpy as np
        >>> grid = Grid(np.arange(9) / 2)
        >>> parts = Sections(np.array([0.0, 2.0, 4.0]), ("A", "B"))
        >>> [Moment.parse(text).seconds(grid, parts, 4.0) for text in ("0:03", "bar 2", "beat 2", "B")]
        [3.0, 2.0, 0.5, 2.0]
        """
        match self.unit:
            case "seconds":
                return self._within(float(self.number), duration)
            case "bar":
                return self._counted(grid.downbeats.tolist(), duration)
            case "beat":
                return self._counted(grid.beats.tolist(), duration)
            case "section":
                return self._within(self._section_start(sections), duration)
            case "end":
                return duration

    def _within(self, seconds: float, duration: float) -> float:
        if seconds > duration:
            raise SongError(
                f"The moment {self} is past the end of the song",
                value=str(self),
                hint=f"it lasts {format_time(duration)}",
            )
        return max(seconds, 0.0)

    def _counted(self, times: list[float], duration: float) -> float:
        inside = [time for time in times if time < duration]  # a grid extends beyond the song's end
        if self.number > len(inside):
            raise SongError(
                f"The song has no {self}", value=str(self), hint=f"it has {len(inside)} {self.unit}s"
            )
        return max(inside[int(self.number) - 1], 0.0)

    def _section_start(self, sections: Sections) -> float:
        times = [
            float(at)
            for at, name in zip(sections.bounds, sections.labels, strict=False)
            if name == self.label
        ]
        if self.number <= len(times):
            return times[int(self.number) - 1]
        hint = (
            f"it has it {len(times)} times" if times else suggest(self.label, dict.fromkeys(sections.labels))
        )
        raise SongError(f"The song has no section {self}", value=str(self), hint=hint)


@dataclass(frozen=True)
class Fade:
    """How long a change from one scene to another takes.

    Attributes:
        number: how many, from 0.
        unit: of what.

    Raises:
        SettingError: the number is negative or too large, or there is no such unit.

    >>> Fade.parse("2 bars") == Fade(2, "bars"), str(Fade(0.5, "seconds"))
    (True, '0.5 seconds')
    """

    number: float
    unit: Literal["seconds", "beats", "bars"]

    def __post_init__(self) -> None:
        units = ("seconds", "beats", "bars")
        if self.unit not in units:
            what, hint = (
                f"There is no length in '{self.unit}'",
                suggest(self.unit, units, otherwise="it is in {}"),
            )
            raise SettingError(what, value=self.unit, hint=hint)
        if not 0 <= self.number <= MAX_LENGTH:
            raise SettingError(
                f"A length cannot be {self.number} {self.unit}",
                value=self.number,
                hint=f"it is from 0 to {MAX_LENGTH} {self.unit}",
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a length: `2 bars`, `1 beat`, `0.5 seconds`.

        Raises:
            SettingError: it is none.
        """
        found = LENGTH.fullmatch(text.strip())
        if not found:
            raise SettingError(
                f"'{text[:MAX_LABEL_LENGTH]}' is not a length of time",
                value=text,
                hint="write 2 bars, 1 beat or 0.5 seconds",
            )
        return cls(float(found[1]), cast("Any", f"{found[2].lower()}s"))

    def __str__(self) -> str:
        return f"{self.number:.15g} {self.unit if self.number != 1 else self.unit[:-1]}"


@dataclass(frozen=True)
class Span:
    """A part of any song, from one moment to another.

    >>> Span(Moment.parse("bar 1"), Moment.parse("end")).end
    Moment(unit='end', number=Fraction(1, 1), label='')
    """

    start: Moment
    end: Moment

    def __str__(self) -> str:
        return f"{self.start} to {self.end}"

    def seconds(self, grid: Grid, sections: Sections, duration: float) -> tuple[float, float]:
        """Return where this part of a song starts and ends, s.

        Raises:
            SongError: the song has no such moment, or the part ends where it starts or before.
        """
        start, end = (moment.seconds(grid, sections, duration) for moment in (self.start, self.end))
        if start >= end:
            raise SongError(
                f"The part from {self} is empty in this song",
                value=str(self),
                hint=f"it would start at {start:.3f} s and end at {end:.3f} s",
            )
        return start, end


def _label(text: str) -> str:
    """Return the label that is written so, or nothing."""
    if not text.startswith('"'):
        return text if PLAIN_LABEL.fullmatch(text) else ""
    try:
        return str(json.loads(text))
    except ValueError:
        return ""
