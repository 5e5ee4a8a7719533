"""Analysing a song from Python: numbers, corrections, a plot and exports without a command line."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from clavilux.annotations.sidecar import corrections_of
from clavilux.audio.sound import Audio
from clavilux.errors import AudioError, OutputError, SettingError, SongError
from clavilux.features.corrections import Corrections
from clavilux.make.analyse import analyse, export_targets
from clavilux.make.workspace import Workspace

SILENCE = np.zeros(8000 * 3, np.float32)


class Log:
    def __init__(self):
        self.stages = []

    def begin(self, stage, total=None):
        self.stages.append(stage)

    def advance(self, count):
        pass

    def note(self, text):
        pass


@pytest.fixture
def tune(tmp_path):
    wavfile.write(tmp_path / "a tune.wav", 8000, SILENCE)
    return tmp_path / "a tune.wav"


def test_a_file_is_analysed_with_its_corrections_and_stems(tune, tmp_path):
    (tmp_path / "stems").mkdir()
    wavfile.write(tmp_path / "stems" / "drums.wav", 8000, SILENCE)
    (tmp_path / "a tune.clavilux.toml").write_text("bpm = 90\nbeats_per_bar = 3\n")
    (tmp_path / "mine.txt").write_text("0\t1\tverse\n1\t3\tchorus\n")
    log = Log()
    analysed = analyse(
        tune,
        stems=tmp_path / "stems",
        corrections=Corrections(bpm=97),
        labels=[tmp_path / "mine.txt"],
        workspace=Workspace(report=log),
    )
    found = analysed.summary
    assert (found.name, found.tempo, found.beats_per_bar) == ("a tune", 97, 3)
    assert [section.label for section in found.sections] == ["verse", "chorus"]
    assert list(analysed.song.stems) == ["drums"]
    assert len(log.stages) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a tune.clavilux.toml",
        "a tune.wav",
        "mine.txt",
        "stems",
    ]


def test_corrections_are_saved_beside_the_song(tune, tmp_path):
    (tmp_path / "a tune.clavilux.toml").write_text("# mine\nbeats_per_bar = 3\n")
    analysed = analyse(tune, corrections=Corrections(bpm=97), workspace=Workspace())
    assert analysed.save_corrections() == tmp_path / "a tune.clavilux.toml"
    assert (tmp_path / "a tune.clavilux.toml").read_text() == "bpm = 97.0\n# mine\nbeats_per_bar = 3\n"
    assert corrections_of(tune) == Corrections(bpm=97, beats_per_bar=3)
    with pytest.raises(SettingError, match="nothing to save"):
        analyse(tune, workspace=Workspace()).save_corrections()


def test_exports_and_plots_are_named_after_the_song(tune, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    analysed = analyse(tune, detail=2, workspace=Workspace())
    assert [path.as_posix() for path in analysed.export(["midi", "json"])] == [
        "a tune.mid",
        "a tune.analysis.json",
    ]
    assert analysed.export(["cue"], "out") == (Path("out/a tune.cue"), Path("out/a tune.cues.csv"))
    assert 'FILE "../a tune.wav" WAVE' in (tmp_path / "out" / "a tune.cue").read_text()
    assert json.loads((tmp_path / "a tune.analysis.json").read_text())["name"] == "a tune"
    with Image.open(analysed.plot("out/tune.png")) as image:
        assert image.size == (1080, 1920)


def test_files_are_never_replaced_unless_asked(tune, tmp_path):
    analysed = analyse(tune, workspace=Workspace())
    (tmp_path / "a tune.mid").write_text("mine")
    (tmp_path / "plot.png").write_text("mine")
    with pytest.raises(OutputError, match="already"):
        analysed.export(["cue", "midi"], tmp_path)
    with pytest.raises(OutputError, match="already"):
        analysed.plot(tmp_path / "plot.png")
    assert not (tmp_path / "a tune.cue").exists()
    assert (tmp_path / "a tune.mid").read_text() == (tmp_path / "plot.png").read_text() == "mine"
    analysed.export(["midi"], tmp_path, overwrite=True)
    assert (tmp_path / "a tune.mid").read_bytes()[:4] == b"MThd"


def test_audio_without_a_file_is_analysed_but_has_nowhere_to_keep_corrections(tmp_path):
    audio = Audio.from_samples(SILENCE, 8000, name="take")
    analysed = analyse(audio, corrections=Corrections(bpm=97), workspace=Workspace())
    assert analysed.summary.tempo == 97
    assert [path.name for path in analysed.export(["audacity"], tmp_path)] == [
        "take.sections.txt",
        "take.beats.txt",
    ]
    with pytest.raises(SettingError, match="this song has none"):
        analysed.save_corrections()


def test_mistakes_are_errors_of_their_class(tune, tmp_path):
    with pytest.raises(AudioError, match="no file"):
        analyse(tmp_path / "missing.wav", workspace=Workspace())
    with pytest.raises(SongError, match="from 2 to 10"):
        analyse(tune, detail=11, workspace=Workspace())
    with pytest.raises(SettingError, match="did you mean 'midi'") as caught:
        export_targets("a", ["mid"])
    assert caught.value.value == "mid"
    with pytest.raises(OutputError, match="missing"):
        export_targets("a", ["midi"], tmp_path / "missing")
