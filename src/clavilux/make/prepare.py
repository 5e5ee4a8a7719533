"""From a song and what was decided about it to a job: open, load, analyse, bind, start the engine."""

import functools
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clavilux.annotations.sidecar import corrections_of
from clavilux.audio.sound import Audio
from clavilux.director.decide import decide
from clavilux.engine.runner import Runner
from clavilux.features.corrections import Corrections
from clavilux.features.song import Song
from clavilux.files import hash_of
from clavilux.make.job import Job
from clavilux.make.light import light_program
from clavilux.make.plan import encoding_of, pixels_of, timeline_of
from clavilux.make.targets import files_read
from clavilux.make.workspace import Reporter, Workspace
from clavilux.patches.patch import Patch
from clavilux.pixel_formats import PixelFormat
from clavilux.project.cues import corrections_of_cues
from clavilux.project.machine import Machine
from clavilux.project.output import IMAGES, Output
from clavilux.project.project import Project
from clavilux.report.summary import headline
from clavilux.signals.evaluate import evaluate
from clavilux.timeline import Timeline

if TYPE_CHECKING:
    from clavilux.generator.program import Program
    from clavilux.make.drawing import Drawing
    from clavilux.profile.survey import Survey

__all__ = ["open_song", "prepare"]

DRAWING = "clavilux.make.drawing"
"""Takes a third of a second to import, and PyTorch two; meanwhile the song is opened and heard."""

ASIDE = 6
"""Threads beside the one that hears the song: two engines, each asked for twice, palettes and directions."""

POLL_SECONDS = 0.2


def prepare(
    source: str | Path | Audio,
    project: Project | None = None,
    output: Output | None = None,
    machine: Machine | None = None,
    *,
    workspace: Workspace | None = None,
    preview: int | None = None,
) -> Job:
    """Open the song, load the model, build its program, and bind the patch to all of them.

    Args:
        source: an audio file, a video with audio, or audio.
        project: what is shown.
        output: size and codec.
        machine: where it is drawn.
        workspace: where results are kept and who is informed; nowhere and nobody unless given.
        preview: height of the preview that will be drawn of the job, px; its engine is started, not the
            job's own.

    Raises:
        ClaviluxError: a part cannot be used as asked; one sentence on what is wrong.
    """
    project, output, machine = project or Project(), output or Output(), machine or Machine()
    workspace = workspace or Workspace()
    report = workspace.report
    with ThreadPoolExecutor(ASIDE) as aside:
        aside.submit(import_module, DRAWING)
        report.begin("Opening the song")
        audio = workspace.audio(source, track=project.track)
        timeline = timeline_of(audio.duration, output.fps, start=project.start, duration=project.duration)
        encoding = encoding_of(output, timeline)
        report.begin("Loading the model")
        file = workspace.model_file(project.model)
        shown = encoding if preview is None else encoding_of(output.preview(preview), timeline)
        loading = aside.submit(_load, file, output, machine, workspace, preview)
        aside.submit(_import_engine, loading, pixels_of(shown), machine, preview)
        report.begin("Analysing")
        opened = functools.partial(_song, source, audio, project, workspace)
        engines = _Engines(workspace, machine, output, timeline, preview, pixels_of(shown))
        decided = decide(
            project,
            opened,
            lambda: _surveyed(loading.result(), aside, report),
            lambda likely: aside.submit(_start, engines, loading, likely, pixels_of(encoding), aside),
            tame=output.flash_safety == "limit",
        )
        drawing = loading.result()
        for reason in decided.reasons:
            report.note(f"{reason}.")
        project = decided.project
        patch = project.shown
        with patch.placing():
            program = drawing.program(patch, pixels_of(encoding))
            # What is chosen and compiled for the model needs nothing of the song
            seen = _Seen()
            starting = engines.start(program, aside)
            choosing = aside.submit(drawing.palettes, patch, seen.note)
            pushing = aside.submit(drawing.directions, patch)
            if audio.silent:
                report.note(f"{audio.name} is silent; the image will only drift.")
            song = opened()
            about = headline(song)
            curves = evaluate(patch.signals, song)
            song.release()  # curves are all that frames need
            report.begin("Choosing palettes")
            seen.report_until(choosing, report)
            palettes = choosing.result()
            report.begin("Starting the engine")
            starting.result()
            read = drawing.files(patch)
            bound = drawing.bind(
                patch, curves, program, seed=project.seed, palettes=palettes, directions=pushing.result()
            )
            return Job(
                project=project,
                played=decided.played,
                output=output,
                machine=machine,
                workspace=workspace,
                song=song,
                headline=about,
                model=drawing.model,
                program=program,
                bound=bound,
                start_engine=functools.partial(workspace.runner, machine=machine),
                timeline=timeline,
                encoding=encoding,
                files=tuple(hash_of(path) for path in read),
                blended=drawing.blended(patch),
                reads=tuple(files_read(source, stems=project.stems, model=project.model, others=read)),
            )


@dataclass(frozen=True)
class _Engines:
    """Starts what draws a job, or the preview of one, beside everything else."""

    workspace: Workspace
    machine: Machine
    output: Output
    timeline: Timeline
    preview: int | None
    shown: PixelFormat

    def drawn(self, program: "Program") -> "Program":
        """Return what is drawn of a job's program: itself, or a preview of it."""
        return program if self.preview is None else program.preview(self.preview, self.shown)

    def start(self, program: "Program", aside: ThreadPoolExecutor) -> Future[Runner]:
        """Start the engine of a program, and of what a render looks for flashes with.

        Args:
            program: what is drawn, or what a preview is made of.
            aside: where.
        """
        small = None
        if self.preview is None and self.output.codec != IMAGES and self.output.flash_safety == "limit":
            small = light_program(program, self.output, self.timeline)
        starting = aside.submit(self.workspace.runner, self.drawn(program), self.machine)
        if small is not None:
            aside.submit(self.workspace.runner, small, self.machine)
        return starting


def _start(
    engines: _Engines,
    loading: "Future[Drawing]",
    likely: Patch,
    pixels: PixelFormat,
    aside: ThreadPoolExecutor,
) -> None:
    """Start the engines for the patch that will probably be shown, where one like it is compiled already.

    Compiling would slow down the hearing of the song, and nothing would be won.
    """
    drawing = loading.result()
    program = drawing.program(likely, pixels)
    if not drawing.needs_torch(engines.drawn(program), engines.machine):
        engines.start(program, aside)


def _import_engine(
    loading: "Future[Drawing]", pixels: PixelFormat, machine: Machine, preview: int | None
) -> None:
    loading.result().import_engine(pixels, machine, preview=preview)


def _load(
    file: Path, output: Output, machine: Machine, workspace: Workspace, preview: int | None
) -> "Drawing":
    from clavilux.make.drawing import Drawing

    return Drawing.load(file, output, machine, workspace, preview=preview)


@dataclass
class _Seen:
    """How far a survey that runs aside has come."""

    done: int = 0
    total: int = 0

    def note(self, done: int, total: int) -> None:
        """Note how many images have been drawn, and of how many."""
        self.done, self.total = done, total

    def report_until(self, end: Future[Any], report: Reporter) -> None:
        """Report the survey until all is done."""
        reported = -1
        while wait([end], timeout=POLL_SECONDS).not_done:
            done, total = self.done, self.total
            if total and reported < 0:
                report.begin("Surveying the model", total)
                reported = 0
            if done > reported >= 0:
                report.advance(done - reported)
                reported = done


def _surveyed(drawing: "Drawing", aside: ThreadPoolExecutor, report: Reporter) -> "Survey":
    """Return the survey of the model, and report how far it has come where it has to be drawn."""
    seen = _Seen()
    drawn = aside.submit(drawing.survey, seen.note)
    seen.report_until(drawn, report)
    return drawn.result()


def open_song(source: str | Path | Audio, project: Project, workspace: Workspace) -> Song:
    """Open the song of a project, with its stems and corrections.

    Raises:
        ClaviluxError: it cannot be used as asked.
    """
    return _song(source, workspace.audio(source, track=project.track), project, workspace)


def _song(source: str | Path | Audio, audio: Audio, project: Project, workspace: Workspace) -> Song:
    """Return the song with its stems, and with what was corrected of it."""
    corrections = project.corrections
    if corrections is None:
        corrections = Corrections() if isinstance(source, Audio) else corrections_of(Path(source))
    if project.cues is not None:
        corrections = corrections.merged(corrections_of_cues(Path(project.cues)))
    return workspace.song(audio, stems=project.stems, corrections=corrections)
