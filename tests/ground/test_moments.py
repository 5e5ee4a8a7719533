"""Moments are read as musicians write them, come back exactly, and are found in a song or refused."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavilux.curves import Grid, Sections
from clavilux.errors import SettingError, SongError
from clavilux.moments import MAX_LABEL_LENGTH, Moment, Span

GRID = Grid(np.arange(-0.25, 13, 0.5), first_downbeat=2)  # 26 beats inside 12.5 s, downbeats at 0.75 + 2 n
SECTIONS = Sections(np.array([0.0, 4.0, 8.0, 12.5]), ("A", "B", "A"))
DURATION = 12.5

COUNTS = st.integers(1, 999_999)
MOMENTS = st.one_of(
    st.just(Moment("end")),
    st.builds(Moment, st.just("seconds"), st.floats(0, 86_400) | st.fractions(0, 86_400)),
    st.builds(Moment, st.sampled_from(["bar", "beat"]), COUNTS),
    st.builds(
        Moment,
        st.just("section"),
        COUNTS,
        st.text(st.characters(), min_size=1, max_size=MAX_LABEL_LENGTH)
        | st.sampled_from(["end", "End", "bar 3", "beat", "1", "1:04", "B.2", ".", '"', "\\", " A ", "12s"])
        | st.from_regex(r"[a-zA-Z]{1,3}[ .'-]?[\w ]{0,4}", fullmatch=True),
    ),
)


@given(MOMENTS)
def test_what_is_written_reads_back_the_same(moment):
    assert Moment.parse(str(moment)) == moment
    assert hash(Moment.parse(str(moment))) == hash(moment)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1:04.5", Moment("seconds", Fraction(129, 2))),
        (" 64.5 ", Moment("seconds", 64.5)),
        (".5", Moment("seconds", 0.5)),
        ("24:00:00", Moment("seconds", 86_400)),
        ("bar 17", Moment("bar", 17)),
        ("BEAT  3", Moment("beat", 3)),
        ("B.2", Moment("section", 2, "B")),
        ("pre-chorus", Moment("section", 1, "pre-chorus")),
        ("verse 2", Moment("section", 1, "verse 2")),
        ("bars.2", Moment("section", 2, "bars")),
        ('"end"', Moment("section", 1, "end")),
        ('"1:04".3', Moment("section", 3, "1:04")),
        ("End", Moment("end")),
    ],
)
def test_moments_are_read_as_written(text, moment):
    assert Moment.parse(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        *["", "bar", "bar 0", "bar -1", "bar 1.5", "bar x", "beat 0", "B.0", "B.x", "B.1000000", "end.1"],
        *[
            '"',
            '"a',
            '""',
            '"a\n"',
            ".",
            "?",
            "-3",
            "25:00:00",
            "1:60",
            "1e1000000000",
            "9" * 10_000,
            "a" * 101,
        ],
    ],
)
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(SettingError) as caught:
        Moment.parse(text)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("unit", "number", "label"),
    [
        ("seconds", -1, ""),
        ("seconds", float("nan"), ""),
        ("seconds", 90_000, ""),
        ("bar", 1.5, ""),
        ("bar", float("inf"), ""),
        ("beat", 0, ""),
        ("section", 1, ""),
        ("bar", 1, "A"),
        ("minute", 1, ""),
    ],
)
def test_a_moment_that_cannot_be_is_refused(unit, number, label):
    with pytest.raises(SettingError):
        Moment(unit, number, label)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("12.5", 12.5),
        ("bar 1", 0.75),
        ("bar 6", 10.75),
        ("beat 1", 0.0),  # the grid's first beat lies before the song
        ("beat 2", 0.25),
        ("beat 26", 12.25),
        ("A", 0.0),
        ("A.2", 8.0),
        ("B.1", 4.0),
        ("end", 12.5),
    ],
)
def test_moments_are_found_in_a_song(text, seconds):
    assert Moment.parse(text).seconds(GRID, SECTIONS, DURATION) == pytest.approx(seconds, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("12.6", "past the end of the song; it lasts 0:12"),
        ("bar 7", "no bar 7; it has 6 bars"),
        ("beat 27", "no beat 27; it has 26 beats"),
        ("A.3", "no section A.3; it has it 2 times"),
        ("C", r"no section C.1; there is A, B\."),
    ],
)
def test_what_a_song_does_not_have_is_refused(text, message):
    with pytest.raises(SongError, match=message):
        Moment.parse(text).seconds(GRID, SECTIONS, DURATION)


def test_a_span_has_a_start_before_its_end():
    verse = Span(Moment.parse("B"), Moment.parse("A.2"))
    assert verse.seconds(GRID, SECTIONS, DURATION) == (4.0, 8.0)
    assert str(verse) == "B.1 to A.2"
    for start, end in (("A.2", "B"), ("end", "end")):
        with pytest.raises(SongError, match="is empty"):
            Span(Moment.parse(start), Moment.parse(end)).seconds(GRID, SECTIONS, DURATION)
