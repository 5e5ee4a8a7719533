"""Flashes of a render: counted, limited where there are too many, and the same whoever draws the frames."""

from dataclasses import replace

import pytest

from clavilux import Patch, drift, lfo, palette, ramp
from clavilux.errors import SettingError
from clavilux.make import job as make_job
from clavilux.make import light as make_light
from clavilux.make.light import draws_alike
from clavilux.make.video import prepare_job
from clavilux.make.work import CancelledError
from clavilux.make.workspace import NullReporter, Workspace
from clavilux.project.output import Output
from clavilux.project.recipe import read_recipe
from clavilux.store import Store

SETTINGS = {"fps": 20, "size": (64, 36), "cells": (4, 7), "duration": 14}


@pytest.fixture(scope="module")
def jobs(piece, tmp_path_factory, small_file):
    """Jobs of a patch that flashes five times a second between two images, by how safe they are."""
    workspace = Workspace(Store(tmp_path_factory.mktemp("store")), renders=tmp_path_factory.mktemp("renders"))
    shades = palette(seed=2)
    strobe = lfo(seconds=0.2, shape="square")
    look = shades.loop(bars=8).toward(shades.accent, strobe)
    patch = Patch(look, drift(seconds=4).scale(strobe))

    def make(safety):
        settings = {**SETTINGS, "model": str(small_file), "patch": patch, "flash_safety": safety}
        return prepare_job(piece.audio, **settings, workspace=workspace)

    return {safety: make(safety) for safety in ("limit", "warn", "off")}


@pytest.fixture(scope="module")
def made(jobs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    return {safety: job.render(folder / f"{safety}.mp4") for safety, job in jobs.items()}


def test_warn_counts_and_changes_nothing(made):
    assert not made["warn"].flashes.passes
    assert made["warn"].flashes.rate == 5
    assert made["warn"].pixels == made["off"].pixels
    assert made["off"].flashes is None


def test_limit_makes_it_pass_and_is_part_of_what_the_video_is(made, jobs):
    assert made["limit"].flashes.passes
    assert made["limit"].pixels != made["off"].pixels
    assert jobs["warn"].plan.digest == jobs["off"].plan.digest != jobs["limit"].plan.digest
    assert read_recipe(made["limit"].path).output.flash_safety == "limit"


def test_a_render_that_was_stopped_goes_on_with_the_same_frames(made, jobs, tmp_path, monkeypatch):
    job = jobs["limit"]

    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(make_job, "limit_flashes", stop)  # all is drawn, nothing blended
        with pytest.raises(KeyboardInterrupt):
            job.render(tmp_path / "a.mp4")
    kept = job.workspace.renders / job.plan.digest
    assert len(list(kept.glob("*.npz"))) == len(job.plan.segments)
    with monkeypatch.context() as patch:
        patch.setattr(make_job, "join", stop)
        with pytest.raises(KeyboardInterrupt):
            job.render(tmp_path / "a.mp4")
    blended = sorted((kept / "blended").glob("*.mp4"))
    assert blended
    blended[0].unlink()
    assert job.render(tmp_path / "a.mp4").pixels == made["limit"].pixels
    assert not kept.exists()


class Stages(NullReporter):
    """Notes which stages there are, and how many frames are done in each; stops in one where asked to."""

    def __init__(self, stop_in: str = "", after: int = 0) -> None:
        self.done: list[tuple[str, int]] = []
        self.said: list[str] = []
        self._stop_in, self._after = stop_in, after

    def begin(self, stage: str, total: int | None = None) -> None:
        self.done.append((stage, 0))

    def advance(self, count: int) -> None:
        self.done[-1] = self.done[-1][0], self.done[-1][1] + count

    def note(self, text: str) -> None:
        self.said.append(text)

    def cancelled(self) -> bool:
        stage, count = self.done[-1]
        return stage == self._stop_in and count >= self._after


@pytest.fixture(scope="module")
def foreseen(piece, tmp_path_factory):
    """What prepares a patch that flashes for a network that has smaller images, its video, and its stages."""
    renders, store = tmp_path_factory.mktemp("renders"), Store(tmp_path_factory.mktemp("store"))
    shades = palette(seed=2)
    strobe = lfo(seconds=0.25, shape="square")
    patch = Patch(shades.loop(bars=8).toward(shades.accent, strobe), drift(seconds=4))

    def job(stages):
        workspace = Workspace(store, stages, renders=renders)
        settings = {"fps": 16, "size": (320, 180), "duration": 9, "patch": patch}
        return prepare_job(piece.audio, **settings, workspace=workspace)

    stages = Stages()
    made = job(stages).render(tmp_path_factory.mktemp("videos") / "a.mp4")
    return job, made, stages.done, "\n".join(stages.said)


def test_flashes_that_are_foreseen_are_limited_while_frames_are_drawn_once(foreseen):
    _, made, done, said = foreseen
    assert made.flashes.passes
    assert said.count("Limiting flashes in 2 of 2 parts") == 1
    drawn = [("Looking for flashes", made.frames), ("Rendering", made.frames)]
    assert [stage for stage in done if stage[1]] == drawn


def test_a_render_that_is_stopped_goes_on_with_the_light_that_is_known(foreseen, tmp_path):
    job, made, done, _ = foreseen
    with pytest.raises(CancelledError):
        job(Stages("Looking for flashes", after=made.frames - 8)).render(tmp_path / "a.mp4")
    stages = Stages()
    assert job(stages).render(tmp_path / "a.mp4").pixels == made.pixels
    assert stages.done == done  # frames that were finished are counted too


def test_light_that_is_damaged_is_drawn_again(foreseen, tmp_path):
    job, made, _, _ = foreseen
    stopped = job(Stages("Rendering", after=made.frames - 8))
    with pytest.raises(CancelledError):
        stopped.render(tmp_path / "a.mp4")
    light = sorted((stopped.workspace.renders / stopped.plan.digest / "light").glob("*.npz"))
    assert len(light) == len(stopped.plan.segments) > 1
    light[0].write_bytes(light[0].read_bytes()[:-1000])
    assert job(Stages()).render(tmp_path / "a.mp4").pixels == made.pixels


def test_what_does_not_flash_is_the_same_with_the_limit_and_without(piece, small_file, tmp_path):
    look = palette(seed=2).loop(bars=64)
    settings = {**SETTINGS, "model": str(small_file), "patch": Patch(look, drift(seconds=20)), "duration": 3}
    first, second = (
        prepare_job(piece.audio, **settings, flash_safety=each, workspace=Workspace()).render(
            tmp_path / f"{each}.mp4"
        )
        for each in ("limit", "off")
    )
    assert first.pixels == second.pixels
    assert first.flashes.passes


def test_there_are_three_words():
    with pytest.raises(SettingError, match="did you mean 'limit'"):
        Output(flash_safety="limits")
    assert replace(Output(), flash_safety="off").flash_safety == "off"


@pytest.mark.parametrize("flashing", [False, True])
def test_flashes_outside_the_parts_that_are_looked_at_first_are_limited_afterwards(
    piece, small_file, flashing, tmp_path, monkeypatch
):
    """Of four parts of 8 s, the second is not looked at, and all that may flash is in it."""
    monkeypatch.setattr(make_light, "LIGHT_SIDE", 16)
    shades, stages = palette(seed=2), Stages()
    strobe = lfo(seconds=0.2, shape="square") * ramp("0:10", "0:10.1") * (1 - ramp("0:14", "0:14.1"))
    strobe = strobe * float(flashing)
    look = Patch(shades.loop(bars=8).toward(shades.accent, strobe), drift(seconds=4).scale(strobe))
    workspace = Workspace(Store(tmp_path / "store"), stages, renders=tmp_path / "renders")
    settings = {**SETTINGS, "cells": (8, 14), "duration": 31, "model": str(small_file), "patch": look}
    job = prepare_job(piece.audio, **settings, workspace=workspace)
    first, second, third, last = (segment.frames for segment in job.plan.segments)
    made = job.render(tmp_path / "a.mp4")
    assert made.flashes.passes
    drawn = [("Looking for flashes", first + third + last), ("Rendering", made.frames)]
    found = [stage for stage in stages.done if stage[1] and stage[0] != "Surveying the model"]
    assert found == drawn + [("Rendering", second)] * flashing


def test_engines_of_full_precision_share_the_light():
    assert draws_alike("openvino f32 on cpu", "torch f32 on cuda")
    assert draws_alike("openvino 2026 bf16 on Xeon", "openvino 2026 bf16 on Xeon")
    assert not draws_alike("openvino 2026 bf16 on Xeon", "openvino f32 on cpu")
