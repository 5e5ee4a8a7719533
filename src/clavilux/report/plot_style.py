"""The look of plots: a dark page of 1080 pixels, rows below each other, letters large enough for a phone.

Heights are pixels, downwards from the top; times are seconds.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from clavilux.features.corrections import UNNAMED
from clavilux.timeline import format_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "COLOURS",
    "FAINT",
    "INK",
    "PAPER",
    "WIDTH",
    "Page",
    "letters_that_fit",
    "name_row",
    "section_colours",
    "time_ticks",
    "write_times",
]

INK, PAPER, FAINT = "#e8e6e3", "#101014", "#4a4a55"
COLOURS = {"loudness": "#8f8f9e", "kick": "#ff5d73", "snare": "#ffc857", "hat": "#5ee6a8"}
SECTIONS = (
    "#4cc9f0",
    "#ff9f43",
    "#a982ff",
    "#5ee6a8",
    "#ff5d73",
    "#f2d13e",
    "#4f7cff",
    "#f78fd2",
    "#b4d455",
    "#20b8a6",
    "#d88a5b",
    "#c9c2ff",
)
"""One for each section label, A to L; further labels begin again."""
LEFT, RIGHT, SHEET, DPI = 144, 26, (1080, 1920), 150
WIDTH = SHEET[0] - LEFT - RIGHT
MAX_LINE_LETTERS = 90
LETTER_PIXELS = 17.0
"""Width of a letter of 13 points."""
MAX_TICKS = 7


class Page:
    """A figure filled with rows from top to bottom."""

    def __init__(self) -> None:
        from matplotlib.figure import Figure

        size = (SHEET[0] / DPI, SHEET[1] / DPI)
        self.figure = Figure(figsize=size, dpi=DPI, facecolor=PAPER)
        self._below = 0

    def skip(self, pixels: int) -> None:
        """Skip some room."""
        self._below += pixels

    def write(self, text: str, *, points: float, colour: str = INK, bold: bool = False) -> None:
        """Write a line of text from the left edge; a long one is made smaller, then cut."""
        self._below += round(points * 2.9)
        text = text[:MAX_LINE_LETTERS]
        points *= min(1.0, (SHEET[0] - 60) / (len(text) * points * 1.3 + 1))
        x, y = 30 / SHEET[0], 1 - self._below / SHEET[1]
        weight = "bold" if bold else "normal"
        self.figure.text(x, y, text, color=colour, fontsize=points, fontweight=weight, parse_math=False)

    def row(self, height: int, name: str, *, gap: int = 8) -> "Axes":
        """Add a row of this height under the last one, with its name on the left."""
        self._below += gap + height
        place = (LEFT / SHEET[0], 1 - self._below / SHEET[1], WIDTH / SHEET[0], height / SHEET[1])
        axes = self.figure.add_axes(place, facecolor=PAPER)
        axes.tick_params(colors=INK, labelsize=11, length=0, pad=3)
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(False)
        name_row(axes, name)
        return axes


def name_row(axes: "Axes", name: str) -> None:
    """Write the name of a row to the left of it."""
    axes.text(
        -12 / WIDTH, 0.5, name, color=COLOURS.get(name, INK), fontsize=13,
        ha="right", va="center", linespacing=1.3, transform=axes.transAxes,
    )  # fmt: skip


def write_times(axes: "Axes", start: float, end: float) -> None:
    """Write round times under a row; the last one stays on the page."""
    times, names = time_ticks(start, end)
    axes.set_xticks(times, names, color=INK)
    for time, label in zip(times, axes.get_xticklabels(), strict=True):
        if time > start + 0.97 * (end - start):
            label.set_horizontalalignment("right")


def section_colours(labels: Sequence[str]) -> dict[str, str]:
    """Return the colour of every label: A, B, C always have the same, other names follow in order.

    >>> colours = section_colours(["B", "A", "B", "-"])
    >>> list(colours), colours["B"] == section_colours(["A", "B"])["B"]
    (['B', 'A', '-'], True)
    """
    names = list(dict.fromkeys(labels))
    places = {name: ord(name) - ord("A") for name in names if len(name) == 1 and "A" <= name <= "Z"}
    free = iter(sorted(set(range(len(names) + 26)) - set(places.values())))
    places |= {name: next(free) for name in names if name not in places and name != UNNAMED}
    colours = {name: SECTIONS[place % len(SECTIONS)] for name, place in places.items()}
    return {name: colours.get(name, FAINT) for name in names}


def letters_that_fit(label: str, width: float) -> str:
    """Cut a label to a width in pixels; empty where less than three letters of a longer one would remain.

    >>> letters_that_fit("A", 20), letters_that_fit("chorus", 70), letters_that_fit("chorus", 20)
    ('A', 'chor', '')
    """
    kept = label[: int(width / LETTER_PIXELS)]
    return kept if kept == label or len(kept) >= 3 else ""


def time_ticks(start: float, end: float) -> tuple[list[float], list[str]]:
    """Choose at most seven round times from ``start`` to ``end`` s, and format them as minutes and seconds.

    >>> time_ticks(0, 60)
    ([0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0], ['0:00', '0:10', '0:20', '0:30', '0:40', '0:50', '1:00'])
    """
    steps = (0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 18000)
    step = next((step for step in steps if (end - start) / step <= MAX_TICKS), 36000)
    times = np.arange(np.ceil(start / step), np.floor(end / step) + 1) * step
    return times.tolist(), [f"{time:g}" if step < 1 else format_time(time + 1e-6) for time in times.tolist()]
