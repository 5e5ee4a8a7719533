"""A preview: what a whole piece will look like, in seconds instead of an hour.

A contact sheet shows one image per section, under the section's own curves; two short videos in low
resolution show the loudest and the quietest part. They are drawn by `Job.preview`, at the network's own lower
resolution, so fine detail is missing; shapes, colours and motion are those of the render.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from clavilux.curves import Curve
from clavilux.errors import OutputError
from clavilux.files import atomic, fitting_name, write_error
from clavilux.make.job import Job
from clavilux.make.plan import timeline_of
from clavilux.make.prepare import prepare
from clavilux.make.targets import check_target
from clavilux.make.workspace import Workspace
from clavilux.project.machine import Machine
from clavilux.project.output import Output
from clavilux.project.project import Project
from clavilux.report.plot_style import COLOURS, INK, PAPER, section_colours
from clavilux.timeline import format_time
from clavilux.video.frame import to_ffmpeg
from clavilux.video.images import ZLIB_LEVEL

__all__ = ["SPEC", "Preview", "draw_preview", "preview_targets"]


@dataclass(frozen=True)
class PreviewSpec:
    """How large and how long previews are; chosen so that one takes less than 10 s on two cores.

    Attributes:
        area: pixels of an image, whatever its shape.
        fps: of the videos.
        seconds: their length.
        max_images: on the sheet; of a song of more sections the longest are shown.
        columns: of the sheet.
        curve_height: of the curves above an image, px.
        gap: between images, px.
    """

    area: int = 256 * 144
    fps: int = 15
    seconds: Fraction = Fraction(3)
    max_images: int = 24
    columns: int = 4
    curve_height: int = 56
    gap: int = 10


SPEC = PreviewSpec()


@dataclass(frozen=True)
class Preview:
    """What was made.

    Attributes:
        sheet: the contact sheet, PNG.
        loudest: the video of the loudest part.
        quietest: the video of the quietest part.
    """

    sheet: Path
    loudest: Path
    quietest: Path


def preview_targets(stem: Path) -> Preview:
    """Name what a preview writes after a path without an ending.

    Raises:
        OutputError: the path has no name, such as the root of a disk.

    >>> preview_targets(Path("song")).sheet.name
    'song-preview.png'
    """
    if not stem.name:
        raise OutputError(
            f"'{stem}' is not what the name of a file begins with",
            where="target",
            value=str(stem),
            hint="write a name, such as tests/song",
            remedy="target",
        )
    return Preview(*(stem.parent / fitting_name(stem.name, end) for end in ENDS))


ENDS = ("-preview.png", "-loudest.mp4", "-quietest.mp4")


def draw_preview(  # noqa: PLR0913  # what, where to, and how
    song: Path,
    targets: Preview,
    project: Project,
    output: Output,
    machine: Machine,
    *,
    workspace: Workspace,
    overwrite: bool = False,
    reads: Sequence[Path] = (),
) -> Preview:
    """Draw the preview of a song.

    Args:
        song: its file.
        targets: what to write.
        project: what is shown.
        output: its size gives the shape of the images.
        machine: where it is drawn.
        workspace: where results are kept and who is informed.
        overwrite: replace the targets where they exist.
        reads: files that are read, and so never replaced.

    Raises:
        ClaviluxError: one sentence on what is wrong.
    """
    for target, suffix in (
        (targets.sheet, ".png"),
        (targets.loudest, ".mp4"),
        (targets.quietest, ".mp4"),
    ):
        check_target(target, suffix, overwrite=overwrite, reads=reads)
    height = _height(output.size)
    project, output = replace(project, loop=False), replace(output, fps=Fraction(SPEC.fps))
    job = prepare(song, project, output, machine, workspace=workspace, preview=height).preview(height)
    bounds = _bounds(job)
    workspace.report.begin("Drawing the sheet", len(bounds))
    images = []
    for start, end in bounds:
        images.append(_image(job, _middle(start, end)))
        workspace.report.advance(1)
    sheet = _sheet(job, bounds, images)
    try:
        with atomic(targets.sheet) as part:
            sheet.save(part, format="PNG", compress_level=ZLIB_LEVEL)
    except OSError as error:
        raise write_error(targets.sheet, error) from error
    length = min(SPEC.seconds, job.timeline.duration)
    for target, at in zip((targets.loudest, targets.quietest), _extremes(job, length), strict=True):
        part_of_song = timeline_of(job.song.audio.duration, job.timeline.fps, start=at, duration=length)
        short = replace(job, project=replace(job.project, start=at, duration=length), timeline=part_of_song)
        short.render(target, overwrite=overwrite)
    return targets


def _image(job: Job, at: Fraction) -> NDArray[np.uint8]:
    """Draw one frame with the engine of the videos, (H, W, 3): another one would have to be compiled."""
    number = int((at - job.timeline.start) * job.timeline.fps)
    samples = next(job.frames(number, number + 1))[0]
    frame = to_ffmpeg(samples, job.program.spec.pixels)
    shown = frame.reformat(format="rgb24", src_colorspace="ITU709", src_color_range="MPEG")
    return np.asarray(shown.to_ndarray(), np.uint8)


def _height(size: tuple[int, int]) -> int:
    """Return the height of an image of the same shape and of the preview's area."""
    width, height = size
    return round(math.sqrt(SPEC.area * height / width))


def _bounds(job: Job) -> list[tuple[float, float]]:
    """Return where the sections that are shown begin and end, s, within what is rendered."""
    first = float(job.timeline.start)
    last = first + float(job.timeline.duration)
    ends = job.song.sections.bounds.tolist()
    parts = [(max(a, first), min(b, last)) for a, b in itertools.pairwise(ends)]
    inside = [(a, b) for a, b in parts if b - a > 1 / SPEC.fps] or [(first, last)]
    longest = sorted(inside, key=lambda part: part[0] - part[1])[: SPEC.max_images]
    return sorted(longest)


def _middle(start: float, end: float) -> Fraction:
    return Fraction((start + end) / 2).limit_denominator(1000)


def _extremes(job: Job, seconds: Fraction) -> tuple[Fraction, Fraction]:
    """Return where the loudest and the quietest stretch begin, s; silence before and after does not count."""
    timeline, level = job.timeline, job.song.rms("mix").values[:, 0].astype(np.float64)
    if timeline.duration <= seconds:
        return timeline.start, timeline.start
    first, length = math.ceil(timeline.start * 100), math.floor(seconds * 100)
    last = min(math.floor((timeline.start + timeline.duration) * 100), len(level))
    length = min(length, last - first)
    sums = np.concatenate([[0.0], np.cumsum(level[first:last])])
    means = (sums[length:] - sums[:-length]) / length
    sounding = np.flatnonzero(means > means.max() / 100)
    quietest = sounding[means[sounding].argmin()] if len(sounding) else 0
    return tuple(Fraction(first + int(place), 100) for place in (means.argmax(), quietest))  # type: ignore[return-value]


def _sheet(job: Job, bounds: list[tuple[float, float]], images: list[NDArray[np.uint8]]) -> Image.Image:
    """Arrange images under their curves, in the order of the song."""
    height, width = images[0].shape[:2]
    step = width + SPEC.gap, height + SPEC.curve_height + 24 + SPEC.gap
    columns = min(SPEC.columns, len(images))
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * step[0] + SPEC.gap, rows * step[1] + SPEC.gap), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    sections = job.song.sections
    colours = section_colours(sections.labels)
    level, drums = job.song.rms("mix"), job.song.flux("drums", 30, 11000)
    for number, ((start, end), image) in enumerate(zip(bounds, images, strict=True)):
        x = SPEC.gap + number % columns * step[0]
        y = SPEC.gap + number // columns * step[1]
        label = sections.labels[int(sections.index_at([(start + end) / 2])[0])]
        pen.text((x, y), f"{label}  {format_time(start)}", font=font, fill=colours[label])
        box = (x, y + 22, width, SPEC.curve_height)
        _draw_curve(pen, box, level, (start, end), fill=COLOURS["loudness"])
        _draw_curve(pen, box, drums, (start, end), fill=COLOURS["kick"], filled=False)
        sheet.paste(Image.fromarray(image), (x, y + 24 + SPEC.curve_height))
        pen.line((x, y + 22 + SPEC.curve_height, x + width - 1, y + 22 + SPEC.curve_height), fill=INK)
    return sheet


def _draw_curve(
    pen: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    curve: Curve,
    part: tuple[float, float],
    *,
    fill: str,
    filled: bool = True,
) -> None:
    """Draw a part of a curve, scaled by the whole curve's peak, a column per pixel."""
    x, y, width, height = box
    peak = max(float(np.percentile(curve.values, 99.5)), 1e-6)
    shares = np.clip(curve.max_between(np.linspace(*part, width + 1))[:, 0] / peak, 0, 1)
    tops = [(x + k, y + height - 1 - round(float(share) * (height - 2))) for k, share in enumerate(shares)]
    if filled:
        for left, top in tops:
            pen.line((left, top, left, y + height - 1), fill=fill)
    else:
        pen.line(tops, fill=fill)
