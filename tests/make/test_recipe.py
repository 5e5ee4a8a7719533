"""The recipe travels in the video, and makes it again, frame for frame."""

import json
import wave
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import soundfile

from clavilux.audio.sound import Audio
from clavilux.cli import main
from clavilux.errors import FileError, ModelError, SettingError
from clavilux.features.corrections import Corrections
from clavilux.make.make import render
from clavilux.make.recipe import KEY, Recipe, read_recipe
from clavilux.make.session import Session
from clavilux.make.settings import Settings
from clavilux.make.stage import prepare
from clavilux.store import Store
from clavilux.video.join import join
from clavilux.video.probe import probe


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("made")


@pytest.fixture(scope="module")
def settings(small_file):
    return Settings(
        fps=Fraction(12000, 1001),
        size=(96, 54),
        start=Fraction(1, 3),
        duration=Fraction(2),
        seed=7,
        model=str(small_file),
    )


@pytest.fixture(scope="module")
def made(piece, settings, folder):
    return render(piece.audio, folder / "first.mp4", settings, session=Session(Store(folder / "known")))


def test_the_recipe_says_settings_and_frames_exactly(made, settings):
    recipe = read_recipe(made.path)
    assert recipe.settings == replace(settings, corrections=Corrections())
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


def test_another_song_model_or_patch_is_named(made, piece, settings, small_file):
    recipe = read_recipe(made.path)
    other = prepare(Audio.from_samples(np.ones(30_000) * 0.1, 8000), settings).plan.recipe
    with pytest.raises(SettingError, match="not the sound"):
        recipe.check(other)
    right = dict(recipe.plan)
    with pytest.raises(ModelError, match="--model"):
        recipe.check(right | {"model": "another"})
    with pytest.raises(SettingError, match="patch"):
        recipe.check(right | {"patch": "another"})
    with pytest.raises(SettingError, match="frames"):
        recipe.check(right | {"frames": 3})
    recipe.check(right)


def test_a_video_without_a_recipe_or_with_a_strange_one_is_named(made, tmp_path, folder):
    duration = Fraction(probe(made.path).frames) / probe(made.path).fps
    for name, metadata in {
        "bare": {},
        "strange": {KEY: "{}"},
        "newer": {KEY: json.dumps({"schema": 99})},
    }.items():
        target = tmp_path / f"{name}.mp4"
        join([made.path], target, duration=duration, metadata=metadata)
        with pytest.raises(SettingError, match="recipe"):
            read_recipe(target)
    with pytest.raises(FileError):
        read_recipe(tmp_path / "missing.mp4")


def test_a_patch_written_in_python_or_a_device_does_not_travel(settings):
    text = Recipe("1", replace(settings, device="cuda:3"), {}, "").to_text()
    assert "cuda" not in text


def test_what_was_corrected_travels_and_is_not_read_again(piece, settings, folder, tmp_path):
    song = tmp_path / "song.wav"
    with wave.open(str(song), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((piece.audio.mono(8000)[:32000] * 32767).astype("<i2").tobytes())
    sidecar = tmp_path / "song.clavilux.toml"
    sidecar.write_text("bpm = 90\nfirst_downbeat = 0.25\n")
    session = Session(Store(folder / "known"))
    stage = prepare(song, settings, session=session)
    assert stage.song.grid.tempo == pytest.approx(90)
    again = Recipe.from_text(stage.recipe([]).to_text()).settings
    sidecar.write_text("bpm = 120\n")
    assert prepare(song, again, session=session).plan.digest == stage.plan.digest
    assert prepare(song, settings, session=session).plan.digest != stage.plan.digest


def test_other_stems_are_not_the_ones_of_the_recipe(piece, settings, folder, tmp_path):
    stems = tmp_path / "stems"
    stems.mkdir()
    soundfile.write(stems / "drums.wav", piece.stems["drums"].T, piece.audio.rate)
    session = Session(Store(folder / "known"))
    stage = prepare(piece.audio, replace(settings, stems=str(stems)), session=session)
    recipe = stage.recipe([])
    recipe.check(stage.plan.recipe)
    with pytest.raises(SettingError, match="--stems"):
        recipe.check(prepare(piece.audio, settings, session=session).plan.recipe)
