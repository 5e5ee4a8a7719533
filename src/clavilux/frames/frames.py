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


def frames(
    source: FrameSource, runner: Runner, timeline: Timeline, first: int, last: int
) -> Generator[Samples, None, None]:
    """Draw frames [first, last) in order, some at a time.

    Frames are bit-equal whatever range they are drawn in: windows start at multiples of `BATCH`.

    Yields:
        (n, ...) pixels of the next n frames, in the program's pixel format.
    """
    windows = timeline.windows(first, last, BATCH)
    with (
        closing(prefetch((window, source.at(window)) for window in windows)) as inputs,
        closing(prefetch(_drawn(runner, inputs))) as drawn,
    ):
        for window, pixels in drawn:
            yield pixels[max(0, first - window.first) : last - window.first]


def _drawn(runner: Runner, inputs: Iterable[tuple[Window, FrameInputs]]) -> Iterator[tuple[Window, Samples]]:
    for window, numbers in inputs:
        yield window, runner.run(numbers)
