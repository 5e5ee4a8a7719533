"""Users' files: nothing that is read is replaced, every name works, nothing else is opened."""

import io
import json
import os
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from commands import run

from clavilux.audio.sound import open_audio
from clavilux.cli.stand_ins import STAND_INS
from clavilux.demo.composer import compose
from clavilux.engine import memory
from clavilux.video.probe import probe

RATE = 22050


def write_audio(path, samples, rate=RATE):
    with path.open("wb") as file, wave.open(file, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(rate)
        audio.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def samples():
    return compose(0, bars=2, bpm=120, rate=RATE).audio.read(0, 2 * RATE).mean(axis=0)


@pytest.fixture
def tune(tmp_path, samples):
    return write_audio(tmp_path / "tune.wav", samples)


@pytest.fixture
def small(small_file):
    return ["--model", small_file, "--size", "64x36", "--fps", "10", "-q"]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def film(tmp_path, samples, small):
    """A film of the user's own, which has the default target's name."""
    write_audio(tmp_path / "sound.wav", samples)
    assert run("render", "sound.wav", "-o", "clip.mp4", *small) == 0
    return tmp_path / "clip.mp4"


def test_a_film_is_never_replaced_by_its_own_video(film, small, capsys):
    before = film.read_bytes()
    assert run("render", "clip.mp4", *small, "--force") == 0
    assert probe(film.with_name("clip-clavilux.mp4")).frames == 20
    Path("link.mp4").symlink_to(film)
    os.link(film, "hard.mp4")
    spellings = ("clip.mp4", "./clip.mp4", film, f"../{film.parent.name}/clip.mp4", "link.mp4", "hard.mp4")
    for spelling in spellings:
        assert run("render", "clip.mp4", "-o", spelling, *small, "--force") == 2
        assert "never replaced" in capsys.readouterr().err
    assert run("recreate", "clip.mp4", "sound.wav", "-o", "clip.mp4", "--force", "-q") == 2
    assert run("recreate", "link.mp4", "sound.wav", "-o", "hard.mp4", "--force", "-q") == 2
    assert film.read_bytes() == before


def test_no_command_replaces_labels_stems_models_or_what_a_download_left(tune, small, tmp_path, capsys):
    (tmp_path / "tune.beats.txt").write_text("0\t8\tA\n8\t16\tB\n")
    assert run("analyse", tune, "--labels", "tune.beats.txt", "--export", "audacity", "--force", "-q") == 2
    assert run("analyse", tune, "--plot", "labels.png", "--force", "-q", "--save", "--bpm", "120") == 0
    (tmp_path / "labels.png").write_text("0\t8\tA\n")
    assert run("still", tune, "--labels", "labels.png", "-o", "labels.png", "--force", *small) == 2
    shutil.copy(small[1], tmp_path / "model.png")
    assert run("still", tune, "--model", "model.png", "-o", "model.png", "--force", "-q") == 2
    assert run("models", "show", "model.png", "--sheet", "model.png", "--force") == 2
    (tmp_path / "stems").mkdir()
    shutil.copy(tune, tmp_path / "stems" / "drums.mp4")
    assert run("render", tune, "--stems", "stems", "-o", "stems/drums.mp4", "--force", *small) == 2
    assert capsys.readouterr().err.count("never replaced") == 5
    (tmp_path / "tune.mp4.part").write_text("a download")
    assert run("render", tune, *small) == 0
    assert (tmp_path / "tune.mp4.part").read_text() == "a download"
    assert (tmp_path / "tune.beats.txt").read_text().startswith("0\t8\tA")


@pytest.mark.parametrize(
    "stem",
    [
        "完" * 82,
        "long title " * 22 + "x",
        "\N{MUSICAL NOTE}" * 61,
        "x" * 251,
        "a\nb\x1b[31m",
        "-o",
        "caf\udce9",
    ],
    ids=["Chinese", "long", "notes", "251 bytes", "escapes", "like an option", "Latin-1"],
)
def test_every_name_that_the_disk_holds_is_a_song(stem, tmp_path, samples, small, capsys):
    song = write_audio(tmp_path / f"{stem}.wav", samples)
    assert run("render", f"./{song.name}", *small[:-1]) == 0
    assert (
        run("analyse", f"./{song.name}", "--export", "csv", "--export", "cue", "--save", "--bpm", "120") == 0
    )
    assert run("still", f"./{song.name}", *small) == 0
    said = capsys.readouterr()
    assert "\x1b[31m" not in said.err + said.out
    assert ("\n" in stem) == ("a\\nb" in said.err + said.out)
    made = [path for path in tmp_path.iterdir() if path.suffix == ".mp4"]
    assert probe(made[0]).frames == 20
    assert run("recreate", f"./{made[0].name}", f"./{song.name}", "-q") == 0


@pytest.mark.parametrize(
    "target", ["x" * 252 + ".mp4", "x" * 300 + ".mp4", "", ".", "/", "a\0.mp4", "missing/a.mp4"]
)
def test_a_target_that_cannot_be_is_refused_before_any_work(tune, small, target, capsys):
    code = run("render", tune, "-o", target, *small)
    said = capsys.readouterr().err
    if len(target.encode()) <= 255 and target.startswith("x"):
        assert code == 0
    else:
        assert (code, said.count("\n")) == (2, 1)


def test_the_second_of_two_renders_to_one_name_keeps_its_segments(tune, small, tmp_path, monkeypatch, capsys):
    from clavilux.make import job

    join = job.join

    def slow_join(*arguments, **settings):
        (tmp_path / "tune.mp4").write_text("the first one's")
        join(*arguments, **settings)

    monkeypatch.setattr(job, "join", slow_join)
    assert run("render", tune, *small) == 2
    assert "meanwhile" in capsys.readouterr().err
    assert (tmp_path / "tune.mp4").read_text() == "the first one's"
    monkeypatch.setattr(job, "join", join)
    assert run("render", tune, "-o", "second.mp4", *small[:-1]) == 0
    assert "Resuming: 20 of 20" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437", "utf-8"])
def test_an_output_of_another_encoding_gets_other_letters(samples, tmp_path, encoding):
    song = write_audio(tmp_path / "Café – Ωmega 音楽 ♫.wav", samples)
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run(
        [sys.executable, "-m", "clavilux", "analyse", song], capture_output=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode(encoding)
    assert "Caf" in shown
    assert "bpm" in shown


def test_letters_have_stand_ins():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors=STAND_INS)
    stream.write("é█–音")
    stream.flush()
    assert stream.buffer.getvalue() == b"e#-?"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_cache_is_done_without(tune, small, tmp_path, monkeypatch, capsys):
    (tmp_path / "cache").mkdir(mode=0o500)
    check_without_cache(tune, small, tmp_path / "cache", monkeypatch, capsys)


def test_a_cache_that_cannot_be_made_is_done_without(tune, small, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    check_without_cache(tune, small, tmp_path / "file" / "cache", monkeypatch, capsys)


def check_without_cache(tune, small, folder, monkeypatch, capsys):
    monkeypatch.setenv("CLAVILUX_CACHE", str(folder))
    assert run("render", tune, *small[:-1]) == 0
    said = capsys.readouterr().err
    assert "CLAVILUX_CACHE" in said
    assert "tune.mp4: 20 frames" in said


TEXTS = {
    "concat": "ffconcat version 1.0\nfile secret.wav\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsecret.wav\n#EXT-X-ENDLIST\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period/></MPD>',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    "m3u": "secret.wav\n",
    "srt": "1\n00:00:00,000 --> 00:00:02,000\nwords\n",
    "lavfi": "sine=frequency=1000",
    "ffmetadata": ";FFMETADATA1\ntitle=x\n",
}


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("suffix", [".mp3", ".wav", ".mp4", ".m3u8"])
def test_a_text_that_names_files_opens_none_of_them(kind, suffix, tmp_path, samples, tune, small, capsys):
    write_audio(tmp_path / "secret.wav", samples)
    song = tmp_path / f"song{suffix}"
    song.write_text(TEXTS[kind])
    assert run("analyse", song) == 2
    assert run("recreate", song, tune) == 2
    (tmp_path / "stems").mkdir()
    shutil.copy(song, tmp_path / "stems" / "drums.wav")
    assert run("analyse", tune, "--stems", "stems") == 2
    said = capsys.readouterr().err.splitlines()
    assert len([line for line in said if line.startswith("Error: ")]) == 3


def test_what_is_no_ordinary_file_is_refused_at_once(tune, small, tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe.mp4")
    Path("zeros.txt").symlink_to("/dev/zero")
    for odd in ("pipe", "/dev/zero", "/dev/urandom", "zeros.txt", tmp_path):
        assert run("analyse", odd) == 2
        assert run("analyse", tune, "--labels", odd) == 2
        assert run("render", tune, "--model", odd, "-q") == 2
        assert run("recreate", odd, tune) == 2
    assert run("render", tune, "-o", "pipe.mp4", "--force", *small) == 2
    Path("tune.clavilux.toml").symlink_to("/dev/urandom")
    assert run("analyse", tune) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Error: ")]
    assert len(said) == 22


def test_a_size_that_needs_more_memory_than_there_is_is_refused_with_both_numbers(
    tune, small, monkeypatch, capsys
):
    monkeypatch.setattr(memory, "available_bytes", lambda device="cpu": 2 * 10**9)
    assert run("render", tune, "--cells", "64x64") == 2
    said = capsys.readouterr().err
    assert "GB of memory, and 2.0 GB are free" in said
    assert "fewer cells" in said
    assert run("render", tune, "--size", "16x8192") == 2
    assert run("render", tune, *small) == 0


def test_of_several_audio_tracks_one_is_taken_and_said(tmp_path, samples, small, capsys):
    quiet = np.zeros_like(samples)
    with av.open(str(tmp_path / "film.mkv"), "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=RATE, layout="mono") for _ in range(2)]
        for stream, sound in zip(streams, (quiet, samples), strict=True):
            data = (np.clip(sound, -1, 1) * 32767).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(data, format="s16", layout="mono")
            frame.sample_rate = RATE
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    assert run("analyse", "film.mkv", "--json") == 0
    assert json.loads(capsys.readouterr().out)["silent"]
    assert run("analyse", "film.mkv", "--track", 2) == 0
    assert "2 audio tracks, and this is number 2" in capsys.readouterr().err
    assert run("render", "film.mkv", "--track", 2, "-o", "a.mp4", *small) == 0
    assert run("recreate", "a.mp4", "film.mkv", "-q") == 0
    assert run("analyse", "film.mkv", "--track", 3) == 2
    assert "it has 2" in capsys.readouterr().err


@pytest.mark.parametrize(("rate", "kept"), [(48000, 48000), (88200, 44100), (96000, 48000), (192000, 48000)])
def test_an_mp4_has_a_rate_that_every_player_takes(tmp_path, samples, small, rate, kept):
    song = write_audio(tmp_path / "song.wav", np.repeat(samples, 4)[: 2 * rate], rate)
    assert run("render", song, *small) == 0
    assert probe(tmp_path / "song.mp4").audio.rate == kept
    assert run("render", song, "--codec", "ffv1", *small) == 0
    assert probe(tmp_path / "song.mkv").audio.rate == rate


@pytest.mark.parametrize(
    ("word", "rate"),
    [
        ("29.97", "30000/1001"),
        ("23.976", "24000/1001"),
        ("23.98", "24000/1001"),
        ("59.94", "60000/1001"),
    ],
)
def test_the_words_of_television_mean_its_rates(tune, small, word, rate, capsys):
    assert run("render", tune, *small[:4], "--fps", word, "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["fps"] == rate


def test_a_text_file_is_opened_by_nobody_but_its_reader(tmp_path):
    """The file itself may be of any name; the song's own audio still opens."""
    assert open_audio(write_audio(tmp_path / "song.m3u8", np.ones(RATE) * 0.1)).samples == RATE


@pytest.mark.parametrize(
    "odd", ["", ".", "..", "/", "a\0b", "\n", " ", "x" * 300, "a/b", "file:tune.wav", "-"]
)
def test_whatever_is_named_in_the_place_of_a_file_is_one_sentence(tune, film, small, tmp_path, odd, capsys):
    before = sorted(path.name for path in tmp_path.iterdir())
    for command in (
        ["analyse", odd],
        ["render", odd, *small],
        ["still", odd, *small],
        ["recreate", odd, tune],
        ["recreate", film, odd, "-q"],
        ["models", "show", odd],
        ["models", "show", "silk", "--sheet", odd],
        ["analyse", tune, "--labels", odd],
        ["analyse", tune, "--stems", odd],
        ["analyse", tune, "--plot", odd],
        ["analyse", tune, "--export", "csv", "-o", odd, "-q"],
        ["render", tune, "--model", odd, "-q"],
        ["render", tune, "--stems", odd, *small],
        ["render", tune, "-o", odd, *small],
        ["still", tune, "-o", odd, *small],
        ["renders", "--remove", odd],
    ):
        allowed = {0, 2} if "--stems" in command or "-o" in command or command[0] == "renders" else {2}
        assert run(*command) in allowed, command
        said = capsys.readouterr().err
        assert "Traceback" not in said
        assert sum(line.startswith("Error: ") for line in said.splitlines()) <= 1
    extra = {path.name for path in tmp_path.iterdir()} - set(before)
    assert extra <= {"tune.curves.csv", "tune.events.csv", "tune.mp4"}  # with the stems of this folder
