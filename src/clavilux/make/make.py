"""From a song to a file.

The steps are those a person would name: hear the song, set the stage (model, program, patch), then play it
into a video or one picture.
"""

import contextlib
import errno
import os
import tempfile
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from clavilux.audio.sound import Audio, open_audio
from clavilux.engine.torch_runner import TorchRunner, choose_device
from clavilux.errors import OutputError, SettingError
from clavilux.features.song import Song
from clavilux.generator.model import Model, load_model
from clavilux.generator.pixels import PixelFormat
from clavilux.generator.program import Program
from clavilux.make.plan import Plan, cover
from clavilux.make.settings import Settings
from clavilux.patch.patch import Patch
from clavilux.patch.presets.pulse import pulse
from clavilux.render.bind import BoundPatch, bind
from clavilux.render.frames import BATCH, frames
from clavilux.store import Store
from clavilux.timeline import Timeline, format_time
from clavilux.video.join import join
from clavilux.video.write import Encoding, SegmentWriter

__all__ = ["Rendered", "Reporter", "Session", "Stage", "check_target", "play", "prepare", "render", "still"]


class Reporter(Protocol):
    """Is told how the work goes."""

    def begin(self, stage: str, total: int | None = None) -> None:
        """Note that a stage begins, with its number of frames where it has one."""

    def advance(self, count: int) -> None:
        """Note that `count` more frames of the stage are done."""

    def note(self, text: str) -> None:
        """Pass on one sentence the person should know, such as that the song is silent."""


class Silent(Reporter):
    """Reports to nobody."""


@dataclass(frozen=True)
class Session:
    """Where results are kept and who is told how the work goes.

    Attributes:
        store: keeps what was heard, and learned about models, for the next time.
        report: is told.
    """

    store: Store = field(default_factory=Store)
    report: Reporter = field(default_factory=Silent)


@dataclass(frozen=True)
class Rendered:
    """What was made.

    Attributes:
        path: the video file.
        frames: its number of frames.
        fps: its frame rate.
        duration: its length in seconds.
        size: width and height.
        seconds: how long the making took.
    """

    path: Path
    frames: int
    fps: Fraction
    duration: float
    size: tuple[int, int]
    seconds: float


@dataclass(frozen=True)
class Stage:
    """Everything in place to draw frames: a song bound to a patch and a model, and a runner."""

    song: Song
    model: Model
    patch: Patch
    program: Program
    bound: BoundPatch
    runner: TorchRunner
    timeline: Timeline
    settings: Settings

    def frames(self, first: int, last: int) -> Generator[NDArray[np.uint8], None, None]:
        """Draw frames [first, last) in order, some at a time."""
        return frames(self.bound, self.runner, self.timeline, first, last)

    @property
    def plan(self) -> Plan:
        """What will be made, as a function of the project alone."""
        recipe = {
            "song": self.song.audio.digest,
            "model": self.model.digest,
            "patch": str(self.patch),
            "seed": self.settings.seed,
            "fps": str(self.timeline.fps),
            "start": str(self.timeline.start),
            "frames": self.timeline.frames,
            "size": list(self.program.size),
            "cells": list(self.program.cells),
            "crf": self.settings.crf,
        }
        return Plan(self.timeline, recipe)


def prepare(
    source: str | Path | Audio,
    settings: Settings | None = None,
    *,
    pixels: PixelFormat = "yuv420p",
    session: Session | None = None,
) -> Stage:
    """Hear the song, load the model, build its program and bind the patch to all of them.

    Args:
        source: a file with sound in it, or sound.
        settings: how the video is made; `Settings()` unless given.
        pixels: yuv420p for video, rgb24 for pictures.
        session: where results are kept and who is told.

    Raises:
        SettingError, AudioError, ModelError, PatchError: a part cannot be used as asked.
    """
    settings, session = settings or Settings(), session or Session()
    report = session.report
    report.begin("Opening the song")
    audio = source if isinstance(source, Audio) else open_audio(Path(source))
    timeline = cover(audio.duration, settings.fps, start=settings.start, duration=settings.duration)
    report.begin("Opening the model")
    device = choose_device(settings.device)
    model = load_model(settings.model)
    program = Program(model, size=settings.size, cells=settings.cells, pixels=pixels)
    report.begin("Listening")
    if audio.silent:
        report.note(f"{audio.name} is silent; the picture will only drift.")
    song = Song(audio, session.store)
    song.grid  # noqa: B018  # heard now, so that the bar says so
    report.begin("Choosing palettes")
    patch = settings.patch or pulse(settings.seed)
    if settings.psi is not None:
        patch = replace(patch, psi=settings.psi)
    bound = bind(patch, song, model, program, seed=settings.seed, store=session.store)
    runner = TorchRunner(program, batch=BATCH, device=device)
    return Stage(song, model, patch, program, bound, runner, timeline, settings)


def render(
    source: str | Path | Audio,
    target: str | Path,
    settings: Settings | None = None,
    *,
    overwrite: bool = False,
    session: Session | None = None,
) -> Rendered:
    """Make a music video of a song: `prepare` and `play`.

    Args:
        source: a file with sound in it, or sound.
        target: the .mp4 file to write.
        settings: how; `Settings()` unless given.
        overwrite: replace the target where it exists.
        session: where results are kept and who is told.

    Raises:
        ClaviluxError: one sentence on what is wrong; nothing is left under the target's name.
    """
    check_target(Path(target), ".mp4", overwrite=overwrite)
    stage = prepare(source, settings, session=session)
    return play(stage, Path(target), session)


def play(stage: Stage, target: Path, session: Session | None = None) -> Rendered:
    """Draw, encode and join a video, piece by piece beside the target, and put it in place whole.

    Raises:
        RenderError, OutputError: it cannot be drawn or written; the pieces are removed.
    """
    began = time.monotonic()
    report, timeline = (session or Session()).report, stage.timeline
    with _workshop(target) as folder:
        report.begin("Rendering", timeline.frames)
        pieces = _write_segments(stage, folder, report)
        report.begin("Joining picture and sound")
        join(
            pieces,
            target,
            audio=stage.song.audio,
            start=timeline.start,
            duration=timeline.duration,
            metadata={"title": stage.song.audio.name, "encoder": "Clavilux"},
        )
    return Rendered(
        path=target,
        frames=timeline.frames,
        fps=timeline.fps,
        duration=float(timeline.duration),
        size=stage.program.size,
        seconds=time.monotonic() - began,
    )


def _write_segments(stage: Stage, folder: Path, report: Reporter) -> list[Path]:
    """Encode every segment of the plan from one unbroken run of frames."""
    pieces, plan = [], stage.plan
    encoding = Encoding(size=stage.program.size, fps=plan.timeline.fps, crf=stage.settings.crf, gop=plan.gop)
    with contextlib.closing(stage.frames(0, plan.timeline.frames)) as drawn:
        rest = np.empty((0,), np.uint8)
        for segment in plan.segments:
            path = folder / f"{segment.index:05d}.mp4"
            with SegmentWriter(path, encoding) as writer:
                missing = segment.last - segment.first
                while missing:
                    batch = rest if len(rest) else next(drawn)
                    writer.write(batch[:missing])
                    rest = batch[missing:]
                    report.advance(min(len(batch), missing))
                    missing -= min(len(batch), missing)
            pieces.append(path)
    return pieces


def still(
    source: str | Path | Audio,
    target: str | Path,
    at: Fraction,
    settings: Settings | None = None,
    *,
    overwrite: bool = False,
    session: Session | None = None,
) -> Path:
    """Draw the one frame that the video shows `at` seconds into the song, as a PNG.

    Raises:
        ClaviluxError: one sentence on what is wrong; nothing is left under the target's name.
    """
    from PIL import Image

    target = Path(target)
    check_target(target, ".png", overwrite=overwrite)
    stage = prepare(source, settings, pixels="rgb24", session=session)
    timeline = stage.timeline
    if not timeline.start <= at < timeline.start + timeline.duration:
        raise SettingError(
            f"There is no picture at {format_time(float(at))}; {stage.song.audio.name} lasts "
            f"{format_time(stage.song.duration)} ({stage.song.duration:.2f} s)."
        )
    number = int((at - timeline.start) * timeline.fps)
    with contextlib.closing(stage.frames(number, number + 1)) as drawn:
        picture = Image.fromarray(next(drawn)[0])
    part = target.with_name(target.name + ".part")
    with _naming_disk_errors(target):
        try:
            picture.save(part, format="PNG")
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    return target


def check_target(target: Path, suffix: str, *, overwrite: bool) -> None:
    """Make sure, before any work, that a file can be written.

    Raises:
        OutputError: wrong ending, a missing or unwritable folder, or a file that is already there.
    """
    if target.suffix.lower() != suffix:
        raise OutputError(
            f"'{target.name}' should end in {suffix}; name it {target.stem or 'video'}{suffix}."
        )
    if target.is_dir():
        raise OutputError(f"{target} is a folder; name a file, such as {target / f'video{suffix}'}.")
    if target.exists() and not overwrite:
        raise OutputError(f"{target} is already there; add --force to replace it, or name another with -o.")
    if not target.parent.is_dir():
        raise OutputError(
            f"The folder {target.parent} does not exist; make it first or choose another with -o."
        )
    if not os.access(target.parent, os.W_OK):
        raise OutputError(f"The folder {target.parent} cannot be written to; choose another with -o.")


@contextlib.contextmanager
def _workshop(target: Path) -> Iterator[Path]:
    """Open a hidden folder beside the target for the pieces; it goes away whatever happens."""
    with (
        _naming_disk_errors(target),
        tempfile.TemporaryDirectory(prefix=f".{target.stem}-", dir=target.parent) as folder,
    ):
        yield Path(folder)


@contextlib.contextmanager
def _naming_disk_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error)).lower()
        raise OutputError(
            f"{target} cannot be written: {reason}; free some space or choose another place with -o."
        ) from error
