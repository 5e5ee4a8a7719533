"""Frames from a bound patch, with each stage in its own thread.

Inputs are computed while the generator draws, and whoever consumes the frames works while the next ones are
drawn. Queues are bounded, the end is said explicitly, and an error in any stage is raised where the frames
are consumed.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import NoReturn, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from clavilux.generator.program import FrameInputs
from clavilux.render.bind import BoundPatch
from clavilux.timeline import Timeline, Window

__all__ = ["BATCH", "Runner", "ahead", "frames"]

BATCH = 8
"""Frames drawn at once. A constant, because a window's size is part of what a frame's pixels depend on."""

T = TypeVar("T")


class Runner(Protocol):
    """Draws a window of frames."""

    def run(self, inputs: FrameInputs) -> NDArray[np.uint8]:
        """Return the pixels, one frame after the other along the first axis."""


def frames(
    patch: BoundPatch, runner: Runner, timeline: Timeline, first: int, last: int
) -> Generator[NDArray[np.uint8], None, None]:
    """Draw frames [first, last) in order, some at a time.

    Frames are bit-equal whatever range they are drawn in: windows lie on a fixed lattice.

    Yields:
        uint8 (n, ...) pixels of the next n frames, in the program's pixel format.
    """
    windows = timeline.windows(first, last, BATCH)
    with (
        closing(ahead((window, patch.inputs(window)) for window in windows)) as inputs,
        closing(ahead(_drawn(runner, inputs))) as drawn,
    ):
        for window, pixels in drawn:
            yield pixels[max(0, first - window.first) : last - window.first]


def _drawn(
    runner: Runner, inputs: Iterable[tuple[Window, FrameInputs]]
) -> Iterator[tuple[Window, NDArray[np.uint8]]]:
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
