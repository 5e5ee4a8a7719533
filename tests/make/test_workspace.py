"""What a workspace keeps in memory: one of each, whatever copies are called."""

import shutil
import threading
import time
import wave
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from clavilux.errors import ModelError
from clavilux.features.corrections import Corrections
from clavilux.generator.program import Program
from clavilux.make import workspace as workspace_module
from clavilux.make.workspace import Workspace
from clavilux.project.machine import Machine


def test_copies_of_a_model_share_one_network_and_keep_their_names(small_file, tmp_path):
    copy = shutil.copy(small_file, tmp_path / "copy.safetensors")
    workspace = Workspace()
    first, second = workspace.model(str(small_file)), workspace.model(str(copy))
    assert first.network is second.network
    assert (first.name, second.name) == (small_file.stem, "copy")


def test_a_copy_of_a_song_keeps_its_name(tmp_path):
    for name in ("one.wav", "two.wav"):
        with wave.open(str(tmp_path / name), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(22050)
            file.writeframes(np.zeros(22050, "<i2").tobytes())
    workspace = Workspace()
    songs = [
        workspace.song(workspace.audio(tmp_path / name), stems=None, corrections=Corrections())
        for name in ("one.wav", "two.wav")
    ]
    assert [song.audio.name for song in songs] == ["one", "two"]


def test_what_is_asked_for_while_it_is_made_is_made_once(small_file, monkeypatch):
    loaded, load, entered = [], workspace_module.load_model, threading.Event()

    def slowly(path):
        loaded.append(path)
        entered.set()
        time.sleep(0.2)
        return load(path)

    monkeypatch.setattr(workspace_module, "load_model", slowly)
    workspace = Workspace()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(workspace.model, str(small_file))
        entered.wait()
        second = threads.submit(workspace.model, str(small_file))
    assert first.result().build is second.result().build
    assert len(loaded) == 1


def test_what_fails_is_tried_again(small_file, monkeypatch):
    load, tries = workspace_module.load_model, []

    def once(path):
        tries.append(path)
        if len(tries) == 1:
            raise ModelError("It cannot be read now")
        return load(path)

    monkeypatch.setattr(workspace_module, "load_model", once)
    workspace = Workspace()
    with pytest.raises(ModelError):
        workspace.model(str(small_file))
    assert workspace.model(str(small_file)).name == small_file.stem


def test_programs_of_one_job_are_kept_in_memory_and_older_ones_given_up(small_model):
    workspace, machine = Workspace(), Machine()
    programs = [Program(small_model, size=(side, side)) for side in (32, 48, 64)]
    first, second, third = (workspace.runner(program, machine) for program in programs)
    assert workspace.runner(programs[1], machine) is second
    assert workspace.runner(programs[2], machine) is third
    assert workspace.runner(programs[0], machine) is not first
    workspace.forget(third)
    assert workspace.runner(programs[2], machine) is not third
