"""Iterate in a thread of its own: the next items are computed while the last ones are used.

Few items are in memory at a time, the end is explicit, and an error is raised where the items are consumed.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import NoReturn, TypeVar

__all__ = ["prefetch"]

T = TypeVar("T")


def prefetch(items: Iterable[T], depth: int = 1) -> Generator[T, None, None]:
    """Iterate in a thread of its own, up to `depth` items ahead of the consumer, one of them in the making.

    An error while iterating is raised to the consumer in its place. When the consumer stops early, the thread
    stops after the item in hand.

    >>> list(prefetch(range(3)))
    [0, 1, 2]
    """
    stopped, room = threading.Event(), threading.Semaphore(depth)
    made: queue.SimpleQueue[Callable[[], T] | None] = queue.SimpleQueue()
    thread = threading.Thread(target=_produce, args=(iter(items), made, room, stopped), daemon=True)
    thread.start()
    try:
        while (take := made.get()) is not None:
            room.release()
            yield take()
    finally:
        stopped.set()
        room.release()
        thread.join()


def _produce(
    items: Iterator[T],
    made: "queue.SimpleQueue[Callable[[], T] | None]",
    room: threading.Semaphore,
    stopped: threading.Event,
) -> None:
    try:
        while room.acquire() and not stopped.is_set():
            made.put(_giver(next(items)))
    except StopIteration:
        made.put(None)
    except BaseException as error:  # noqa: BLE001  # whatever it is, it belongs to the consumer
        made.put(_raiser(error))
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()


def _giver(item: T) -> Callable[[], T]:
    return lambda: item


def _raiser(error: BaseException) -> Callable[[], NoReturn]:
    def raise_it() -> NoReturn:
        raise error

    return raise_it
