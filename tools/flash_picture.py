"""Draw docs/flashes.webp: frames with the flash limiter above frames without it, and their light below.

python tools/flash_picture.py

The song is that of the tour. The curves are of the field, a third of the screen's width and height, that
flashes most; it is framed in the first image.
"""

import io
import sys
import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from matplotlib.figure import Figure
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image

from clavilux.arrays import F32, F64
from clavilux.colour import LUMA
from clavilux.make.prepare import prepare
from clavilux.make.workspace import Workspace
from clavilux.metrics.flashes import LIMITS, FlashMeter
from clavilux.metrics.trace import cells_of
from clavilux.project.output import Output
from clavilux.project.project import Project
from clavilux.report.plot_style import COLOURS, FAINT, INK, PAPER
from clavilux.tour.music import compose_song

TARGET = Path(__file__).parents[1] / "docs" / "flashes.webp"
PROJECT = Project(patch="pulse", knobs={"flash": 0.8}, start=Fraction(32), duration=Fraction(6))
"""A knob that is turned is not lowered where it flashes: what is left to do is the limiter's."""
OUTPUT = Output(size=(640, 360), fps=Fraction(30))
FIRST, STEP, COLUMNS = 59, 4, 8
"""The frames that are shown: the first one, every which, and how many."""
WIDTH, DPI, QUALITY = 1280, 100, 82
LEFT, GAP, CURVE = 74, 4, 150
"""Room for the names of rows, between images, and for the curves, px."""
WAYS = {"limit": COLOURS["hat"], "off": COLOURS["kick"]}
"""Settings of --flash-safety, from the top, and the colours of their curves."""

RGB = NDArray[np.uint8]


def main() -> int:
    audio, workspace = compose_song(0).audio, Workspace()
    videos: dict[str, RGB] = {}
    with tempfile.TemporaryDirectory() as folder:
        for way in WAYS:
            output = replace(OUTPUT, flash_safety=way)
            made = prepare(audio, PROJECT, output, workspace=workspace).render(Path(folder) / f"{way}.mp4")
            videos[way] = decoded(made.path)
    cells = {way: cells_of(video) for way, video in videos.items()}
    field = worst_field(cells["off"])
    curves = {way: light_of_field(each, field) for way, each in cells.items()}
    page(videos, curves, field, cells["off"].shape[1:3]).save(TARGET, quality=QUALITY, method=6)
    print(TARGET.stat().st_size)
    return 0


def decoded(path: Path) -> RGB:
    """Read the frames of a video, (N, h, w, 3), at a quarter of their size."""
    with av.open(str(path)) as video:
        frames = [
            frame.reformat(frame.width // 2, frame.height // 2, "rgb24", interpolation="AREA").to_ndarray()
            for frame in video.decode(video=0)
        ]
    return np.stack(frames)


def worst_field(cells: F32) -> tuple[slice, slice]:
    """Find the field in which most cells flash too often: its rows and columns."""
    hazards = FlashMeter(OUTPUT.fps).add(cells).mean(axis=0)
    high, wide = (round(side * LIMITS.field) for side in hazards.shape)
    shares = sliding_window_view(hazards, (high, wide)).mean(axis=(2, 3))
    y, x = np.unravel_index(shares.argmax(), shares.shape)
    return slice(int(y), int(y) + high), slice(int(x), int(x) + wide)


def light_of_field(cells: F32, field: tuple[slice, slice]) -> F64:
    """Return the mean relative luminance of a field in every frame, (N,)."""
    return np.asarray((cells[:, *field] @ np.array(LUMA)).mean(axis=(1, 2)))


def page(
    videos: dict[str, RGB], curves: dict[str, F64], field: tuple[slice, slice], grid: tuple[int, ...]
) -> Image.Image:
    """Draw the images in two rows, and the curves below them."""
    wide = (WIDTH - LEFT - GAP * (COLUMNS - 1)) / COLUMNS
    high = wide * OUTPUT.size[1] / OUTPUT.size[0]
    height = round(2 * (high + GAP) + CURVE)
    figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor=PAPER)

    def axes(x: float, y: float, w: float, h: float) -> Any:
        made = figure.add_axes((x / WIDTH, 1 - (y + h) / height, w / WIDTH, h / height), facecolor=PAPER)
        made.tick_params(colors=INK, labelsize=9, length=0)
        for spine in made.spines.values():
            spine.set_visible(False)
        return made

    shown = FIRST + STEP * np.arange(COLUMNS)
    for row, (way, colour) in enumerate(WAYS.items()):
        figure.text(
            (LEFT - 10) / WIDTH, 1 - (row * (high + GAP) + high / 2) / height, way,
            color=colour, fontsize=13, ha="right", va="center",
        )  # fmt: skip
        for column, n in enumerate(shown):
            image = axes(LEFT + column * (wide + GAP), row * (high + GAP), wide, high)
            image.imshow(videos[way][n], aspect="auto", extent=(0, grid[1], grid[0], 0))
            image.set_axis_off()
            if column == 0:
                rows, columns = field
                x, y = [columns.start, columns.stop], [rows.start, rows.stop]
                image.plot(np.take(x, [0, 1, 1, 0, 0]), np.take(y, [0, 0, 1, 1, 0]), color=INK, lw=1)
    plot = axes(LEFT, 2 * (high + GAP) + 8, WIDTH - LEFT, CURVE - 30)
    # Frame n lies below the middle of its image
    middle = wide / 2 / (wide + GAP) * STEP
    first, last = FIRST - middle, FIRST - middle + (WIDTH - LEFT) / (wide + GAP) * STEP
    for n in shown:
        plot.axvline(n, color=FAINT, lw=0.8)
    for way, colour in WAYS.items():
        plot.plot(curves[way], color=colour, lw=2)
    start = float(PROJECT.start)
    ticks = shown.tolist()
    plot.set_xticks(ticks, [f"{start + n / float(OUTPUT.fps):.2f} s" for n in ticks])
    plot.set_xlim(first, last)
    near = [curve[int(first) : int(last) + 2] for curve in curves.values()]
    plot.set_ylim(0, 1.1 * max(part.max() for part in near))
    plot.set_ylabel("luminance\nof the field", color=INK, fontsize=9)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    return Image.open(drawn).convert("RGB")


if __name__ == "__main__":
    sys.exit(main())
