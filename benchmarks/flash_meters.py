"""Whether our meter of flashes and an independent one come to the same verdict, and where not, why.

The other is the Python port of Electronic Arts' IRIS, which is no dependency of the project:

    pip install iris-pse-detection
    python benchmarks/flash_meters.py song1.ogg song2.ogg --presets auto strike pulse --models silk

Both see the same small frames: patterns that are made here, whose verdict by WCAG 2.3.1 is known, and parts
of real renders before and after the limiter. Patterns stay arrays; nothing that flashes is written. Where our
verdict on a pattern is not the one that is known, the run ends with an error.
"""

import argparse
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from figures import table
from numpy.typing import NDArray

from clavilux import seeds
from clavilux.arrays import F32, F64
from clavilux.colour import LUMA, srgb_to_linear
from clavilux.make.prepare import prepare
from clavilux.make.workspace import Workspace
from clavilux.metrics.flashes import LIMITS, Flashes, FlashMeter, saturated_red
from clavilux.metrics.limit import blend, blending, steady_cells
from clavilux.metrics.trace import cells_of
from clavilux.project.output import Output
from clavilux.project.project import Project
from clavilux.video.relight import relight
from clavilux.video.small import shrink

HEIGHT, WIDTH, FPS = 144, 256, 30
"""Of the patterns."""
SECONDS = 3
CODES = srgb_to_linear(np.arange(256) / 255)
PACKAGE = "iris_pse_detection"


@dataclass(frozen=True)
class Clip:
    """Small frames, uint8 (T, h, w, 3) RGB.

    Attributes:
        name: what they show.
        frames: the frames.
        fps: frames per second.
        fails: whether they flash too much by WCAG 2.3.1, where that is known.
    """

    name: str
    frames: NDArray[np.uint8]
    fps: int = FPS
    fails: bool | None = None


@dataclass(frozen=True)
class Other:
    """What IRIS found.

    Attributes:
        fails: more than three flashes of luminance, or of red, in a second.
        extended: two or three a second for four seconds of five, which WCAG allows.
        rate: flashes in its worst second.
    """

    fails: bool
    extended: bool
    rate: float


def encoded(light: F64) -> NDArray[np.uint8]:
    """Return the nearest sRGB codes of linear light in [0, 1]."""
    return np.searchsorted((CODES[:-1] + CODES[1:]) / 2, light).astype(np.uint8)


def wave(hz: float) -> F64:
    """Return a square wave of 0 and 1, (T,)."""
    times = (np.arange(SECONDS * FPS) + 0.5) / FPS
    return (times * hz % 1 >= 0.5).astype(np.float64)


def shown(low: float, high: float, on: F64, inside: NDArray[np.bool_] | None = None) -> NDArray[np.uint8]:
    """Draw grey frames between two luminances.

    Args:
        low, high: luminance where `on` is 0 and 1.
        on: (T,) or (T, h, w).
        inside: pixels that change, (h, w); the others stay low.
    """
    where = np.ones((HEIGHT, WIDTH), bool) if inside is None else inside
    share = on.reshape(len(on), *(on.shape[1:] or (1, 1))) * where
    return np.repeat(encoded(low + (high - low) * share)[..., None], 3, axis=3)


def corner(rows: float, columns: float) -> NDArray[np.bool_]:
    """Return the pixels of a rectangle at the upper left, by its shares of the sides, (h, w)."""
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[: round(rows * HEIGHT), : round(columns * WIDTH)] = True
    return inside


def coloured(frames: NDArray[np.uint8], *channels: int) -> NDArray[np.uint8]:
    """Keep some of red, green and blue."""
    return np.where(np.isin(np.arange(3), channels), frames, 0).astype(np.uint8)


def patterns() -> Iterator[Clip]:
    """Make patterns whose verdict follows from how they are made."""
    for hz in (2, 3, 4, 5, 6, 10):
        yield Clip(f"whole screen, {hz} Hz", shown(0, 0.5, wave(hz)), fails=hz > 3)
    yield from areas()
    for low, high, fails in ((0, 0.09, False), (0, 0.11, True), (0.72, 0.9, True), (0.85, 1, False)):
        yield Clip(f"luminance {low:g} to {high:g}, 5 Hz", shown(low, high, wave(5)), fails=fails)
    for hz in (3, 5):
        yield Clip(f"saturated red, {hz} Hz", coloured(shown(0, 0.3, wave(hz)), 0), fails=hz > 3)
    yield Clip("dark saturated red, 5 Hz", coloured(shown(0, 0.05, wave(5)), 0), fails=False)
    yield Clip("saturated red, a field, 5 Hz", coloured(shown(0, 0.3, wave(5), FIELD), 0), fails=True)
    yield Clip("blue, 5 Hz", coloured(shown(0, 1, wave(5)), 2), fails=False)
    yield from moving()


FIELD = corner(1 / 3, 1 / 3)


def areas() -> Iterator[Clip]:
    """Make patterns that flash on a part of the screen, five times a second."""
    five = wave(5)
    yield Clip("a fifth of a field, 5 Hz", shown(0, 0.5, five, corner(1 / 3, 1 / 15)), fails=False)
    yield Clip("a third of a field, 5 Hz", shown(0, 0.5, five, corner(1 / 3, 1 / 9)), fails=True)
    yield Clip("a field, a ninth of the screen, 5 Hz", shown(0, 0.5, five, FIELD), fails=True)
    yield Clip("a third of the screen, 0 to 0.25, 5 Hz", shown(0, 0.25, five, corner(1, 1 / 3)), fails=True)
    yield Clip("a third of the screen, 0 to 0.5, 5 Hz", shown(0, 0.5, five, corner(1, 1 / 3)), fails=True)
    left = corner(1, 1 / 2)
    halves = np.where(left, five[:, None, None], 1 - five[:, None, None])
    yield Clip("halves in opposite phase, 5 Hz", shown(0, 0.5, halves), fails=True)
    lines = np.broadcast_to(np.arange(WIDTH) % 2, (HEIGHT, WIDTH))
    fine = np.abs(lines - five[:, None, None])
    yield Clip("lines of a pixel that change places, 5 Hz", shown(0, 0.5, fine), fails=False)


def moving() -> Iterator[Clip]:
    """Make patterns that move, or fade."""
    times = np.arange(SECONDS * FPS) / FPS
    across = np.arange(WIDTH) / WIDTH
    for hz in (2, 5):
        bars = (8 * across + hz * times[:, None]) % 1 < 0.5  # each place is passed hz times a second
        on = np.broadcast_to(bars[:, None, :], (len(times), HEIGHT, WIDTH)).astype(np.float64)
        yield Clip(f"wide bars that drift, {hz} pass in a second", shown(0, 0.5, on), fails=hz > 3)
    for hz in (2, 5):
        fade = (1 - np.cos(2 * np.pi * hz * times)) / 2
        yield Clip(f"soft fades, {hz} Hz", shown(0, 0.5, fade), fails=hz > 3)
    at = ((times + 0.5 / FPS) * 7 % 3).astype(int)  # place of each flash
    on = np.where(np.arange(WIDTH) // 4 % 3 == at[:, None], wave(7)[:, None], 0)
    on = np.broadcast_to(on[:, None, :], (len(times), HEIGHT, WIDTH))
    yield Clip("7 flashes a second, a third of the columns each", shown(0, 0.5, on), fails=True)
    noise = seeds.normal(0, "blocks", 0, (len(times), HEIGHT // 8, WIDTH // 8)) > 0
    blocks = noise.repeat(8, 1).repeat(8, 2).astype(np.float64)
    yield Clip("blocks at random, anew in every frame", shown(0, 0.5, blocks), fails=True)
    burst = np.where(times < 1, wave(5), 0)
    yield Clip("5 flashes within one second, then dark", shown(0, 0.5, burst), fails=True)
    burst = np.where(times < 0.6, wave(5), 0)
    yield Clip("3 flashes within one second, then dark", shown(0, 0.5, burst), fails=False)


def renders(song: Path, project: Project, fps: int) -> Iterator[Clip]:
    """Draw a part of a render, as it comes and after the limiter."""
    workspace = Workspace.of_user()
    job = prepare(song, project, Output(fps=Fraction(fps)), workspace=workspace, preview=HEIGHT)
    job = job.preview(HEIGHT)
    pixels = job.program.spec.pixels
    samples = np.concatenate(list(job.frames()))
    drawn = shrink(samples, pixels)
    name = f"{project.patch} on {project.model}, {song.parent.name}/{song.stem}"
    yield Clip(name, drawn, fps)
    cells = Cells(cells_of(drawn))
    count = len(drawn)
    amounts = blending(cells, count, Fraction(fps))
    before, steady = steady_cells(cells, 0, count, count, Fraction(fps))
    limited = relight(samples, pixels, before, blend(before, steady, amounts))
    yield Clip(name + ", limited", shrink(limited, pixels), fps)


@dataclass(frozen=True)
class Cells:
    """The cells of a drawn part of a video."""

    cells: F32

    def read(self, first: int, last: int) -> F32:
        return self.cells[first:last]


def ours(clip: Clip) -> Flashes:
    """Measure a clip with our meter."""
    meter = FlashMeter(Fraction(clip.fps))
    meter.add(cells_of(clip.frames))
    return meter.found


def theirs(clip: Clip) -> Other:
    """Measure a clip with IRIS, which reads blue, green, red."""
    package = importlib.import_module(PACKAGE)
    detection = importlib.import_module(f"{PACKAGE}.flash_detection")
    meter = detection.FlashDetection(clip.fps, clip.frames.shape[1:3], package.Configuration())
    changes = 0
    for n, frame in enumerate(clip.frames):
        meter.set_current_frame(np.ascontiguousarray(frame[..., ::-1]))
        found = meter.analyse_frame(n)
        changes = max(changes, found.luminance_transitions, found.red_transitions)
    return Other(bool(meter.flash_fail), bool(meter.extended_failure), changes / 2)


def mean_swing(clip: Clip) -> float:
    """Return by how much the mean of the whole frame swings within a second, at most; 1 is a flash."""
    cells = cells_of(clip.frames)
    lanes = (cells @ np.array(LUMA) / LIMITS.step, saturated_red(cells, LIMITS.red_share) / LIMITS.red_step)
    means = [lane.mean(axis=(1, 2)) for lane in lanes]
    firsts = range(max(1, len(cells) - clip.fps + 1))
    return max(float(np.ptp(mean[first : first + clip.fps])) for mean in means for first in firsts)


def why(clip: Clip, own: Flashes, other: Other) -> str:
    """Say why two verdicts differ: IRIS counts the mean of the whole frame, we count every field's cells."""
    if own.passes != other.fails:
        return ""
    swing = mean_swing(clip)
    if own.passes:
        return (
            f"{own.area:.0%} of a field flashes too often, less than a quarter; the mean of the frame counts"
        )
    if swing < 1:
        return f"the mean of the frame swings by {swing:.0%} of a flash"
    return f"the mean of the frame swings by {swing:.1f} flashes, but turns less often"


HEAD = ["frames", "by the criteria", "ours", "flashes", "of a field", "IRIS", "flashes", "why they differ"]


def row(clip: Clip, own: Flashes, other: Other) -> list[str]:
    """Write a line of the table."""
    words = {None: "", True: "fails", False: "passes"}
    return [
        clip.name,
        words[clip.fails],
        words[not own.passes],
        f"{max(own.rate, own.red_rate):g}",
        f"{own.area:.0%}",
        words[other.fails] + (", extended" if other.extended else ""),
        f"{other.rate:g}",
        why(clip, own, other),
    ]


def summed(pairs: list[tuple[Clip, Flashes, Other]]) -> str:
    """Count how often the verdicts agree."""
    alike = sum(own.passes != other.fails for _, own, other in pairs)
    alone = sum(not own.passes and not other.fails for _, own, other in pairs)
    return (
        f"{alike} of {len(pairs)} verdicts agree; ours alone fails {alone}, "
        f"IRIS alone fails {len(pairs) - alike - alone}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("songs", nargs="*", type=Path)
    parser.add_argument("--presets", nargs="+", default=["auto", "strike", "pulse"])
    parser.add_argument("--models", nargs="+", default=["silk"])
    parser.add_argument("--start", type=float, default=25.0, help="seconds into each song")
    parser.add_argument("--seconds", type=float, default=12.0, help="of each song")
    parser.add_argument("--fps", type=int, default=FPS)
    args = parser.parse_args()
    if importlib.util.find_spec(PACKAGE) is None:
        raise SystemExit("The independent meter is missing: run 'pip install iris-pse-detection' first.")
    known = [(clip, ours(clip), theirs(clip)) for clip in patterns()]
    print("\n## Patterns\n")
    print(table(HEAD, [row(*each) for each in known]))
    print("\n" + summed(known), flush=True)
    seen = []
    for song in args.songs:
        for preset in args.presets:
            for model in args.models:
                project = Project(patch=preset, model=model, start=args.start, duration=args.seconds)
                seen += [(clip, ours(clip), theirs(clip)) for clip in renders(song, project, args.fps)]
                print("drawn:", seen[-1][0].name, flush=True)
    if seen:
        print("\n## Renders\n")
        print(table(HEAD, [row(*each) for each in seen]))
        print("\n" + summed(seen))
    wrong = [clip.name for clip, own, _ in known if clip.fails == own.passes]
    if wrong:
        raise SystemExit("Our meter is wrong about: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
