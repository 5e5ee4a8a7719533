"""The rows of a picture that show a song's fullest bars close up: where each drum was heard, hit by hit."""

from typing import TYPE_CHECKING

import numpy as np

from clavilux.curves import CONTROL_RATE, Events
from clavilux.features.rhythm.bar_numbers import count_heard
from clavilux.features.song import Song
from clavilux.report.plot_style import COLOURS, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Span", "draw_close_bars", "draw_drum", "fullest_bars"]

Span = tuple[float, float]

BARS = 8
NEAR = 0.05
"""Seconds by which a beat may miss the edge of the close-up and still be drawn."""
LONGEST = 20.0
"""Seconds of a close-up where there are no bars."""
BANDS = {
    "kick": ("percussive", 30.0, 150.0),
    "snare": ("mix", 200.0, 5000.0),
    "hat": ("mix", 8000.0, 11_025.0),
}


def fullest_bars(song: Song) -> Span:
    """Find the eight bars with the most drums, else the loudest: start and end, s, inside the song."""
    downbeats = song.grid.downbeats
    starts = downbeats[(downbeats >= -NEAR) & (downbeats < song.duration)]
    if len(starts) <= BARS:
        return 0.0, min(song.duration, LONGEST)
    spans = [(float(a), float(b)) for a, b in zip(starts, starts[BARS:], strict=False)]
    hits = np.sort(np.concatenate([song.kick.times, song.snare.times]))
    counts = np.diff(np.searchsorted(hits, spans), axis=1)[:, 0]
    levels = song.rms("mix").mean_between(starts)[:, 0]
    fullness = [count + levels[index : index + BARS].mean() for index, count in enumerate(counts)]
    start, end = spans[int(np.argmax(fullness))]
    return max(0.0, start), min(end, song.duration)


def draw_close_bars(axes: "Axes", song: Song, close: Span) -> None:
    """Number the bars of the close-up; a dot is a beat."""
    count = count_heard(song.grid, song.duration)
    for time, bar, number in zip(count.times, count.bars, count.numbers, strict=True):
        if close[0] - NEAR <= time < close[1] - NEAR:
            axes.plot(time, 0.3, "o", color=INK, markersize=4.5 if number == 1 else 3)
            if number == 1:
                axes.text(time, 0.75, f"{bar}", color=INK, fontsize=11, va="center", ha="center")
    axes.set_ylim(0, 1)
    _span(axes, close)


def draw_drum(axes: "Axes", song: Song, drum: str, close: Span) -> None:
    """Draw how strongly a drum begins, with its hits as dots, over the beats and bars."""
    curve = song.flux(*BANDS[drum])
    first, last = (round(time * CONTROL_RATE) for time in close)
    piece = curve.values[first : last + 1, 0]
    times = (first + np.arange(len(piece))) / CONTROL_RATE
    axes.fill_between(
        times, piece / max(float(piece.max(initial=0)), 1e-6), color=COLOURS[drum], alpha=0.8, linewidth=0
    )
    hits = _inside({"kick": song.kick, "snare": song.snare, "hat": song.hat}[drum], close)
    axes.vlines(hits.times, 0, 1.12, color=COLOURS[drum], linewidth=0.8)
    axes.scatter(
        hits.times, np.full(len(hits), 1.12), s=8 + 36 * hits.strengths, color=COLOURS[drum], zorder=3
    )
    count = count_heard(song.grid, song.duration)
    for beats, colour, width in ((count, FAINT, 0.7), (count.downbeats, INK, 1.0)):
        axes.vlines(_inside(Events(beats.times), close).times, 0, 2, color=colour, linewidth=width, zorder=0)
    axes.set_ylim(0, 1.3)
    _span(axes, close)


def _span(axes: "Axes", close: Span) -> None:
    margin = max(0.01 * (close[1] - close[0]), 0.005)
    axes.set_xlim(close[0] - margin, close[1] + margin)


def _inside(events: Events, close: Span) -> Events:
    kept = (events.times >= close[0] - NEAR) & (events.times <= close[1] + NEAR)
    return Events(events.times[kept], events.strengths[kept])
