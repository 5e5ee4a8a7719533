"""The rows of a plot that show the densest bars of a song close up: onset strength and hits of each drum."""

from typing import TYPE_CHECKING

import numpy as np

from clavilux.curves import CONTROL_RATE, Events
from clavilux.features.rhythm.bar_numbers import number_detected_beats
from clavilux.features.song import Song
from clavilux.report.plot_style import COLOURS, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Interval", "densest_bars", "draw_close_bars", "draw_drum"]

Interval = tuple[float, float]
"""Start and end, s."""

CLOSE_UP_BARS = 8
CLOSE_UP_SECONDS = 20.0
"""Longest close-up of a song with fewer bars."""
EDGE_SECONDS = 0.05
"""A beat may be this far outside of the close-up and still be drawn."""
BANDS = {
    "kick": ("percussive", 30.0, 150.0),
    "snare": ("mix", 200.0, 5000.0),
    "hat": ("mix", 8000.0, 11_025.0),
}


def densest_bars(song: Song) -> Interval:
    """Find the eight bars with the most drums, or else the loudest, within the song."""
    downbeats = song.grid.downbeats
    starts = downbeats[(downbeats >= -EDGE_SECONDS) & (downbeats < song.duration)]
    if len(starts) <= CLOSE_UP_BARS:
        return 0.0, min(song.duration, CLOSE_UP_SECONDS)
    spans = [(float(a), float(b)) for a, b in zip(starts, starts[CLOSE_UP_BARS:], strict=False)]
    hits = np.sort(np.concatenate([song.kick.times, song.snare.times]))
    counts = np.diff(np.searchsorted(hits, spans), axis=1)[:, 0]
    levels = song.rms("mix").mean_between(starts)[:, 0]
    density = [count + levels[index : index + CLOSE_UP_BARS].mean() for index, count in enumerate(counts)]
    start, end = spans[int(np.argmax(density))]
    return max(0.0, start), min(end, song.duration)


def draw_close_bars(axes: "Axes", song: Song, close: Interval) -> None:
    """Draw beats as dots, and number the bars."""
    count = number_detected_beats(song.grid, song.duration)
    for time, bar, number in zip(count.times, count.bars, count.beats, strict=True):
        if close[0] - EDGE_SECONDS <= time < close[1] - EDGE_SECONDS:
            axes.plot(time, 0.3, "o", color=INK, markersize=4.5 if number == 1 else 3)
            if number == 1:
                axes.text(time, 0.75, f"{bar}", color=INK, fontsize=11, va="center", ha="center")
    axes.set_ylim(0, 1)
    _fit(axes, close)


def draw_drum(axes: "Axes", song: Song, drum: str, close: Interval) -> None:
    """Draw the onset strength in a drum's band, with its hits as dots, over the beats and bars."""
    curve = song.flux(*BANDS[drum])
    first, last = (round(time * CONTROL_RATE) for time in close)
    piece = curve.values[first : last + 1, 0]
    times = (first + np.arange(len(piece))) / CONTROL_RATE
    axes.fill_between(
        times, piece / max(float(piece.max(initial=0)), 1e-6), color=COLOURS[drum], alpha=0.8, linewidth=0
    )
    hits = _within({"kick": song.kick, "snare": song.snare, "hat": song.hat}[drum], close)
    axes.vlines(hits.times, 0, 1.12, color=COLOURS[drum], linewidth=0.8)
    axes.scatter(
        hits.times, np.full(len(hits), 1.12), s=8 + 36 * hits.strengths, color=COLOURS[drum], zorder=3
    )
    count = number_detected_beats(song.grid, song.duration)
    for beats, colour, width in ((count, FAINT, 0.7), (count.downbeats, INK, 1.0)):
        axes.vlines(_within(Events(beats.times), close).times, 0, 2, color=colour, linewidth=width, zorder=0)
    axes.set_ylim(0, 1.3)
    _fit(axes, close)


def _fit(axes: "Axes", close: Interval) -> None:
    margin = max(0.01 * (close[1] - close[0]), 0.005)
    axes.set_xlim(close[0] - margin, close[1] + margin)


def _within(events: Events, close: Interval) -> Events:
    kept = (events.times >= close[0] - EDGE_SECONDS) & (events.times <= close[1] + EDGE_SECONDS)
    return Events(events.times[kept], events.strengths[kept])
