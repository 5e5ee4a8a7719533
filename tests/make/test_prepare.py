"""Preparing a job: what is wrong is said early, and PyTorch is imported while the song is heard."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import soundfile

from clavilux.audio.sound import Audio
from clavilux.errors import ModelError
from clavilux.make import prepare as preparing
from clavilux.make.light import light_program
from clavilux.make.prepare import prepare
from clavilux.make.workspace import NullReporter, Workspace
from clavilux.profile import survey as surveying
from clavilux.profile.survey import survey
from clavilux.project.output import Output
from clavilux.project.project import Project
from clavilux.store import Store

SOUND = Audio.from_samples(0.3 * np.sin(np.arange(8000) * 0.3), 8000)


def test_what_makes_videos_imports_no_torch_until_it_is_asked_to():
    program = (
        "import sys, clavilux.make.preview, clavilux.make.still, clavilux.make.video; "
        "print(sorted({'torch', 'openvino'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("patch", ["auto", "circle", "mutant", "strike"])
def test_what_is_known_already_is_drawn_without_torch(patch, tmp_path):
    """A song that has been heard and a program that has been compiled need none of its two seconds."""
    song, image = tmp_path / "song.wav", tmp_path / "still.png"
    time = np.arange(4 * 22050) / 22050
    soundfile.write(song, 0.3 * np.sin(2 * np.pi * 220 * time) * (time % 0.5 < 0.2), 22050)
    program = (
        "import sys, clavilux\n"
        f"clavilux.still({str(song)!r}, {str(image)!r}, 1, patch={patch!r}, size=(64, 36), device='cpu', "
        "overwrite=True)\n"
        "print(sorted({'torch', 'openvino'} & set(sys.modules)))"
    )
    environment = os.environ | {"CLAVILUX_CACHE": str(tmp_path / "cache")}
    said = [
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment
        ).stdout.strip()
        for _ in range(2)
    ]
    assert "torch" in said[0]
    assert said[1] == "['openvino']"


def test_the_director_is_given_the_survey_of_the_model(monkeypatch, silk):
    def decide(project, song, surveyed, likely, *, tame):
        np.testing.assert_array_equal(surveyed().ws, survey(silk, Store()).ws)
        raise ModelError("Heard enough")

    monkeypatch.setattr(preparing, "decide", decide)
    with pytest.raises(ModelError, match="Heard enough"):
        prepare(SOUND, Project(patch="auto", model="silk"))


@pytest.mark.parametrize("compiled", [True, False])
def test_engines_that_are_compiled_start_while_the_song_is_heard(compiled, small_file, tmp_path, monkeypatch):
    workspace, output = Workspace(engine=tmp_path / "engine"), Output(size=(64, 36), flash_safety="warn")
    project = Project(model=str(small_file), patch="strike")
    if compiled:
        prepare(SOUND, project, output, workspace=workspace)
    started, found, start = threading.Event(), [], Workspace.runner

    def decide(project, song, surveyed, likely, *, tame):
        likely(project.shown)
        found.append(started.wait(20 if compiled else 1))
        raise ModelError("Heard enough")

    def runner(*given):
        started.set()
        return start(*given)

    monkeypatch.setattr(Workspace, "runner", runner)
    monkeypatch.setattr(preparing, "decide", decide)
    with pytest.raises(ModelError, match="Heard enough"):
        prepare(SOUND, project, output, workspace=workspace)
    assert found == [compiled]


@pytest.mark.parametrize(("safety", "tame"), [("limit", True), ("warn", False), ("off", False)])
def test_hits_go_less_far_only_where_flashes_are_limited(monkeypatch, safety, tame):
    asked = []

    def decide(project, song, surveyed, likely, *, tame):
        asked.append(tame)
        raise ModelError("Heard enough")

    monkeypatch.setattr(preparing, "decide", decide)
    with pytest.raises(ModelError, match="Heard enough"):
        prepare(SOUND, Project(patch="prism"), Output(flash_safety=safety))
    assert asked == [tame]


def test_an_unknown_model_is_said_before_the_song_is_heard(monkeypatch):
    monkeypatch.setattr(preparing, "decide", None)
    with pytest.raises(ModelError, match="no model 'sulk'"):
        prepare(SOUND, Project(model="sulk"))


def test_a_damaged_model_ends_the_work_with_its_own_message(tmp_path):
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"no model")
    with pytest.raises(ModelError, match="damaged"):
        prepare(SOUND, Project(model=str(damaged)))


def test_every_stage_is_reported_once(small_file):
    stages = []

    class Noting(NullReporter):
        def begin(self, stage, total=None):
            stages.append(stage)

    prepare(
        SOUND, Project(model=str(small_file)), Output(size=(64, 36)), workspace=Workspace(report=Noting())
    )
    assert [stage for stage in stages if stage != "Surveying the model"] == [
        "Opening the song",
        "Loading the model",
        "Analysing",
        "Choosing palettes",
        "Starting the engine",
    ]


@pytest.mark.parametrize(
    ("safety", "codec", "wanted"), [("limit", "h264", 2), ("warn", "h264", 1), ("limit", "png", 1)]
)
def test_what_looks_for_flashes_is_started_beside_the_engine(monkeypatch, safety, codec, wanted):
    started, start = [], Workspace.runner

    def runner(workspace, program, machine):
        started.append(program.size)
        return start(workspace, program, machine)

    monkeypatch.setattr(Workspace, "runner", runner)
    output = Output(size=(320, 180), flash_safety=safety, codec=codec)
    job = prepare(SOUND, Project(duration=1), output, workspace=Workspace())
    assert len(started) == wanted
    light = light_program(job.program, output, job.timeline)
    assert light.size == (256, 144)
    assert (light.size in started) is (wanted == 2)


def test_a_model_is_surveyed_once_also_where_nothing_is_kept(small_file, monkeypatch):
    drawn, draw = [], surveying._draw_pool
    monkeypatch.setattr(surveying, "_draw_pool", lambda *given: drawn.append(1) or draw(*given))
    hits = np.tile(np.r_[np.full(400, 0.5), np.zeros(3600)], 40) * np.sin(np.arange(160000) * 0.05)
    found = Project(model=str(small_file), patch="auto")
    monkeypatch.setattr("clavilux.director.direct.drums_of", lambda song: "strong")
    monkeypatch.setattr("clavilux.director.hits.hits_at_once", lambda kick, snare: 9)
    prepare(Audio.from_samples(hits, 8000), found, Output(size=(64, 36)))
    assert drawn == [1]
