"""Frames from a bound patch, with each stage in its own thread.

Inputs are computed while the generator draws, and whoever consumes the frames works while the next ones are
drawn. Queues are bounded, the end is said explicitly, and an error in any stage is raised where the frames
are consumed.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NoReturn, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from clavilux.engine.runner import Runner
from clavilux.generator.program import FrameInputs
from clavilux.pixel_formats import Samples
from clavilux.timeline import Timeline, Window

__all__ = ["BATCH", "Inputs", "Looped", "ahead", "frames"]

CROSSING_SECONDS = 2
"""How long the end of a loop takes to run into its beginning; at most half the loop."""

BATCH = 8
"""Frames drawn at once. A constant, because a window's size is part of what a frame's pixels depend on."""

T = TypeVar("T")


class Inputs(Protocol):
    """Knows what varies from frame to frame."""

    def inputs(self, window: Window) -> FrameInputs:
        """Compute what a program needs for the frames of a window."""


@dataclass(frozen=True)
class Looped:
    """Frames whose end runs into their beginning: an exact loop.

    Towards the end the inputs cross over to those of the time before the beginning, so that the frame after
    the last would be the first, and picture and motion both go on. Latents cross linearly, noise at constant
    power.

    Attributes:
        once: the frames without the loop.
        timeline: one round of the loop.
    """

    once: Inputs
    timeline: Timeline

    def inputs(self, window: Window) -> FrameInputs:
        """Compute what a program needs for the frames of a window."""
        now = self.once.inputs(window)
        crossing = self._crossing(window.indices)
        if not crossing.any():
            return now
        before = replace(self.timeline, start=self.timeline.start - self.timeline.duration)
        past = self.once.inputs(before.window(window.first, window.count))
        angle = (crossing * np.pi / 2)[:, None, None, None]
        fade_in, fade_out = np.sin(angle).astype(np.float32), np.cos(angle).astype(np.float32)
        step = crossing.astype(np.float32)[:, None, None]
        noise = {
            name: fade_out * maps + fade_in * past[name]
            for name, maps in now.items()
            if name.startswith("noise/")
        }
        return {**now, **noise, "ws": now["ws"] + step * (past["ws"] - now["ws"])}

    def _crossing(self, frames: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how far each frame has crossed over: 0, then smoothly up to 1 after the last frame."""
        length = min(CROSSING_SECONDS * self.timeline.fps, Fraction(self.timeline.frames, 2))
        place = np.clip((frames - self.timeline.frames + float(length)) / float(length), 0, 1)
        return np.asarray(place * place * (3 - 2 * place))


def frames(
    patch: Inputs, runner: Runner, timeline: Timeline, first: int, last: int
) -> Generator[Samples, None, None]:
    """Draw frames [first, last) in order, some at a time.

    Frames are bit-equal whatever range they are drawn in: windows lie on a fixed lattice.

    Yields:
        (n, ...) pixels of the next n frames, in the program's pixel format.
    """
    windows = timeline.windows(first, last, BATCH)
    with (
        closing(ahead((window, patch.inputs(window)) for window in windows)) as inputs,
        closing(ahead(_drawn(runner, inputs))) as drawn,
    ):
        for window, pixels in drawn:
            yield pixels[max(0, first - window.first) : last - window.first]


def _drawn(runner: Runner, inputs: Iterable[tuple[Window, FrameInputs]]) -> Iterator[tuple[Window, Samples]]:
    for window, numbers in inputs:
        yield window, runner.run(numbers)


def ahead(items: Iterable[T], depth: int = 2) -> Generator[T, None, None]:
    """Iterate in a thread of its own, up to `depth` items ahead of whoever consumes them.

    An error while iterating is raised to the consumer in its place. When the consumer stops early, the thread
    stops after the item in hand.

    >>> list(ahead(range(3)))
    [0, 1, 2]
    """
    stopped = threading.Event()
    slots: queue.Queue[Callable[[], T] | None] = queue.Queue(depth)
    thread = threading.Thread(target=_produce, args=(iter(items), slots, stopped), daemon=True)
    thread.start()
    try:
        while (take := slots.get()) is not None:
            yield take()
    finally:
        stopped.set()
        while thread.is_alive():
            _drain(slots)
            thread.join(0.01)


def _produce(
    items: Iterator[T], slots: "queue.Queue[Callable[[], T] | None]", stopped: threading.Event
) -> None:
    try:
        for item in items:
            if stopped.is_set():
                return
            slots.put(lambda item=item: item)  # type: ignore[misc]
        slots.put(None)
    except BaseException as error:  # noqa: BLE001  # whatever it is, it belongs to the consumer
        slots.put(_raiser(error))
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()


def _raiser(error: BaseException) -> Callable[[], NoReturn]:
    def raise_it() -> NoReturn:
        raise error

    return raise_it


def _drain(slots: "queue.Queue[Callable[[], T] | None]") -> None:
    while True:
        try:
            slots.get_nowait()
        except queue.Empty:
            return
