"""Every op has a picture in the reference, and the check sees when one changes."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import op_examples
from clavilux.errors import PatchError
from clavilux.signals.table import OPS, number
from svg import FAINT, path, picture, same, simplify


def drawn(*lines):
    return picture(640, [path([np.array(line, float) for line in lines], FAINT)])


def test_every_example_shows_its_own_op():
    for op in op_examples.pictured().values():
        assert op_examples.example_of(op)[1].op == op.key


def test_an_op_that_needs_an_example_cannot_be_forgotten():
    forgotten = replace(OPS["signal.sharpen"], name="forgotten", params={"by": number(..., 0, 1)})
    with pytest.raises(PatchError, match=r"signal\.forgotten.*op_examples"):
        op_examples.example_of(forgotten)


def test_an_example_of_no_op_is_an_error(monkeypatch):
    monkeypatch.setitem(op_examples.EXAMPLES, "signal.removed", op_examples.Example("kick.toggle()"))
    with pytest.raises(PatchError, match=r"signal\.removed"):
        op_examples.pictured()


def test_an_example_must_end_in_its_op(monkeypatch):
    other = op_examples.Example("kick.decay(beats=1)")
    monkeypatch.setitem(op_examples.EXAMPLES, "events.toggle", other)
    with pytest.raises(PatchError, match=r"events\.toggle.*events\.decay"):
        op_examples.example_of(OPS["events.toggle"])


def test_pictures_are_the_same_within_two_pixels():
    step = drawn([[0, 90], [100, 90], [101, 10], [300, 10]])
    assert same(step, drawn([[0, 90], [103, 90], [104, 10], [200, 11], [300, 10]]))
    assert not same(step, drawn([[0, 90], [106, 90], [107, 10], [300, 10]]))
    assert not same(step, drawn([[0, 90], [100, 90], [101, 15], [300, 15]]))


def test_a_hit_more_is_another_picture():
    hit, close = [[50, 100], [50, 20]], [[51, 100], [51, 20]]
    assert not same(drawn(hit), drawn(hit, close))
    assert not same(drawn(hit), drawn())
    assert same(drawn(), drawn())


def test_another_label_is_another_picture():
    assert not same(drawn().replace("</svg>", "<text>1</text></svg>"), drawn())


def test_simplified_lines_stay_close():
    x = np.linspace(0, 600, 300)
    wave = np.stack([x, 60 + 40 * np.sin(x / 40)], axis=1)
    few = simplify(wave)
    assert len(few) < 80
    assert np.abs(np.interp(x, few[:, 0], few[:, 1]) - wave[:, 1]).max() < 1.5
