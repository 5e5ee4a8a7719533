"""A job: a song, a model and a patch, bound and ready to draw. Whatever makes a video or an image is one.

`prepare` is a row of acts, each a function of its own: open the song, load the model, evaluate and bind the
patch, start the engine. What follows needs neither the song's features nor the patch: a `Job` draws frames,
describes itself, renders, and has previews, each a job of its own.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clavilux.engine.runner import Runner
from clavilux.errors import ClaviluxError, OutputError, SettingError, one_line
from clavilux.features.song import Song
from clavilux.files import write_error
from clavilux.frames.bound import Bound, Stage
from clavilux.frames.crossfade import FrameSource, looped
from clavilux.frames.frames import frames
from clavilux.generator.model import Model
from clavilux.make.kept import keeping, pieces_folder
from clavilux.make.lease import Lease
from clavilux.make.light import LightStore, light_program
from clavilux.make.measure import Measured, check_measurable, trace_render
from clavilux.make.numbered import ImageStore
from clavilux.make.plan import Plan, encoding_of, pixels_of
from clavilux.make.safety import Finished, count_flashes, foresee_flashes, limit_flashes
from clavilux.make.segments import SegmentStore
from clavilux.make.targets import check_target, target_suffix
from clavilux.make.work import Change, render_missing
from clavilux.make.workspace import Reporter, Workspace
from clavilux.metrics.flashes import Flashes
from clavilux.metrics.trace import Trace
from clavilux.pixel_formats import Samples
from clavilux.project.machine import Machine
from clavilux.project.migrate import SAMPLES, SCHEMA
from clavilux.project.output import Output
from clavilux.project.project import Project
from clavilux.project.recipe import KEY, Recipe, read_recipe
from clavilux.timeline import Timeline, format_time
from clavilux.video.images import Images
from clavilux.video.join import join
from clavilux.video.write import Encoding

if TYPE_CHECKING:
    from clavilux.generator.program import Program

__all__ = ["Job", "Rendered"]


@dataclass(frozen=True)
class Rendered:
    """What was made.

    Attributes:
        path: the video file, or the folder of images.
        frames: its number of frames.
        fps: its frame rate.
        duration: its length in seconds.
        size: width and height.
        pixels: hash of the raw frames; empty for images.
        seconds: how long the work took.
        flashes: what flashes the video has; none where they are not counted.
        measured: what was measured of the video; none unless asked for.
    """

    path: Path
    frames: int
    fps: Fraction
    duration: float
    size: tuple[int, int]
    pixels: str
    seconds: float
    flashes: Flashes | None = None
    measured: Measured | None = None


@dataclass(frozen=True)
class Job:
    """A song bound to a patch and a model, to be drawn.

    Attributes:
        project: what is shown.
        played: the preset, or whose patch it is, in words.
        output: size and codec.
        machine: where it is drawn.
        workspace: where results are kept.
        song: the song, with its stems and corrections.
        headline: what the song is like, in one line.
        model: what draws.
        program: the model at the output's size.
        bound: the patch bound to song and model: arrays that need neither.
        start_engine: starts the engine for a program, or returns the one that runs already.
        timeline: the frames.
        encoding: how the frames are encoded; none for images.
        files: hashes of the files that the patch reads, in the order in which it names them.
        blended: hashes of the models that it is mixed with.
        reads: the files that are read, and so never replaced.
    """

    project: Project
    played: str
    output: Output
    machine: Machine
    workspace: Workspace
    song: Song
    headline: str
    model: Model
    program: Program
    bound: Bound
    start_engine: Callable[[Program], Runner]
    timeline: Timeline
    encoding: Encoding | None
    files: tuple[str, ...] = ()
    blended: tuple[str, ...] = ()
    reads: tuple[Path, ...] = ()

    @cached_property
    def runner(self) -> Runner:
        """The program on an engine."""
        return self.start_engine(self.program)

    @cached_property
    def source(self) -> FrameSource:
        """The program's inputs for every frame, loops included."""
        return looped(self.bound, self.timeline, self.program.inputs) if self.project.loop else self.bound

    @property
    def identity(self) -> Mapping[str, object]:
        """Everything the pixels of the video depend on, as plain values, numbers with all their digits."""
        encoding = self.encoding
        return {
            "schema": SCHEMA,
            "song": self.song.audio.digest,
            "stems": {name: stem.digest for name, stem in sorted(self.song.stems.items())},
            "corrections": self.song.corrections.to_dict(),
            "model": self.model.digest,
            "patch": str(self.bound.patch.with_files(lambda name: Path(name).name)),  # wherever they lie
            "files": list(self.files),
            **({"blended": list(self.blended)} if self.blended else {}),  # older recipes have none
            "ops": self.bound.patch.versions,
            "seed": self.project.seed,
            "fps": str(self.timeline.fps),
            "start": str(self.timeline.start),
            "frames": self.timeline.frames,
            "loop": self.project.loop,
            "precision": self.runner.precision,
            "size": list(self.program.size),
            "cells": list(self.program.cells),
            "codec": self.output.codec,
            "bits": encoding.bits if encoding else 8,
            "crf": encoding.crf if encoding else None,
            "flash_safety": "limit" if encoding and self.output.flash_safety == "limit" else "off",
        }

    @property
    def samples(self) -> Mapping[str, object]:
        """Song and stems by their decoded samples, as version 0.1.0 identified them."""
        stems = sorted(self.song.stems.items())
        return {
            "song": f"{SAMPLES}{self.song.audio.samples_digest}",
            "stems": {name: f"{SAMPLES}{stem.samples_digest}" for name, stem in stems},
        }

    @property
    def plan(self) -> Plan:
        """What will be made, in which segments."""
        return Plan(self.timeline, self.identity)

    def describe(self) -> list[str]:
        """Return the song and what will be made of it, a line each."""
        width, height = self.program.size
        rows, columns = self.program.cells
        length = format_time(float(self.timeline.duration))
        return [
            f"Song: {self.headline}",
            f"Model: {self.model.name} ({self.model.resolution} px, cells {rows}x{columns}), {self.played}, "
            f"seed {self.project.seed}",
            f"Video: {length}, {self.timeline.frames} frames of {width}x{height} at "
            f"{float(self.timeline.fps):g} fps",
        ]

    def preview(self, height: int) -> Job:
        """Return the same job in a smaller size, as H.264, drawn at the network's own lower resolution.

        Args:
            height: of the preview, px; no larger than the job's own. See `Program.preview`.
        """
        output = self.output.preview(height)
        encoding = encoding_of(output, self.timeline)
        program = self.program.preview(height, pixels_of(encoding))
        bound = replace(self.bound, stage=Stage.of(self.model, program))
        return replace(self, output=output, program=program, bound=bound, encoding=encoding)

    def frames(self, first: int = 0, last: int | None = None) -> Generator[Samples, None, None]:
        """Draw frames [first, last) in order, some at a time.

        Yields:
            (n, ...) pixels of the next n frames, in the program's pixel format: planar Y'CbCr for video,
            (n, H, W, 3) RGB for images.
        """
        last = self.timeline.frames if last is None else last
        return frames(self.source, self.runner, self.timeline, first, last)

    def still(self, at: float | Fraction = 0) -> NDArray[np.uint8]:
        """Draw the frame at a time of the song, uint8 (H, W, 3), as it is before it is encoded.

        Raises:
            SettingError: the video shows nothing at that time.
        """
        moment, timeline = Fraction(at), self.timeline
        if not timeline.start <= moment < timeline.start + timeline.duration:
            raise SettingError(
                f"There is no image at {format_time(float(moment))}; {self.song.audio.name} lasts "
                f"{format_time(self.song.duration)} ({self.song.duration:.2f} s)",
                where="at",
                value=at,
            )
        number = int((moment - timeline.start) * timeline.fps)
        runner = self._rgb_runner()
        with contextlib.closing(frames(self.source, runner, timeline, number, number + 1)) as drawn:
            return np.asarray(next(drawn)[0], np.uint8)

    def render(self, target: str | Path, *, overwrite: bool = False, measure: bool = False) -> Rendered:
        """Draw, encode and join the video, segment by segment, and put it in place whole.

        Segments that an earlier try, or another process, has finished are used as they are.

        Args:
            target: the file to write, or the folder of images.
            overwrite: replace the target where it exists.
            measure: measure the video, from its frames as they are drawn; see `measure_video`.

        Raises:
            SettingError: it becomes images, and should be measured.
            RenderError, OutputError: it cannot be drawn or written; nothing finished is lost.
        """
        target, began = Path(target), time.monotonic()
        check_target(target, target_suffix(self.output), overwrite=overwrite, reads=self.reads)
        if measure:
            check_measurable(self.output)
        with _disk_errors(target):
            flashes = trace = None
            if self.encoding is None:
                pixels = self._render_images(target)
            else:
                pixels, flashes, trace = self._render_video(
                    target, self.encoding, overwrite=overwrite, traced=measure
                )
        measured = None if trace is None else self._measured(target, trace)
        timeline = self.timeline
        seconds = time.monotonic() - began
        return Rendered(
            target,
            timeline.frames,
            timeline.fps,
            float(timeline.duration),
            self.program.size,
            pixels,
            seconds,
            flashes,
            measured,
        )

    def recipe(self, segment_hashes: Sequence[str], engines: Sequence[str]) -> Recipe:
        """Write down how the video was made, by which engines, to travel inside it."""
        return Recipe(
            version("clavilux"),
            replace(self.project, corrections=self.song.corrections),
            self.output,
            self.machine.precision,
            tuple(engines),
            self.identity,
            Recipe.pixels_of(segment_hashes),
        )

    def _rgb_runner(self) -> Runner:
        """Return an engine that draws RGB: the job's own, or one for the same program in RGB."""
        if self.encoding is None:
            return self.runner
        return self.start_engine(self.program.with_pixels("rgb24"))

    def _measured(self, target: Path, trace: Trace) -> Measured:
        """Compare the trace of the video with the song, as it was heard for it."""
        from clavilux.metrics.measures import measure  # here, as few renders are measured

        self.workspace.report.begin("Measuring")
        measures = measure(trace, self.song, float(self.timeline.start))
        return Measured(target, measures, self.song, self.reads)

    def _render_video(
        self, target: Path, encoding: Encoding, *, overwrite: bool, traced: bool
    ) -> tuple[str, Flashes | None, Trace | None]:
        """Draw every segment, join them and return the hash of the raw frames, the flashes and the trace."""
        report, plan, safety = self.workspace.report, self.plan, self.output.flash_safety
        measured = safety != "off"
        folder = pieces_folder(self.workspace.renders, target, plan.digest)
        store = SegmentStore(folder, plan, encoding, self.runner.label, measured, traced)
        about = {
            "engine": self.runner.label,
            "song": self.song.audio.name,
            "target": str(target.absolute()),
            "segments": len(plan.segments),
        }
        with (
            keeping(self.workspace.renders, store.remove),
            store.open(about) as user,
            ThreadPoolExecutor(1) as aside,
        ):
            # What is put under the images is decoded first: the file may be another when they are drawn
            decoding = aside.submit(self.song.audio.read, 0, 1)
            change = self._foreseen(store, report, user) if safety == "limit" else None
            decoding.result()
            render_missing(
                plan, self.source, store, runner=self.runner, report=report, user=user, change=change
            )
            finished = Finished(store)
            if safety == "limit":
                finished = limit_flashes(
                    store, self.source, runner=self.runner, report=report, user=user, change=change
                )
            flashes = trace = None
            if traced:
                report.begin("Measuring")
                trace = trace_render(finished)
                flashes = trace.flashes
            elif measured:
                flashes = count_flashes(finished)
            stores = {segment: finished.store(segment) for segment in plan.segments}
            hashes = [store.pixel_hash(segment) for segment, store in stores.items()]
            recipe = self.recipe(hashes, store.engines())
            if len(recipe.engines) > 1:
                report.note(f"Drawn by {' and '.join(recipe.engines)}, which agree to rounding.")
            report.begin("Joining images and audio")
            try:
                join(
                    [store.path(segment) for segment, store in stores.items()],
                    target,
                    audio=self.song.audio,
                    start=self.timeline.start,
                    duration=self.timeline.duration,
                    metadata={"title": one_line(self.song.audio.name), KEY: recipe.to_text()},
                    overwrite=overwrite,
                )
            except FileExistsError:
                _check_same(target, recipe)
        store.remove()
        return recipe.pixels, flashes, trace

    def _foreseen(self, store: SegmentStore, report: Reporter, user: Lease) -> Change | None:
        """Return what blends frames that would flash too much, where that can be seen in small images."""
        program = light_program(self.program, self.output, self.timeline)
        if program is None:
            return None  # what is small already is drawn, and limited afterwards
        small = self.preview(program.size[1])
        light = LightStore(store.folder / "light", store.plan, program.spec.pixels, small.runner.label)
        pixels = store.encoding.pixels
        try:
            return foresee_flashes(
                light, small.source, pixels=pixels, runner=small.runner, report=report, user=user
            )
        finally:
            self.workspace.forget(small.runner)

    def _render_images(self, folder: Path) -> str:
        """Write every image that is missing in the folder; return no hash: there is nothing to compare."""
        plan, engine = self.plan, self.runner.label
        store = ImageStore(Images(folder, self.program.size, f"{plan.digest} {engine}"), plan, engine)
        with store.open() as user:
            report = self.workspace.report
            render_missing(plan, self.source, store, runner=self.runner, report=report, user=user)
        return ""


def _check_same(target: Path, recipe: Recipe) -> None:
    """Accept a target that appeared meanwhile where it is the very same video: another process made it."""
    with contextlib.suppress(ClaviluxError):
        there = read_recipe(target)
        if (there.identity, there.pixels) == (recipe.identity, recipe.pixels):
            return
    raise OutputError(
        f"{target} was written by something else meanwhile",
        where="target",
        value=str(target),
        hint="allow overwriting, or choose another name; what is rendered is kept",
        remedy="overwrite",
    )


@contextlib.contextmanager
def _disk_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise write_error(target, error) from error
