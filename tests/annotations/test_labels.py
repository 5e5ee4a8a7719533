"""Labels made by hand become beats and sections, or one sentence that names the line."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavilux.annotations.labels import Region, join_regions, parse_labels
from clavilux.errors import FileError

VERSES = "0.000000\t10.5\tverse\n10.5\t20\tchorus\n20\t31.25\tverse\n"


def test_regions_are_sections_and_points_are_beats():
    labels = parse_labels(
        VERSES + "0.5\t0.5\t1\n1.0\t1.0\t2\n1.5\t1.5\t3\n2.0\t2.0\t1\n2.5\t2.5\t2\n", "a.txt"
    )
    assert labels.sections.labels == ("verse", "chorus", "verse")
    assert labels.sections.bounds.tolist() == [0, 10.5, 20, 31.25]
    assert labels.beats.beats.tolist() == [0.5, 1, 1.5, 2, 2.5]
    assert (labels.beats.downbeats.tolist(), labels.beats.beats_per_bar) == ([0.5, 2.0], 3)


def test_bar_and_beat_with_a_pickup_and_bars_of_different_lengths():
    names = ["0.3", "0.4", "1.1", "1.2", "1.3", "1.4", "2.1", "2.2", "2.3", "3.1", "3.2", "3.3", "3.4", "4.1"]
    text = "".join(f"{time}\t{time}\t{name}\n" for time, name in enumerate(names))
    beats = parse_labels(text, "a.txt").beats
    assert beats.downbeats.tolist() == [2, 6, 9, 13]
    assert beats.beats_per_bar == 4


@pytest.mark.parametrize("change", [
    lambda text: "\ufeff" + text,
    lambda text: text.replace("\n", "\r\n"),
    lambda text: text.replace("\tverse\n", "\tverse\n\\\t120.5\t4000.0\n"),
    lambda text: "\n" + text + "\n\n",
    lambda text: "".join(reversed(text.splitlines(keepends=True))),
    lambda text: text.replace("verse", " verse\x07 "),
], ids=["mark", "crlf", "frequencies", "blank", "disorder", "bell"])  # fmt: skip
def test_the_habits_of_editors_do_not_matter(change):
    assert parse_labels(change(VERSES), "a.txt") == parse_labels(VERSES, "b.txt")


def test_named_points_are_sections_to_the_next():
    sections = parse_labels("0\t0\tintro\n8\t8\tverse\n30\t30\toutro\n", "a.txt").sections
    assert sections.labels == ("intro", "verse", "outro")
    assert sections.bounds[:3].tolist() == [0, 8, 30]


def test_short_gaps_are_closed_and_long_ones_are_unnamed():
    sections = parse_labels("0.4\t10\tA\n10.6\t20\tB\n25\t30\t\n", "a.txt").sections
    assert sections.labels == ("A", "B", "-", "-")
    assert sections.bounds.tolist() == [0, 10.6, 20, 25, 30]


def error_of(text):
    """The message about wrong labels, or nothing."""
    try:
        parse_labels(text, "a.txt")
    except FileError as error:
        return str(error)
    return ""


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4), st.text(max_size=5)), min_size=1, max_size=8))
def test_any_regions_are_sections_or_a_sentence_that_names_a_line(rows):
    text = "".join(f"{start!r}\t{end!r}\t{''.join(label.split())}\n" for start, end, label in rows)
    error = error_of(text)
    assert not error or re.search(r"line \d|ms apart", error)


@given(st.text(max_size=300))
def test_any_text_is_labels_or_one_sentence(text):
    error = error_of(text)
    assert not error or re.fullmatch(r"The labels in 'a.txt' cannot be used: .+\.", error, re.DOTALL)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not one label"),
        ("hello", "line 1: 'hello' is not start, tab"),
        ("0\t1\tA\n12,5\t13,0\tB", "line 2: '12,5' has a decimal comma; write 12.5"),
        ("0\tend\tA", "line 1: 'end' is not a time"),
        ("-1\t1\tA", "line 1: the time -1 s"),
        ("nan\t1\tA", "not within the song"),
        ("0\t1e9\tA", "not within the song"),
        ("0\t10\tA\n8\t12\tB", "line 2: 'B' begins at 8 s; 'A' ends at 10 s"),
        ("5\t1\tA", "line 1: 'A' ends"),
        ("1\t1\t1", "one beat alone"),
        ("1\t1\t1\n2\t2\t3", "line 2: beat 3 follows beat 1"),
        ("1\t1\t1\n1\t1\t2", "line 2: two beats at 1 s"),
        ("1\t1\t2\n2\t2\t3", "no bar begins"),
        ("1\t1\t1\n2\t2\t1\n3\t3\t1", "bars of one beat"),
        ("1\t1\t1\n1.001\t1.001\t2", "50 ms apart"),
        ("time,end,kind,label,value\n0,,beat,one,", "line 2: 'one' is not a beat"),
        ("time,end,kind\n0,1,section", "damaged"),
        ("time,end,kind,label,value\n", "not one label"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_located(text, message):
    with pytest.raises(FileError) as caught:
        parse_labels(text, "mine.txt")
    assert message in str(caught.value)
    assert str(caught.value).startswith("The labels in 'mine.txt' cannot be used: ")
    assert "\n" not in str(caught.value)


def test_regions_that_nearly_touch_are_joined():
    sections = join_regions([Region(0, 10.005, "A", "one"), Region(10, 20, "B", "two")])
    assert np.diff(sections.bounds).min() > 9
    assert sections.labels == ("A", "B")
