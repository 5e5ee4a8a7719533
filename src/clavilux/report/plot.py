"""A picture of what was heard: the whole song, and its fullest bars close up.

Dark, upright, and large enough in its letters to be read on a phone. In the middle is the sound itself, time
across and pitch upwards, each section in its colour; sections that sound alike share one. Of a mix, each
track has its colour instead.
"""

import warnings
from pathlib import Path

from clavilux.errors import OutputError
from clavilux.features.song import Song
from clavilux.report.plot_bars import draw_close_bars, draw_drum, fullest_bars
from clavilux.report.plot_song import (
    draw_bars,
    draw_chroma,
    draw_hits,
    draw_labels,
    draw_levels,
    draw_loudness,
    draw_sound,
    span_song,
)
from clavilux.report.plot_style import COLOURS, Page, write_times
from clavilux.report.summary import headline
from clavilux.timeline import format_time

__all__ = ["plot"]


def plot(song: Song, path: str | Path, *, detail: int | None = None) -> Path:
    """Draw what was heard in a song into a picture, 1080 x 1920 pixels; returns its path.

    Args:
        song: any song, silence included.
        path: where the picture goes; its ending names the format, such as .png.
        detail: how finely the song is parted, 2 to 10.

    Raises:
        OutputError: the picture cannot be written there.
    """
    page = Page()
    page.write(song.audio.name, points=17, bold=True)
    page.write(headline(song), points=14)
    if not song.corrections.none:
        page.write(f"corrected: {song.corrections}", points=11, colour=COLOURS["snare"])
    _draw_song(page, song, detail)
    _draw_close(page, song)
    return _save(page, Path(path))


def _draw_song(page: Page, song: Song, detail: int | None) -> None:
    sections, mix = song.structure(detail), len(song.tracks) > 1
    draw_loudness(page.row(96, f"loudness\n{song.lufs:.0f} LUFS", gap=24), song)
    if mix:
        draw_labels(page.row(34, "tracks", gap=10), song, song.tracks)
    draw_labels(page.row(34, "sections", gap=10), song, sections)
    draw_sound(page.row(650 if mix else 694, "", gap=0), song, song.tracks if mix else sections)
    draw_levels(page.row(144, "detail", gap=10), song)
    draw_bars(page.row(40, "bars"), song)
    draw_chroma(page.row(216, "", gap=4), song)
    drums = {"kick": song.kick, "snare": song.snare, "hat": song.hat}
    for index, (name, hits) in enumerate(drums.items()):
        axes = page.row(30, name, gap=4 if index else 10)
        draw_hits(axes, song, name, hits)
        span_song(axes, song, times=name == "hat")


def _draw_close(page: Page, song: Song) -> None:
    close = fullest_bars(song)
    page.skip(46)
    page.write(f"Close up, from {format_time(close[0])}", points=13)
    draw_close_bars(page.row(48, "bars"), song, close)
    for drum in ("kick", "snare", "hat"):
        axes = page.row(82, drum, gap=4)
        draw_drum(axes, song, drum, close)
    write_times(axes, *close)


def _save(page: Page, path: Path) -> Path:
    try:
        with warnings.catch_warnings():  # a name in a script that the letters lack is drawn as boxes
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            page.figure.savefig(path, facecolor=page.figure.get_facecolor())
    except (OSError, ValueError) as error:
        raise OutputError(f"The picture '{path}' cannot be written: {error}.") from error
    return path
