"""`clavilux new`, `check`, `set` and `preview`: from a song to a project file, to its video, and back."""

import json
import re
import tomllib
import wave
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from commands import run
from PIL import Image

from clavilux.director.direct import direct
from clavilux.director.light import ModelLight
from clavilux.make.prepare import open_song
from clavilux.make.workspace import Workspace
from clavilux.profile.survey import survey
from clavilux.project.project import Project
from clavilux.store import Store
from clavilux.video.probe import decode, probe

pytestmark = pytest.mark.usefixtures("place")

SMALL = ["--size", "64x36", "--cells", "4x7", "--fps", "5"]


@pytest.fixture
def tune(tmp_path, piece):
    """Two seconds of the main part of the composed piece."""
    path = tmp_path / "tune.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes((piece.audio.read(22050 * 8, 44100).mean(axis=0) * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture
def show(tune, small_file, tmp_path):
    assert run("new", tune, "--patch", "pulse", "--model", small_file, *SMALL) == 0
    return tmp_path / "tune.toml"


def test_a_song_becomes_a_project_a_video_and_the_same_project_again(show, tmp_path, capsys):
    assert run("check", show) == 0
    assert "nothing is wrong" in capsys.readouterr().out
    assert run("render", show, "-q") == 0
    made = probe(tmp_path / "tune.mp4")
    assert (made.frames, made.size) == (10, (64, 36))
    assert run("new", tmp_path / "tune.mp4", "-o", "again.toml") == 0
    again = (tmp_path / "again.toml").read_text()  # its song is the video, whose sound is encoded
    (tmp_path / "again.toml").write_text(again.replace('"tune.mp4"', '"tune.wav"'))
    assert run("render", "again.toml", "-o", "again.mp4", "-q") == 0
    assert run("recreate", "tune.mp4", "tune.wav", "-o", "same.mp4", "-q") == 0
    first, again, same = (_decoded(tmp_path / f"{name}.mp4") for name in ("tune", "again", "same"))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, same)


def test_a_new_project_has_the_palettes_that_suit_its_model(composed, silk, tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, composed.audio.mono(22050), 22050)
    assert run("new", path, "--model", "silk", *SMALL) == 0
    written = tomllib.loads((tmp_path / "song.toml").read_text())["looks"]
    song = open_song(path, Project(), Workspace())
    measured = direct(song, find_light=lambda: ModelLight(survey(silk, Store()))).tables["looks"]
    assert written == measured
    assert written != direct(song).tables["looks"]


def _decoded(path):
    return np.stack(list(decode(path)))


def test_a_setting_changes_and_every_comment_stays(show, capsys):
    show.write_text(show.read_text().replace("seed = 0", "seed = 0  # mine"))
    assert run("set", show, "seed=7", "look.punch=1.5", "output.fps=10") == 0
    found = tomllib.loads(show.read_text())
    assert (found["seed"], found["look"]["punch"], found["output"]["fps"]) == (7, 1.5, 10)
    assert "seed = 7  # mine" in show.read_text()
    before = show.read_bytes()
    assert run("set", show, "look.punch=9") == 2
    assert "stays as it is" in capsys.readouterr().err
    assert show.read_bytes() == before
    assert run("set", show, "seed") == 2
    assert "output.fps=24" in capsys.readouterr().err


def test_all_that_is_wrong_is_said_at_once(show, capsys):
    text = show.read_text().replace("seed = 0", 'seed = "x"').replace("punch = 1.0", "punch = 9")
    show.write_text(text.replace('codec = "h264"', 'codec = "h265"'))
    assert run("check", show) == 2
    said = capsys.readouterr().out
    assert all(word in said for word in ("seed", "punch", "codec"))
    assert said.count("\n") == 3
    assert run("check", show, "--json") == 2
    assert len(json.loads(capsys.readouterr().out)) == 3


@pytest.mark.parametrize("look", ["pulse", "auto"])
def test_all_that_is_wrong_with_a_cue_sheet_is_said_at_once(look, show, tmp_path, capsys):
    (tmp_path / "set.csv").write_text("time,patch,gain\n0,pulze,1\nsoon,,1\n60,,99\n120,gone.toml,1\n")
    text = show.read_text().replace("seed = 0", 'seed = 0\ncues = "set.csv"')
    show.write_text(text.partition("[look")[0] + f'[look]\npreset = "{look}"\n')
    assert run("check", show) == 2
    said = capsys.readouterr().out
    for words in ("did you mean 'pulse'", "line 3: 'soon'", "line 4: gain", "gone.toml"):
        assert words in said
    assert said.count("\n") == 4


def test_a_missing_file_is_said_beside_other_mistakes(show, capsys):
    show.write_text(show.read_text().replace("seed = 0", 'seed = "x"').replace("tune.wav", "gone.wav"))
    assert run("check", show) == 2
    said = capsys.readouterr().out
    assert "seed" in said
    assert "there is no file 'gone.wav'" in said


def test_what_the_model_lacks_is_said_with_its_line(show, capsys):
    sentences = """[look]
latents = "palette().loop(bars=8).on('40-50', palette().loop(bars=4))"
noise = "drift(seconds=3).on('b999.conv0', drift(seconds=1))"
rewrites = ["rewrite.blend(at='coarse', model='https://example.org/net.pkl', amount=1)"]
"""
    show.write_text(show.read_text().partition("[look")[0] + sentences)
    assert run("check", show) == 2
    said = capsys.readouterr().out
    lines = show.read_text().splitlines()
    for words, needle in (("no layers '40-50'", "40-50"), ("no layers 'b999.conv0'", "b999")):
        number = next(k for k, line in enumerate(lines, 1) if needle in line)
        assert f"line {number}: " in said
        assert words in said
    assert "fetches no model from 'https://example.org/net.pkl'" in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('song = "tune.wav"', 'song = "gone.wav"'), "song: there is no file"),
        (('codec = "h264"', 'codec = "ffv1"\nbits = 3'), "bits"),
        (("[look]", '[look]\npresett = "x"'), "presett"),
    ],
)
def test_what_is_missing_or_misspelt_is_named(show, change, words, capsys):
    show.write_text(show.read_text().replace(*change))
    assert run("check", show) == 2
    assert words in capsys.readouterr().out


def test_nothing_is_overwritten_unasked(show, tune, capsys):
    before = show.read_bytes()
    assert run("new", tune) == 2
    assert "--force" in capsys.readouterr().err
    assert show.read_bytes() == before
    assert run("new", tune, "-o", tune, "--force") == 2
    assert run("new", "gone.wav") == 2
    assert "There is no file 'gone.wav'" in capsys.readouterr().err


def test_a_preset_written_out_is_the_same_look(tune, show, small_file, capsys):
    assert (
        run("new", tune, "--patch", "pulse", "--model", small_file, *SMALL, "--written-out", "-o", "out.toml")
        == 0
    )
    assert run("render", show, "-o", "a.mp4", "-q") == run("render", "out.toml", "-o", "b.mp4", "-q") == 0
    np.testing.assert_array_equal(_decoded(show.parent / "a.mp4"), _decoded(show.parent / "b.mp4"))


def test_a_preview_is_a_sheet_and_two_short_videos(show, tmp_path):
    assert run("preview", show, "-q") == 0
    with Image.open(tmp_path / "tune-preview.png") as sheet:
        assert min(sheet.size) > 50
        assert np.asarray(sheet).std() > 5
    for part in ("loudest", "quietest"):
        assert probe(tmp_path / f"tune-{part}.mp4").frames > 10
    assert run("preview", show, "-q") == 2


def test_all_that_sentences_ask_for_and_is_not_there_is_said_at_once(show, tmp_path, capsys):
    (tmp_path / "level.csv").write_text("time,level\n0,0\n1,1\n")
    (tmp_path / "broken.csv").write_text("time,level\n0,x\n")
    (tmp_path / "mask.png").write_text("no image")
    mido.MidiFile(tracks=[mido.MidiTrack()]).save(tmp_path / "drums.mid")
    sentences = """[palettes]
mine = "from_seeds('1-3')"
[signals]
lift = "curve('level.csv', column='leval')"
rise = "curve('broken.csv')"
hits = "midi('drums.mid', track=4).decay(beats=1)"
gone = "events('gone.csv').decay(beats=1)"
typo = "kick.decay(beats=1).smoth()"
[look]
latents = "mine.loop(bars=4).toward(mine.entry('flash'), lift).push('enrgy', by=rise)"
noise = "drift(seconds=3).mask(image('mask.png')).scale(hits + gone)"
rewrites = ["rewrite.edit(at='b16.conv1', path='hat.json')"]
"""
    show.write_text(show.read_text().partition("[look")[0] + sentences)
    assert run("check", show) == 2
    said = capsys.readouterr().out.splitlines()
    lines = show.read_text().splitlines()
    expected = [
        ("lift = ", "signals.lift, column 1: .*no column 'leval'; did you mean 'level'"),
        ("rise = ", "signals.rise, column 1: .*line 2"),
        ("hits = ", "signals.hits, column 1: .*no track 4; it has 1"),
        ("gone = ", "signals.gone, column 1: there is no file '.*gone.csv'; check"),
        ("typo = ", "signals.typo, column 21: .*did you mean 'smooth'"),
        ("latents = ", "look.latents, column 31: .*no entry 'flash'; there are"),
        ("noise = ", "look.noise, column 23: The image '.*mask.png' cannot be read; give a PNG"),
        ("rewrites = ", r"look.rewrites.0., column 9: there is no file '.*hat.json'"),
    ]
    for (needle, words), text in zip(expected, said, strict=True):
        number = next(k for k, line in enumerate(lines, 1) if line.startswith(needle))
        assert re.search(f"line {number}: {words}", text), text


def test_a_direction_that_the_model_lacks_is_said(show, capsys):
    sentences = """[look]
latents = "palette().loop(bars=8).push('enrgy', by=1)"
noise = "drift(seconds=3)"
"""
    show.write_text(show.read_text().partition("[look")[0] + sentences)
    assert run("check", show) == 2
    assert "look.latents, column 24: There is no direction 'enrgy'" in capsys.readouterr().out
    assert run("render", show, "-q") == 2
    assert "look.latents, column 24: There is no direction 'enrgy'" in capsys.readouterr().err


def test_a_render_names_the_sentence_or_the_track_that_is_wrong(show, tmp_path, capsys):
    sentences = """[look]
latents = "palette().loop(bars=8)"
noise = "drift(seconds=3).scale(in_section('Z'))"
"""
    kept = show.read_text()
    show.write_text(kept.partition("[look")[0] + sentences)
    assert run("render", show, "-q") == 2
    assert "look.noise, column 24: The song has no section 'Z'" in capsys.readouterr().err
    (tmp_path / "other.toml").write_text(sentences)
    (tmp_path / "set.csv").write_text("time,title,patch,palette\n0,One,,\n1,Two,other.toml,\n")
    show.write_text(kept.replace("seed = 0", 'seed = 0\ncues = "set.csv"'))
    assert run("render", show, "-q") == 2
    assert "the track at 0:01 (Two), other.toml: look.noise, column 24: The song" in capsys.readouterr().err
    (tmp_path / "set.csv").write_text("time,title,patch,palette\n0,One,,\n1,Two,,gone\n")
    assert run("render", show, "-q") == 2
    assert "the track at 0:01 (Two)" in capsys.readouterr().err


def test_a_stylegan3_is_shown_by_a_look_without_noise(tune, tmp_path, capsys):
    model = Path(__file__).parents[1] / "generator" / "data" / "checkpoints" / "sg3t64.pkl"
    (tmp_path / "plain.toml").write_text(
        f"""song = "tune.wav"
model = "{model}"
[look]
latents = "palette().loop(bars=8)"
[output]
size = "64x64"
fps = 5
"""
    )
    assert run("check", "plain.toml") == 0
    assert run("render", "plain.toml", "-q") == 0, capsys.readouterr().err
    assert probe(tmp_path / "plain.mp4").frames == 10
