"""`clavilux analyse` as a musician uses it: analysed, corrected, exported, and read back."""

import json

import mido
import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from clavilux.cli import main


def run(*arguments):
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as caught:
        main(["analyse", *map(str, arguments)])
    return caught.value.code


@pytest.fixture(scope="module")
def samples(piece):
    """Ten seconds of the composed piece, from its main part on."""
    return piece.audio.read(22050 * 2, 22050 * 10).mean(axis=0)


@pytest.fixture(autouse=True)
def tune(tmp_path, monkeypatch, tmp_path_factory, samples):
    """A folder with a song in it, to work in, and a cache that all tests of this file share."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path_factory.getbasetemp() / "cache-analyse"))
    wavfile.write(tmp_path / "my tune.wav", 22050, samples)
    return "my tune.wav"


@pytest.fixture
def analysed(capsys):
    """Analyse, and return the JSON."""

    def analyse(*arguments):
        assert run(*arguments, "--json") == 0
        return json.loads(capsys.readouterr().out)

    return analyse


def test_the_table_shows_what_matters(tune, capsys):
    assert run(tune) == 0
    shown = capsys.readouterr().out
    for word in (
        "length",
        "LUFS",
        "bpm",
        "bars",
        "loop",
        "key",
        "melody",
        "bass",
        "kicks",
        "section",
        "energy",
    ):
        assert word in shown, word
    assert "█" in shown
    assert "corrected" not in shown


def test_a_tempo_is_halved_doubled_or_given(tune, analysed):
    tempo = analysed(tune)["tempo"]
    assert analysed(tune, "--tempo", "double")["tempo"] == pytest.approx(2 * tempo, rel=1e-3)
    assert analysed(tune, "--tempo", "half")["tempo"] == pytest.approx(tempo / 2, rel=1e-3)
    found = analysed(tune, "--bpm", 97.5, "--first-downbeat", "0:01.25", "--beats-per-bar", 3)
    assert (found["tempo"], found["beats_per_bar"], found["beat_confidence"]) == (97.5, 3, 1)
    assert (1.25 - found["first_downbeat"]) % (3 * 60 / 97.5) == pytest.approx(0, abs=1e-3)
    assert found["corrections"] == ["97.5 bpm", "a bar at 1.25 s", "3 beats a bar"]


def test_saved_corrections_apply_until_others_are_given(tune, analysed, tmp_path):
    assert analysed(tune, "--bpm", 97, "--save")["tempo"] == 97
    assert (tmp_path / "my tune.clavilux.toml").read_text() == "bpm = 97.0\n"
    assert analysed(tune)["tempo"] == 97
    assert analysed(tune, "--bpm", 80)["tempo"] == 80
    assert analysed(tune)["tempo"] == 97


def test_exports_are_corrected_and_read_back(tune, analysed, tmp_path):
    before = analysed(
        tune,
        "--export",
        "audacity",
        "--export",
        "csv",
        "--export",
        "cue",
        "--export",
        "midi",
        "--export",
        "json",
    )
    names = {path.name.removeprefix("my tune") for path in tmp_path.iterdir()}
    assert names == {
        ".wav",
        ".sections.txt",
        ".beats.txt",
        ".events.csv",
        ".curves.csv",
        ".cue",
        ".cues.csv",
        ".mid",
        ".analysis.json",
    }
    assert 'FILE "my tune.wav" WAVE' in (tmp_path / "my tune.cue").read_text()
    assert mido.MidiFile(tmp_path / "my tune.mid").length == pytest.approx(10, abs=0.5)
    (tmp_path / "mine.txt").write_text("0\t3.5\tverse\n3.5\t10\tchorus\n")
    after = analysed(tune, "--labels", "mine.txt", "--labels", "my tune.beats.txt")
    assert [part["label"] for part in after["sections"]] == ["verse", "chorus"]
    assert after["sections"][1]["start"] == 3.5
    assert (after["bars"], after["first_downbeat"]) == (before["bars"], before["first_downbeat"])
    again = analysed(tune, "--labels", "my tune.events.csv", "--save")
    assert again["sections"] == analysed(tune)["sections"]


def test_exports_go_into_a_folder_and_never_over_a_file(tune, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    assert run(tune, "--export", "audacity", "-o", "out", "-q") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "my tune.beats.txt",
        "my tune.sections.txt",
    ]
    (tmp_path / "out" / "my tune.beats.txt").write_text("mine")
    assert run(tune, "--export", "audacity", "-o", "out") == 2
    assert "--force" in capsys.readouterr().err
    assert (tmp_path / "out" / "my tune.beats.txt").read_text() == "mine"
    assert run(tune, "--export", "audacity", "-o", "out", "--force", "-q") == 0
    assert (tmp_path / "out" / "my tune.beats.txt").read_text() != "mine"


def test_exports_go_into_the_current_folder(tune, tmp_path, monkeypatch):
    (tmp_path / "videos").mkdir()
    monkeypatch.chdir(tmp_path / "videos")
    assert run(f"../{tune}", "--export", "cue", "--export", "json", "-q") == 0
    assert sorted(path.name for path in (tmp_path / "videos").iterdir()) == [
        "my tune.analysis.json",
        "my tune.cue",
        "my tune.cues.csv",
    ]
    assert 'FILE "../my tune.wav" WAVE' in (tmp_path / "videos" / "my tune.cue").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == [tune, "videos"]


def test_the_json_file_holds_what_is_printed(tune, analysed, tmp_path):
    printed = analysed(tune, "--detail", 5, "--export", "json")
    file = json.loads((tmp_path / "my tune.analysis.json").read_text())
    assert {name: file[name] for name in printed} == printed
    assert len(file["curves"]["loudness"]) == file["curves"]["length"] == 1000


def test_brackets_in_a_name_are_only_letters(tmp_path, tune, capsys):
    (tmp_path / tune).rename(tmp_path / "tune [bold] [x].wav")
    (tmp_path / "labels.txt").write_text("0\t10\t[red]verse[/]\n")
    assert run("tune [bold] [x].wav", "--labels", "labels.txt", "-q") == 0
    assert run("tune [bold] [x].wav", "--labels", "labels.txt") == 0
    shown = capsys.readouterr().out
    assert "tune [bold] [x]" in shown
    assert "[red]verse[/]" in shown


def test_detail_and_plot(tune, analysed, tmp_path):
    found = analysed(tune, "--detail", 5, "--plot", "heard.png")
    assert len(found["sections"]) == found["details"][3]
    with Image.open(tmp_path / "heard.png") as image:
        assert image.size == (1080, 1920)


def test_stems_are_taken_from_a_folder(tune, analysed, tmp_path, piece):
    (tmp_path / "stems").mkdir()
    silent = np.zeros(22050 * 10, np.float32)
    wavfile.write(tmp_path / "stems" / "my tune drums.wav", 22050, silent)
    assert analysed(tune)["kicks"] > 0
    assert analysed(tune, "--stems", "stems")["kicks"] == 0


@pytest.mark.parametrize("seconds", [0.3, 3])
def test_silence_of_any_length_can_be_analysed_drawn_and_exported(tmp_path, seconds, analysed):
    wavfile.write(tmp_path / "silence.wav", 8000, np.zeros(round(8000 * seconds), np.float32))
    kinds = [word for kind in ("csv", "audacity", "cue", "midi", "json") for word in ("--export", kind)]
    found = analysed("silence.wav", "--plot", "silence.png", *kinds)
    assert (found["silent"], found["first_downbeat"], found["lufs"]) == (True, None, -70)
    assert len(list(tmp_path.glob("silence.*"))) == 10
    assert run("silence.wav", "--labels", "silence.sections.txt") == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--bpm", "10"], "bpm must be a number from 20 to 400"),
        (["--bpm", "fast"], "--bpm"),
        (["--tempo", "triple"], "half or double"),
        (["--bpm", "100", "--tempo", "half"], "two tempos"),
        (["--first-downbeat", "soon"], "is not a time"),
        (["--first-downbeat", "1:00"], "past the end of the song"),
        (["--beats-per-bar", "9"], "2 to 7"),
        (["--labels", "missing.txt"], "missing.txt"),
        (["--labels", "my tune.wav"], "not text"),
        (["--stems", "missing"], "missing"),
        (["--detail", "99"], "2 to 10"),
        (["--export", "xml"], "csv, audacity, cue, midi, json"),
        (["--export", "cue", "-o", "missing"], "does not exist"),
        (["-o", "."], "--export"),
        (["--plot", "heard.gif"], ".png"),
        (["--save"], "nothing to save"),
    ],
)
def test_a_mistake_is_one_sentence_and_writes_nothing(tune, tmp_path, capsys, options, message):
    assert run(tune, *options) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in shown
    assert [path.name for path in tmp_path.iterdir()] == [tune]


def test_garbage_beside_the_song_is_one_sentence(tune, tmp_path, capsys):
    (tmp_path / "my tune.clavilux.toml").write_text("tempo = twice")
    assert run(tune) == 2
    shown = capsys.readouterr().err
    assert "my tune.clavilux.toml" in shown
    assert shown.count("\n") <= 2
