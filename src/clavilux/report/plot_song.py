"""The rows of a plot that show a whole song, from its first second to its last."""

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from clavilux.arrays import F32, F64
from clavilux.curves import Curve, Events, Sections
from clavilux.features.harmony.key import PITCH_CLASSES
from clavilux.features.harmony.melody import PitchTrack
from clavilux.features.harmony.notes import MIN_NOTE_CONFIDENCE
from clavilux.features.rhythm.bar_numbers import BarNumbers, number_beats
from clavilux.features.song import Song
from clavilux.report.plot_style import (
    COLOURS,
    FAINT,
    INK,
    PAPER,
    WIDTH,
    letters_that_fit,
    section_colours,
    write_times,
)
from clavilux.report.spectrogram import ROWS_PER_OCTAVE, draw_spectrogram

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "draw_bars",
    "draw_chroma",
    "draw_hits",
    "draw_labels",
    "draw_levels",
    "draw_loudness",
    "draw_spectrogram_row",
    "span_song",
]

MIN_LUFS = -45.0
"""Bottom of the loudness row."""
MAX_MELODY_SECONDS = 420.0
"""In a longer song a melody cannot be followed on a plot this wide."""
LOWEST_NOTE = 24
"""C1, MIDI number at the bottom of the spectrogram."""
BAR_STEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)
MIN_TICK_PIXELS, MIN_NUMBER_PIXELS = 5, 90
"""Least distance of two bars that are drawn, and of two that are numbered."""
WHITE_FROM = 0.72
"""Brightness above which a section's colour fades to white."""


def span_song(axes: "Axes", song: Song, *, times: bool = False) -> None:
    """Fit the time axis of a row to the song, and write the times under it."""
    axes.set_xlim(0, max(song.duration, 0.01))
    if times:
        write_times(axes, 0.0, song.duration)


def draw_loudness(axes: "Axes", song: Song) -> None:
    """Draw momentary loudness, and a line at the integrated loudness."""
    loudness = _by_columns(song.loudness())[:, 0]
    times = np.linspace(0, song.duration, len(loudness))
    axes.fill_between(times, MIN_LUFS, loudness, color=COLOURS["loudness"], linewidth=0)
    axes.axhline(song.lufs, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_ylim(MIN_LUFS, max(0.0, float(loudness.max()) + 3))
    span_song(axes, song)


def draw_labels(axes: "Axes", song: Song, parts: Sections) -> None:
    """Draw sections as boxes, with their labels where there is room."""
    colours = section_colours(parts.labels)
    for start, end, label in zip(parts.bounds, parts.bounds[1:], parts.labels, strict=False):
        axes.axvspan(start, end, color=colours[label], linewidth=0)
        axes.axvline(start, color=PAPER, linewidth=1.2)
        name = letters_that_fit(label, (end - start) / max(song.duration, 0.01) * WIDTH)
        words = axes.text((start + end) / 2, 0.45, name, color=PAPER, fontsize=13, parse_math=False)
        words.set(fontweight="bold", ha="center", va="center")
    axes.set_ylim(0, 1)
    span_song(axes, song)


def draw_spectrogram_row(axes: "Axes", song: Song, parts: Sections) -> None:
    """Draw the spectrogram in the colours of the sections, and the melody over it."""
    image = draw_spectrogram(song.analysis, WIDTH)
    extent = (0, max(song.duration, 0.01), 0, image.shape[1])
    tint = _tints(parts, song.duration, len(image))
    axes.imshow(_tinted(image, tint), aspect="auto", origin="lower", extent=extent, interpolation="nearest")
    octaves = np.arange(1, image.shape[1] // ROWS_PER_OCTAVE)
    axes.set_yticks(octaves * ROWS_PER_OCTAVE, [f"C{octave + 1}" for octave in octaves])
    for bound in parts.bounds[1:-1]:
        axes.axvline(bound, color=INK, linewidth=0.8, alpha=0.7)
    if song.duration < MAX_MELODY_SECONDS:
        _draw_voice(axes, song.melody, song.duration)
    axes.set_ylim(0, image.shape[1])
    span_song(axes, song)


def _draw_voice(axes: "Axes", track: PitchTrack, duration: float) -> None:
    """Draw the pitch of a voice where it sounds, a dash for every second pixel."""
    sounds = track.confidence.values[:, 0] > MIN_NOTE_CONFIDENCE
    edges = np.linspace(0, len(sounds), min(WIDTH // 2, len(sounds)) + 1).astype(int)
    rows = (track.pitch.values[:, 0] - LOWEST_NOTE) * ROWS_PER_OCTAVE / 12
    spans = [slice(first, last) for first, last in pairwise(edges.tolist())]
    heights = [np.median(rows[span][sounds[span]]) if sounds[span].mean() > 0.5 else np.nan for span in spans]
    times = edges * (duration / len(sounds))
    axes.hlines(heights, times[:-1], times[1:], color=INK, linewidth=2.4)


def _tints(sections: Sections, duration: float, columns: int) -> F64:
    """Return the colour of each column, (C, 3)."""
    from matplotlib.colors import to_rgb

    colours = section_colours(sections.labels)
    shown = np.array([to_rgb(colours[label]) for label in sections.labels])
    return np.asarray(shown[sections.index_at((np.arange(columns) + 0.5) / columns * duration)])


def _tinted(image: F32, tint: F64) -> F64:
    """Colour brightness (C, B) from the background through the tint to white, (B, C, 3)."""
    from matplotlib.colors import to_rgb

    bright, paper = image[:, :, None], np.array(to_rgb(PAPER))  # (C, B, 1), (3,)
    # Up to WHITE_FROM from paper to the tint, above it 80 % of the way from the tint to white.
    coloured = paper + (tint[:, None] - paper) * np.minimum(bright / WHITE_FROM, 1)
    white = np.clip((bright - WHITE_FROM) / (1 - WHITE_FROM), 0, 1)
    return np.asarray(np.clip(np.swapaxes(coloured + (1 - coloured) * 0.8 * white, 0, 1), 0, 1))


def draw_levels(axes: "Axes", song: Song) -> None:
    """Draw the sections at every level of detail, the coarsest on top."""
    columns = min(WIDTH, max(1, round(song.duration * 100)))
    strips = np.stack([_tints(level, song.duration, columns) for level in song.levels])
    extent = (0, max(song.duration, 0.01), len(strips), 0)
    axes.imshow(strips * 0.85, aspect="auto", extent=extent, interpolation="nearest")
    for row in range(1, len(strips)):
        axes.axhline(row, color=PAPER, linewidth=1.6)
    axes.set_yticks([0.5, len(strips) - 0.5], ["2", str(len(strips) + 1)])
    span_song(axes, song)


def draw_bars(axes: "Axes", song: Song) -> None:
    """Draw the bars as ticks, as many as there is room for, and number some."""
    grid = song.grid
    bars = number_beats(grid, song.duration).downbeats
    if grid.confidence == 0:
        axes.text(0.0, 0.5, "no steady beat", color=INK, fontsize=12, va="center", transform=axes.transAxes)
    else:
        drawn, numbered = _each(bars, MIN_TICK_PIXELS), _each(bars, MIN_NUMBER_PIXELS)
        axes.vlines(drawn.times, 0.7, 1, color=FAINT, linewidth=1)
        axes.vlines(numbered.times, 0.35, 1, color=INK, linewidth=1.2)
        for time, bar in zip(numbered.times, numbered.bars, strict=True):
            if time < song.duration * 0.96:
                axes.text(time, 0.3, f" {bar}", color=INK, fontsize=11, va="center")
    axes.set_ylim(0, 1)
    span_song(axes, song)


def _each(bars: BarNumbers, pixels: float) -> BarNumbers:
    """Keep every second, fourth, eighth ... bar, at least ``pixels`` apart."""
    between = WIDTH / max(len(bars), 1)
    step = next((step for step in BAR_STEPS if step * between >= pixels), BAR_STEPS[-1])
    kept = (bars.bars - 1) % step == 0
    return BarNumbers(bars.times[kept], bars.bars[kept], bars.beats[kept])


def draw_chroma(axes: "Axes", song: Song) -> None:
    """Draw the pitch classes, C at the bottom."""
    share = _by_columns(song.chroma()).T
    extent = (0.0, max(song.duration, 0.01), -0.5, 11.5)
    top = max(float(np.percentile(share, 99.5)), 1e-6)
    axes.imshow(share, aspect="auto", origin="lower", extent=extent, cmap="magma", vmin=0, vmax=top)
    axes.set_yticks(range(0, 12, 2), PITCH_CLASSES[::2])
    span_song(axes, song)


def draw_hits(axes: "Axes", song: Song, name: str, hits: Events) -> None:
    """Draw how much a drum is hit in each column of pixels."""
    from matplotlib.colors import to_rgb

    columns = WIDTH // 2
    places = np.clip((hits.times / max(song.duration, 0.01) * columns).astype(int), 0, columns - 1)
    played = np.bincount(places, hits.strengths, columns)
    usual = float(np.percentile(played[played > 0], 90)) if len(hits) else 1.0
    extent = (0, max(song.duration, 0.01), 0, 1)
    bright = np.clip(played / max(usual, 1e-6), 0, 1)[None, :, None] ** 0.7
    paper = np.array(to_rgb(PAPER))
    axes.imshow(
        paper + (np.array(to_rgb(COLOURS[name])) - paper) * bright,
        aspect="auto",
        extent=extent,
        interpolation="nearest",
    )
    span_song(axes, song)


def _by_columns(curve: Curve) -> F32:
    """Average a curve to the columns of the image, (C, channels)."""
    columns = min(WIDTH, len(curve.values))
    return curve.mean_between(np.linspace(0, curve.duration, columns + 1))
