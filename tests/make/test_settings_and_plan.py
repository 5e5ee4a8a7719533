"""What may be decided, and the plan that follows from it."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavilux.errors import AudioError, SettingError
from clavilux.make.plan import Plan, cover
from clavilux.make.settings import Settings, parse_cells, parse_size
from clavilux.timeline import Timeline


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"size": (1281, 720)}, "odd; video needs even sides: 1282x720"),
        ({"size": (0, 720)}, "out of range"),
        ({"size": (20000, 720)}, "out of range"),
        ({"fps": 0}, "above 0"),
        ({"fps": float("nan")}, "must be a number"),
        ({"start": -1}, "must not be negative"),
        ({"duration": 0}, "above 0 s"),
        ({"psi": 3}, "psi"),
        ({"psi": float("nan")}, "psi"),
        ({"codec": "png", "crf": 20}, "crf"),
    ],
)
def test_values_out_of_range_are_refused_in_one_sentence(values, says):
    with pytest.raises(SettingError) as caught:
        Settings(**values)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["1280", "axb", "1280x", "-4x4", "1280x720x3", ""])
def test_what_is_not_a_pair_is_refused(text):
    for parse in (parse_size, parse_cells):
        with pytest.raises(SettingError, match="write it like"):
            parse(text)


def test_numbers_become_exact():
    assert Settings(fps=25, start=0.5).start == Fraction(1, 2)


@given(
    frames=st.integers(1, 20_000),
    fps=st.sampled_from([Fraction(24), Fraction(30000, 1001), Fraction(60), Fraction(1)]),
)
def test_segments_are_equal_whole_gops_and_cover_every_frame_once(frames, fps):
    plan = Plan(Timeline(fps, Fraction(0), frames), {})
    segments = plan.segments
    assert segments[0].first == 0
    assert segments[-1].last == frames
    assert all(a.last == b.first for a, b in pairwise(segments))
    assert len({s.last - s.first for s in segments[:-1]}) <= 1
    assert all((s.last - s.first) % plan.gop == 0 for s in segments[:-1])


def test_a_plan_is_named_by_everything_it_depends_on():
    timeline = Timeline(Fraction(30), Fraction(0), 300)
    first = Plan(timeline, {"seed": 1, "song": "a"})
    assert first.digest == Plan(timeline, {"song": "a", "seed": 1}).digest
    assert first.digest != Plan(timeline, {"song": "a", "seed": 2}).digest


def test_a_part_of_a_song_ends_with_the_song():
    part = cover(Fraction(10), Fraction(30), start=Fraction(8), duration=Fraction(5))
    assert (part.frames, part.start) == (60, 8)
    with pytest.raises(SettingError, match="past the end"):
        cover(Fraction(10), Fraction(30), start=Fraction(10), duration=None)
    with pytest.raises(AudioError, match="less than one frame"):
        cover(Fraction(1, 100), Fraction(30), start=Fraction(0), duration=None)
