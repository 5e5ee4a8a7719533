"""The whole path: frames counted, sound in sync, any range alike, errors clean."""

from contextlib import closing
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import soundfile
import torch
from torch import nn

from clavilux.audio.sound import Audio, open_audio
from clavilux.errors import OutputError, RenderError
from clavilux.frames.frames import frames
from clavilux.generator.program import Program
from clavilux.make import job as make_job
from clavilux.make.video import prepare_job, render
from clavilux.make.workspace import NullReporter, Workspace
from clavilux.project.machine import Machine
from clavilux.store import Store
from clavilux.video.probe import decode, probe

SETTINGS = {"fps": 10, "size": (128, 72), "cells": (4, 7)}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return Workspace(Store(tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="module")
def job(piece, workspace):
    return prepare_job(piece.audio, **SETTINGS, workspace=workspace)


def draw(job, first, last):
    with closing(job.frames(first, last)) as drawn:
        return np.concatenate(list(drawn))


def test_a_range_of_frames_is_bit_equal_alone_and_within_a_longer_one(job):
    np.testing.assert_array_equal(draw(job, 10, 20), draw(job, 0, 30)[10:20])


def test_the_same_project_gives_the_same_frames_again(piece, workspace, job):
    again = prepare_job(piece.audio, **SETTINGS, workspace=workspace)
    assert again.plan.digest == job.plan.digest
    np.testing.assert_array_equal(draw(again, 40, 48), draw(job, 40, 48))


def test_a_still_is_the_frame_of_the_video_before_it_is_encoded(piece, workspace, job):
    images = prepare_job(piece.audio, **SETTINGS, codec="png", workspace=workspace)
    np.testing.assert_array_equal(job.still(4), draw(images, 40, 41)[0])


def test_programs_that_differ_in_the_weights_of_a_bend_are_compiled_apart(small_model, workspace):
    class Scaled(nn.Module):
        """Multiplies a layer; its spec does not tell by how much."""

        layer, inputs, spec, is_features = "b8.conv1", {}, ("scaled",), True

        def __init__(self, amount):
            super().__init__()
            self.amount = nn.Buffer(torch.tensor(amount))

        def forward(self, x):
            return x * self.amount

    one, other = (Program(small_model, size=(64, 64), taps=[Scaled(amount)]) for amount in (0.5, 2.0))
    assert one.spec == other.spec
    runners = [workspace.runner(program, Machine()) for program in (one, other, one)]
    assert runners[0] is runners[2]
    assert runners[0] is not runners[1]


def test_another_seed_gives_another_image(piece, workspace, job):
    other = prepare_job(piece.audio, **{**SETTINGS, "seed": 1}, workspace=workspace)
    assert other.plan.digest != job.plan.digest
    assert np.abs(draw(other, 40, 41).astype(int) - draw(job, 40, 41)).mean() > 3


def test_frame_n_is_the_same_moment_at_every_frame_rate(piece, workspace, job):
    double = prepare_job(piece.audio, **{**SETTINGS, "fps": Fraction(20)}, workspace=workspace)
    slow, fast = (
        job.source.at(job.timeline.window(40, 8)),
        double.source.at(double.timeline.window(80, 16)),
    )
    distance = np.linalg.norm(fast["ws"][::2] - slow["ws"], axis=-1).mean()
    assert distance < 0.35 * np.linalg.norm(slow["ws"] - slow["ws"].mean(axis=0), axis=-1).mean() + 0.5


def test_a_video_has_every_frame_and_its_song_in_sync(tmp_path, workspace):
    rate = 22050
    clicks = np.zeros(int(2.95 * rate), np.float32)
    places = [3000, 20_000, 41_000, 60_000]
    for place in places:
        clicks[place : place + 30] = 0.9
    made = render(
        Audio.from_samples(clicks, rate, name="clicks"),
        tmp_path / "clicks.mp4",
        **SETTINGS,
        workspace=workspace,
    )
    info = probe(made.path)
    assert made.frames == info.frames == len(list(decode(made.path))) == 30
    sound = open_audio(made.path)
    assert (sound.rate, sound.channels) == (rate, 1)
    samples = sound.read(0, sound.samples)[0]
    for place in places:
        near = samples[place - 500 : place + 500]
        assert abs(np.argmax(np.abs(near)) - 500 - 15) <= rate * 0.001 + 15
    assert sound.duration <= made.duration + 0.1


def test_frames_in_the_file_are_the_frames_drawn(tmp_path, piece, workspace):
    fine = {**SETTINGS, "crf": 1, "start": 8, "duration": 2}
    job = prepare_job(piece.audio, **fine, workspace=workspace)
    made = job.render(tmp_path / "fine.mp4")
    in_file = np.stack(list(decode(made.path)))
    difference = np.abs(in_file.astype(int) - draw(job, 0, 20))
    assert difference.max() <= 24
    assert difference.mean() < 1


class Failing:
    """A runner whose device gives up in the third pass."""

    def __init__(self, runner):
        self.runner, self.calls = runner, 0
        self.label, self.precision, self.batch = runner.label, runner.precision, runner.batch

    def run(self, inputs):
        self.calls += 1
        if self.calls == 3:
            raise RenderError("The device gave up.")
        return self.runner.run(inputs)


def test_an_error_while_drawing_ends_the_render_with_its_own_message(tmp_path, job):
    failing = Failing(job.runner)
    with pytest.raises(RenderError, match="The device gave up"):
        replace(job, start_engine=lambda _: failing, workspace=Workspace()).render(tmp_path / "never.mp4")
    assert not list(tmp_path.iterdir())


def test_a_vanished_folder_is_an_error_of_ours(tmp_path, job):
    with pytest.raises(OutputError, match="gone"):
        job.render(tmp_path / "gone" / "video.mp4")


class Interrupting(NullReporter):
    """Presses Ctrl-C after the first frames."""

    def advance(self, count):
        raise KeyboardInterrupt


def test_ctrl_c_leaves_nothing_behind(tmp_path, job):
    with pytest.raises(KeyboardInterrupt):
        replace(job, workspace=Workspace(report=Interrupting())).render(tmp_path / "never.mp4")
    assert not list(tmp_path.iterdir())


def test_frames_are_drawn_for_the_range_alone(job):
    with closing(frames(job.source, job.runner, job.timeline, 3, 5)) as drawn:
        assert sum(len(batch) for batch in drawn) == 2


def test_a_known_song_may_be_removed_while_it_is_drawn(piece, small_file, tmp_path, monkeypatch):
    path, store = tmp_path / "song.wav", Store(tmp_path / "store")
    soundfile.write(path, piece.audio.read(0, 22050).T, 22050)
    settings = {**SETTINGS, "model": str(small_file), "flash_safety": "off"}
    prepare_job(path, **settings, workspace=Workspace(store))
    job = prepare_job(path, **settings, workspace=Workspace(store))
    assert job.song.audio._pcm._pcm is None  # not decoded
    draw_missing = make_job.render_missing

    def removed(*given, **more):
        path.unlink()
        draw_missing(*given, **more)

    monkeypatch.setattr(make_job, "render_missing", removed)
    made = job.render(tmp_path / "a.mp4")
    assert open_audio(made.path).duration == pytest.approx(1, abs=0.05)
