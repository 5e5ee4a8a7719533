"""A page of what was measured of a video: its curves beside those of its song."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clavilux.arrays import F64
from clavilux.features.song import Song
from clavilux.metrics.measures import Measures, onset_strength
from clavilux.metrics.rhythm import envelope
from clavilux.metrics.trace import CHANNELS
from clavilux.report.plot import save_page
from clavilux.report.plot_style import COLOURS, FAINT, INK, WIDTH, Page, section_colours, write_times
from clavilux.report.words import measures_in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_measures"]

SEEN = "#4cc9f0"
"""Colour of what the picture does, beside the song's own colours."""


def plot_measures(measures: Measures, song: Song | None, name: str, target: Path) -> Path:
    """Draw the measures of a video into an image of 1080 x 1920 pixels; returns its path.

    Args:
        measures: the measures.
        song: the video's sound, if it has any.
        name: of the video.
        target: the image.

    Raises:
        OutputError: the image cannot be written.
    """
    page, trace = Page(), measures.trace
    page.write(name, points=17, bold=True)
    for line in measures_in_words(measures):
        page.write(line, points=12)
    start = measures.start
    end = start + len(trace) / float(trace.fps)
    _draw_look(page.row(120, "colours", gap=24), measures)
    if song is not None:
        _draw_sections(page.row(30, "sections", gap=4), song, start, end)
    _draw_motion(page.row(230, "motion\nand hits", gap=14), measures, song)
    _draw_flashes(page.row(190, "flashes", gap=24), measures)
    for index, channel in enumerate(CHANNELS[1:], 1):
        axes = page.row(80, channel, gap=10)
        _draw_curve(axes, trace.values[:, index].astype(np.float64))
    times = axes.twiny()
    times.set_xlim(start, end)
    times.set_frame_on(False)
    times.xaxis.set_ticks_position("bottom")
    times.tick_params(colors=INK, labelsize=11, length=0, pad=3)
    write_times(times, start, end)
    if measures.drums is not None:
        _draw_drums(page.row(200, "what\nmoves", gap=70), measures)
    return save_page(page, target)


def _draw_look(axes: "Axes", measures: Measures) -> None:
    """Draw every moment as a column: its mean colours from the top of the frame to its bottom."""
    layouts = measures.trace.layouts
    edges = np.linspace(0, len(layouts), min(WIDTH, max(len(layouts), 1)) + 1).astype(int)[:-1]
    columns = np.add.reduceat(layouts.astype(np.float32).mean(axis=2), edges, axis=0)  # (columns, 9, 3)
    columns /= np.diff(np.append(edges, len(layouts)))[:, None, None]
    axes.imshow(columns.swapaxes(0, 1) ** (1 / 2.2), aspect="auto", interpolation="nearest")


def _draw_sections(axes: "Axes", song: Song, start: float, end: float) -> None:
    sections = song.sections
    colours = section_colours(sections.labels)
    for first, last, label in zip(sections.bounds, sections.bounds[1:], sections.labels, strict=False):
        axes.axvspan(first, last, color=colours[label], linewidth=0)
    axes.set_xlim(start, end)


def _draw_motion(axes: "Axes", measures: Measures, song: Song | None) -> None:
    """Draw the envelope of the onset strength, and over it that of the picture's motion."""
    trace, fps = measures.trace, float(measures.trace.fps)
    if song is not None:
        edges = measures.start + np.arange(len(trace) + 1) / fps
        heard = onset_strength(song).max_between(edges)[:, 0].astype(np.float64)
        axes.fill_between(_columns(len(trace)), _by_columns(envelope(heard, fps)), color=FAINT, linewidth=0)
    axes.plot(_columns(len(trace)), _by_columns(envelope(trace.motion, fps)), color=SEEN, linewidth=1)
    axes.set_ylim(0, 1.05)
    axes.set_xlim(0, WIDTH)


def _draw_flashes(axes: "Axes", measures: Measures) -> None:
    """Draw the share of the worst field that flashes too often, under the limit."""
    flashes = measures.trace.flashes
    severity = _by_columns(flashes.severity.astype(np.float64))
    axes.fill_between(_columns(len(flashes.severity)), severity, color=COLOURS["kick"], linewidth=0)
    axes.axhline(flashes.area_limit, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_ylim(0, 1)
    axes.set_xlim(0, WIDTH)


def _draw_curve(axes: "Axes", values: F64) -> None:
    axes.plot(_columns(len(values)), _by_columns(values), color=SEEN, linewidth=1)
    axes.set_xlim(0, WIDTH)


def _draw_drums(axes: "Axes", measures: Measures) -> None:
    """Draw how much each channel moves at the hits of each drum, in standard deviations."""
    assert measures.drums is not None
    for k, (name, found) in enumerate(measures.drums.items()):
        places = np.arange(len(CHANNELS)) + (k - 1) * 0.25
        axes.bar(places, [found[channel] for channel in CHANNELS], 0.22, color=COLOURS[name])
        axes.text(
            0.8 + 0.1 * k, 1.02, name, color=COLOURS[name], fontsize=11,
            ha="right", va="bottom", transform=axes.transAxes,
        )  # fmt: skip
    axes.axhline(0, color=FAINT, linewidth=1)
    axes.set_xticks(range(len(CHANNELS)), CHANNELS, color=INK)


def _columns(frames: int) -> F64:
    return np.linspace(0, WIDTH, min(WIDTH, max(frames, 1)))


def _by_columns(values: F64) -> F64:
    """Return the highest value in each column of pixels."""
    if len(values) <= WIDTH:
        return values
    return np.maximum.reduceat(values, np.linspace(0, len(values), WIDTH + 1).astype(int)[:-1])
