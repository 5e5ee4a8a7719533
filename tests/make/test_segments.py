"""A render is never lost: killed, damaged, crowded or interrupted, it goes on and ends the same."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from clavilux.errors import OutputError
from clavilux.make.make import fill, play
from clavilux.make.segments import SegmentStore, kept_renders, prune
from clavilux.make.session import Session, Silent
from clavilux.make.settings import Settings
from clavilux.make.stage import prepare
from clavilux.store import Store
from clavilux.video.probe import probe


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return tmp_path_factory.mktemp("known")


@pytest.fixture(scope="module")
def stage(piece, known, small_file):
    settings = Settings(fps=20, size=(64, 36), cells=(4, 7), model=str(small_file))
    return prepare(piece.audio, settings, session=Session(Store(known)))


@pytest.fixture(scope="module")
def whole(stage, tmp_path_factory):
    """The hashes of the raw frames of every segment, made in one go."""
    return fill_all(stage, tmp_path_factory.mktemp("whole") / "store").pixel_hashes()


def fill_all(stage, folder):
    store = SegmentStore(folder, stage.plan)
    with store.open({"song": "piece", "target": "piece.mp4", "segments": len(stage.plan.segments)}):
        fill(store, stage, stage.encoding, Session().report)
    return store


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from clavilux.demo.composer import compose
from clavilux.make.make import fill
from clavilux.make.session import Session
from clavilux.make.stage import prepare
from clavilux.make.segments import SegmentStore
from clavilux.make.settings import Settings
from clavilux.store import Store

folder, known, model = map(Path, sys.argv[1:])
stage = prepare(
    compose(0, bars=4, bpm=120, rate=22050).audio,
    Settings(fps=20, size=(64, 36), cells=(4, 7), model=str(model)),
    session=Session(Store(known)),
)
moments = random.Random(5)

def work(folder):
    store = SegmentStore(folder, stage.plan)
    with store.open({"song": "piece", "target": "piece.mp4", "segments": len(stage.plan.segments)}):
        fill(store, stage, stage.encoding, Session().report)

def child(folder):
    pid = os.fork()
    if pid == 0:
        work(folder)
        os._exit(0)
    return pid

def hashes(folder):
    status = os.waitpid(child(folder), 0)[1]
    assert status == 0
    return SegmentStore(folder, stage.plan).pixel_hashes()

for _ in range(20):
    pid = child(folder / "killed")
    time.sleep(moments.uniform(0, 0.5))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
assert hashes(folder / "killed") == hashes(folder / "whole")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_killed_at_twenty_random_moments_it_ends_with_the_same_frames(tmp_path, known, small_file):
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


def test_damaged_short_and_missing_segments_are_found_and_made_again(stage, tmp_path, whole):
    store = fill_all(stage, tmp_path / "store")
    first, second, third = (store.path(segment) for segment in stage.plan.segments[:3])
    damaged = bytearray(first.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    first.write_bytes(damaged)
    second.write_bytes(second.read_bytes()[:-7])
    third.with_suffix(".json").write_text("{not json")
    assert store.missing() == stage.plan.segments[:3]
    fill_all(stage, tmp_path / "store")
    assert not store.missing()
    assert store.pixel_hashes() == whole


def test_segments_of_another_plan_are_not_taken(stage, tmp_path):
    store = fill_all(stage, tmp_path / "store")
    sidecar = store.path(stage.plan.segments[0]).with_suffix(".json")
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | {"last": 7}))
    assert stage.plan.segments[0] in store.missing()


def test_what_is_made_is_not_made_again_and_a_finished_video_leaves_nothing(stage, tmp_path):
    session = Session(renders=tmp_path / "renders")
    session.renders.mkdir()
    fill_all(stage, session.renders / stage.plan.digest)

    class NeverRuns:
        label = "never"

        def run(self, inputs):
            raise AssertionError("everything is there already")

    play(replace(stage, runner=NeverRuns()), tmp_path / "video.mp4", session)
    assert probe(tmp_path / "video.mp4").frames == stage.timeline.frames
    assert not list(session.renders.iterdir())


def test_two_processes_do_not_make_the_same_video_at_once(stage, tmp_path):
    store = SegmentStore(tmp_path / "store", stage.plan)
    with store.open({}), pytest.raises(OutputError, match="already being made"), store.open({}):
        pass


class Interrupting(Silent):
    def __init__(self):
        self.frames = 0

    def advance(self, count):
        self.frames += count
        if self.frames > 200:
            raise KeyboardInterrupt


def test_after_ctrl_c_the_finished_segments_wait_and_are_listed_and_pruned(stage, tmp_path):
    session = Session(report=Interrupting(), renders=tmp_path / "renders")
    with pytest.raises(KeyboardInterrupt):
        play(stage, tmp_path / "video.mp4", session)
    (kept,) = kept_renders(session.renders)
    assert kept.done == (1, len(stage.plan.segments))
    assert kept.target == str(tmp_path / "video.mp4")
    assert not kept.busy
    assert not prune(session.renders)
    os.utime(kept.folder / "plan.json", (0, 0))
    assert prune(session.renders, keep_bytes=kept.bytes - 1)[0].folder == kept.folder
    assert not kept_renders(session.renders)


def test_renders_untouched_for_a_month_go_but_those_at_work_stay(stage, tmp_path):
    renders = tmp_path / "renders"
    renders.mkdir()
    store = fill_all(stage, renders / stage.plan.digest)
    for path in store.folder.iterdir():
        os.utime(path, (time.time() - 40 * 86400,) * 2)
    with store.open({"song": "piece", "target": "x.mp4", "segments": 4}):
        assert not prune(renders, keep_bytes=0)
    for path in store.folder.iterdir():
        os.utime(path, (time.time() - 40 * 86400,) * 2)
    assert len(prune(renders)) == 1
