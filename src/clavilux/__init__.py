"""Clavilux plays a StyleGAN generator like an instrument: a song in, a music video out.

Every step from a file of audio to a video is public, so that work can begin and end at any of them:

    audio = open_audio("song.mp3")                          samples
    song = Song(audio)                                      what the music does; or Song.open("song.mp3")
    curves = evaluate(patch.signals, song)                  the curves a patch needs
    bound = bind(patch, curves, model, program)             numbers for every frame
    job = prepare("song.mp3", Project(patch=patch))         all of it, with an engine
    for batch in job.frames(): ...                          frames as arrays
    job.render("song.mp4")                                  a video
    render("song.mp3", "song.mp4", size=(1920, 1080))       in one call

Every operation that begins an expression of the patch language (docs/operations.md) is a function of this
package: `clavilux.drift(seconds=4)`.
"""

import contextlib
import importlib
import importlib.util
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clavilux.audio.sound import Audio, open_audio
    from clavilux.curves import Curve, Events, Grid, Sections
    from clavilux.demo.composer import compose
    from clavilux.errors import (
        AudioError,
        ClaviluxError,
        EngineError,
        FileError,
        ModelError,
        OutputError,
        PatchError,
        ProjectError,
        RenderError,
        SettingError,
        SongError,
    )
    from clavilux.features.corrections import Corrections
    from clavilux.features.song import Song
    from clavilux.frames.bind import bind
    from clavilux.frames.bound import Bound
    from clavilux.generator.model import Model, load_model
    from clavilux.generator.program import Program
    from clavilux.make.analyse import analyse
    from clavilux.make.job import Job, Rendered
    from clavilux.make.prepare import prepare
    from clavilux.make.still import still
    from clavilux.make.video import render
    from clavilux.make.workspace import Reporter, Workspace
    from clavilux.patches.functions import *  # noqa: F403
    from clavilux.patches.mix import mix
    from clavilux.patches.patch import Patch
    from clavilux.patches.presets.preset import Preset, knob, patch
    from clavilux.patches.presets.pulse import pulse
    from clavilux.patches.score import Scene, bars, beats, by_section, scene, score, seconds
    from clavilux.project.machine import Machine
    from clavilux.project.output import Output
    from clavilux.project.project import Project
    from clavilux.signals.evaluate import Curves, evaluate
    from clavilux.signals.sources import song
    from clavilux.store import Store
    from clavilux.timeline import Timeline

__all__ = [
    "Audio",
    "AudioError",
    "Bound",
    "ClaviluxError",
    "Corrections",
    "Curve",
    "Curves",
    "EngineError",
    "Events",
    "FileError",
    "Grid",
    "Job",
    "Machine",
    "Model",
    "ModelError",
    "Output",
    "OutputError",
    "Patch",
    "PatchError",
    "Preset",
    "Program",
    "Project",
    "ProjectError",
    "RenderError",
    "Rendered",
    "Reporter",
    "Scene",
    "Sections",
    "SettingError",
    "Song",
    "SongError",
    "Store",
    "Timeline",
    "Workspace",
    "analyse",
    "bars",
    "beats",
    "bind",
    "by_section",
    "compose",
    "evaluate",
    "knob",
    "load_model",
    "mix",
    "open_audio",
    "patch",
    "prepare",
    "pulse",
    "render",
    "scene",
    "score",
    "seconds",
    "song",
    "still",
]

__version__ = "0.1.0"

_HOMES = {
    "errors": (
        "AudioError",
        "ClaviluxError",
        "EngineError",
        "FileError",
        "ModelError",
        "OutputError",
        "PatchError",
        "ProjectError",
        "RenderError",
        "SettingError",
        "SongError",
    ),
    "audio.sound": ("Audio", "open_audio"),
    "curves": ("Curve", "Events", "Grid", "Sections"),
    "demo.composer": ("compose",),
    "features.corrections": ("Corrections",),
    "features.song": ("Song",),
    "frames.bind": ("bind",),
    "frames.bound": ("Bound",),
    "generator.model": ("Model", "load_model"),
    "generator.program": ("Program",),
    "make.analyse": ("analyse",),
    "make.job": ("Job", "Rendered"),
    "make.prepare": ("prepare",),
    "make.still": ("still",),
    "make.video": ("render",),
    "make.workspace": ("Reporter", "Workspace"),
    "patches.mix": ("mix",),
    "patches.patch": ("Patch",),
    "patches.presets.preset": ("Preset", "knob", "patch"),
    "patches.score": ("Scene", "bars", "beats", "by_section", "scene", "score", "seconds"),
    "patches.presets.pulse": ("pulse",),
    "project.machine": ("Machine",),
    "project.output": ("Output",),
    "project.project": ("Project",),
    "signals.evaluate": ("Curves", "evaluate"),
    "signals.sources": ("song",),
    "store": ("Store",),
    "timeline": ("Timeline",),
}
"""Public names by the module that holds them."""


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for, so that `import clavilux` is instant."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"clavilux.{module}"), name)
    if not name.startswith("_") and importlib.util.find_spec(f"clavilux.{name}") is None:  # no module
        functions = importlib.import_module("clavilux.patches.functions")
        with contextlib.suppress(AttributeError):
            return getattr(functions, name)
    raise AttributeError(f"module 'clavilux' has no attribute '{name}'")
