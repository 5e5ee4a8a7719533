"""The command line as a stranger meets it: results, and one sentence with exit code 2 for every mistake."""

import json
import resource
import subprocess
import sys
import wave

import numpy as np
import pytest
from commands import run
from PIL import Image

from clavilux.generator.model import builtin_models
from clavilux.project.project import Project
from clavilux.tour.clips import choose_clips
from clavilux.video.probe import probe

SMALL = ["--size", "128x72", "--cells", "4x7", "--fps", "10"]


def write_wav(path, samples, rate=22050):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def tune(tmp_path_factory, piece):
    """Two seconds of the main part of the composed piece."""
    return write_wav(
        tmp_path_factory.mktemp("songs") / "my tune.wav", piece.audio.read(22050 * 8, 44100).mean(axis=0)
    )


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch, tmp_path_factory):
    """Run in an empty folder, with a cache that all tests of this file share."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def test_a_song_becomes_a_video_of_its_name_in_this_folder(tune, tmp_path, capsys):
    assert run("render", tune, *SMALL) == 0
    made = probe(tmp_path / "my tune.mp4")
    assert (made.frames, made.fps, made.size) == (20, 10, (128, 72))
    said = capsys.readouterr().err
    assert "Song:" in said
    assert "my tune.mp4: 20 frames" in said
    assert [path.name for path in tmp_path.iterdir()] == ["my tune.mp4"]


def test_a_second_file_is_told_apart_from_a_misspelt_option(tune, capsys):
    assert run("render", tune, "out.mp4") == 2
    assert "out.mp4" in (said := capsys.readouterr().err)
    assert "--output" in said
    assert run("doctor", "out.mp4") == 2
    assert "--output" not in capsys.readouterr().err


def test_nothing_is_overwritten_unasked(tune, tmp_path, capsys):
    target = tmp_path / "kept.mp4"
    target.write_text("mine")
    assert run("render", tune, "-o", target, *SMALL) == 2
    assert "--force" in capsys.readouterr().err
    assert target.read_text() == "mine"
    assert run("render", tune, "-o", target, *SMALL, "--force", "-q") == 0
    assert probe(target).frames == 20
    assert capsys.readouterr().err == ""


def test_a_dry_run_says_all_and_writes_nothing(tune, tmp_path, capsys):
    assert run("render", tune, *SMALL, "--dry-run", "--json", "--seed", 3) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["frames"], said["seed"], said["size"], said["cells"]) == (20, 3, [128, 72], [4, 7])
    assert not list(tmp_path.iterdir())


def test_a_part_of_a_song_at_an_exact_rate(tune, tmp_path, capsys):
    assert (
        run("render", tune, *SMALL[:4], "--fps", "12000/1001", "--start", "0:00.5", "--duration", 1, "--json")
        == 0
    )
    said = json.loads(capsys.readouterr().out)
    made = probe(tmp_path / "my tune.mp4")
    assert made.frames == said["frames"] == 12
    assert str(made.fps) == "12000/1001"


def test_a_still_is_one_image_of_the_size_asked(tune, tmp_path):
    assert run("still", tune, "--at", "0:01", "-o", "frame.png", *SMALL) == 0
    with Image.open(tmp_path / "frame.png") as image:
        assert image.size == (128, 72)
        assert np.asarray(image).std() > 5


def test_a_demo_needs_nothing(tmp_path):
    assert run("demo", *SMALL, "--duration", "1", "-o", "first.mp4") == 0
    assert probe(tmp_path / "first.mp4").frames == 10


def test_a_clip_of_the_tour_and_what_it_cannot_have(tmp_path, capsys):
    assert run("demo", *SMALL, "--clip", "chroma", "--duration", "1") == 0
    assert probe(tmp_path / "clavilux-chroma.mp4").frames == 10
    assert "0:00  Chords choose the image (chroma)" in capsys.readouterr().err
    assert run("demo", *SMALL, "--clip", "chrome") == 2
    assert "did you mean 'chroma'" in capsys.readouterr().err
    assert run("demo", *SMALL, "--tour", "--patch", "pulse") == 2
    assert "The clips of the tour have their own patch" in capsys.readouterr().err


def test_a_patch_of_the_tour_plays_a_song_of_ones_own(tune, tmp_path):
    (clip,) = choose_clips(["chroma"])
    (tmp_path / "chroma.toml").write_text(clip.text.replace("song.mp3", str(tune)))
    assert run("render", "chroma.toml", *SMALL, "-o", "chroma.mp4") == 0
    assert probe(tmp_path / "chroma.mp4").frames == 20


def test_what_was_heard_as_table_json_and_plot(tune, tmp_path, capsys):
    assert run("analyse", tune) == 0
    assert "bpm" in capsys.readouterr().out
    assert run("analyze", tune, "--json", "--plot", "heard.png") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["duration"] == pytest.approx(2)
    with Image.open(tmp_path / "heard.png") as image:
        assert image.width > 600


def test_a_silent_song_is_a_song(tmp_path, capsys):
    write_wav(tmp_path / "silence.wav", np.zeros(22050))
    assert run("render", "silence.wav", *SMALL) == 0
    assert "is silent" in capsys.readouterr().err
    assert probe(tmp_path / "silence.mp4").frames == 10


BAD_SONGS = {
    "missing.mp3": (None, "missing.mp3"),
    "words.mp3": (b"these are words, not sound\n" * 50, "words.mp3"),
    "nothing.wav": (b"", "nothing.wav"),
    "page.mp3": (b"<!DOCTYPE html><html><body>404 not found</body></html>", "page.mp3"),
}


@pytest.mark.parametrize("name", BAD_SONGS)
@pytest.mark.parametrize("command", ["render", "analyse", "still"])
def test_what_is_not_a_song_is_said_in_one_sentence(tmp_path, capsys, command, name):
    content, says = BAD_SONGS[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    before = sorted(tmp_path.iterdir())
    assert run(command, name) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_an_image_or_a_folder_is_not_a_song(tmp_path, capsys):
    Image.new("RGB", (32, 32)).save(tmp_path / "cover.png")
    assert run("render", "cover.png") == 2
    assert "cover.png" in capsys.readouterr().err
    assert run("render", tmp_path) == 2
    assert "folder" in capsys.readouterr().err


def test_samples_that_are_not_numbers_are_refused(tmp_path, capsys):
    from scipy.io import wavfile

    samples = np.zeros(4000, np.float32)
    samples[1234] = np.nan
    wavfile.write(tmp_path / "broken.wav", 8000, samples)
    assert run("render", "broken.wav") == 2
    assert "broken" in capsys.readouterr().err


def test_a_song_shorter_than_a_frame_is_said(tmp_path, capsys):
    write_wav(tmp_path / "click.wav", np.ones(100))
    assert run("render", "click.wav") == 2
    assert "less than one frame" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--size", "1281x720"], "odd"),
        (["--size", "big"], "write it like 1280x720"),
        (["--cells", "0x7"], "cells"),
        (["--fps", "0"], "frame rate"),
        (["--fps", "fast"], "frame rate"),
        (["--start", "99"], "past the end"),
        (["--start", "soon"], "is not a time"),
        (["--duration", "0"], "duration"),
        (["--model", "silc"], "silk"),
        (["--model", "missing.safetensors"], "missing.safetensors"),
        (["--psi", "9"], "psi"),
        (["--crf", "99"], "crf"),
        (["--device", "abacus"], "abacus"),
        (["-o", "video.avi"], ".mp4"),
        (["-o", "no/such/folder/video.mp4"], "does not exist"),
        (["-o", "."], "mp4"),
        (["--loudness", "3"], "--loudness"),
        (["--seed", "x"], "--seed"),
    ],
)
def test_options_that_cannot_be_are_named(tune, tmp_path, capsys, options, says):
    assert run("render", tune, *options) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_named_and_nothing_is_left(tune, tmp_path):
    """A limit on file sizes stands in for a full disk: the video's own writes fail with an error."""
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    limit += "from clavilux.cli import main;"
    limit += "import clavilux.video.write; import clavilux.video.join; import clavilux.make.job;"
    limit += f"resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, {resource.RLIM_INFINITY}));"
    limit += f"main(['render', {str(tune)!r}, '-o', 'full.mp4', '--size', '640x360', '--crf', '1', '-q',"
    limit += " '--precision', 'exact'])"
    done = subprocess.run(
        [sys.executable, "-c", limit], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("Error: ")
    assert "disk is full" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_doctor_names_engine_encoders_models_and_caches(capsys):
    assert run("doctor", "--json") == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    found = {finding["what"]: finding for finding in findings}
    assert {"python", "torch", "openvino", "processor", "engine", "encoders", "models", "cache"} <= set(found)
    assert "h264" in found["encoders"]["found"]
    assert [finding for finding in findings if finding["means"].startswith("used: ")]
    assert run("doctor") == 0
    assert "silk" in capsys.readouterr().out


def test_models_are_listed_and_shown_with_a_sheet(tmp_path, small_file, capsys):
    assert run("models") == 0
    assert "silk" in capsys.readouterr().out
    assert run("models", "--json") == 0
    first, *_ = json.loads(capsys.readouterr().out)["models"]
    assert (first["name"], first["licence"]) == (Project.model, "CC0-1.0")
    assert run("models", "show", small_file, "--sheet", "sheet.png") == 0
    assert "16" in capsys.readouterr().out
    with Image.open(tmp_path / "sheet.png") as image:
        assert np.asarray(image).std() > 5
    assert run("models", "show", "silc") == 2
    assert "silk" in capsys.readouterr().err


def test_a_colour_terminal_shows_what_models_paint(capsys, monkeypatch):
    for name, value in {"FORCE_COLOR": "1", "COLORTERM": "truecolor", "COLUMNS": "60"}.items():
        monkeypatch.setenv(name, value)
    assert run("models") == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "\N{UPPER HALF BLOCK}" in line]
    assert len(lines) == 5 * len(builtin_models())
    assert {line.count("\N{UPPER HALF BLOCK}") for line in lines} == {60}


def test_a_colour_terminal_shows_what_one_model_paints(small_file, capsys, monkeypatch):
    for name in ("silk", small_file):
        assert run("models", "info", name) == 0
        assert "\N{UPPER HALF BLOCK}" not in capsys.readouterr().out
    for name, value in {"FORCE_COLOR": "1", "COLORTERM": "truecolor", "COLUMNS": "60"}.items():
        monkeypatch.setenv(name, value)
    for name in ("silk", small_file):
        assert run("models", "info", name) == 0
        lines = [line for line in capsys.readouterr().out.splitlines() if "\N{UPPER HALF BLOCK}" in line]
        assert len(lines) == 5
        assert run("models", "info", name, "--json") == 0
        assert "\N{UPPER HALF BLOCK}" not in capsys.readouterr().out


def test_unfinished_renders_are_listed_and_removed(tune, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path / "cache"))
    assert run("renders") == 0
    assert "No unfinished renders" in capsys.readouterr().out
    (tmp_path / "cache" / "renders" / "abcdef123").mkdir(parents=True)
    about = {"song": "my tune", "target": "my tune.mp4", "segments": 4}
    (tmp_path / "cache" / "renders" / "abcdef123" / "plan.json").write_text(json.dumps(about))
    assert run("renders", "--json") == 0
    (render,) = json.loads(capsys.readouterr().out)["renders"]
    assert (render["name"], render["segments_done"], render["segments"]) == ("abcdef12", 0, 4)
    assert run("renders", "--remove", "nothing") == 2
    assert "abcdef12" in capsys.readouterr().err
    assert run("renders", "--remove", "abcdef") == 0
    assert "No unfinished renders" in capsys.readouterr().out


def test_help_names_every_command_and_option(capsys):
    assert run("--help") == 0
    said = capsys.readouterr().out
    assert all(command in said for command in ("render", "still", "demo", "analyse"))
    assert run("render", "--help") == 0
    said = capsys.readouterr().out
    options = "--output --fps --size --cells --start --duration --seed --model --psi --crf --device"
    assert all(option in said for option in f"{options} --dry-run --force --json".split())
    assert run("--version") == 0


def test_an_error_is_json_where_json_was_asked_for(tune, tmp_path, capsys):
    (tmp_path / "my tune.mp4").write_text("mine")
    assert run("render", tune, *SMALL, "--json") == 2
    printed = capsys.readouterr()
    error = json.loads(printed.out)["error"]
    assert (error["kind"], error["where"], error["value"]) == ("OutputError", "target", "my tune.mp4")
    assert "--force" in error["sentence"]
    assert "--" not in error["hint"]
    assert printed.err == f"Error: {error['sentence']}\n"
