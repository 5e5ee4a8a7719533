"""Two sources cross as each input says, and only where they cross."""

from fractions import Fraction

import numpy as np
import pytest

from clavilux.frames.crossfade import Crossfade, looped
from clavilux.generator.inputs import InputSpec
from clavilux.seeds import normal
from clavilux.timeline import Timeline

SPECS = {
    "ws": InputSpec((2, 3), "float32", "linear"),
    "noise/b4.conv1": InputSpec((1, 64, 64), "float32", "power"),
    "frame": InputSpec((), "int64", "step"),
}
TIMELINE = Timeline(Fraction(10), Fraction(0), 100)


class Source:
    """Frames that are functions of their time; remembers which were asked for."""

    def __init__(self, name):
        self.name, self.asked = name, 0

    def at(self, window):
        self.asked += 1
        times = np.round(window.times * 10).astype(int).tolist()
        return {
            "ws": np.stack([normal(0, f"{self.name}/ws", t, (2, 3)) for t in times]),
            "noise/b4.conv1": np.stack([normal(0, f"{self.name}/noise", t, (1, 64, 64)) for t in times]),
            "frame": window.indices,
        }


def crossing(progress):
    first, second = Source("a"), Source("b")
    fade = Crossfade(first, second, lambda window: np.full(window.count, progress), SPECS)
    return first, second, fade.at(TIMELINE.window(0, 8))


@pytest.mark.parametrize(("progress", "asked"), [(0.0, (1, 0)), (0.5, (1, 1)), (1.0, (0, 1))])
def test_only_what_is_heard_is_computed(progress, asked):
    first, second, _ = crossing(progress)
    assert (first.asked, second.asked) == asked


def test_halfway_latents_are_the_mean_and_noise_keeps_its_power():
    first, second, mixed = crossing(0.5)
    a, b = first.at(TIMELINE.window(0, 8)), second.at(TIMELINE.window(0, 8))
    np.testing.assert_allclose(mixed["ws"], (a["ws"] + b["ws"]) / 2, atol=1e-6)
    assert mixed["noise/b4.conv1"].std() == pytest.approx(1, rel=0.02)
    assert mixed["ws"].dtype == mixed["noise/b4.conv1"].dtype == np.float32
    assert mixed["frame"].tolist() == list(range(8))


def test_a_loop_ends_where_it_began_and_begins_as_it_was():
    source = Source("a")
    loop = looped(source, TIMELINE, SPECS)
    begin, past = loop.at(TIMELINE.window(0, 8)), loop.at(TIMELINE.window(100, 1))
    for name, values in source.at(TIMELINE.window(0, 8)).items():
        np.testing.assert_array_equal(begin[name], values)
    np.testing.assert_allclose(past["ws"][0], begin["ws"][0], atol=1e-6)
    np.testing.assert_allclose(past["noise/b4.conv1"][0], begin["noise/b4.conv1"][0], atol=1e-6)


def test_noise_that_both_have_in_common_does_not_swell():
    first, second = Source("a"), Source("a")
    fade = Crossfade(first, second, lambda window: np.full(window.count, 0.5), SPECS)
    mixed = fade.at(TIMELINE.window(0, 8))["noise/b4.conv1"]
    alone = first.at(TIMELINE.window(0, 8))["noise/b4.conv1"]
    np.testing.assert_allclose(mixed, alone, rtol=0.05, atol=1e-3)
