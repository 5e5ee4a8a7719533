"""Frames from a bound patch, each stage in its own thread: inputs, images, and whoever consumes them."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing

from clavilux.engine.runner import Runner
from clavilux.frames.crossfade import FrameSource
from clavilux.frames.prefetch import prefetch
from clavilux.generator.inputs import FrameInputs
from clavilux.pixel_formats import Samples
from clavilux.timeline import Timeline, Window

__all__ = ["BATCH", "frames"]

BATCH = 8
"""Frames in a window. A constant, because a window's size is part of what a frame's pixels depend on."""

MIN_PASSES = 2
"""Passes drawn ahead of whoever consumes them, and at least a window's frames."""


def frames(
    source: FrameSource, runner: Runner, timeline: Timeline, first: int, last: int
) -> Generator[Samples, None, None]:
    """Draw frames [first, last) in order, some at a time.

    Frames are bit-equal whatever range they are drawn in: windows start at multiples of `BATCH`, and the
    runner's passes at multiples of its own batch within them. Passes without a wanted frame are not drawn.

    Yields:
        (n, ...) pixels of the next n frames, a pass at a time, in the program's pixel format.
    """
    windows, ahead = timeline.windows(first, last, BATCH), max(MIN_PASSES, BATCH // runner.batch)
    with (
        closing(prefetch((window, source.at(window)) for window in windows)) as inputs,
        closing(prefetch(_drawn(runner, inputs, first, last), ahead)) as drawn,
    ):
        yield from drawn


def _drawn(
    runner: Runner, inputs: Iterable[tuple[Window, FrameInputs]], first: int, last: int
) -> Iterator[Samples]:
    for window, numbers in inputs:
        for start in range(0, window.count, runner.batch):
            begin = max(first - window.first - start, 0)  # the frames of this pass that are wanted
            end = min(last - window.first - start, runner.batch)
            if begin < end:
                rows = slice(start, start + runner.batch)
                yield runner.run({name: array[rows] for name, array in numbers.items()})[begin:end]
