"""Stages in threads: in order, bounded, ended on purpose, errors passed on."""

import threading
import time
from contextlib import closing

import pytest

from clavilux.frames.prefetch import prefetch


def test_items_arrive_in_order_and_whole():
    assert list(prefetch(range(100))) == list(range(100))
    assert list(prefetch([])) == []
    assert list(prefetch([None, None])) == [None, None]


def test_an_error_arrives_in_its_place_as_itself():
    def items():
        yield 1
        raise ZeroDivisionError("in the stage")

    stream = prefetch(items())
    assert next(stream) == 1
    with pytest.raises(ZeroDivisionError, match="in the stage"):
        next(stream)


def test_no_more_than_asked_for_is_made_ahead():
    made = []

    def items():
        for number in range(50):
            made.append(number)
            yield number

    with closing(prefetch(items(), depth=2)) as stream:
        next(stream)
        time.sleep(0.2)
        assert len(made) <= 1 + 2


def test_stopping_early_ends_the_thread_and_closes_its_source():
    closed = threading.Event()

    def items():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    before = threading.active_count()
    with closing(prefetch(prefetch(items()))) as stream:
        next(stream)
    assert closed.wait(2)
    assert threading.active_count() == before
