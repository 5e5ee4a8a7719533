"""Curves, events and MIDI notes from files: read as written, or one sentence on what is wrong."""

import io
import os
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clavilux.annotations.midi_file import read_midi
from clavilux.annotations.series import read_curve, read_events
from clavilux.errors import FileError, PatchError
from clavilux.patches.functions import curve, events, midi
from clavilux.report.exports import export
from clavilux.signals.text import parse

FUZZ = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def written(tmp_path):
    def write(content, name="x.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def midi_bytes(*tracks, ticks_per_beat=480, kind=1):
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks_per_beat)
    file.tracks += [mido.MidiTrack(messages) for messages in tracks]
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def note(time, number=60, velocity=127):
    return mido.Message("note_on", note=number, velocity=velocity, time=time)


def tempo(time, bpm):
    return mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm), time=time)


# --- curves


@pytest.mark.parametrize(
    "content",
    [
        "1,0\n3,1\n",
        "time,value\n1,0\n3,1\n",
        "Time;Level\r\n1;0\r\n3;1\r\n",
        "1\t0\n3\t1",
        "1 0\n3 1\n",
        "\ufeff# a comment\n0:01,0\n\n0:03,1\n",
        "3,1\n1,0\n",
        '"time","value"\n1,0.0,extra\n3,1e0,extra\n',
        "value,time\n0,1\n1,3\n",
    ],
)
def test_a_curve_is_linear_between_its_rows_and_holds_at_its_ends(content, written, steady, values_of):
    values = values_of(curve(written(content)), steady)
    np.testing.assert_allclose(values[[0, 100, 150, 200, 300, 799]], [0, 0, 0.25, 0.5, 1, 1])


def test_a_curve_is_read_from_the_column_that_is_named(written, steady, values_of):
    path = written("time,low,High\n0,1,2\n8,1,2\n")
    assert values_of(curve(path), steady).max() == 1
    assert values_of(curve(path, column="high"), steady).max() == 2
    with pytest.raises(FileError, match="no column 'hihg'; did you mean 'high'"):
        values_of(curve(path, column="hihg"), steady)
    with pytest.raises(FileError, match="its columns have no names"):
        values_of(curve(written("0,1\n"), column="high"), steady)


def test_our_own_table_of_curves_is_read_back(heard, written, values_of):
    path = written(export(heard, "csv", "a.wav")[".curves.csv"])
    np.testing.assert_allclose(
        values_of(curve(path, column="loudness"), heard), heard.loudness().values[:, 0], rtol=1e-3
    )


# --- events


@pytest.mark.parametrize(
    ("content", "strengths"),
    [
        ("1\n2.5\n", [1, 1]),
        ("1,0.5\n2.5,1\n", [0.5, 1]),
        ("time,strength\n1,0.5\n2.5,\n", [0.5, 1]),
        ("onset;velocity\n1;127\n2.5;0\n", [1, 0]),
        ("1\t1\tkick\n2.5\t2.5\tsnare\n", [1, 1]),
        ("start,end,label\n1,2,verse\n2.5,3,chorus\n", [1, 1]),
        ("1 3\n2.5 4\n", [1, 1]),
        ("2.5,1\n1,0.5\n100,0.2\n", [0.5, 1]),
    ],
)
def test_events_have_strengths_where_the_file_has_them(content, strengths, written, steady, values_of):
    values = values_of(events(written(content)).pulse(seconds=0), steady)
    assert values[[100, 250]].tolist() == strengths
    assert np.count_nonzero(values) == np.count_nonzero(strengths)


def test_events_past_the_end_are_dropped(written, steady, values_of):
    assert values_of(events(written("8\n100\n")).decay(seconds=1), steady).max() == 0


# --- midi


def test_notes_follow_the_tempo_map(written, steady):
    path = written(
        midi_bytes([tempo(0, 120), tempo(960, 60)], [note(0), note(480, 36, 64), note(960, velocity=1)])
    )
    found = read_midi(Path(path))
    np.testing.assert_allclose(found.times, [0, 0.5, 2.0])
    np.testing.assert_allclose(found.strengths, [1, 64 / 127, 1 / 127])


def test_tracks_and_notes_are_chosen(written, steady, values_of):
    ends = note(48, velocity=0), mido.Message("note_off", note=60, time=10)
    path = written(midi_bytes([note(480), *ends], [note(960, 36), note(0, 38)]))

    def count(**how):
        return np.count_nonzero(np.diff(values_of(midi(path, **how).toggle(), steady)))

    assert (count(), count(track=1), count(note=36), count(track=1, note=36)) == (1, 1, 1, 0)
    assert read_midi(Path(path)).times.tolist() == [0.5, 1, 1]
    with pytest.raises(FileError, match="no track 3; it has 2"):
        count(track=3)


def test_our_own_midi_file_is_read_back(heard, written):
    found = read_midi(Path(written(export(heard, "midi", "a.wav")[".mid"])), note=36)
    np.testing.assert_allclose(found.times, heard.kick.times, atol=0.002)


# --- what is wrong

LINES = [
    ("", "not one time"),
    ("\n\n# nothing\n", "not one time"),
    ("time,value\n", "not one time"),
    ("0,0,5,1\n1,5,2,0\n", "decimal commas"),
    ("0,5\n0,9\n1,4\n", "decimal commas"),
    ("0,5;1\n1,5;0\n", "line 1: '0,5' has a decimal comma; write 0.5"),
    ("1,1\nnan,1\n", "line 2: 'nan' is not a time"),
    ("nan,1\n", "line 1: 'nan' is not a time"),
    ("inf,1\n2,1\n", "line 1: 'inf' is not a time"),
    ("-1,1\n2,0.5\n", "line 1: the time -1 is not within the song"),
    ("1,1\n86400,1\n", "line 2: the time 86400 s is not within the song"),
    ("25:00:00,1\n", "is not a time"),
    ("9" * 5000 + ",1\n", "line 1: '9{40}' is not a time"),
    ("1_0,1\n", "line 1: '1_0' is not a time"),
    ('{"a": 1}', "is JSON"),
    ("<a/>", "is XML"),
    ('1,"2\n', "the table is damaged"),
]


@pytest.mark.parametrize(("content", "words"), LINES, ids=lambda text: text[:20])
@pytest.mark.parametrize("read", [curve, events])
def test_a_table_that_cannot_be_read_is_named_with_its_line(read, content, words, written, steady, values_of):
    node = read(written(content))
    with pytest.raises(FileError, match=words) as caught:
        values_of(node.toggle() if read is events else node, steady)
    assert "x.csv" in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("1\n2\n", "line 1: there is no value"),
        ("1,2\n2,\n", "line 2: there is no value"),
        ("1,loud\n", "line 1: 'loud' is not a number"),
        ("1,1\n2,nan\n", "line 2: 'nan' is not a number"),
        ("1,1e40\n", "line 1: 1e40 is too large a value"),
        ("1,1e999\n", "line 1: '1e999' is not a number"),
        ("1," + "9" * 5000, "line 1: '9{40}' is not a number"),
        ("1;0,5\n2;0,7\n", "line 1: '0,5' is not a number; write 0.5"),
    ],
    ids=lambda text: text[:20],
)
def test_a_value_that_is_none_is_named(content, words, written, steady, values_of):
    with pytest.raises(FileError, match=words):
        values_of(curve(written(content)), steady)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("time,strength\n1,2\n", "line 2: the strength 2 is out of range; it goes from 0 to 1"),
        ("time,velocity\n1,64\n2,128\n", "line 3: the velocity 128 is out of range; it goes from 0 to 127"),
        ("time,strength\n1,-0.1\n", "out of range"),
        ("time,strength\n1,loud\n", "'loud' is not a number"),
    ],
)
def test_a_strength_out_of_range_is_named(content, words, written, steady, values_of):
    with pytest.raises(FileError, match=words):
        values_of(events(written(content)).toggle(), steady)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no MIDI file"),
        (b"RIFF....WAVE", "no MIDI file"),
        (b"MThd", "is damaged"),
        (midi_bytes([note(0)])[:-6], "is damaged"),
        (midi_bytes([note(0)], kind=2), "several songs"),
        (midi_bytes([note(0)]).replace(b"\x01\xe0", b"\xe7\x28"), "frames of a video"),
        (midi_bytes([note(0)]).replace(b"\x01\xe0", b"\x00\x00"), "frames of a video"),
        (midi_bytes([tempo(0, 4), note(2**28 - 1)]), "not within a song"),
        (midi_bytes([note(1)]).replace(b"\x01\x90", b"\xff" * 200 + b"\x01\x90"), "damaged"),
    ],
)
def test_a_midi_file_that_cannot_be_read_is_named(content, words, written, steady, values_of):
    with pytest.raises(FileError, match=words) as caught:
        values_of(midi(written(content, "x.mid")).toggle(), steady)
    assert "x.mid" in str(caught.value)


@pytest.mark.parametrize("read", [read_curve, read_events, read_midi])
def test_what_is_no_ordinary_file_is_refused(read, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none", tmp_path, tmp_path / "pipe", Path("/dev/zero"), tmp_path / "a\0b"):
        with pytest.raises(FileError, match="cannot be read"):
            read(path)


@pytest.mark.parametrize("read", [read_curve, read_events, read_midi])
def test_a_file_that_is_too_large_is_refused(read, tmp_path):
    with (tmp_path / "big").open("wb") as file:
        file.truncate(31_000_000)
    with pytest.raises(FileError, match="too large"):
        read(tmp_path / "big")


def outcome(read, path):
    """What was read, or the sentence on why it was not."""
    try:
        return read(path)
    except FileError as error:
        return str(error)


def plausible(found):
    if isinstance(found, str):
        return found.endswith(".") and "\n" not in found
    return bool(np.all(np.diff(found.times) >= 0) and np.all((found.times >= 0) & (found.times < 86_400)))


@FUZZ
@given(content=st.binary(max_size=200))
@example(content=b"\xff\xfe1\x00")
@example(content=b"\xff\xfe1")
@example(content=b"\x00\x00\n1")
@example(content="\u0661,\u0662\n".encode())
@example(content=b"0\x0c1\n")
def test_any_bytes_are_read_or_refused_in_one_sentence(content, tmp_path):
    (tmp_path / "x").write_bytes(content)
    assert plausible(outcome(read_curve, tmp_path / "x"))
    assert plausible(outcome(read_events, tmp_path / "x"))


FIELD = st.one_of(
    st.floats().map(str),
    st.integers(0, 99).map(str),
    st.sampled_from(["time", "value", "", "1:02", "0,5", '"', "-", "1e5"]),
)


@FUZZ
@given(rows=st.lists(st.lists(FIELD, max_size=4), max_size=6), mark=st.sampled_from(",;\t "))
def test_any_table_is_read_or_refused_in_one_sentence(rows, mark, tmp_path):
    (tmp_path / "x").write_text("\n".join(mark.join(fields) for fields in rows), encoding="utf-8")
    assert plausible(outcome(read_curve, tmp_path / "x"))
    assert plausible(outcome(read_events, tmp_path / "x"))


WHOLE = midi_bytes(
    [tempo(0, 120), note(480), note(10)], [note(480), mido.MetaMessage("text", text="x", time=3)]
)


@FUZZ
@given(
    changed=st.lists(st.tuples(st.integers(4, len(WHOLE) - 1), st.integers(0, 255)), max_size=5),
    length=st.integers(4, len(WHOLE)),
)
def test_any_damaged_midi_file_is_read_or_refused(changed, length, tmp_path):
    content = bytearray(WHOLE)
    for place, value in changed:
        content[place] = value
    for size in (length, len(content)):
        (tmp_path / "x").write_bytes(content[:size])
        assert plausible(outcome(read_midi, tmp_path / "x"))


def test_files_are_written_out_in_a_patch():
    for text in (
        "curve('a b.csv', column='')",
        "events('x.csv').toggle()",
        "midi('x.mid', track=2, note=None).toggle()",
    ):
        assert str(parse(text)) == text
    with pytest.raises(PatchError, match="path of 'curve' is text, not 3"):
        curve(3)
    with pytest.raises(PatchError, match="it goes from 0 to 127"):
        parse("midi('x.mid', note=128)")
