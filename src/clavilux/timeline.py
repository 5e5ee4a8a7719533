"""Time as the video counts it: frames at an exact rate, and windows of them.

Frame n of a timeline is sampled at ``start + n / fps`` seconds and lasts until frame n + 1. Rates and
starts are fractions, so 30000/1001 stays exact for any length. Everything below the renderer speaks of
seconds; frames exist only here, in ``draw``, ``video`` and ``make``.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from clavilux.errors import SettingError

__all__ = ["Timeline", "Window", "format_time", "parse_fps", "parse_time"]

MAX_FPS = 480


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
        """Frames ``first`` to ``first + count``."""
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
    def edges(self) -> NDArray[np.float64]:
        """Start of each frame and the end of the last, seconds; shape (count + 1,).

        Each edge depends only on its own frame number, so it is bit-equal in every window.
        """
        fps, start = self.timeline.fps, self.timeline.start
        numbers = np.arange(self.first, self.first + self.count + 1, dtype=np.float64)
        return float(start) + numbers * fps.denominator / fps.numerator

    @property
    def times(self) -> NDArray[np.float64]:
        """Start of each frame, seconds; shape (count,)."""
        return self.edges[:-1]

    @property
    def indices(self) -> NDArray[np.int64]:
        """Frame numbers; shape (count,)."""
        return np.arange(self.first, self.first + self.count, dtype=np.int64)


def parse_fps(text: str) -> Fraction:
    """Read a frame rate: ``30``, ``29.97`` or exactly ``30000/1001``.

    Raises:
        SettingError: not a number, not above zero, or above 480.

    >>> parse_fps("30000/1001")
    Fraction(30000, 1001)
    """
    try:
        fps = Fraction(text.strip())
    except (ValueError, ZeroDivisionError):
        raise SettingError(f"The frame rate '{text}' is not a number; try 30, 24 or 30000/1001.") from None
    if not 0 < fps <= MAX_FPS:
        raise SettingError(
            f"The frame rate {text} is out of range; it must be above 0 and at most {MAX_FPS}."
        )
    return fps


def parse_time(text: str) -> Fraction:
    """Read a time in seconds: ``64``, ``64.5``, ``1:04.5`` or ``1:02:03``; exact.

    Raises:
        SettingError: not a time.

    >>> parse_time("1:04.5")
    Fraction(129, 2)
    """
    match = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)s?", text.strip())
    if match is None:
        raise SettingError(f"'{text}' is not a time; write seconds (64.5) or minutes and seconds (1:04.5).")
    hours, minutes, seconds = match.groups(default="0")
    if (match[2] is not None and Fraction(seconds) >= 60) or (match[1] is not None and int(minutes) >= 60):
        raise SettingError(f"'{text}' is not a time; minutes and seconds go up to 59.")
    return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)


def format_time(seconds: float) -> str:
    """Write seconds as a musician reads them.

    >>> format_time(204.4), format_time(3723), format_time(3.25)
    ('3:24', '1:02:03', '0:03')
    """
    minutes, second = divmod(math.floor(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
