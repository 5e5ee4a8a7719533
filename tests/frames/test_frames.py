"""Frames are drawn in passes of the same frames whatever is asked for, and no pass without need."""

from fractions import Fraction

import numpy as np
import pytest

from clavilux.frames.frames import BATCH, frames
from clavilux.timeline import Timeline

TIMELINE = Timeline(Fraction(30), Fraction(0), 40)


class Numbers:
    """Inputs that know only the number of their frame."""

    def at(self, window):
        return {"frame": window.indices}


class Counting:
    """A runner whose frames show which frames they were drawn with."""

    def __init__(self, batch):
        self.batch, self.passes = batch, []

    def run(self, inputs):
        drawn = inputs["frame"]
        self.passes.append(drawn.tolist())
        return np.stack([np.repeat(drawn[:1], len(drawn)), drawn], axis=1)


@pytest.mark.parametrize("batch", [1, 2, 3, BATCH, 16])
def test_any_range_is_drawn_in_the_passes_of_the_whole(batch):
    whole = np.concatenate(list(frames(Numbers(), Counting(batch), TIMELINE, 0, 40)))
    assert whole[:, 1].tolist() == list(range(40))
    for first, last in ((0, 1), (13, 14), (7, 9), (14, 33), (39, 40), (0, 40)):
        runner = Counting(batch)
        drawn = np.concatenate(list(frames(Numbers(), runner, TIMELINE, first, last)))
        assert np.array_equal(drawn, whole[first:last])
        assert all(first <= numbers[-1] and numbers[0] < last for numbers in runner.passes)


def test_one_frame_is_one_pass():
    runner = Counting(2)
    assert next(frames(Numbers(), runner, TIMELINE, 13, 14)).tolist() == [[12, 13]]
    assert runner.passes == [[12, 13]]
