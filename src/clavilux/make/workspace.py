"""What the work has around it: where results are kept, what stays in memory, who is informed."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import platformdirs

from clavilux.audio.sound import Audio, open_audio
from clavilux.audio.stem_files import open_stems
from clavilux.engine.runner import Runner
from clavilux.features.corrections import Corrections
from clavilux.features.song import Song
from clavilux.generator.model import Model, find_model, load_model
from clavilux.make.fetch import fetch, is_remote
from clavilux.project.machine import Machine
from clavilux.store import Store

if TYPE_CHECKING:
    from clavilux.generator.program import Program
    from clavilux.profile.survey import Progress, Survey

__all__ = ["NullReporter", "Reporter", "Workspace", "cache_folder", "models_folder", "palettes_folder"]

MAX_KEPT, MAX_RUNNERS = 4, 2
"""How many songs and models of each kind are kept in memory, and compiled programs: those of one job."""

T = TypeVar("T")


class Reporter(Protocol):
    """Receives progress, and may ask to stop."""

    def begin(self, stage: str, total: int | None = None) -> None:
        """Note that a stage begins, with its number of frames where it has one."""

    def advance(self, count: int) -> None:
        """Note that `count` more frames of the stage are done."""

    def note(self, text: str) -> None:
        """Pass on one sentence the user should know, such as that the song is silent."""

    def cancelled(self) -> bool:
        """Whether the work should stop; asked after every few frames."""


class NullReporter:
    """Reports to nobody."""

    def begin(self, stage: str, total: int | None = None) -> None:
        """Ignore it."""

    def advance(self, count: int) -> None:
        """Ignore it."""

    def note(self, text: str) -> None:
        """Ignore it."""

    def cancelled(self) -> bool:
        """Never."""
        return False


@dataclass(eq=False)
class _Slot:
    """What is kept in memory, or none while it is made."""

    value: Any = None
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, eq=False)
class Workspace:
    """Where results are kept; songs, models and compiled programs are also kept in memory, a few of each.

    Attributes:
        store: keeps what was analysed of songs and models for the next time.
        report: receives progress.
        renders: keeps the segments of renders that stop early, so that they can be resumed; without it they
            are written beside the target and removed when a render stops.
        engine: keeps compiled programs.
        palettes: the user's saved palettes.
        models: the user's named checkpoints.
    """

    store: Store = field(default_factory=Store)
    report: Reporter = field(default_factory=NullReporter)
    renders: Path | None = None
    engine: Path | None = None
    palettes: Path | None = None
    models: Path | None = None
    _kept: dict[str, OrderedDict[Hashable, _Slot]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of_user(cls, report: Reporter | None = None) -> Workspace:
        """Keep everything in this user's cache folder; nothing where it cannot be written."""
        folder, palettes, models = cache_folder(), palettes_folder(), models_folder()
        if not _writable(folder):
            (report or NullReporter()).note(
                f"The cache folder '{folder}' cannot be written, so nothing is kept for the next time; the "
                "environment variable CLAVILUX_CACHE names another."
            )
            return cls(report=report or NullReporter(), palettes=palettes, models=models)
        return cls(
            Store(folder / "known"),
            report or NullReporter(),
            folder / "renders",
            folder / "engine",
            palettes,
            models,
        )

    def audio(self, source: str | Path | Audio, *, track: int | None = None) -> Audio:
        """Open a song's file, or one of its audio tracks, or return audio as it is.

        Raises:
            AudioError: it cannot be read.
        """
        if isinstance(source, Audio):
            return source
        audio = self._keep(
            "audio", (_file_key(Path(source)), track), lambda: open_audio(source, track, self.store)
        )
        if audio.tracks > 1:
            self.report.note(
                f"{audio.name} has {audio.tracks} audio tracks, and this is number {audio.track}; "
                "the setting track takes another."
            )
        return audio

    def song(self, audio: Audio, *, stems: str | Path | None, corrections: Corrections) -> Song:
        """Return a song with its stems and corrections.

        Raises:
            AudioError: stems cannot be used.
        """
        own = {} if stems is None else open_stems(stems, audio)
        key = (
            audio.digest,
            audio.name,
            repr(sorted(audio.tags.items())),
            repr(sorted(corrections.to_dict().items())),
            *((name, own[name].digest) for name in sorted(own)),
        )
        return self._keep("song", key, lambda: Song(audio, self.store, own, corrections))

    def model(self, name: str) -> Model:
        """Load a model by its name, its file or its address.

        Raises:
            ModelError: there is none, or it cannot be used or fetched.
        """
        path = self.model_file(name)
        model = self._keep("model", _file_key(path), lambda: load_model(path))
        build = self._keep("network", model.digest, lambda: model.build)  # copies of a file share a network
        return replace(model, build=build)

    def model_file(self, name: str) -> Path:
        """Find the file of a model, and fetch it first where the name is an address.

        Raises:
            ModelError: there is none, or it cannot be fetched.
        """
        if not is_remote(name):
            return find_model(name, self.models)
        return fetch(name, self.engine.parent / "fetched" if self.engine else None, self.report)

    def runner(self, program: Program, machine: Machine) -> Runner:
        """Compile a program for this machine.

        Raises:
            EngineError: there is no such device or precision.
        """
        from clavilux.engine.cache import key as program_key  # here, as a song is analysed without an engine
        from clavilux.engine.choose import open_runner

        return self._keep(
            "runner",
            (program_key(program), machine),
            lambda: open_runner(
                program, device=machine.device, precision=machine.precision, cache=self.engine
            ),
        )

    def survey(self, model: Model, progress: Progress) -> Survey:
        """Survey a model, or return its survey.

        Raises:
            ModelError: palettes cannot be chosen from it.
        """
        from clavilux.profile.survey import survey  # here, as a song is analysed without a model

        return self._keep("survey", model.digest, lambda: survey(model, self.store, progress=progress))

    def forget(self, runner: Runner) -> None:
        """Give up a compiled program that is not needed any more, and its memory."""
        with self._lock:
            kept = self._kept.get("runner", OrderedDict())
            for key in [key for key, slot in kept.items() if slot.value is runner]:
                del kept[key]

    def _keep(self, kind: str, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept under a key; whoever asks for it while it is made waits for it."""
        with self._lock:
            kept = self._kept.setdefault(kind, OrderedDict())
            slot = kept.setdefault(key, _Slot())
            kept.move_to_end(key)
            if len(kept) > (MAX_RUNNERS if kind == "runner" else MAX_KEPT):
                kept.popitem(last=False)
        with slot.lock:
            if slot.value is None:
                slot.value = make()
            value: T = slot.value
        return value


def cache_folder() -> Path:
    """Return this user's cache folder; the environment's CLAVILUX_CACHE names another."""
    return Path(os.environ.get("CLAVILUX_CACHE") or platformdirs.user_cache_dir("clavilux", appauthor=False))


def palettes_folder() -> Path:
    """Return the folder of this user's palettes; the environment's CLAVILUX_DATA names what it is in."""
    return _data_folder() / "palettes"


def models_folder() -> Path:
    """Return the folder of this user's named checkpoints; see `palettes_folder`."""
    return _data_folder() / "models"


def _data_folder() -> Path:
    return Path(os.environ.get("CLAVILUX_DATA") or platformdirs.user_data_dir("clavilux", appauthor=False))


def _writable(folder: Path) -> bool:
    """Whether a folder is there, or can be made, and can be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError):
        return False
    return folder.is_absolute() and os.access(folder, os.W_OK)


def _file_key(path: Path) -> Hashable:
    """Name a file and its state, so that a changed file is read again."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return str(path)
    return str(path.absolute()), found.st_mtime_ns, found.st_size
