"""The plan that follows from what was decided."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavilux.errors import AudioError, SettingError
from clavilux.make.plan import Plan, timeline_of
from clavilux.timeline import Timeline


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
    part = timeline_of(Fraction(10), Fraction(30), start=Fraction(8), duration=Fraction(5))
    assert (part.frames, part.start) == (60, 8)
    with pytest.raises(SettingError, match="past the end"):
        timeline_of(Fraction(10), Fraction(30), start=Fraction(10), duration=None)
    with pytest.raises(AudioError, match="less than one frame"):
        timeline_of(Fraction(1, 100), Fraction(30), start=Fraction(0), duration=None)
