"""What a person says about a song, and the song's own stems, reach `render` and `still`."""

import json

import numpy as np
import pytest
import soundfile
from commands import run

SMALL = ["--size", "128x72", "--cells", "4x7", "--fps", "10"]


@pytest.fixture(scope="module")
def song(tmp_path_factory, piece):
    """Three seconds of the composed piece, with a folder of its drums beside it."""
    folder = tmp_path_factory.mktemp("corrected")
    (folder / "stems").mkdir()
    count, start = 3 * 44100, 44100 * 8
    soundfile.write(folder / "song.wav", piece.audio.read(start, count).T, 44100)
    soundfile.write(folder / "stems" / "drums.wav", piece.stems["drums"][:, start : start + count].T, 44100)
    (folder / "parts.txt").write_text("0\t1.5\tverse\n1.5\t3\tchorus\n")
    return folder / "song.wav"


def plan_of(capsys, song, *more):
    assert run("render", song, *SMALL, "--dry-run", "--json", *more) == 0
    return json.loads(capsys.readouterr().out)


def test_render_goes_by_what_is_said_and_by_what_is_kept_beside_the_song(song, capsys):
    assert plan_of(capsys, song)["corrections"] == {}
    said = plan_of(capsys, song, "--bpm", "100", "--first-downbeat", "0:00.25", "--beats-per-bar", "3")
    assert said["corrections"] == {"bpm": 100.0, "first_downbeat": 0.25, "beats_per_bar": 3}
    labels = plan_of(capsys, song, "--labels", song.parent / "parts.txt")
    assert labels["corrections"]["sections"]["labels"] == ["verse", "chorus"]
    assert run("analyse", song, "--tempo", "half", "--save", "-q") == 0
    try:
        assert plan_of(capsys, song)["corrections"] == {"tempo_factor": 0.5}
        assert plan_of(capsys, song, "--bpm", "90")["corrections"] == {"bpm": 90.0}
    finally:
        song.with_name("song.clavilux.toml").unlink()


def test_render_hears_the_songs_own_stems(song, capsys):
    plan = plan_of(capsys, song, "--stems", song.parent / "stems")
    assert list(plan["stems"]) == ["drums"]


def test_still_takes_the_same_options(song, tmp_path, capsys):
    target = tmp_path / "still.png"
    options = ["--bpm", "100", "--labels", song.parent / "parts.txt", "--stems", song.parent / "stems"]
    assert run("still", song, "-o", target, *SMALL, "--at", "1", *options) == 0
    assert target.stat().st_size > 1000


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--bpm", "5"], "bpm must be a number from 20 to 400"),
        (["--tempo", "thrice"], "half or double"),
        (["--stems", "nowhere"], "There is no folder"),
        (["--labels", "nowhere.txt"], "cannot be read"),
        (["--first-downbeat", "9"], "past the end of the song"),
    ],
)
def test_a_mistake_is_one_sentence(song, options, says, capsys):
    assert run("render", song, *SMALL, "--dry-run", *options) == 2
    error = capsys.readouterr().err
    assert says in " ".join(error.split())
    assert "Traceback" not in error


def test_nothing_to_save_is_said_at_once(song, capsys):
    assert run("analyse", song, "--save") == 2
    assert "nothing to save" in " ".join(capsys.readouterr().err.split())


def test_exports_into_no_folder_are_refused_before_listening(song, tmp_path, capsys):
    assert run("analyse", song, "--export", "csv", "-o", tmp_path / "nowhere") == 2
    assert "nowhere" in capsys.readouterr().err
    assert not np.any([path.suffix == ".csv" for path in song.parent.iterdir()])
