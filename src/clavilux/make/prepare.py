"""From a song and what was decided about it to a job: open, load, analyse, bind, start the engine."""

import functools
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clavilux.annotations.sidecar import corrections_of
from clavilux.audio.sound import Audio
from clavilux.director.decide import decide
from clavilux.engine.memory import check_memory
from clavilux.features.corrections import Corrections
from clavilux.features.song import Song
from clavilux.files import hash_of
from clavilux.frames.bind import bind, choose_directions, choose_palettes, files_of
from clavilux.generator.canvas import check_cells, default_cells
from clavilux.generator.program import Program
from clavilux.make.changes import blended_models, changes_of
from clavilux.make.job import Job
from clavilux.make.plan import encoding_of, pixels_of, timeline_of
from clavilux.make.targets import files_read
from clavilux.make.workspace import Reporter, Workspace
from clavilux.project.cues import corrections_of_cues
from clavilux.project.machine import Machine
from clavilux.project.output import Output
from clavilux.project.project import Project
from clavilux.report.summary import headline
from clavilux.signals.evaluate import evaluate

__all__ = ["open_song", "prepare"]

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
    report.begin("Opening the song")
    audio = workspace.audio(source, track=project.track)
    timeline = timeline_of(audio.duration, output.fps, start=project.start, duration=project.duration)
    encoding = encoding_of(output, timeline)
    report.begin("Loading the model")
    model = workspace.model(project.model)
    cells = output.cells or default_cells(model.network, output.size)
    check_cells(model.network, cells)
    shown = output if preview is None else output.preview(preview)
    check_memory(model.network, shown.size, cells, machine.device)
    decided = decide(project, functools.partial(_song, source, audio, project, workspace))
    for reason in decided.reasons:
        report.note(f"{reason}.")
    project = decided.project
    patch = project.shown
    with patch.placing():
        program = Program(
            model,
            size=output.size,
            cells=cells,
            pixels=pixels_of(encoding),
            taps=changes_of(patch.bends, model, cells, workspace.store),
            rewrites=changes_of(patch.rewrites, model, cells, workspace.store, workspace.model),
        )
        # What is chosen and compiled for the model needs nothing of the song: both sides are prepared at once
        with ThreadPoolExecutor(1) as aside:
            seen = _Seen()
            choosing = aside.submit(
                choose_palettes, patch, model, workspace.store, workspace.palettes, progress=seen.note
            )
            pushing = aside.submit(choose_directions, patch, model, workspace.store)
            first = program
            if preview is not None:
                first = program.preview(preview, pixels_of(encoding_of(shown, timeline)))
            starting = aside.submit(workspace.runner, first, machine)
            report.begin("Analysing")
            if audio.silent:
                report.note(f"{audio.name} is silent; the image will only drift.")
            song = _song(source, audio, project, workspace)
            about = headline(song)
            curves = evaluate(patch.signals, song)
            song.release()  # curves are all that frames need
            report.begin("Choosing palettes")
            seen.report_until(choosing, report)
            palettes = choosing.result()
            report.begin("Starting the engine")
            starting.result()
        read = files_of(patch, workspace.palettes)
        bound = bind(
            patch, curves, model, program, seed=project.seed, palettes=palettes, directions=pushing.result()
        )
        return Job(
            project=project,
            played=decided.played,
            output=output,
            machine=machine,
            workspace=workspace,
            song=song,
            headline=about,
            model=model,
            program=program,
            bound=bound,
            start_engine=functools.partial(workspace.runner, machine=machine),
            timeline=timeline,
            encoding=encoding,
            files=tuple(hash_of(path) for path in read),
            blended=tuple(each.digest for each in blended_models(patch.rewrites, workspace.model)),
            reads=tuple(files_read(source, stems=project.stems, model=project.model, others=read)),
        )


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
