"""Draw the pictures of docs/seed.md: frames of every clip under its curves, and without the technique.

python tools/tour_pictures.py [CLIP ...]     draws docs/seed/CLIP.webp of all clips, or of some

It takes some minutes, so `scripts/docs` writes only the text. Each picture carries a hash of the patch that
it shows, and a test compares them. Sizes are pixels, times seconds.
"""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

from clavilux.make.job import Job
from clavilux.make.prepare import prepare
from clavilux.make.workspace import Workspace
from clavilux.project.output import IMAGES, Output
from clavilux.project.sentences import NAMED
from clavilux.report.plot_style import FAINT, INK, PAPER, section_colours
from clavilux.report.spectrogram import draw_spectrogram
from clavilux.schemas import toml_tables
from clavilux.signals.evaluate import evaluate
from clavilux.signals.text import parse
from clavilux.store import Store
from clavilux.tour.clips import CLIPS, Clip
from clavilux.tour.music import MUSIC, Music
from mask_pictures import mask_values
from tour_page import digest_of

DOCS = Path(__file__).parents[1] / "docs" / "seed"
WIDTH, GAP = 1280, 4
CURVE, CHROMA, SPECTROGRAM = 40, 60, 110
"""Heights of rows above the frames."""
QUALITY = 80
DESCRIPTION = 0x010E
"""Where a picture's hash is: the tag ImageDescription of Exif."""
AFTER_SECONDS = 0.04
"""How long after a beat its frame is: a hit is seen as it begins to fall."""
BEAT_SECONDS = 0.5
CURVE_COLOUR, GLOW = "#e8590c", "#ffb37a"

RGB = NDArray[np.uint8]


@dataclass(frozen=True)
class Strip:
    """Where the frames of a clip are.

    Attributes:
        first: beat of the first one, from the beginning of the music.
        step: beats from one to the next.
        columns: how many there are, a mask included.
        shape: width to height of one.
        mask: the name of the mask that is shown before them.
    """

    first: float
    step: float
    columns: int = 8
    shape: float = 1.0
    mask: str = ""

    @property
    def frames(self) -> int:
        return self.columns - bool(self.mask)

    @property
    def width(self) -> int:
        return (WIDTH - (self.columns - 1) * GAP) // self.columns

    @property
    def height(self) -> int:
        return round(self.width / self.shape)

    @property
    def left(self) -> int:
        return self.width + GAP if self.mask else 0

    def times(self) -> list[float]:
        return [(self.first + k * self.step) * BEAT_SECONDS for k in range(self.frames)]

    def span(self) -> tuple[float, float]:
        """From when to when the curves are shown, with each frame in the middle of its column."""
        half = self.step / 2 * BEAT_SECONDS
        return self.times()[0] - half, self.times()[-1] + half


STRIPS = {
    "chroma": Strip(9, 2),
    "bass-and-chords": Strip(9, 2),
    "spatial-noise": Strip(8, 0.5, mask="middle"),
    "network-bending": Strip(56, 0.5),
    "rms-sections": Strip(1, 2),
    "wide": Strip(10, 4, columns=4, shape=21 / 9),
    "segments": Strip(7, 14),
    "loops": Strip(9, 4),
    "mix": Strip(10.5, 21),
}
"""By clip; the others show the eighths of their first bar."""


def main() -> int:
    keys = sys.argv[1:] or [clip.key for clip in CLIPS]
    DOCS.mkdir(exist_ok=True)
    compose = cache(lambda name: MUSIC[name](0))
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Store(Path(folder)))
        for clip in CLIPS:
            if clip.key in keys:
                exif = Image.Exif()
                exif[DESCRIPTION] = digest_of(clip)
                picture = draw(clip, compose(clip.music), workspace)
                picture.save(DOCS / f"{clip.key}.webp", quality=QUALITY, method=6, exif=exif)
                print(clip.key, (DOCS / f"{clip.key}.webp").stat().st_size, flush=True)
    return 0


def draw(clip: Clip, music: Music, workspace: Workspace) -> Image.Image:
    """Draw the curves of a clip, its frames, and those without the technique."""
    strip = STRIPS.get(clip.key, Strip(4 * clip.bar, 0.5))
    job, upper = frames_of(clip, music, workspace, strip, plain=False)
    _, lower = frames_of(clip, music, workspace, strip, plain=True)
    names, wide = names_of(clip), WIDTH - strip.left
    rows = [
        spectrogram(job, strip, wide) if text == "sections" else curve(text, names, job, strip, wide)
        for text in clip.curves
    ]
    top = sum(row.height + GAP for row in rows)
    page = Image.new("RGB", (WIDTH, top + 2 * strip.height + GAP), PAPER)
    y = 0
    for row in rows:
        page.paste(row, (strip.left, y))
        y += row.height + GAP
    if strip.mask:
        shades = Image.fromarray((255 * mask_values(names[strip.mask])).astype(np.uint8))
        page.paste(shades.resize((strip.width, strip.height)), (0, y))
    for images in (upper, lower):
        for k, image in enumerate(images):
            shown = Image.fromarray(image).resize((strip.width, strip.height), Image.Resampling.LANCZOS)
            page.paste(shown, (strip.left + k * (strip.width + GAP), y))
        y += strip.height + GAP
    return page


def frames_of(
    clip: Clip, music: Music, workspace: Workspace, strip: Strip, *, plain: bool
) -> tuple[Job, list[RGB]]:
    """Draw the frames of a strip, with the technique or without."""
    show = clip.show(plain=plain)
    side = 256
    size = (2 * round(side * strip.shape / 2), side)
    output = Output(size=size, cells=show.output.cells, codec=IMAGES)
    job = prepare(music.audio, show.project, output, workspace=workspace)
    return job, [job.still(Fraction(time + AFTER_SECONDS)) for time in strip.times()]


def names_of(clip: Clip) -> dict[str, Any]:
    """Read what the patch names."""
    names: dict[str, Any] = {}
    tables = toml_tables(clip.text)
    for table in NAMED:
        for name, text in tables.get(table, {}).items():
            names[name] = parse(text, names)
    return names


def curve(text: str, names: dict[str, Any], job: Job, strip: Strip, wide: int) -> Image.Image:
    """Draw a signal: its curve, or the weights of the twelve notes, C lowest."""
    start, end = strip.span()
    root = parse(text, names).smooth(seconds=0)
    known = evaluate(root, job.song)[root]
    values = known.max_between(np.clip(np.linspace(start, end, wide + 1), 0, None))
    if values.shape[1] > 1:
        shade = values / max(values.max(), 1e-6)
        colours = np.array(ImageColor.getrgb(PAPER)) + shade[..., None] * (
            np.array(ImageColor.getrgb(GLOW)) - np.array(ImageColor.getrgb(PAPER))
        )
        rows = Image.fromarray(colours[:, ::-1].transpose(1, 0, 2).astype(np.uint8))
        image = rows.resize((wide, CHROMA), Image.Resampling.NEAREST)
    else:
        image = Image.new("RGB", (wide, CURVE), PAPER)
        pen = ImageDraw.Draw(image)
        peak = max(float(known.values.max()), 1e-6)
        for x, value in enumerate(values[:, 0] / peak):
            pen.line((x, CURVE - 1 - round(float(value) * (CURVE - 4)), x, CURVE), fill=CURVE_COLOUR)
    return marked(image, strip, text)


def spectrogram(job: Job, strip: Strip, wide: int) -> Image.Image:
    """Draw the spectrogram of what is shown, in the colours of the sections."""
    start, end = strip.span()
    columns = round(wide * float(job.song.duration) / (end - start))
    light = draw_spectrogram(job.song.analysis, columns)[:wide]  # (C, 198)
    times = np.linspace(start, end, len(light), endpoint=False)
    sections = job.song.sections if job.project.cues is None else job.song.tracks
    colours = section_colours(sections.labels)
    of = np.array([ImageColor.getrgb(colours[label]) for label in sections.labels])
    shown = light[..., None] * of[sections.index_at(np.clip(times, 0, None))][:, None]
    image = Image.fromarray(shown[:, ::-1].transpose(1, 0, 2).astype(np.uint8))
    image = image.resize((wide, SPECTROGRAM))
    pen, scale = ImageDraw.Draw(image), wide / (end - start)
    for (a, _), label in zip(pairwise(sections.bounds), sections.labels, strict=True):
        pen.text(((a - start) * scale + 6, 2), label, fill=INK, font=ImageFont.load_default(20))
    return marked(image, strip, "")


def marked(image: Image.Image, strip: Strip, name: str) -> Image.Image:
    """Mark the times of the frames, and name the row."""
    pen = ImageDraw.Draw(image)
    for x in middles(strip):
        pen.line((x, 0, x, 6), fill=INK)
    pen.line((0, image.height - 1, image.width, image.height - 1), fill=FAINT)
    pen.text((5, 3), name, fill=INK, font=ImageFont.load_default(15), stroke_width=2, stroke_fill=PAPER)
    return image


def middles(strip: Strip) -> Iterator[float]:
    """Yield where the middle of each frame is."""
    for k in range(strip.frames):
        yield k * (strip.width + GAP) + strip.width / 2


if __name__ == "__main__":
    sys.exit(main())
