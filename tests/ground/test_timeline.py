"""Time: exact rates, windows on a lattice, and what people write."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavilux.errors import SettingError
from clavilux.timeline import Timeline, format_time, parse_fps, parse_time

RATES = st.sampled_from(
    [Fraction(24), Fraction(30000, 1001), Fraction(25), Fraction(60), Fraction(120000, 1001)]
)


@given(samples=st.integers(1, 10**9), rate=st.sampled_from([8000, 44100, 48000]), fps=RATES)
def test_a_timeline_covers_the_song_with_no_frame_too_many(samples, rate, fps):
    duration = Fraction(samples, rate)
    timeline = Timeline.spanning(duration, fps)
    assert (timeline.frames - 1) / fps < duration <= timeline.duration


@given(first=st.integers(0, 500), length=st.integers(1, 100), size=st.integers(1, 16), fps=RATES)
def test_windows_cover_the_range_and_agree_on_every_frame(first, length, size, fps):
    timeline = Timeline(fps, Fraction(1, 3), 1000)
    windows = list(timeline.windows(first, first + length, size))
    numbers = np.concatenate([window.indices for window in windows])
    assert numbers[0] <= first < first + length <= numbers[-1] + 1
    assert all(window.first % size == 0 and window.count == size for window in windows)
    whole = timeline.window(0, 700)
    for window in windows:
        np.testing.assert_array_equal(window.times, whole.times[window.indices])


def test_frames_do_not_drift_from_their_exact_time_in_an_hour():
    timeline = Timeline(Fraction(30000, 1001), Fraction(0), 200_000)
    exact = float(Fraction(199_999) * 1001 / 30000)
    assert timeline.window(199_999, 1).times[0] == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("64", 64), ("64.5", 64.5), ("1:04.5", 64.5), ("1:02:03", 3723), (".5", 0.5), ("0:00", 0), ("90s", 90)],
)
def test_times_are_read_as_written(text, seconds):
    assert parse_time(text) == Fraction(seconds)


@pytest.mark.parametrize("text", ["", "abc", "1:60", "1:60:00", "-3", "1:", "nan", "1e3", "1:2:3:4"])
def test_what_is_not_a_time_is_refused(text):
    with pytest.raises(SettingError, match="is not a time"):
        parse_time(text)


@pytest.mark.parametrize("text", ["0", "-30", "nan", "inf", "fast", "", "30/0", "481"])
def test_what_is_not_a_frame_rate_is_refused(text):
    with pytest.raises(SettingError, match="frame rate"):
        parse_fps(text)


@given(st.integers(0, 86_400))
def test_written_times_read_back(seconds):
    assert parse_time(format_time(seconds)) == seconds


@pytest.mark.parametrize("text", ["1e1000000000", "1e9", "9" * 10_000, "1/" + "9" * 10_000, "1_0", "30/1.5"])
def test_a_number_that_never_ends_is_refused_at_once_and_in_short(text):
    for parse in (parse_fps, parse_time):
        with pytest.raises(SettingError) as caught:
            parse(text)
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("text", "fps"), [("24.", 24), ("+30", 30), (" 30000/1001 ", Fraction(30000, 1001))])
def test_rates_are_read_as_written(text, fps):
    assert parse_fps(text) == fps


def test_times_end_after_a_day():
    assert parse_time("24:00:00") == 86_400
    for text in ("24:00:00.001", "86401", "9" * 40):
        with pytest.raises(SettingError, match="songs last up to 24 hours"):
            parse_time(text)
