"""A render is never lost: killed, damaged, shared or interrupted, it is resumed and ends the same."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from clavilux.errors import EngineError, OutputError
from clavilux.make.kept import kept_renders, prune
from clavilux.make.lease import Lease, is_held
from clavilux.make.segments import SegmentStore
from clavilux.make.video import prepare_job
from clavilux.make.work import CancelledError, render_missing, render_segment
from clavilux.make.workspace import NullReporter, Workspace
from clavilux.project.machine import Machine
from clavilux.project.recipe import read_recipe
from clavilux.store import Store
from clavilux.video.probe import probe

ABOUT = {"song": "piece", "target": "piece.mp4", "segments": 4}


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return tmp_path_factory.mktemp("known")


@pytest.fixture(scope="module")
def job(piece, known, small_file):
    settings = {
        "fps": 20,
        "size": (64, 36),
        "cells": (4, 7),
        "model": str(small_file),
        "flash_safety": "warn",
    }
    return prepare_job(piece.audio, **settings, workspace=Workspace(Store(known)))


@pytest.fixture(scope="module")
def whole(job, tmp_path_factory):
    """The hashes of the raw frames of every segment, drawn in one go."""
    return draw_all(job, tmp_path_factory.mktemp("whole") / "store").pixel_hashes()


def store_of(job, folder, engine=None):
    return SegmentStore(folder, job.plan, job.encoding, engine or job.runner.label, measured=True)


def draw_all(job, folder, engine=None, report=None):
    store = store_of(job, folder, engine)
    with store.open(ABOUT) as user:
        render_missing(
            job.plan,
            job.source,
            store,
            runner=job.runner,
            report=report or NullReporter(),
            user=user,
        )
    return store


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from dataclasses import replace
from clavilux.demo.composer import compose
from clavilux.engine.torch import TorchRunner
from clavilux.make.segments import SegmentStore
from clavilux.make.video import prepare_job
from clavilux.make.work import render_missing
from clavilux.make.workspace import NullReporter, Workspace
from clavilux.store import Store

folder, known, model = map(Path, sys.argv[1:])
def prepared(codec):
    job = prepare_job(
        compose(0, bars=4, bpm=120, rate=22050).audio,
        fps=20, size=(64, 36), cells=(4, 7), model=str(model), codec=codec,
        workspace=Workspace(Store(known)),
    )
    runner = TorchRunner(job.program, batch=2)  # OpenVINO does not survive a fork
    return replace(job, start_engine=lambda _: runner)

job, images = prepared("h264"), prepared("png")
moments = random.Random(5)

def work(folder):
    if folder.name.startswith("png"):
        images.render(folder)
        return
    store = SegmentStore(folder, job.plan, job.encoding, job.runner.label)
    with store.open({"song": "piece", "target": "piece.mp4", "segments": len(job.plan.segments)}) as user:
        render_missing(job.plan, job.source, store, runner=job.runner, report=NullReporter(), user=user)

def child(folder):
    pid = os.fork()
    if pid == 0:
        try:
            work(folder)
        except BaseException as error:
            print(type(error), error, file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return pid

def hashes(folder):
    status = os.waitpid(child(folder), 0)[1]
    assert status == 0
    if folder.name.startswith("png"):
        return {path.name: path.read_bytes() for path in folder.iterdir()}
    return SegmentStore(folder, job.plan, job.encoding, job.runner.label).pixel_hashes()

for kind in ("", "png"):
    for _ in range(12):
        pid = child(folder / f"{kind}killed")
        time.sleep(moments.uniform(0, 0.5))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    together = [child(folder / f"{kind}shared") for _ in range(3)]
    assert [os.waitpid(pid, 0)[1] for pid in together] == [0, 0, 0]
    whole = hashes(folder / f"{kind}whole")
    assert hashes(folder / f"{kind}killed") == whole == hashes(folder / f"{kind}shared")
assert len(whole) == images.timeline.frames
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_killed_at_many_random_moments_or_shared_by_three_it_ends_with_the_same_frames(
    tmp_path, known, small_file
):
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}  # a forked child cannot use its parent's threads
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLED, tmp_path, known, small_file],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=one_thread,
    )
    assert done.returncode == 0, done.stderr


def test_damaged_short_and_missing_segments_are_found_and_made_again(job, tmp_path, whole):
    store = draw_all(job, tmp_path / "store")
    first, second, third = (store.path(segment) for segment in job.plan.segments[:3])
    damaged = bytearray(first.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    first.write_bytes(damaged)
    second.write_bytes(second.read_bytes()[:-7])
    third.with_suffix(".json").write_text("{not json")
    assert store.missing() == job.plan.segments[:3]
    draw_all(job, tmp_path / "store")
    assert not store.missing()
    assert store.pixel_hashes() == whole


def test_segments_of_another_plan_are_not_taken(job, tmp_path):
    store = draw_all(job, tmp_path / "store")
    sidecar = store.path(job.plan.segments[0]).with_suffix(".json")
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | {"last": 7}))
    assert job.plan.segments[0] in store.missing()


def test_what_is_finished_is_not_drawn_again_and_a_finished_video_leaves_nothing(job, tmp_path):
    workspace = Workspace(renders=tmp_path / "renders")
    workspace.renders.mkdir()
    draw_all(job, workspace.renders / job.plan.digest)

    class NeverRuns:
        label, precision, batch = job.runner.label, job.runner.precision, job.runner.batch

        def run(self, inputs):
            raise AssertionError("everything is there already")

    replace(job, start_engine=lambda _: NeverRuns(), workspace=workspace).render(tmp_path / "video.mp4")
    assert probe(tmp_path / "video.mp4").frames == job.timeline.frames
    assert not list(workspace.renders.iterdir())


def test_one_segment_is_drawn_alone_and_only_once(job, tmp_path, whole):
    store = store_of(job, tmp_path / "store")
    segment = job.plan.segments[2]
    with store.open(ABOUT):
        draw = lambda: render_segment(  # noqa: E731
            job.plan, job.source, segment, store, runner=job.runner
        )
        assert draw()
        assert not draw()
    assert store.pixel_hashes() == ["", "", whole[2], ""]


def test_a_segment_that_another_process_draws_is_waited_for(job, tmp_path, whole):
    store = store_of(job, tmp_path / "store")
    store.folder.mkdir()
    lease = store.lease(job.plan.segments[1])
    assert store.lease(job.plan.segments[1]) is None
    thread = threading.Thread(target=draw_all, args=(job, tmp_path / "store"), daemon=True)
    thread.start()
    for _ in range(300):
        time.sleep(0.1)
        if store.missing() == [job.plan.segments[1]]:
            break
    assert thread.is_alive()
    lease.release()
    thread.join(60)
    assert store.pixel_hashes() == whole


def test_a_lease_is_taken_over_from_the_dead_and_the_silent(tmp_path):
    path = tmp_path / "a.lease"
    assert Lease.take(path) is not None
    assert Lease.take(path) is None
    gone = {"owner": "x", "host": socket.gethostname(), "pid": 2**22 + 1}
    path.write_text(json.dumps(gone))
    assert not is_held(path)
    assert Lease.take(path) is not None
    path.write_text("")
    assert is_held(path)
    os.utime(path, (time.time() - 60,) * 2)
    assert not is_held(path)
    path.write_text(json.dumps(gone | {"host": "another machine"}))
    assert is_held(path)
    os.utime(path, (0, 0))
    assert Lease.take(path) is not None


def test_engines_of_half_precision_are_not_mixed(job, tmp_path, whole):
    notes = []

    class Listening(NullReporter):
        def note(self, text):
            notes.append(text)

    folder = tmp_path / "store"
    draw_all(job, folder, "openvino bf16 on cpu")
    other = draw_all(job, folder, "torch fp16 on cuda", Listening())
    assert "openvino bf16 on cpu" in notes[0]
    assert json.loads((folder / "00000.json").read_text())["engine"] == "torch fp16 on cuda"
    assert not other.missing()
    exact = [store_of(job, folder, label) for label in ("openvino f32 on cpu", "torch f32 on cuda")]
    draw_all(job, folder, exact[0].engine)
    assert not exact[1].missing()
    assert exact[1].pixel_hashes() == whole


def test_a_stalled_holder_does_not_release_what_another_has_taken_over(tmp_path):
    stalled = Lease.take(tmp_path / "a.lease")
    os.utime(stalled.path, (0, 0))
    assert Lease.take(stalled.path) is not None
    stalled.release()
    assert is_held(stalled.path)


def test_engines_of_full_precision_that_shared_the_work_are_named(job, tmp_path):
    notes = []

    class Listening(NullReporter):
        def note(self, text):
            notes.append(text)

    class Another:
        label, precision, batch = "torch f32 on cuda", job.runner.precision, job.runner.batch
        run = job.runner.run

    workspace = Workspace(renders=tmp_path / "renders", report=Listening())
    first = replace(job, workspace=workspace, machine=Machine(precision="exact"))
    folder = workspace.renders / first.plan.digest
    folder.parent.mkdir()
    draw_all(first, folder, "openvino f32 on cpu")
    (folder / "00001.json").unlink()
    replace(first, start_engine=lambda _: Another()).render(tmp_path / "video.mp4")
    engines = ("openvino f32 on cpu", "torch f32 on cuda")
    assert read_recipe(tmp_path / "video.mp4").engines == engines
    assert any(all(engine in note for engine in engines) for note in notes)


def test_engines_that_would_redraw_each_other_do_not_work_together(job, tmp_path):
    folder = tmp_path / "store"
    with store_of(job, folder, "openvino bf16 on cpu").open(ABOUT):
        with (
            pytest.raises(EngineError, match="bf16"),
            store_of(job, folder, "torch fp16 on cuda").open(ABOUT),
        ):
            pass
        with store_of(job, folder, "openvino bf16 on cpu").open(ABOUT):
            pass


@pytest.mark.parametrize("record", ["[" * 100_000, "[]", "{}", '{"first": 0}', "null", '"x"', ""])
def test_a_strange_record_is_a_missing_segment(job, tmp_path, record):
    store = draw_all(job, tmp_path / "store")
    store.path(job.plan.segments[0]).with_suffix(".json").write_text(record)
    assert store.missing() == job.plan.segments[:1]


def test_folders_where_files_should_be_are_cleared_away(job, tmp_path, whole):
    store = draw_all(job, tmp_path / "store")
    for name in ("00000.mp4", "00001.json", "00002.lease", "plan.json"):
        path = store.folder / name
        path.unlink(missing_ok=True)
        (path / "inside").mkdir(parents=True)
    (store.folder / "00003.mp4").unlink()
    assert draw_all(job, store.folder).pixel_hashes() == whole
    assert store.folder.joinpath("plan.json").is_file()


def test_a_render_that_is_cancelled_keeps_what_is_finished(job, tmp_path):
    class Cancelling(NullReporter):
        frames = 0

        def advance(self, count):
            self.frames += count

        def cancelled(self):
            return self.frames > 200

    workspace = Workspace(report=Cancelling(), renders=tmp_path / "renders")
    with pytest.raises(CancelledError):
        replace(job, workspace=workspace).render(tmp_path / "video.mp4")
    (kept,) = kept_renders(workspace.renders)
    assert kept.done == (1, len(job.plan.segments))


def test_a_target_that_appears_meanwhile_is_not_replaced(job, tmp_path):
    target = tmp_path / "video.mp4"

    class Intruding(NullReporter):
        def advance(self, count):
            target.write_bytes(b"the user's own")

    workspace = Workspace(report=Intruding(), renders=tmp_path / "renders")
    with pytest.raises(OutputError, match="meanwhile"):
        replace(job, workspace=workspace).render(target)
    assert target.read_bytes() == b"the user's own"
    assert kept_renders(workspace.renders)[0].done == (4, 4)


class Interrupting(NullReporter):
    def __init__(self):
        self.frames = 0

    def advance(self, count):
        self.frames += count
        if self.frames > 200:
            raise KeyboardInterrupt


def test_after_ctrl_c_finished_segments_are_kept_listed_and_pruned(job, tmp_path):
    workspace = Workspace(report=Interrupting(), renders=tmp_path / "renders")
    with pytest.raises(KeyboardInterrupt):
        replace(job, workspace=workspace).render(tmp_path / "video.mp4")
    (kept,) = kept_renders(workspace.renders)
    assert kept.done == (1, len(job.plan.segments))
    assert kept.target == str(tmp_path / "video.mp4")
    assert not kept.busy
    assert not prune(workspace.renders)
    os.utime(kept.folder / "plan.json", (0, 0))
    assert prune(workspace.renders, keep_bytes=kept.bytes - 1)[0].folder == kept.folder
    assert not kept_renders(workspace.renders)


def test_renders_untouched_for_a_month_go_but_those_at_work_stay(job, tmp_path):
    renders = tmp_path / "renders"
    renders.mkdir()
    store = draw_all(job, renders / job.plan.digest)
    for path in store.folder.iterdir():
        os.utime(path, (time.time() - 40 * 86400,) * 2)
    with store.open(ABOUT):
        assert not prune(renders, keep_bytes=0)
    for path in store.folder.iterdir():
        os.utime(path, (time.time() - 40 * 86400,) * 2)
    assert len(prune(renders)) == 1
