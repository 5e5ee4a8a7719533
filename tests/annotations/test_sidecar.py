"""The corrections file beside a song: what is saved is read back, and garbage is one sentence."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clavilux.annotations.sidecar import Sidecar, corrected, corrections_of, read_labels, sidecar_path
from clavilux.errors import FileError, OutputError, SettingError
from clavilux.features.corrections import Corrections

CORRECTIONS = st.builds(
    lambda tempo, first, metre: Corrections(**tempo, first_downbeat=first, beats_per_bar=metre),
    st.fixed_dictionaries({}, optional={"bpm": st.floats(20, 400)})
    | st.fixed_dictionaries({"tempo_factor": st.sampled_from([0.5, 1.0, 2.0])}),
    st.none() | st.floats(0, 3600),
    st.none() | st.integers(2, 7),
)


@pytest.fixture
def song(tmp_path):
    return tmp_path / "my song.mp3"


def write(song, text):
    sidecar_path(song).write_text(text, encoding="utf-8")


def test_corrections_written_by_hand_are_read(song):
    write(
        song,
        'bpm = 128\nfirst_downbeat = "0:01.5"\nbeats_per_bar = 3\nsections = [["0:00", "A"], [32, "B"]]\n',
    )
    corrections = corrections_of(song)
    assert (corrections.bpm, corrections.first_downbeat, corrections.beats_per_bar) == (128, 1.5, 3)
    assert corrections.sections.labels == ("A", "B")
    assert corrections.sections.bounds[:2].tolist() == [0, 32]
    assert corrections.apply_to_sections(corrections.sections, 60.0).bounds.tolist() == [0, 32, 60]


def test_songs_of_one_name_share_their_corrections(song, tmp_path):
    write(song, 'tempo = "double"\n')
    assert corrections_of(tmp_path / "my song.wav").tempo_factor == 2
    assert corrections_of(tmp_path / "other song.wav").none


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(first=CORRECTIONS, later=CORRECTIONS)
def test_saved_corrections_are_read_back_and_replace_earlier_ones(tmp_path, first, later):
    song = tmp_path / "song.ogg"
    sidecar_path(song).unlink(missing_ok=True)
    Sidecar.beside(song).save(first)
    assert corrections_of(song) == first
    Sidecar.beside(song).save(later)
    assert corrections_of(song) == first.merged(later)


def test_saving_keeps_comments_sections_and_order(song):
    written = "# by ear\nbpm = 90  # slow\n\nsections = [\n  # parts\n  [0, 'A'],\n]\nbeats_per_bar = 3\n"
    write(song, written)
    Sidecar.beside(song).save(Corrections(beats_per_bar=3))
    assert sidecar_path(song).read_text() == written
    Sidecar.beside(song).save(Corrections(tempo_factor=2.0))
    assert sidecar_path(song).read_text() == 'tempo = "double"\n' + written.replace("bpm = 90  # slow\n", "")
    Sidecar.beside(song).save(Corrections(beats_per_bar=5))
    assert sidecar_path(song).read_text().endswith("]\nbeats_per_bar = 5\n")
    assert not list(song.parent.glob("*.clavilux-part"))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_saving_keeps_trailing_comments_spelling_and_line_ends(song, newline):
    written = (
        "# mine\n"
        'first_downbeat = "0:00.52"   # on the snare\n'
        "  bpm=90# slow\n"
        "labels = 'sections.txt'  # drawn in Audacity\n"
        "\n"
        "# the end"
    ).replace("\n", newline)
    (song.parent / "sections.txt").write_text("0\t4\tA\n")
    sidecar_path(song).write_bytes(written.encode())
    Sidecar.beside(song).save(Corrections(bpm=97))
    kept = sidecar_path(song).read_bytes().decode()
    assert kept == written.replace("bpm=90#", "bpm=97.0#")
    Sidecar.beside(song).save(Corrections(beats_per_bar=3))
    assert sidecar_path(song).read_bytes().decode() == f"beats_per_bar = 3{newline}{kept}"


def test_values_of_several_lines_are_replaced(song):
    for name in ("a.txt", "b.txt"):
        (song.parent / name).write_text("0\t4\tA\n")
    write(song, "labels = [\n  'a.txt',  # mine\n]\nbpm = 90  # slow\n")
    Sidecar.beside(song).save(Corrections(), [song.parent / "b.txt"])
    assert sidecar_path(song).read_text() == 'labels = ["b.txt"]\nbpm = 90  # slow\n'


def test_labels_are_kept_by_name_and_move_with_the_folder(song, tmp_path):
    (tmp_path / "labels").mkdir()
    labels = tmp_path / "labels" / 'the "best".txt'
    labels.write_text("0\t4\tA\n4\t8\tB\n1\t1\t1\n2\t2\t2\n")
    Sidecar.beside(song).save(Corrections(), [labels])
    heard = corrections_of(song)
    assert heard.sections.labels == ("A", "B")
    assert heard.beats.beats.tolist() == [1, 2]
    moved = tmp_path.with_name(tmp_path.name + "-moved")
    tmp_path.rename(moved)
    assert corrections_of(moved / song.name) == heard
    (moved / "labels" / labels.name).unlink()
    with pytest.raises(FileError, match=r"best.*cannot be read \(no such file"):
        corrections_of(moved / song.name)


def test_corrections_given_now_override_the_file(song, tmp_path):
    write(song, "bpm = 90\nfirst_downbeat = 0.5\n")
    corrections = corrected(song, Corrections(tempo_factor=2.0))
    assert (corrections.bpm, corrections.tempo_factor, corrections.first_downbeat) == (None, 2, 0.5)
    (tmp_path / "beats.txt").write_text("0\t0\t1\n1\t1\t2\n")
    corrections = corrected(song, Corrections(), [tmp_path / "beats.txt"])
    assert (corrections.bpm, corrections.first_downbeat) == (None, None)
    with pytest.raises(SettingError, match="omit bpm"):
        corrected(song, Corrections(bpm=90), [tmp_path / "beats.txt"])


def test_contradictions_are_not_saved(song, tmp_path):
    (tmp_path / "beats.txt").write_text("0\t0\t1\n1\t1\t2\n")
    Sidecar.beside(song).save(Corrections(), [tmp_path / "beats.txt"])
    before = sidecar_path(song).read_text()
    with pytest.raises(FileError, match="omit bpm"):
        Sidecar.beside(song).save(Corrections(bpm=90))
    assert sidecar_path(song).read_text() == before


def test_two_label_files_of_the_same_kind_are_an_error(song, tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("0\t4\tA\n")
    with pytest.raises(FileError, match=r"'b\.txt' holds sections"):
        read_labels([tmp_path / "a.txt", tmp_path / "b.txt"])
    write(song, 'sections = [[0, "A"]]\nlabels = "a.txt"\n')
    with pytest.raises(FileError, match="lists sections, and so do the labels"):
        corrections_of(song)


BAD = {
    "bpm": "cannot be used: ",
    "bpm = 'fast'": "bpm must be a number",
    "bpm = nan": "bpm must be a number",
    "bpm = true": "bpm must be a number",
    "bmp = 3": "there is no 'bmp'; did you mean 'bpm'?",
    "swing = 3": "there is no 'swing'",
    "[bpm]\nx = 1": "bpm must be a number",
    "first_downbeat = 'soon'": "'soon' is not a time",
    "first_downbeat = [1]": "first_downbeat is a time",
    "first_downbeat = -1": "first_downbeat is a time",
    "beats_per_bar = 9": "2 to 7",
    "beats_per_bar = 3.5": "whole number",
    "tempo = 'twice'": "'half' or 'double'",
    "tempo = ['half']": "'half' or 'double'",
    "bpm = 90\ntempo = 'half'": "not both",
    "sections = 3": "sections are written",
    "sections = []": "sections are empty",
    "sections = [[0, 'A', 3]]": "sections are written",
    "sections = [['x', 'A']]": "'x' is not a time",
    "sections = [[5, 'A'], [5, 'B']]": "section 1",
    "sections = [[inf, 'A']]": "sections are written",
    "labels = 3": "labels is the name of a file",
    "labels = [3]": "labels is the name of a file",
    "labels = 'missing.txt'": "missing.txt",
    "labels = '.'": "cannot be read",
    "bpm = 1\nbpm = 2": "overwrite",
    "bpm = " + "[" * 5000: "cannot be used",
}


@pytest.mark.parametrize("text", BAD, ids=[text[:25] for text in BAD])
def test_garbage_is_one_sentence_that_names_the_file(song, text):
    write(song, text)
    with pytest.raises(FileError) as caught:
        corrections_of(song)
    assert re.search(re.escape(BAD[text]), str(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\xf8\xfe\x00b", b'bpm = "\xe9"', b" " * 10_000_001])
def test_a_file_that_is_not_text_is_an_error(song, content):
    sidecar_path(song).write_bytes(content)
    with pytest.raises(FileError, match=r"corrections '.*my song.clavilux.toml' is "):
        corrections_of(song)


def test_a_folder_in_its_place_is_an_error(song):
    sidecar_path(song).mkdir()
    with pytest.raises(FileError, match="cannot be read"):
        corrections_of(song)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_content_is_corrections_or_one_sentence(tmp_path, content):
    song = tmp_path / "song.ogg"
    sidecar_path(song).write_bytes(content)
    message = "song.clavilux.toml"
    try:
        corrections_of(song)
    except FileError as error:
        message = str(error)
    assert "song.clavilux.toml" in message


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="There is no folder"):
        Sidecar.beside(Path(tmp_path / "no" / "such" / "song.mp3")).save(Corrections(bpm=90))


def test_the_last_section_lasts_to_the_end_of_any_song(song):
    write(song, 'sections = [[3, "A"]]\n')
    sections = corrections_of(song).apply_to_sections(corrections_of(song).sections, 3600.0)
    assert sections.labels == ("-", "A")
    assert np.allclose(sections.bounds, [0, 3, 3600])
