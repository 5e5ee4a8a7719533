"""From a song to a file.

The steps are those a person would name: hear the song, set the stage (model, program, patch), then play it
into a video or one picture.
"""

import contextlib
import errno
import os
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from importlib.metadata import version
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
from clavilux.make.plan import Plan, Segment, cover
from clavilux.make.recipe import KEY, Recipe
from clavilux.make.segments import SegmentStore, prune
from clavilux.make.settings import Settings
from clavilux.patch.patch import Patch
from clavilux.patch.presets.pulse import pulse
from clavilux.render.bind import BoundPatch, bind
from clavilux.render.frames import BATCH, frames
from clavilux.store import Store
from clavilux.timeline import Timeline, format_time
from clavilux.video.join import join
from clavilux.video.write import Encoding

__all__ = [
    "Rendered",
    "Reporter",
    "Session",
    "Stage",
    "check_target",
    "fill",
    "play",
    "prepare",
    "render",
    "still",
]


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
        renders: keeps the pieces of renders that stop early, so that they can go on; without it they are
            written beside the target and removed when a render stops.
    """

    store: Store = field(default_factory=Store)
    report: Reporter = field(default_factory=Silent)
    renders: Path | None = None


@dataclass(frozen=True)
class Rendered:
    """What was made.

    Attributes:
        path: the video file.
        frames: its number of frames.
        fps: its frame rate.
        duration: its length in seconds.
        size: width and height.
        pixels: hash of the raw frames.
        seconds: how long the making took.
    """

    path: Path
    frames: int
    fps: Fraction
    duration: float
    size: tuple[int, int]
    pixels: str
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
    def encoding(self) -> Encoding:
        """How the frames are encoded."""
        return Encoding(self.program.size, self.timeline.fps, crf=self.settings.crf, gop=self.plan.gop)

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

    def recipe(self, segment_hashes: list[str]) -> Recipe:
        """Write down how the video was made, to travel inside it."""
        pixels = Recipe.pixels_of(segment_hashes)
        return Recipe(version("clavilux"), self.settings, self.plan.recipe, pixels)


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
    """Draw, encode and join a video, piece by piece, and put it in place whole.

    Pieces that an earlier try has finished are used as they are.

    Raises:
        RenderError, OutputError: it cannot be drawn or written; nothing finished is lost.
    """
    began, session = time.monotonic(), session or Session()
    store = SegmentStore(_place(target, session, stage.plan), stage.plan)
    about = {
        "song": stage.song.audio.name,
        "target": str(target.absolute()),
        "segments": len(store.plan.segments),
    }
    with _naming_disk_errors(target), _kept(store, session):
        with store.open(about):
            fill(store, stage, session.report)
            recipe = stage.recipe(store.pixel_hashes())
            _join(store, stage, target, recipe, session.report)
        store.remove()
    timeline = stage.timeline
    return Rendered(
        path=target,
        frames=timeline.frames,
        fps=timeline.fps,
        duration=float(timeline.duration),
        size=stage.program.size,
        pixels=recipe.pixels,
        seconds=time.monotonic() - began,
    )


def _place(target: Path, session: Session, plan: Plan) -> Path:
    """Name the folder of a render's pieces: among the kept ones, or hidden beside the target."""
    if session.renders is not None:
        return session.renders / plan.digest
    return target.parent / f".{target.stem}-{plan.digest[:8]}"


def fill(store: SegmentStore, stage: Stage, report: Reporter) -> None:
    """Draw and encode every segment that is missing, each unbroken stretch from one run of frames."""
    missing = store.missing()
    total, left = stage.timeline.frames, sum(segment.last - segment.first for segment in missing)
    report.begin("Rendering", total)
    if left < total:
        report.advance(total - left)
        report.note(f"Going on where it stopped: {total - left} of {total} frames are already made.")
    for stretch in _stretches(missing):
        with contextlib.closing(stage.frames(stretch[0].first, stretch[-1].last)) as drawn:
            _write(store, stretch, drawn, stage.encoding, report)


def _write(
    store: SegmentStore,
    segments: list[Segment],
    drawn: Iterator[NDArray[np.uint8]],
    encoding: Encoding,
    report: Reporter,
) -> None:
    """Cut one run of frames into its segments."""
    batch = np.empty(0, np.uint8)
    for segment in segments:
        with store.write(segment, encoding) as writer:
            missing = segment.last - segment.first
            while missing:
                batch = batch if len(batch) else next(drawn)
                now, batch = batch[:missing], batch[missing:]
                writer.write(now)
                report.advance(len(now))
                missing -= len(now)


def _join(store: SegmentStore, stage: Stage, target: Path, recipe: Recipe, report: Reporter) -> None:
    report.begin("Joining picture and sound")
    join(
        [store.path(segment) for segment in store.plan.segments],
        target,
        audio=stage.song.audio,
        start=stage.timeline.start,
        duration=stage.timeline.duration,
        metadata={"title": stage.song.audio.name, KEY: recipe.to_text()},
    )


def _stretches(segments: list[Segment]) -> list[list[Segment]]:
    """Group segments that follow one another."""
    stretches: list[list[Segment]] = []
    for segment in segments:
        if stretches and stretches[-1][-1].last == segment.first:
            stretches[-1].append(segment)
        else:
            stretches.append([segment])
    return stretches


@contextlib.contextmanager
def _kept(store: SegmentStore, session: Session) -> Iterator[None]:
    """Keep the pieces of a render that stops early, where there is a place for them; else remove them."""
    if session.renders is not None:
        session.renders.mkdir(parents=True, exist_ok=True)
        prune(session.renders)
        yield
        return
    try:
        yield
    finally:
        store.remove()


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
def _naming_disk_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error)).lower()
        raise OutputError(
            f"{target} cannot be written: {reason}; free some space or choose another place with -o."
        ) from error
