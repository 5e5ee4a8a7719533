"""A plot of a whole song, and of its densest bars close up.

Dark, upright, with letters large enough for a phone. In the middle is a spectrogram, time across and pitch
upwards, each section in its colour; similar sections share one. Of a mix, each track has its colour instead.
"""

import warnings
from pathlib import Path

from clavilux.errors import OutputError
from clavilux.features.song import Song
from clavilux.files import atomic, write_error
from clavilux.report.plot_bars import densest_bars, draw_close_bars, draw_drum
from clavilux.report.plot_song import (
    draw_bars,
    draw_chroma,
    draw_hits,
    draw_labels,
    draw_levels,
    draw_loudness,
    draw_spectrogram_row,
    span_song,
)
from clavilux.report.plot_style import COLOURS, Page, write_times
from clavilux.report.summary import headline
from clavilux.timeline import format_time

__all__ = ["plot", "save_page"]


def plot(song: Song, path: str | Path, *, detail: int | None = None) -> Path:
    """Draw a song into an image of 1080 x 1920 pixels; returns its path.

    Args:
        song: any song, silence included.
        path: the image; its ending is its format, such as .png.
        detail: level of detail of the sections, 2 to 10.

    Raises:
        OutputError: the image cannot be written there.
    """
    page = Page()
    page.write(song.audio.name, points=17, bold=True)
    page.write(headline(song), points=14)
    if not song.corrections.none:
        page.write(f"corrected: {song.corrections}", points=11, colour=COLOURS["snare"])
    _draw_song(page, song, detail)
    _draw_close(page, song)
    return save_page(page, Path(path))


def _draw_song(page: Page, song: Song, detail: int | None) -> None:
    sections, mix = song.structure(detail), len(song.tracks) > 1
    draw_loudness(page.row(96, f"loudness\n{song.lufs:.0f} LUFS", gap=24), song)
    if mix:
        draw_labels(page.row(34, "tracks", gap=10), song, song.tracks)
    draw_labels(page.row(34, "sections", gap=10), song, sections)
    draw_spectrogram_row(page.row(650 if mix else 694, "", gap=0), song, song.tracks if mix else sections)
    draw_levels(page.row(144, "detail", gap=10), song)
    draw_bars(page.row(40, "bars"), song)
    draw_chroma(page.row(216, "", gap=4), song)
    drums = {"kick": song.kick, "snare": song.snare, "hat": song.hat}
    for index, (name, hits) in enumerate(drums.items()):
        axes = page.row(30, name, gap=4 if index else 10)
        draw_hits(axes, song, name, hits)
        span_song(axes, song, times=name == "hat")


def _draw_close(page: Page, song: Song) -> None:
    close = densest_bars(song)
    page.skip(46)
    page.write(f"Close up, from {format_time(close[0])}", points=13)
    draw_close_bars(page.row(48, "bars"), song, close)
    for drum in ("kick", "snare", "hat"):
        axes = page.row(82, drum, gap=4)
        draw_drum(axes, song, drum, close)
    write_times(axes, *close)


def save_page(page: Page, path: Path) -> Path:
    """Write a page into an image; returns its path.

    Raises:
        OutputError: it cannot be written there.
    """
    try:
        with warnings.catch_warnings(), atomic(path) as part:
            # A name in a script that the font lacks is drawn as boxes.
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            page.figure.savefig(part, format=path.suffix[1:], facecolor=page.figure.get_facecolor())
    except OSError as error:
        raise write_error(path, error) from error
    except ValueError as error:
        raise OutputError(
            f"'{path}' cannot be written: {error}", where=str(path), hint="name it .png", remedy="target"
        ) from error
    return path
