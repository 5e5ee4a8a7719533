"""Iterate in a thread of its own: the next items are computed while the last ones are used.

Queues are bounded, the end is explicit, and an error is raised where the items are consumed.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import NoReturn, TypeVar

__all__ = ["prefetch"]

T = TypeVar("T")


def prefetch(items: Iterable[T], depth: int = 2) -> Generator[T, None, None]:
    """Iterate in a thread of its own, up to `depth` items ahead of the consumer.

    An error while iterating is raised to the consumer in its place. When the consumer stops early, the thread
    stops after the item in hand.

    >>> list(prefetch(range(3)))
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
