"""Renders that are measured from their frames as they are drawn: as the finished video, however they went."""

from dataclasses import replace

import pytest
import soundfile

from clavilux import Patch, drift, lfo, palette
from clavilux.array_files import hash_of_arrays, load_arrays
from clavilux.errors import OutputError, SettingError
from clavilux.make import job as make_job
from clavilux.make.measure import measure_video
from clavilux.make.video import prepare_job, render
from clavilux.make.work import CancelledError
from clavilux.make.workspace import NullReporter, Workspace
from clavilux.store import Store

SETTINGS = {"fps": 20, "size": (128, 72), "cells": (4, 7), "duration": 14}


@pytest.fixture(scope="module")
def make(piece, tmp_path_factory, small_file):
    """What prepares a job of two segments, of which one flashes five times a second."""
    store, renders = Store(tmp_path_factory.mktemp("store")), tmp_path_factory.mktemp("renders")
    shades = palette(seed=2)
    strobe = lfo(seconds=0.2, shape="square")
    patch = Patch(shades.loop(bars=8).toward(shades.accent, strobe), drift(seconds=4).scale(strobe))

    def prepare(safety, report=None):
        settings = {**SETTINGS, "model": str(small_file), "patch": patch, "flash_safety": safety}
        workspace = Workspace(store, report or NullReporter(), renders=renders)
        return prepare_job(piece.audio, **settings, workspace=workspace)

    return prepare


@pytest.fixture(scope="module")
def made(make, tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    return {
        safety: make(safety).render(folder / f"{safety}.mp4", measure=True)
        for safety in ("limit", "warn", "off")
    }


class Stopping(NullReporter):
    """Asks to stop after some frames of the stage in which frames are drawn."""

    def __init__(self, after: int) -> None:
        self._drawing, self._left = False, after

    def begin(self, stage: str, total: int | None = None) -> None:
        self._drawing = stage == "Rendering"

    def advance(self, count: int) -> None:
        self._left -= count * self._drawing

    def cancelled(self) -> bool:
        return self._left < 0


def seen(made):
    """Hash everything that was seen of a video."""
    trace = made.measured.measures.trace
    names = ("values", "histograms", "layouts", "sharpness")
    return hash_of_arrays(
        {name: getattr(trace, name) for name in names} | {"flashes": trace.flashes.severity}
    )


@pytest.mark.parametrize("safety", ["limit", "warn", "off"])
def test_a_render_is_measured_as_its_finished_video_is(made, safety):
    video = made[safety]
    drawn = video.measured.measures.to_dict()
    decoded = measure_video(video.path, workspace=Workspace()).measures.to_dict()
    assert drawn.keys() == decoded.keys()
    assert drawn["frames"] == decoded["frames"] == video.frames == 280
    for name in ("wcag", "itu", "rate", "red_rate"):
        assert drawn["flashes"][name] == decoded["flashes"][name], name
    assert (drawn["flashes"]["wcag"] == "pass") == (safety == "limit") == video.flashes.passes
    assert drawn["flashes"]["area"] == pytest.approx(decoded["flashes"]["area"], abs=0.05)
    for name in ("sharpness", "motion"):
        assert drawn[name] == pytest.approx(decoded[name], rel=0.1), name
    for name in ("rhythmic", "chromatic"):
        assert drawn[name]["value"] == pytest.approx(decoded[name]["value"], abs=0.05), name
        assert drawn[name]["chance"] == pytest.approx(decoded[name]["chance"], abs=0.05), name


def test_a_part_of_a_song_is_compared_with_that_part(piece, small_file, tmp_path):
    settings = {**SETTINGS, "model": str(small_file), "start": 6, "duration": 4}
    video = render(piece.audio, tmp_path / "a.mp4", **settings, measure=True, workspace=Workspace())
    assert video.measured.measures.start == 6
    decoded = measure_video(video.path, workspace=Workspace()).measures
    drawn = video.measured.measures
    assert drawn.rhythmic.value == pytest.approx(decoded.rhythmic.value, abs=0.05)


@pytest.mark.parametrize("safety", ["limit", "off"])
def test_a_render_that_was_stopped_is_measured_as_one_that_was_not(make, made, safety, tmp_path):
    with pytest.raises(CancelledError):
        make(safety, Stopping(200)).render(tmp_path / "a.mp4", measure=True)
    again = make(safety).render(tmp_path / "a.mp4", measure=True)
    assert again.pixels == made[safety].pixels
    assert seen(again) == seen(made[safety])


@pytest.mark.parametrize("safety", ["limit", "off"])
def test_frames_that_were_finished_without_measures_are_not_drawn_again(
    make, made, safety, tmp_path, monkeypatch
):
    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(make_job, "join", stop)
        with pytest.raises(KeyboardInterrupt):
            make(safety).render(tmp_path / "a.mp4")
    job = make(safety)
    kept = [load_arrays(path) for path in (job.workspace.renders / job.plan.digest).glob("*.npz")]
    assert all(arrays.keys() == {"cells"} for arrays in kept)  # nothing more is kept unless asked for

    class NeverRuns:
        label, precision, batch = job.runner.label, job.runner.precision, job.runner.batch

        def run(self, inputs):
            raise AssertionError("everything is there already")

    again = replace(job, start_engine=lambda _: NeverRuns()).render(tmp_path / "a.mp4", measure=True)
    decoded = measure_video(again.path, workspace=Workspace()).measures.trace
    assert (again.measured.measures.trace.values == decoded.values).all()
    assert again.flashes.passes == made[safety].flashes.passes


def test_nothing_is_measured_unless_asked_for(make, tmp_path):
    assert make("warn").render(tmp_path / "a.mp4").measured is None


def test_images_are_not_measured(piece, small_file, tmp_path):
    settings = {**SETTINGS, "model": str(small_file), "codec": "png"}
    with pytest.raises(SettingError, match="images are not measured"):
        render(piece.audio, tmp_path / "images", **settings, measure=True, workspace=Workspace())
    job = prepare_job(piece.audio, **settings, workspace=Workspace())
    with pytest.raises(SettingError, match="images are not measured"):
        job.render(tmp_path / "images", measure=True)
    assert not list(tmp_path.iterdir())


def test_a_page_never_replaces_a_file_that_was_read(piece, small_file, tmp_path):
    song = tmp_path / "song.wav"
    soundfile.write(song, piece.audio.read(0, 22050).T, 22050)
    settings = {**SETTINGS, "model": str(small_file)}
    made = render(song, tmp_path / "a.mp4", **settings, measure=True, workspace=Workspace())
    (tmp_path / "song.png").hardlink_to(song)
    with pytest.raises(OutputError, match="never replaced"):
        made.measured.plot(tmp_path / "song.png", overwrite=True)
    assert made.measured.plot(tmp_path / "page.png").stat().st_size > 10_000
