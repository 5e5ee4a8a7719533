"""Cue sheets: read in every format, each mistake with its line, one scene for every track."""

import contextlib
import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clavilux.annotations.cues import Cue, read_cues, tracks_of
from clavilux.audio.sound import Audio
from clavilux.errors import ClaviluxError, FileError, PatchError, SettingError
from clavilux.features.corrections import Corrections
from clavilux.features.song import Song
from clavilux.moments import Fade, Moment
from clavilux.patches.patch import Patch
from clavilux.patches.presets.pulse import pulse
from clavilux.patches.score import bars, scene, score
from clavilux.project.cues import corrections_of_cues, score_of_cues
from clavilux.project.output import Output
from clavilux.project.project import Project
from clavilux.project.show import Show, parse_show, show_text
from clavilux.report.exports import export

ROWS = [
    ["Time", "title", "patch", "palette", "seed", "fade", "gain", "energy", "bpm", "flash"],
    ["6:12", "Second, louder", "pulse", "warm", "5", "4 bars", "1.2", "0.9", "126", "0.25"],
    ["0", "Opening", "", "", "", "", "", "", "", ""],
]
EXPECTED = [
    Cue(0, "Opening"),
    Cue(372, "Second, louder", "pulse", "warm", 5, Fade(4, "bars"), 1.2, 0.9, {"flash": 0.25}),
]
TOML = """
[[cues]]
time = "6:12"
title = "Second, louder"
patch = "pulse"
palette = "warm"
seed = 5
fade = "4 bars"
gain = 1.2
energy = 0.9
bpm = 126
flash = 0.25
[[cues]]
time = 0
title = "Opening"
"""
CUE = """PERFORMER "Somebody"
TITLE "The whole set"
FILE "mix.wav" WAVE
  TRACK 01 AUDIO
    TITLE "Opening"
    INDEX 00 00:00:00
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    INDEX 01 06:12:37
"""


def write(tmp_path, text, name="set.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_is_read_with_any_delimiter(tmp_path, delimiter, encoding, end):
    lines = [delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) for row in ROWS]
    path = write(tmp_path, end.join([*lines, "", ""]), encoding=encoding)
    assert read_cues(path) == EXPECTED


def test_toml_and_cue_sheets_are_read(tmp_path):
    assert read_cues(write(tmp_path, TOML, "set.toml")) == EXPECTED
    found = read_cues(write(tmp_path, CUE, "set.CUE", "cp1252"))
    assert [(cue.title, cue.time) for cue in found] == [
        ("Opening", 0),
        ("Track 2", pytest.approx(372 + 37 / 75)),
    ]
    assert read_cues(write(tmp_path, "time\n0\n", "bare.csv"))[0].title
    named = write(tmp_path, CUE.replace("Opening", "Für Élise"), "old.cue", "cp1252")
    assert read_cues(named)[0].title == "Für Élise"


def test_remarks_of_a_cue_sheet_are_what_columns_of_a_table_are(tmp_path):
    said = ('REM GENRE "Techno"', "REM PATCH pulse", 'rem palette "warm"', "REM GAIN 0.5", "REM FADE 2 bars")
    remarks = "\n    ".join(said)
    sheet = CUE.replace("    INDEX 01 06:12:37", f"    INDEX 01 06:12:37\n    {remarks}")
    first, second = read_cues(write(tmp_path, sheet, "set.cue"))
    assert (second.patch, second.palette, second.gain, str(second.fade)) == ("pulse", "warm", 0.5, "2 bars")
    assert (first.patch, first.gain) == ("", 1.0)
    with pytest.raises(FileError, match="track 2: gain is '99'"):
        read_cues(write(tmp_path, sheet.replace("GAIN 0.5", "GAIN 99"), "set.cue"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no column 'time'"),
        ("title\nx\n", "no column 'time'.*begin it with time,title"),
        ("time\n", "it has 0 tracks"),
        ("time\n0\nsoon\n", "line 3: 'soon' is not a time"),
        ("time,gain\n0,1\n60,11\n", "line 3: gain is '11'; it is a number from 0 to 10"),
        ("time,energy\n0,nan\n", "line 2: energy is 'nan'"),
        ("time,seed\n0,x\n", "line 2: seed is 'x'"),
        ("time,fade\n0,2\n", "line 2: '2' is not a length of time; write 2 bars"),
        ("time,title\n0\n", "line 2 has not as many fields"),
        ("time,title\n0,a,b\n", "line 2 has not as many fields"),
        ('time,title\n0,"a"b"\n', "line 2 is damaged"),
        ("time,title\n,a\n", "line 2: it has no time"),
        ("time\n1\n1.05\n", "two tracks begin at 1.05 s; move one"),
        ("time\n24:00:00\n", "line 2: .* after the end of any song"),
        ("time\n" + "".join(f"{k}\n" for k in range(501)), "it has 501 tracks"),
        ("time\n1e400\n", "is not a time"),
        ("time\n" + "9" * 5000, "is not a time"),
        ("x" * 2_000_000, "too large"),
    ],
    ids=lambda text: text[:16],
)
def test_a_mistake_in_a_table_names_its_line(tmp_path, text, words):
    with pytest.raises(FileError) as caught:
        read_cues(write(tmp_path, text))
    assert re.search(words, str(caught.value)), str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cues = 5", "no .*cues"),
        ("cues = [5]", "no .*cues"),
        ("[[cues]]\ntime = [1]", "cue 1: time is neither text nor a number"),
        ("[[cues]]\ntime = 0\nflash = { a = 1 }", "cue 1: flash is neither"),
        ("[[cues]]\ntime = 0x" + "f" * 5000, "64 bits"),
        ("[[cues]]\nseed = 1", "cue 1: it has no time"),
        ("[[cues]]\ntime = true", "cue 1: 'True' is not a time"),
        ("cues = " + "[" * 100_000, "nested too deeply"),
        (".".join(["a"] * 100_000) + " = 1", "more than 50 parts"),
    ],
    ids=lambda text: text[:24],
)
def test_a_mistake_in_a_toml_sheet_names_its_cue(tmp_path, text, words):
    with pytest.raises(FileError) as caught:
        read_cues(write(tmp_path, text, "set.toml"))
    assert re.search(words, str(caught.value)), str(caught.value)


@settings(max_examples=150)
@given(st.binary(max_size=200), st.sampled_from([".csv", ".toml", ".cue"]))
@example(b"time\n0\n\0\n", ".csv")
@example(b"time\n\xff\n", ".csv")
@example(b"TRACK\nINDEX 01 9999:99:99", ".cue")
def test_any_bytes_are_cues_or_one_error(tmp_path_factory, content, suffix):
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(content)
    with contextlib.suppress(FileError):
        assert read_cues(path)


TRACKS = ["pulse", "calm", "warm", "1", "2 bars", "-1", "0:10", "", "x", "nan", "9" * 400]


@settings(max_examples=100)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from([*ROWS[0][1:], "punch", "nonsense"]),
            st.sampled_from(TRACKS) | st.text(max_size=5),
            max_size=4,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_columns_make_a_patch_or_one_error(tmp_path_factory, rows):
    import csv

    path = tmp_path_factory.getbasetemp() / "any-columns.csv"
    names = ["time", *dict.fromkeys(name for row in rows for name in row)]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, names, restval="")
        table.writeheader()
        table.writerows({"time": 10 * k, **row} for k, row in enumerate(rows))
    with contextlib.suppress(ClaviluxError):
        assert isinstance(score_of_cues(path, preset="pulse", seed=0), Patch)


def test_every_track_is_a_scene_with_its_own_seed_and_knobs(tmp_path):
    path = write(
        tmp_path,
        "time,patch,palette,seed,fade,energy,punch\n"
        "0,,,,,,\n60,pulse,warm,7,4 bars,,\n120,,,,0 seconds,0,\n180,,,,1 beat,1,0.5\n",
    )
    made = score_of_cues(path, preset="pulse", seed=3)
    assert made == score(
        scene(pulse(3), until="60"),
        scene(pulse(7, colours="warm"), until="120", fade=bars(4)),
        scene(pulse(5, punch=0.4, drift_bars=64), until="180", fade=Fade(0, "seconds")),
        scene(pulse(6, punch=0.5, drift_bars=8), until=Moment("end"), fade=Fade(1, "beats")),
    )


def test_the_projects_knobs_hold_for_tracks_that_say_nothing_else(tmp_path):
    path = write(tmp_path, "time,flash,energy\n0,,\n60,0.1,\n120,,0\n")
    project = Project(seed=2, cues=str(path), knobs={"punch": 0.7, "flash": 0.9})
    assert project.shown == score(
        scene(pulse(2, punch=0.7, flash=0.9), until="60"),
        scene(pulse(3, punch=0.7, flash=0.1), until="120", fade=bars(2)),
        scene(pulse(4, punch=0.4, flash=0.9, drift_bars=64), fade=bars(2)),
    )
    with pytest.raises(SettingError, match="joins presets, not a patch"):
        _ = Project(cues=str(path), patch=pulse(1)).shown


def test_the_gain_of_a_track_scales_its_noise_alone(tmp_path):
    loud = score_of_cues(write(tmp_path, "time,gain\n0,2.5\n"), preset="pulse", seed=0)
    assert loud == Patch(pulse(0).latents, pulse(0).noise.scale(2.5), pulse(0).psi)


def test_a_project_file_is_the_look_of_a_track(tmp_path):
    look = 'latents = "palette(seed=4).loop(bars=8)"\nnoise = "drift(seconds=4).scale(amount)"\n'
    text = f"[knobs]\namount = 0.5\n[look]\n{look}"
    write(tmp_path, text, "garden.toml")
    path = write(tmp_path, "time,patch,amount\n0,garden.toml,\n60,garden.toml,0.75\n")
    made = score_of_cues(path, preset="pulse", seed=0)
    first, second = (
        parse_show(text, tmp_path, knobs=knobs)[0].project.patch for knobs in ({}, {"amount": 0.75})
    )
    assert made == score(scene(first, until="60"), scene(second, fade=bars(2)))


def test_a_project_with_the_very_sheet_that_names_it_is_refused(tmp_path):
    path = write(tmp_path, "time,patch\n0,show.toml\n")
    write(tmp_path, 'cues = "set.csv"\n', "show.toml")
    with pytest.raises(FileError, match="has a cue sheet itself"):
        score_of_cues(path, preset="pulse", seed=0)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("0,pulze,", "no preset 'pulze'; did you mean 'pulse'"),
        ("0,missing.toml,", r"missing\.toml.* cannot be read"),
        ("0,pulse,loud", "punch"),
        ("0,pulse,7", "punch=7"),
    ],
)
def test_a_patch_that_cannot_be_is_named(tmp_path, row, words):
    with pytest.raises((FileError, PatchError), match=words):
        score_of_cues(write(tmp_path, f"time,patch,punch\n{row}\n"), preset="pulse", seed=0)


def test_tracks_become_corrections_that_reach_to_the_end_of_the_song(tmp_path):
    path = write(tmp_path, "time,title\n0:01,One\n0:04,Two\n")
    corrections = corrections_of_cues(path)
    rate = 8000
    quiet_then_loud = np.concatenate([np.full(4 * rate, 0.01), np.full(6 * rate, 0.5)]) * np.sin(
        np.arange(10 * rate)
    )
    song = Song(Audio.from_samples(quiet_then_loud, rate), corrections=corrections)
    assert song.tracks.bounds.tolist() == [0, 4, 10]
    assert song.tracks.labels == ("One", "Two")
    assert Corrections.from_dict(corrections.to_dict()) == corrections
    with pytest.raises(SettingError, match="begins at 0:04, after the song's end"):
        _ = Song(Audio.from_samples(np.ones(2 * rate) * 0.1, rate), corrections=corrections).tracks


def test_a_recipe_holds_the_scenes_and_tracks_and_no_sheet(tmp_path):
    path = write(tmp_path, "time,title\n0,One\n60,Two\n")
    project = Project(seed=1, cues=str(path), corrections=Corrections(bpm=120))
    show, errors = parse_show(show_text(Show(None, project, Output()), written_out=True), tmp_path)
    assert not errors
    assert (show.project.cues, show.project.patch) == (None, project.shown)
    assert show.project.corrections == Corrections(bpm=120, tracks=tracks_of(read_cues(path)))
    kept, errors = parse_show(show_text(Show(None, project, Output())), tmp_path)
    assert not errors
    assert kept.project == project


def test_an_exported_sheet_is_read_back(heard, tmp_path):
    made = export(heard, "cue", "piece.wav")
    found = read_cues(write(tmp_path, made[".cues.csv"].decode(), "piece.cues.csv"))
    assert [cue.title for cue in found] == list(heard.sections.labels)
    assert [cue.time for cue in found] == pytest.approx(heard.sections.bounds[:-1].tolist(), abs=1e-3)
    assert all(cue.patch == "pulse" and 0 <= cue.energy <= 1 for cue in found)
    cd = read_cues(write(tmp_path, made[".cue"].decode(), "piece.cue"))
    assert [cue.time for cue in cd] == pytest.approx([cue.time for cue in found], abs=1 / 75)
