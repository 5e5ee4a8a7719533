"""Time as the video counts it: frames at an exact rate, and windows of them.

Frame n of a timeline is sampled at ``start + n / fps`` seconds and lasts until frame n + 1. Rates and
starts are fractions, so 30000/1001 stays exact for any length. Everything below the renderer speaks of
seconds; frames exist only here, in ``frames``, ``video`` and ``make``.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from clavilux.arrays import F64, I64
from clavilux.errors import SettingError

__all__ = ["Timeline", "Window", "format_time", "parse_fps", "parse_time", "television_rate"]

MAX_FPS = 480
MAX_HOURS = 24
"""Longest song, and latest time in one."""

TELEVISION_RATES = (12, 15, 24, 30, 48, 60, 90, 120, 240)
ROUNDED = Fraction(5, 1000)
"""How far a decimal of two or three digits may be from the rate it stands for."""

MAX_TEXT_LENGTH = 40
"""Of a time or a rate: enough for any, too little for a number that takes long to read."""


@dataclass(frozen=True)
class Timeline:
    """The frames of a video.

    Attributes:
        fps: frames per second, exact.
        start: time in the song of frame 0, seconds, exact.
        frames: number of frames.
    """

    fps: Fraction
    start: Fraction
    frames: int

    @classmethod
    def spanning(cls, duration: Fraction, fps: Fraction, *, start: Fraction = Fraction(0)) -> "Timeline":
        """Cover ``duration`` seconds from ``start``: exactly ceil(duration x fps) frames.

        >>> Timeline.spanning(Fraction(10), Fraction(30000, 1001)).frames
        300
        """
        return cls(fps, start, math.ceil(duration * fps))

    @property
    def duration(self) -> Fraction:
        """Length of the video in seconds, exact."""
        return self.frames / self.fps

    def window(self, first: int, count: int) -> "Window":
        """Return frames ``first`` to ``first + count``."""
        return Window(self, first, count)

    def windows(self, first: int, last: int, size: int) -> Iterator["Window"]:
        """Yield the windows of ``size`` frames that cover [first, last), on a lattice fixed by ``size``.

        Windows always begin at a multiple of ``size``, so a frame meets the same neighbours whichever part
        of the video is rendered.

        >>> [w.first for w in Timeline(Fraction(30), Fraction(0), 30).windows(10, 20, 4)]
        [8, 12, 16]
        """
        for start in range(first - first % size, last, size):
            yield Window(self, start, size)


@dataclass(frozen=True)
class Window:
    """``count`` consecutive frames of a timeline, from frame ``first`` on."""

    timeline: Timeline
    first: int
    count: int

    @property
    def edges(self) -> F64:
        """Start of each frame and the end of the last, seconds; shape (count + 1,).

        Each edge depends only on its own frame number, so it is bit-equal in every window.
        """
        fps, start = self.timeline.fps, self.timeline.start
        numbers = np.arange(self.first, self.first + self.count + 1, dtype=np.float64)
        return float(start) + numbers * fps.denominator / fps.numerator

    @property
    def times(self) -> F64:
        """Start of each frame, seconds; shape (count,)."""
        return self.edges[:-1]

    @property
    def indices(self) -> I64:
        """Frame numbers; shape (count,)."""
        return np.arange(self.first, self.first + self.count, dtype=np.int64)


def parse_fps(text: str) -> Fraction:
    """Read a frame rate: ``30``, ``30000/1001``, or ``29.97``, which means the same.

    Raises:
        SettingError: not a number, not above zero, or above 480.

    >>> parse_fps("30000/1001"), parse_fps("23.976")
    (Fraction(30000, 1001), Fraction(24000, 1001))
    """
    try:
        # without exponents, as 1e1000000000 would become a number of as many digits
        fps = Fraction(_matched(r"[+-]?(\d+(\.\d*)?|\.\d+)(/\d+)?", text)[0])
        fps = television_rate(fps) if "." in text else fps
    except (ValueError, ZeroDivisionError):
        raise SettingError(
            f"The frame rate '{_shown(text)}' is not a number",
            where="fps",
            value=text,
            hint="try 30, 24 or 30000/1001",
        ) from None
    if not 0 < fps <= MAX_FPS:
        raise SettingError(
            f"The frame rate {text.strip()} is out of range",
            where="fps",
            value=fps,
            hint=f"it must be above 0 and at most {MAX_FPS}",
        )
    return fps


def television_rate(fps: float | Fraction) -> Fraction:
    """Return the exact rate that a rounded decimal such as 29.97 stands for; any other as it is.

    Colour television in America has 30000/1001 frames per second, and film shown there 24000/1001.

    >>> television_rate(59.94), television_rate(29.5)
    (Fraction(60000, 1001), Fraction(59, 2))
    """
    exact = (Fraction(rate * 1000, 1001) for rate in TELEVISION_RATES)
    return next((rate for rate in exact if abs(rate - Fraction(fps)) < ROUNDED), Fraction(fps))


def parse_time(text: str) -> Fraction:
    """Read a time in seconds: ``64``, ``64.5``, ``1:04.5`` or ``1:02:03``; exact, 24 hours at most.

    Raises:
        SettingError: not a time, or later than any song lasts.

    >>> parse_time("1:04.5")
    Fraction(129, 2)
    """
    try:
        match = _matched(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)s?", text)
    except ValueError:
        raise SettingError(
            f"'{_shown(text)}' is not a time",
            value=text,
            hint="write seconds (64.5) or minutes and seconds (1:04.5)",
        ) from None
    hours, minutes, seconds = match.groups(default="0")
    if (match[2] is not None and Fraction(seconds) >= 60) or (match[1] is not None and int(minutes) >= 60):
        raise SettingError(f"'{text}' is not a time", value=text, hint="minutes and seconds go up to 59")
    time = int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
    if time > MAX_HOURS * 3600:
        raise SettingError(
            f"'{text}' is not a time in a song", value=text, hint=f"songs last up to {MAX_HOURS} hours"
        )
    return time


def format_time(seconds: float) -> str:
    """Write seconds as a musician reads them.

    >>> format_time(204.4), format_time(3723), format_time(3.25)
    ('3:24', '1:02:03', '0:03')
    """
    minutes, second = divmod(math.floor(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def _matched(pattern: str, text: str) -> re.Match[str]:
    """Match a whole text of bounded length.

    Raises:
        ValueError: it does not match.
    """
    match = re.fullmatch(pattern, text.strip()) if len(text) <= MAX_TEXT_LENGTH else None
    if match is None:
        raise ValueError
    return match


def _shown(text: str) -> str:
    return text if len(text) <= MAX_TEXT_LENGTH else f"{text[:MAX_TEXT_LENGTH]}..."
