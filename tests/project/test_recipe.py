"""The recipe travels in the video, and makes it again, frame for frame, also one of an older version."""

import json
import tomllib
import wave
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tomlkit

from clavilux.audio.sound import Audio
from clavilux.cli import main
from clavilux.cli.remedies import explain
from clavilux.errors import ClaviluxError, FileError, ModelError, ProjectError
from clavilux.features.corrections import Corrections
from clavilux.make.prepare import prepare
from clavilux.make.video import prepare_job, render
from clavilux.make.workspace import Workspace
from clavilux.patches.functions import palette
from clavilux.patches.presets.pulse import pulse
from clavilux.project.machine import Machine
from clavilux.project.migrate import SCHEMA, migrated
from clavilux.project.recipe import KEY, Recipe, read_recipe
from clavilux.signals.table import OPS
from clavilux.store import Store
from clavilux.video.join import join
from clavilux.video.probe import probe

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("made")


@pytest.fixture(scope="module")
def settings(small_file):
    return {
        "fps": Fraction(12000, 1001),
        "size": (96, 54),
        "start": Fraction(1, 3),
        "duration": Fraction(2),
        "seed": 7,
        "model": str(small_file),
    }


@pytest.fixture(scope="module")
def made(piece, settings, folder):
    return render(piece.audio, folder / "first.mp4", **settings, workspace=Workspace(Store(folder / "known")))


def test_the_recipe_holds_settings_and_frames_exactly(made, settings):
    recipe = read_recipe(made.path)
    assert recipe.project.seed == settings["seed"]
    assert (recipe.project.start, recipe.output.fps) == (settings["start"], settings["fps"])
    assert recipe.project.corrections == Corrections()
    assert recipe.pixels == made.pixels
    assert Recipe.from_text(recipe.to_text()) == recipe


def test_a_video_is_recreated_frame_for_frame(made, piece, folder, tmp_path, monkeypatch, capsys):
    import av

    song = tmp_path / "piece.wav"
    with av.open(str(song), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=piece.audio.rate, layout="stereo")
        samples = np.ascontiguousarray(piece.audio.read(0, piece.audio.samples).T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="flt", layout="stereo")
        frame.rate = piece.audio.rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLAVILUX_CACHE", str(folder / "cache"))
    with pytest.raises(SystemExit) as caught:
        main(["recreate", str(made.path), str(song)])
    assert caught.value.code == 0
    assert "the same frame for frame" in capsys.readouterr().err
    assert read_recipe(tmp_path / "first-again.mp4").pixels == made.pixels


def test_another_song_model_or_patch_is_named(made, settings):
    recipe = read_recipe(made.path)
    other = prepare_job(Audio.from_samples(np.ones(30_000) * 0.1, 8000), **settings).identity
    with pytest.raises(ProjectError, match="not the audio"):
        recipe.check(other)
    right = dict(recipe.identity)
    with pytest.raises(ModelError) as caught:
        recipe.check(right | {"model": "another"})
    assert "--model" in explain(caught.value)
    assert "--model" not in str(caught.value)
    for name in ("patch", "ops", "frames"):
        with pytest.raises(ProjectError, match=name if name == "frames" else "Clavilux"):
            recipe.check(right | {name: "another"})
    recipe.check(right)


def test_a_recipe_that_leaves_out_what_was_not_given_is_the_same_patch(made):
    text = read_recipe(made.path).to_text()
    assert "mood=None" in text
    older = Recipe.from_text(text.replace("mood=None, ", ""))
    assert "mood=None" not in older.identity["patch"]
    assert older.project == read_recipe(made.path).project
    older.check(dict(read_recipe(made.path).identity))


def test_a_text_of_an_older_operation_is_refused_by_name(
    made, settings, piece, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(OPS, "signal.smooth", replace(OPS["signal.smooth"], version=2))
    with pytest.raises(ProjectError, match=r"in which 'smooth' \(version 1, here 2\) gave other values; use"):
        read_recipe(made.path).check(prepare_job(piece.audio, **settings).identity)
    with pytest.raises(SystemExit) as caught:
        main(["new", str(made.path), "-o", "again.toml"])
    assert caught.value.code == 0
    assert "'smooth' (version 1, here 2) gave other values." in (tmp_path / "again.toml").read_text()


def made_of(made, **output):
    whole = tomllib.loads(read_recipe(made.path).to_text())
    return tomlkit.dumps(whole | {"output": whole["output"] | output})


def test_a_video_without_a_recipe_or_with_a_strange_one_is_named(made, tmp_path, folder):
    duration = Fraction(probe(made.path).frames) / probe(made.path).fps
    for name, metadata in {
        "bare": {},
        "strange": {KEY: "{}"},
        "newer": {KEY: json.dumps({"schema": 99})},
        "nested": {KEY: "[" * 10_000},
        "half": {KEY: json.dumps({"schema": SCHEMA, "version": "1"})},
        "wrong": {KEY: made_of(made, fps="1e1000000000")},
        "odd": {KEY: made_of(made, size=[4.5, 7])},
    }.items():
        target = tmp_path / f"{name}.mp4"
        join([made.path], target, duration=duration, metadata=metadata)
        with pytest.raises(FileError, match="recipe"):
            read_recipe(target)
    with pytest.raises(ClaviluxError, match=r"missing\.mp4"):
        read_recipe(tmp_path / "missing.mp4")


def test_a_patch_written_in_python_travels_and_a_device_does_not(piece, settings, folder):
    colours = palette(seed=3)
    patch = replace(pulse(1), latents=colours.loop(bars=4).toward(colours.accent, 0.123456789))
    job = prepare_job(
        piece.audio, **settings, patch=patch, device="cpu", workspace=Workspace(Store(folder / "known"))
    )
    recipe = Recipe.from_text(job.recipe([], []).to_text())
    assert recipe.project.patch == patch
    assert "device" not in job.recipe([], []).to_text()
    again = prepare(piece.audio, recipe.project, recipe.output, Machine(precision=recipe.precision))
    recipe.check(again.identity)


@pytest.mark.parametrize("change", [{"psi": 0.7000001}, {"seed": 8}, {"loop": True}, {"crf": 17.99}])
def test_two_jobs_that_differ_in_anything_drawn_share_nothing(piece, settings, folder, change):
    workspace = Workspace(Store(folder / "known"))
    first, second, same = (
        prepare_job(piece.audio, **{**settings, "psi": 0.7, **more}, workspace=workspace).plan.digest
        for more in ({}, change, {"device": "cpu"})
    )
    assert first != second
    assert first == same


@pytest.mark.parametrize("name", ["recipe-1", "recipe-1-default"])
def test_a_recipe_of_version_0_1_0_still_makes_its_video(name, piece, small_file, folder):
    """The file was written by version 0.1.0, for the same song and model."""
    text = (DATA / f"{name}.json").read_text()
    recipe = Recipe.from_text(text)
    job = prepare(
        piece.audio,
        replace(recipe.project, model=str(small_file)),
        recipe.output,
        Machine(precision=recipe.precision),
        workspace=Workspace(Store(folder / "known")),
    )
    recipe.check(job.identity, job.samples)
    assert migrated(json.loads(text))["schema"] == SCHEMA
    with pytest.raises(ProjectError, match="not the audio"):
        recipe.check(job.identity, {**job.samples, "song": "samples:another"})
    old = json.loads(text)
    old["plan"]["patch"] = "latents = of my own"
    unknown = Recipe.from_text(json.dumps(old))
    with pytest.raises(ProjectError, match="patch"):
        unknown.check(job.identity, job.samples)


def test_what_was_corrected_travels_and_is_not_read_again(piece, settings, folder, tmp_path):
    song = tmp_path / "song.wav"
    with wave.open(str(song), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((piece.audio.mono(8000)[:32000] * 32767).astype("<i2").tobytes())
    sidecar = tmp_path / "song.clavilux.toml"
    sidecar.write_text("bpm = 90\nfirst_downbeat = 0.25\n")
    workspace = Workspace(Store(folder / "known"))
    job = prepare_job(song, **settings, workspace=workspace)
    assert job.song.grid.tempo == pytest.approx(90)
    again = Recipe.from_text(job.recipe([], []).to_text())
    sidecar.write_text("bpm = 120\n")
    recreated = prepare(song, again.project, again.output, workspace=workspace)
    assert recreated.plan.digest == job.plan.digest
    assert prepare_job(song, **settings, workspace=workspace).plan.digest != job.plan.digest


def test_other_stems_are_not_the_ones_of_the_recipe(piece, settings, folder, tmp_path):
    stems = tmp_path / "stems"
    stems.mkdir()
    soundfile.write(stems / "drums.wav", piece.stems["drums"].T, piece.audio.rate)
    workspace = Workspace(Store(folder / "known"))
    job = prepare_job(piece.audio, **settings, stems=stems, workspace=workspace)
    recipe = job.recipe([], [])
    recipe.check(job.identity)
    with pytest.raises(ProjectError, match="stems"):
        recipe.check(prepare_job(piece.audio, **settings, workspace=workspace).identity)
