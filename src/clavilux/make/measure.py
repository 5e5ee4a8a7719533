"""From a video to what is measured of it: reactivity beside chance, section contrast, flashes.

Any video is decoded for it; a render is measured from its frames as they are drawn, segment by segment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from clavilux.errors import FileError, SettingError
from clavilux.features.corrections import Corrections
from clavilux.features.song import Song
from clavilux.make.safety import Finished
from clavilux.make.targets import check_target
from clavilux.make.workspace import Workspace
from clavilux.metrics.flashes import FlashMeter
from clavilux.metrics.trace import Trace, TracePartBuilder, Tracer
from clavilux.project.output import IMAGES, Output
from clavilux.video.probe import probe
from clavilux.video.small import decode_small

if TYPE_CHECKING:
    from clavilux.metrics.measures import Measures

__all__ = ["Measured", "check_measurable", "measure_video", "trace_render"]


@dataclass(frozen=True, eq=False)
class Measured:
    """A video and what was measured of it.

    Attributes:
        path: the video.
        measures: the measures.
        song: its sound; none where it has none.
        reads: the files that it was made of, and that are never replaced.
    """

    path: Path
    measures: "Measures"
    song: Song | None
    reads: tuple[Path, ...] = ()

    def plot(self, target: str | Path, *, overwrite: bool = False) -> Path:
        """Draw the measures into a PNG of 1080 x 1920 pixels; returns its path.

        Raises:
            OutputError: it cannot be written there.
        """
        from clavilux.report.plot_measures import plot_measures  # here, as few renders are plotted

        check_target(Path(target), ".png", overwrite=overwrite, reads=[self.path, *self.reads])
        return plot_measures(self.measures, self.song, self.path.name, Path(target))


def measure_video(
    path: str | Path, *, against: Sequence[str | Path] = (), workspace: Workspace | None = None
) -> Measured:
    """Measure any video and the audio in it.

    Frames are read one after the other and in small, so an hour of video takes some hundred megabytes.

    Args:
        path: the video.
        against: other songs, with whose harmony the colours are compared to find the level of chance; shifted
            copies of the video's own unless given.
        workspace: where results are kept and who is informed; this user's cache folder, and nobody, unless
            given.

    Raises:
        FileError: it cannot be read, or shows nothing.
        AudioError: another song cannot be read.
    """
    from clavilux.metrics.measures import measure  # here, as few renders are measured

    workspace, path = workspace or Workspace.of_user(), Path(path)
    info = probe(path)
    if info.frames == 0 or info.fps <= 0:
        raise FileError(f"'{path}' shows nothing", where=str(path), hint="give a video that plays")
    others = [_song(other, workspace).chroma("harmonic", kind="cens") for other in against]
    trace = _trace(path, info.fps, info.frames, workspace)
    workspace.report.begin("Analysing")
    song = _song(path, workspace) if info.audio is not None else None
    start = float(info.start - info.audio.start) if info.audio is not None else 0.0
    return Measured(path, measure(trace, song, start, others), song)


def check_measurable(output: Output) -> None:
    """Check that a render can be measured while it is drawn.

    Raises:
        SettingError: it becomes numbered images.
    """
    if output.codec == IMAGES:
        raise SettingError(
            "Numbered images are not measured",
            where="codec",
            value=output.codec,
            hint="render a video; with the codec ffv1 it loses nothing",
        )


def trace_render(finished: Finished) -> Trace:
    """Return the trace of a render whose segments are all drawn, as it is shown."""
    plan = finished.drawn.plan
    meter, builder = FlashMeter(plan.timeline.fps), TracePartBuilder()
    for segment in plan.segments:
        cells, part = finished.store(segment).read_trace(segment)
        meter.add(cells)
        builder.join(part)
    return builder.part.trace(plan.timeline.fps, meter.found)


def _trace(path: Path, fps: Fraction, frames: int, workspace: Workspace) -> Trace:
    tracer = Tracer(fps)
    workspace.report.begin("Measuring", frames)
    for frame in decode_small(path):
        tracer.add(frame[None])
        workspace.report.advance(1)
    return tracer.trace


def _song(source: str | Path, workspace: Workspace) -> Song:
    return workspace.song(workspace.audio(source), stems=None, corrections=Corrections())
