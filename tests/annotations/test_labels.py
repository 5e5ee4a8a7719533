"""Labels made by hand become beats and sections, or one sentence that names the line."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavilux.annotations.labels import Region, join_regions, parse_labels
from clavilux.curves import Grid
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
        ("hello", "line 1: 'hello' is not a time in seconds; each line is start, tab"),
        ("0\t1\tA\n12,5\t13,0\tB", "line 2: '12,5' has a decimal comma; write 12.5"),
        ("0\tend\tA", "line 1: 'end' is not a time"),
        ("-1\t1\tA", "line 1: the time -1 is"),
        ("nan\t1\tA", "'nan' is not a time"),
        ("0\t1e9\tA", "not within the song"),
        ("0\t10\tA\n8\t12\tB", "line 2: 'B' begins at 8 s; 'A' ends at 10 s"),
        ("5\t1\tA", "line 1: 'A' ends"),
        ("1\t1\t1", "one beat alone"),
        ("1\t1\t1\n2\t2\t3", "line 2: beat 3 follows beat 1"),
        ("1\t1\t1\n1\t1\t2", "line 2: two beats at 1 s"),
        ("1\t1\t2\n2\t2\t3", "no bar begins"),
        ('{"tempo": 120}', "it is JSON"),
        ("<DJ_PLAYLISTS/>", "it is XML"),
        ('FILE "a.wav" WAVE\n  TRACK 01 AUDIO', "it is a cue sheet"),
        ("#,Name,Start,End,Length\nR1,A,1.1.00,9.1.00,8.0.00", "line 2: '1.1.00' counts bars and beats"),
        ("Marker Name,In,Out\nA,00:00:01:12,", "line 2: '00:00:01:12' counts frames"),
        ("9" * 5000 + "\t1\tA", "is not a time"),
        ("1\t1\t1\n1.001\t1.001\t2", "50 ms apart"),
        ("time,end,kind,label,value\n0,,beat,one,", "line 2: 'one' is not a beat"),
        ("time,end,kind,label,value\n", "not one label"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_located(text, message):
    with pytest.raises(FileError) as caught:
        parse_labels(text, "mine.txt")
    assert message in str(caught.value)
    assert str(caught.value).startswith("The labels in 'mine.txt' cannot be used: ")
    assert "\n" not in str(caught.value)


TAPS = [0.5 + 0.5 * n for n in range(80)]


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"{t:.6f}\t{t:.6f}\t{n}\n" for n, t in enumerate(TAPS, 1)),
        "".join(f"{t:.6f}\t{t:.6f}\t{n:02d}\n" for n, t in enumerate(TAPS, 1)),
        "".join(f"{t:.6f}\n" for t in TAPS),
        "".join(f"{t:.6f}\t{t:.6f}\t\n" for t in TAPS),
    ],
    ids=["numbered on", "padded", "aubio", "no labels"],
)
def test_points_that_say_nothing_of_bars_are_beats(text):
    labels = parse_labels(text, "taps.txt")
    assert (labels.beats.each, labels.beats.times.tolist(), labels.sections) == ("beat", TAPS, None)
    detected = Grid(np.arange(0, 45, 0.5))  # bars of four from 0 s
    assert labels.apply_to_grid(detected, 42.0).downbeats[1] % 2 == 0


def test_a_mark_on_every_bar_line_gives_the_bars_of_the_detected_metre():
    text = "".join(f"{t}\t{t}\t1\n" for t in TAPS[::4])
    labels = parse_labels(text, "bars.txt")
    grid = labels.apply_to_grid(Grid(np.arange(0, 45, 0.5)), 42.0)
    assert labels.beats.each == "bar"
    assert (grid.tempo, grid.downbeats[:3].tolist()) == (120, [0.5, 2.5, 4.5])


def test_marks_far_apart_are_sections():
    starts = [0, 31.2, 60.5, 92.0, 121.4]
    labels = parse_labels("".join(f"{t}\t{t}\t{n}\n" for n, t in enumerate(starts, 1)), "five.txt")
    assert (labels.beats, labels.sections.labels) == (None, ("1", "2", "3", "4", "5"))


@pytest.mark.parametrize(
    "line",
    ["{t:.3f}\t{n}\n", '{t:.9f},"{n}"\n', "{t:.2f} {n}.0\n", "{t:.3f} {n}\n", "{t};{n}\n"],
    ids=["madmom", "vamp", "BeatNet", ".beats", "semicolon"],
)
def test_the_beats_of_trackers_have_bars(line):
    text = "".join(line.format(t=t, n=n % 4 + 1) for n, t in enumerate(TAPS))
    grid = parse_labels(text, "beats").beats
    assert (len(grid.beats), grid.beats_per_bar, grid.downbeats[:2].tolist()) == (80, 4, [0.5, 2.5])


@pytest.mark.parametrize(
    "text",
    [
        '#,Name,Start,End,Length\nR1,"verse, one",0:00.000,0:31.200,0:31.200\nM1,end,0:31.200,,\n',
        "Name\tStart\tDuration\tTime Format\tType\nverse, one\t0:00.000\t0:31.200\tdecimal\tCue\n"
        "end\t0:31.200\t0:00.000\tdecimal\tCue\n",
        "0.0\tverse, one\n31.2\tend\n",
        "Anfang\tTeil\n0.0\tverse, one\n31.2\tend\n",
        'sep=;\n0.0;"verse, one"\n31.2;end\n',
        "0.000 31.200 verse, one\n31.2 60 end\n",
        '# by hand\n0,"verse, one"\n31.2,end\n',
        '0.0,120.5,"verse, one"\n31.2,121.0,end\n',
    ],
    ids=["Reaper", "Audition", "two columns", "German", "Excel", ".lab", "commas", "values of a curve"],
)
def test_the_tables_of_other_programs_are_sections(text):
    sections = parse_labels(text, "sections").sections
    assert (sections.labels, sections.bounds[1]) == (("verse, one", "end"), 31.2)


def test_regions_that_nearly_touch_are_joined():
    sections = join_regions([Region(0, 10.005, "A", "one"), Region(10, 20, "B", "two")])
    assert np.diff(sections.bounds).min() > 9
    assert sections.labels == ("A", "B")
