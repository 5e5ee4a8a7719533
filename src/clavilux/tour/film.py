"""The tour: clips rendered one after the other, captioned, and joined into one video with chapters.

Each clip is a render like any other. Its frames are then decoded, given their caption and encoded as one
segment of the tour, which is kept until the tour is whole, so a tour that was stopped resumes with the next
clip.
"""

import itertools
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from clavilux.arrays import F32
from clavilux.audio.sound import Audio
from clavilux.make.kept import keeping, pieces_folder
from clavilux.make.plan import Plan, Segment, gop_of
from clavilux.make.prepare import prepare
from clavilux.make.segments import SegmentStore
from clavilux.make.targets import check_target, target_suffix
from clavilux.make.workspace import Workspace
from clavilux.pixel_formats import Samples
from clavilux.project.machine import Machine
from clavilux.project.output import Output
from clavilux.project.project import Project
from clavilux.timeline import Timeline
from clavilux.tour.captions import draw_caption
from clavilux.tour.clips import CLIPS, Clip
from clavilux.tour.music import MUSIC, Music
from clavilux.video.join import Chapter, join
from clavilux.video.probe import decode
from clavilux.video.write import Encoding

__all__ = ["SECONDS", "Tour", "make_tour"]

SECONDS = Fraction(8)
"""Length of a clip: four bars."""
CLIP_CRF = 8.0
"""Of a clip before it has its caption: clean enough to be encoded again."""
FADE_SECONDS = 0.02
BATCH = 16
ENGINE = "captions"
"""What draws the segments of a tour, in their records."""


@dataclass(frozen=True)
class Tour:
    """What was made.

    Attributes:
        path: the video.
        chapters: where each clip begins.
        frames: number of frames.
        duration: length in seconds.
        seconds: how long the work took.
    """

    path: Path
    chapters: tuple[Chapter, ...]
    frames: int
    duration: float
    seconds: float


@dataclass(frozen=True)
class _Clips(Plan):
    """A plan whose segments are clips of equal length."""

    def _cut(self) -> Iterator[Segment]:
        clips: list[str] = self.identity["clips"]  # type: ignore[assignment]
        length = self.timeline.frames // len(clips)
        for index in range(len(clips)):
            yield Segment(index, index * length, (index + 1) * length)


def make_tour(  # noqa: PLR0913  # which clips, how each is made, where they go
    target: Path,
    clips: Sequence[Clip] = CLIPS,
    change: Callable[[Project], Project] = lambda project: project,
    output: Output | None = None,
    machine: Machine | None = None,
    *,
    workspace: Workspace | None = None,
    overwrite: bool = False,
) -> Tour:
    """Render the clips of the tour into one video.

    Args:
        target: the video to write.
        clips: which of them, in their order.
        change: what is different from the project of each clip, such as seed or model; a duration is that of
            every clip.
        output: size, frame rate and quality.
        machine: where it is drawn.
        workspace: where results are kept and who is informed; nowhere and nobody unless given.
        overwrite: replace the target where it exists.

    Raises:
        ClaviluxError: one sentence on what is wrong; finished clips are kept.
    """
    began = time.monotonic()
    output, machine, workspace = output or Output(), machine or Machine(), workspace or Workspace()
    check_target(target, target_suffix(output), overwrite=overwrite)
    workspace.report.begin("Composing")
    of = cache(lambda name, seed: MUSIC[name](seed))
    projects = [change(clip.show().project) for clip in clips]
    works = [
        _Work(clip, project, of(clip.music, project.seed))
        for clip, project in zip(clips, projects, strict=True)
    ]
    plan = _plan(works, output, machine, workspace)
    fps, codec = output.fps, output.codec
    encoding = Encoding(output.size, fps, gop=gop_of(fps), codec=codec, bits=output.bits, crf=output.crf)
    folder = pieces_folder(workspace.renders, target, plan.digest)
    store = SegmentStore(folder, plan, encoding, ENGINE)
    about = {"engine": ENGINE, "song": "the tour", "target": str(target.absolute()), "segments": len(works)}
    with keeping(workspace.renders, store.remove), store.open(about):
        for number, (work, segment) in enumerate(zip(works, plan.segments, strict=True), 1):
            workspace.report.note(f"{number} of {len(works)}: {work.clip.title}")
            if not store.is_whole(segment):
                _draw(work, segment, store, (output, machine, workspace))
        starts = [segment.first / fps for segment in plan.segments]
        chapters = tuple(Chapter(at, work.clip.title) for at, work in zip(starts, works, strict=True))
        workspace.report.begin("Joining images and audio")
        join(
            [store.path(segment) for segment in plan.segments],
            target,
            audio=_soundtrack(works, plan),
            duration=plan.timeline.duration,
            metadata={"title": "Clavilux: the tour"},
            chapters=chapters,
            overwrite=overwrite,
        )
    store.remove()
    timeline = plan.timeline
    return Tour(target, chapters, timeline.frames, float(timeline.duration), time.monotonic() - began)


@dataclass(frozen=True)
class _Work:
    """A clip, what is shown of it, and its music."""

    clip: Clip
    project: Project
    music: Music

    @property
    def start(self) -> Fraction:
        """Where in its music the clip begins, s."""
        rate = self.music.audio.rate
        return Fraction(round(float(self.music.bars[self.clip.bar]) * rate), rate)


def _plan(works: Sequence[_Work], output: Output, machine: Machine, workspace: Workspace) -> _Clips:
    """Return the frames of all clips, each of whole frames, and what they depend on."""
    seconds = works[0].project.duration or SECONDS
    length = Timeline.spanning(seconds, output.fps).frames
    clips = [
        json.dumps(
            [
                (work.clip.title, work.clip.caption, work.clip.text, repr(work.project)),
                work.music.audio.digest,
                workspace.model(work.project.model).digest,
            ]
        )
        for work in works
    ]
    identity = {"clavilux": version("clavilux"), "clips": clips, "how": repr((output, machine))}
    return _Clips(Timeline(output.fps, Fraction(0), length * len(works)), identity)


def _draw(work: _Work, segment: Segment, store: SegmentStore, how: tuple[Output, Machine, Workspace]) -> None:
    """Render a clip, and keep it with its caption."""
    output, machine, workspace = how
    seconds = (segment.last - segment.first) / output.fps
    project = replace(work.project, start=work.start, duration=seconds)
    clean = replace(output, crf=CLIP_CRF)
    job = prepare(work.music.audio, project, clean, machine, workspace=workspace)
    caption = draw_caption(work.clip.title, work.clip.caption, output.size, store.encoding.pixels)
    with tempfile.TemporaryDirectory(dir=store.folder) as folder:
        drawn = job.render(Path(folder) / f"{work.clip.key}.mp4")
        workspace.report.begin("Writing the caption", drawn.frames)
        with store.write(segment) as writer:
            for frames in _batches(drawn.path):
                writer.write(caption.on(frames))
                workspace.report.advance(len(frames))


def _batches(path: Path) -> Iterator[Samples]:
    """Yield the frames of a video, some at a time, (n, rows, W)."""
    frames = decode(path)
    while batch := list(itertools.islice(frames, BATCH)):
        yield np.asarray(batch, batch[0].dtype)  # type: ignore[misc]


def _soundtrack(works: Sequence[_Work], plan: Plan) -> Audio:
    """Join the music of all clips, each faded in and out within a moment, in sync to the sample."""
    rate, fps = works[0].music.audio.rate, plan.timeline.fps
    parts = []
    for work, segment in zip(works, plan.segments, strict=True):
        first, last = (round(frame / fps * rate) for frame in (segment.first, segment.last))
        samples = work.music.audio.read(round(work.start * rate), last - first)
        parts.append(_faded(np.pad(samples, ((0, 0), (0, last - first - samples.shape[1]))), rate))
    return Audio.from_samples(np.concatenate(parts, axis=1), rate, name="the tour")


def _faded(samples: F32, rate: int) -> F32:
    """Fade samples (channels, n) in and out."""
    ramp = np.linspace(0, 1, min(round(FADE_SECONDS * rate), samples.shape[1] // 2), dtype=np.float32)
    gain = np.ones(samples.shape[1], np.float32)
    gain[: len(ramp)] = ramp
    gain[len(gain) - len(ramp) :] = ramp[::-1]
    return samples * gain
