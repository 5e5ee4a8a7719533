"""Draw the pictures of docs/operations.md: what every op does to a bar of drums.

The demo song is composed, and detected as any other. A picture shows what an op takes in grey and what it
gives in colour, their range on the left, and below them the song's true hits: kick, snare and hat, from
below. Several channels are rows, the first lowest. Times are seconds, coordinates those of `svg`.
"""

import contextlib
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import mido
import numpy as np

from clavilux.arrays import F64
from clavilux.curves import CONTROL_RATE, Curve, Events
from clavilux.demo.composer import Composition, compose
from clavilux.features.song import Song
from clavilux.signals.evaluate import Evaluated, evaluate
from clavilux.signals.expr import Node
from mask_pictures import draw_mask
from op_examples import Example, example_of, pictured
from svg import FAINT, HEIGHT, STRONG, area, path, picture, simplify

__all__ = ["Picture", "pictures"]

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 640, 48, 636, 10, 108
LANE, TICK = 11, 8
"""From the hits of one drum to those of the next, and the height of one."""
LABEL = f'fill="{FAINT}" font-family="sans-serif" font-size="20" text-anchor="end"'
INPUT_STYLES = ("none", "9 6", "2 5")
"""Dashes of the first, second and third signal that an op takes."""
LEAD = 1 / 24
"""How much of a bar is shown before its first beat, so that a hit on it is not at the edge."""
ROUNDING = 0.01
"""How far past the end of the range values may be, in its steps."""
ROW_HEIGHTS = 2
"""How high the highest value of several channels is, in rows."""


@dataclass(frozen=True)
class Picture:
    """A picture, as SVG, and the expression that it shows."""

    text: str
    svg: str


def pictures() -> dict[str, Picture]:
    """Draw every op that has a picture, by key.

    Raises:
        PatchError: an op has no example and needs one.
    """
    piece = compose(0, bars=4, bpm=120, rate=22050)
    stage = Stage(piece, Song(piece.audio))
    drawn = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        write_files(piece)
        for key, op in pictured().items():
            example, node = example_of(op)
            svg = draw_mask(node) if node.kind == "mask" else draw(node, Window.of(example, piece), stage)
            drawn[key] = Picture(example.text, svg)
    return drawn


def write_files(piece: Composition) -> None:
    """Write the files that examples read, in the current folder."""
    Path("filter.csv").write_text("5.8,0\n6.5,0.8\n7,0.4\n7.7,1\n8,0.2\n")
    Path("claps.csv").write_text("".join(f"{time + 0.125},0.8\n" for time in piece.snare))
    file = mido.MidiFile(ticks_per_beat=960)
    track, last = file.add_track(), 0
    for tick in np.round(piece.kick * 1920).astype(int).tolist():  # without a tempo, 120 bpm
        track.append(mido.Message("note_on", note=36, velocity=100, time=tick - last))
        last = tick
    file.save("drums.mid")


@dataclass(frozen=True)
class Window:
    """The time that is shown: from `start` to `end` s, with a beat every `beat` s from `first` s."""

    start: float
    end: float
    first: float
    beat: float

    @classmethod
    def of(cls, example: Example, piece: Composition) -> "Window":
        first, beat = float(piece.downbeats[example.first - 1]), 60 / piece.bpm
        start = first - LEAD * 4 * beat
        return cls(start, start + example.bars * 4 * beat, first, beat)

    @property
    def beats(self) -> F64:
        return np.arange(self.first, self.end, self.beat)

    @property
    def bars(self) -> F64:
        return self.beats[::4]

    def across(self, times: F64) -> F64:
        return LEFT + (times - self.start) / (self.end - self.start) * (RIGHT - LEFT)

    def inside(self, times: F64) -> Any:
        return (times >= self.start) & (times <= self.end)


@dataclass(frozen=True)
class Stage:
    """The demo song, what was detected in it, and what is computed so far."""

    piece: Composition
    song: Song
    known: Evaluated = field(default_factory=Evaluated)

    def value(self, node: Any, window: Window) -> "Shown":
        """Compute the curve or the events that a node stands for, where they are shown; a stem's level."""
        if node.kind == "stem":
            return shown_curve(self.song.rms(node.params[0][1]), window)
        root = node.smooth(seconds=0) if node.kind == "signal" else node.pulse(seconds=0)
        curve = evaluate(root, self.song, known=self.known)[root]
        if node.kind == "signal":
            return shown_curve(curve, window)
        events: Events = self.known.values[node]
        inside = window.inside(events.times)
        return Shown(window.across(events.times[inside]), events.strengths[inside][:, None], True)


@dataclass(frozen=True)
class Shown:
    """A curve or events in a picture: x (N,), and values (N, C) or strengths (N, 1)."""

    x: F64
    values: F64
    are_events: bool = False


def shown_curve(curve: Curve, window: Window) -> Shown:
    times = np.arange(curve.values.shape[0]) / CONTROL_RATE
    inside = window.inside(times)
    return Shown(window.across(times[inside]), curve.values[inside].astype(np.float64))


def draw(node: Node, window: Window, stage: Stage) -> str:
    """Draw what a node takes and what it gives."""
    heard = [stage.value(each, window) for each in node.inputs if each.kind == "stem"]
    taken = [stage.value(each, window) for each in node.inputs if each.op not in {"stem", "constant"}]
    given = stage.value(node, window)
    axis = Axis.around([*taken, given])
    shapes = [levels(heard, axis), back(window, axis), inputs(taken, axis), output(given, axis)]
    return picture(WIDTH, [*chain.from_iterable(shapes), hits(window, stage.piece)])


@dataclass(frozen=True)
class Axis:
    """The values at the bottom and at the top, and how many rows there are."""

    low: float
    high: float
    rows: int

    @classmethod
    def around(cls, shown: Sequence[Shown]) -> "Axis":
        """Reach from 0 to 1 where that fits, else to round numbers around the values."""
        low = min(float(each.values.min(initial=0 if each.are_events else np.inf)) for each in shown)
        high = max(float(each.values.max(initial=0)) if each.values.size else 0.0 for each in shown)
        rows = max(each.values.shape[1] for each in shown)
        if rows > 1:
            return cls(0, high, rows)
        if low >= -ROUNDING and 0.5 < high <= 1 + ROUNDING:
            return cls(0, 1, 1)
        low = min(low, 0) if low < high / 2 else low
        step = round_step((high - low) / 2)
        first, last = math.floor(low / step + ROUNDING), math.ceil(high / step - ROUNDING)
        return cls(first * step, last * step, 1)

    @property
    def labels(self) -> tuple[str, str]:
        return ("C", "B") if self.rows == 12 else (f"{self.low:g}", f"{self.high:g}")

    def up(self, values: F64 | float, row: int = 0) -> F64:
        height = (BOTTOM - TOP) / (self.rows - 1 + ROW_HEIGHTS) if self.rows > 1 else BOTTOM - TOP
        scale = ROW_HEIGHTS * height if self.rows > 1 else height
        share = (np.asarray(values) - self.low) / ((self.high - self.low) or 1)
        return np.asarray(BOTTOM - row * height - share * scale)


def round_step(about: float) -> float:
    """Return the largest of 1, 2 or 5 times a power of ten that is not larger; 1 for 0."""
    about = about or 1.0
    power = 10.0 ** math.floor(math.log10(about))
    return power * max(each for each in (1, 2, 5) if each * power <= about * (1 + 1e-9))


def back(window: Window, axis: Axis) -> Iterator[str]:
    """Draw the beats, the bars, the line at the bottom and the range."""
    beats, bars = (
        [upright(x, BOTTOM, TOP) for x in window.across(times)] for times in (window.beats, window.bars)
    )
    yield path(beats, FAINT, opacity=0.3)
    yield path([*bars, np.array([[LEFT, BOTTOM], [RIGHT, BOTTOM]])], FAINT, opacity=0.6)
    for y, label in zip((BOTTOM, TOP + 14), axis.labels, strict=True):
        yield f'<text x="{LEFT - 8}" y="{y}" {LABEL}>{label}</text>'


def levels(heard: Sequence[Shown], axis: Axis) -> Iterator[str]:
    """Draw the level of the stem that is taken, as high as there is room; not behind rows."""
    for each in heard if axis.rows == 1 else ():
        share = each.values / max(float(each.values.max()), 1e-9)
        level = replace(each, values=axis.low + share * (axis.high - axis.low))
        yield area([np.concatenate([[[LEFT, BOTTOM]], line(level, axis), [[RIGHT, BOTTOM]]])], FAINT, 0.3)


def upright(x: float, bottom: float, top: float) -> F64:
    return np.array([[x, bottom], [x, top]])


def inputs(taken: Sequence[Shown], axis: Axis) -> Iterator[str]:
    dashes = iter(INPUT_STYLES)
    for each in taken:
        if each.are_events:
            yield path(stems(each, axis), FAINT, stroke_width=9, opacity=0.5)
        elif axis.rows > 1:
            yield area(rows(each, axis), FAINT, 0.5)
        else:
            style = next(dashes)
            if style == "none":
                yield area([grounded(line(each, axis), axis)], FAINT, 0.2)
            yield path([line(each, axis)], FAINT, stroke_width=2, stroke_dasharray=style)


def output(given: Shown, axis: Axis) -> Iterator[str]:
    if given.are_events:
        yield path(stems(given, axis), STRONG, stroke_width=4)
    elif axis.rows > 1:
        yield area(rows(given, axis), STRONG, 0.7)
    else:
        yield path([line(given, axis)], STRONG, stroke_width=3, stroke_linejoin="round")


def stems(events: Shown, axis: Axis) -> list[F64]:
    return [upright(x, BOTTOM, y) for x, y in zip(events.x, axis.up(events.values[:, 0]), strict=True)]


def line(curve: Shown, axis: Axis, channel: int = 0) -> F64:
    return simplify(np.stack([curve.x, axis.up(curve.values[:, channel], channel)], axis=1))


def grounded(line: F64, axis: Axis, row: int = 0) -> F64:
    """Add the ends of the area between a line and 0, which closes itself."""
    ground = float(axis.up(min(max(0.0, axis.low), axis.high), row))
    return np.concatenate([[[line[0, 0], ground]], line, [[line[-1, 0], ground]]])


def rows(curve: Shown, axis: Axis) -> list[F64]:
    return [grounded(line(curve, axis, row), axis, row) for row in range(axis.rows)]


def hits(window: Window, piece: Composition) -> str:
    """Draw the true hits of the drums below the curves, as a drummer writes them: the kick lowest."""
    lanes = zip(
        (piece.kick, piece.snare, piece.hat), (HEIGHT - LANE * lane for lane in range(3)), strict=True
    )
    ticks = [
        upright(x, bottom, bottom - TICK)
        for times, bottom in lanes
        for x in window.across(times[window.inside(times)])
    ]
    return path(ticks, FAINT, stroke_width=4)
