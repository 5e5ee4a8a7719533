"""Flashes of a render: counted, limited where there are too many, and the same whoever draws the frames."""

from dataclasses import replace

import pytest

from clavilux import Patch, drift, lfo, palette
from clavilux.errors import SettingError
from clavilux.make import job as make_job
from clavilux.make.video import prepare_job
from clavilux.make.workspace import Workspace
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
