"""A picture of what was heard: the whole song, and its fullest bars close up.

Dark, upright, and large enough in its letters to be read on a phone.
"""

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from clavilux.audio.sound import Audio
from clavilux.curves import CONTROL_RATE, Curve, Events, Grid
from clavilux.errors import OutputError
from clavilux.features.harmony import PITCH_CLASSES
from clavilux.features.song import Song
from clavilux.features.summary import summary
from clavilux.timeline import format_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot"]

INK, PAPER, FAINT = "#e8e6e3", "#101014", "#4a4a55"
COLOURS = {
    "mix": "#8f8f9e",
    "bass": "#b07cff",
    "chords": "#4cc9f0",
    "drums": "#ff9f43",
    "kick": "#ff5d73",
    "snare": "#ffc857",
    "hat": "#5ee6a8",
}
INCHES, DPI = (7.2, 12.8), 150
COLUMNS = 1000
"""Columns of pixels of the whole song."""
CLOSE_BARS = 8
NEAR = 0.05
"""Seconds by which a beat may miss the edge of the close-up and still be drawn."""
BAND_HZ = {"kick": ("percussive", 30, 150), "snare": ("mix", 200, 5000), "hat": ("mix", 8000, 11_025)}


def plot(song: Song, path: str | Path) -> Path:
    """Draw what was heard in a song into a picture, 1080 x 1920 pixels; returns its path.

    Args:
        song: any song, silence included.
        path: where the picture goes; its ending names the format, such as .png.

    Raises:
        OutputError: the picture cannot be written there.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=INCHES, dpi=DPI, facecolor=PAPER, layout="constrained")
    rows = figure.subplots(7, 1, height_ratios=[1.1, 1.1, 1.5, 0.55, 0.75, 0.75, 0.75])
    _title(figure, song)
    _draw_wave(rows[0], song.audio)
    _draw_levels(rows[1], song)
    _draw_chroma(rows[2], song.chroma("harmonic"))
    close = _fullest_bars(song)
    _draw_bars(rows[3], song.grid, close)
    for axes, drum in zip(rows[4:], BAND_HZ, strict=True):
        _draw_drum(axes, song, drum, close)
    for axes in rows[:3]:
        _time_axis(axes, (0.0, song.duration))
        axes.vlines(close, *axes.get_ylim(), color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
    rows[6].set_xticks(*_ticks(close))
    return _save(figure, Path(path))


def _title(figure: "Figure", song: Song) -> None:
    figure.suptitle(f"{song.audio.name[:40]}\n{summary(song)}", color=INK, fontsize=15, fontweight="bold")


def _draw_wave(axes: "Axes", audio: Audio) -> None:
    """Draw the lowest and highest sample of every column."""
    edges = np.linspace(0, audio.samples, min(COLUMNS, audio.samples) + 1).astype(int)
    lows, highs = [], []
    for first, last in pairwise(edges.tolist()):
        piece = audio.read(first, last - first)
        lows.append(piece.min())
        highs.append(piece.max())
    times = edges[:-1] / audio.rate
    axes.fill_between(times, lows, highs, color=COLOURS["mix"], linewidth=0.4, edgecolor=COLOURS["mix"])
    height = max(audio.peak, 1e-3) * 1.05
    axes.set_ylim(-height, height)
    _dress(axes, "wave")


def _draw_levels(axes: "Axes", song: Song) -> None:
    """Draw the level of each stem on its own scale."""
    for stem in ("bass", "chords", "drums"):
        level = _by_columns(song.rms(stem), song.duration)
        axes.plot(*level, color=COLOURS[stem], linewidth=1.5, label=stem)
    axes.set_ylim(0, 1.45)
    axes.legend(loc="upper right", ncols=3, frameon=False, labelcolor="linecolor", fontsize=12, borderpad=0.1)
    _dress(axes, "level")


def _by_columns(curve: Curve, duration: float) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Average a curve over the half second around each column, and scale it to its highest value."""
    times = np.linspace(0, duration, min(COLUMNS, len(curve.values)))
    level = Curve(uniform_filter1d(curve.values[:, 0], CONTROL_RATE // 2)).at(times)[:, 0]
    return times, level / max(float(level.max()), 1e-9)


def _draw_chroma(axes: "Axes", chroma: Curve) -> None:
    """Draw the pitch classes, C at the bottom, averaged to the columns of the picture."""
    columns = min(COLUMNS, len(chroma.values))
    share = chroma.mean_between(np.linspace(0, chroma.duration, columns + 1)).T
    extent = (0.0, chroma.duration, -0.5, 11.5)
    top = max(float(np.percentile(share, 99.5)), 1e-6)
    axes.imshow(share, aspect="auto", origin="lower", extent=extent, cmap="magma", vmin=0, vmax=top)
    axes.set_yticks(range(12), PITCH_CLASSES)
    _dress(axes, "notes", ticks=True)
    axes.tick_params(axis="y", labelsize=10)


def _fullest_bars(song: Song) -> tuple[float, float]:
    """Find the eight bars with the most drums, else the loudest: start and end, s, inside the song."""
    downbeats = song.grid.downbeats
    starts = downbeats[(downbeats >= -NEAR) & (downbeats < song.duration)]
    if len(starts) <= CLOSE_BARS:
        return 0.0, song.duration
    spans = [(float(a), float(b)) for a, b in zip(starts, starts[CLOSE_BARS:], strict=False)]
    hits = np.concatenate([song.kick.times, song.snare.times])
    level = song.rms("mix")
    counts = [np.count_nonzero((hits >= a) & (hits < b)) + level.mean_between([a, b])[0, 0] for a, b in spans]
    start, end = spans[int(np.argmax(counts))]
    return max(0.0, start), min(end, song.duration)


def _draw_bars(axes: "Axes", grid: Grid, close: tuple[float, float]) -> None:
    """Number the bars of the close-up; a dot is a beat."""
    beats = _inside(Events(grid.beats), close).times
    axes.scatter(beats, np.full(len(beats), 0.25), s=26, color=INK, zorder=3)
    for number, downbeat in zip(
        np.round(grid.bar_at(grid.downbeats)).astype(int), grid.downbeats, strict=True
    ):
        if close[0] - NEAR <= downbeat < close[1] - NEAR:
            axes.axvline(downbeat, color=INK, linewidth=1.4)
            axes.text(downbeat, 0.62, f" {number + 1}", color=INK, fontsize=12, va="center")
    axes.set_ylim(0, 1)
    axes.set_title(f"close up, from {format_time(close[0])}", color=INK, fontsize=13, loc="left")
    _dress(axes, "bars")
    _close_axis(axes, close)


def _draw_drum(axes: "Axes", song: Song, drum: str, close: tuple[float, float]) -> None:
    """Draw how strongly a drum begins, with its hits as dots, over the beats and bars."""
    curve = song.flux(*_band(drum))
    first, last = (round(time * CONTROL_RATE) for time in close)
    piece = curve.values[first : last + 1, 0]
    top = max(float(piece.max(initial=0)), 1e-6)
    times = (first + np.arange(len(piece))) / CONTROL_RATE
    axes.fill_between(times, piece / top, color=COLOURS[drum], alpha=0.85, linewidth=0)
    hits = _inside(_hits(song, drum), close)
    axes.vlines(hits.times, 0, 1.12, color=COLOURS[drum], linewidth=0.8)
    axes.scatter(hits.times, np.full(len(hits), 1.12), s=8 + 40 * hits.strengths, color=COLOURS[drum])
    axes.vlines(_inside(Events(song.grid.beats), close).times, 0, 2, color=FAINT, linewidth=0.7, zorder=0)
    axes.vlines(_inside(Events(song.grid.downbeats), close).times, 0, 2, color=INK, linewidth=1.1, zorder=0)
    axes.set_ylim(0, 1.3)
    _dress(axes, drum)
    _close_axis(axes, close)


def _band(drum: str) -> tuple[str, float, float]:
    stem, low_hz, high_hz = BAND_HZ[drum]
    return stem, float(low_hz), float(high_hz)


def _hits(song: Song, drum: str) -> Events:
    return {"kick": song.kick, "snare": song.snare, "hat": song.hat}[drum]


def _inside(events: Events, close: tuple[float, float]) -> Events:
    kept = (events.times >= close[0] - NEAR) & (events.times <= close[1] + NEAR)
    return Events(events.times[kept], events.strengths[kept])


def _dress(axes: "Axes", name: str, *, ticks: bool = False) -> None:
    axes.set_facecolor(PAPER)
    axes.set_ylabel(name, color=COLOURS.get(name, INK), fontsize=14)
    axes.tick_params(colors=INK, labelsize=12, length=3)
    for spine in axes.spines.values():
        spine.set_color(FAINT)
    if not ticks:
        axes.set_yticks([])


def _time_axis(axes: "Axes", span: tuple[float, float]) -> None:
    axes.set_xlim(span[0], max(span[1], span[0] + 0.01))
    axes.set_xticks(*_ticks(span))


def _close_axis(axes: "Axes", close: tuple[float, float]) -> None:
    margin = max(0.01 * (close[1] - close[0]), 0.005)
    axes.set_xlim(close[0] - margin, close[1] + margin)
    axes.set_xticks([])


def _ticks(span: tuple[float, float]) -> tuple[list[float], list[str]]:
    """Choose at most eight round times in a span, and write them as minutes and seconds."""
    steps = (0.01, 0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 18000)
    step = next((step for step in steps if (span[1] - span[0]) / step <= 8), 36000)
    times = np.arange(np.ceil(span[0] / step), np.floor(span[1] / step) + 1) * step
    return times.tolist(), [f"{time:g}" if step < 1 else format_time(time + 1e-6) for time in times.tolist()]


def _save(figure: "Figure", path: Path) -> Path:
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise OutputError(f"The picture '{path}' cannot be written: {error}.") from error
    return path
