"""From a song to a file: a video, a sequence of pictures, or one picture."""

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from clavilux.audio.sound import Audio
from clavilux.errors import OutputError, SettingError
from clavilux.make.plan import Plan, Segment
from clavilux.make.recipe import KEY, Recipe
from clavilux.make.segments import SegmentStore, prune
from clavilux.make.session import Reporter, Session
from clavilux.make.settings import PICTURES, Settings
from clavilux.make.stage import Stage, prepare
from clavilux.timeline import format_time
from clavilux.video.codecs import codec_of
from clavilux.video.frame import Samples
from clavilux.video.images import Images
from clavilux.video.join import join
from clavilux.video.write import Encoding

__all__ = ["Rendered", "check_target", "fill", "play", "render", "still", "target_suffix"]


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
        target: the file to write, or with codec png the folder.
        settings: how; `Settings()` unless given.
        overwrite: replace the target where it exists.
        session: where results are kept and who is told; this user's cache folder, and nobody, unless given.

    Raises:
        ClaviluxError: one sentence on what is wrong; nothing is left under the target's name.
    """
    settings, session = settings or Settings(), session or Session.of_user()
    check_target(Path(target), target_suffix(settings), overwrite=overwrite)
    stage = prepare(source, settings, session=session)
    return play(stage, Path(target), session)


def play(stage: Stage, target: Path, session: Session | None = None) -> Rendered:
    """Draw, encode and join a video, piece by piece, and put it in place whole.

    Pieces that an earlier try has finished are used as they are.

    Raises:
        RenderError, OutputError: it cannot be drawn or written; nothing finished is lost.
    """
    began, session = time.monotonic(), session or Session()
    with _naming_disk_errors(target):
        if stage.encoding is None:
            pixels = _play_pictures(stage, target, session.report)
        else:
            pixels = _play_video(stage, stage.encoding, target, session)
    timeline = stage.timeline
    return Rendered(
        path=target,
        frames=timeline.frames,
        fps=timeline.fps,
        duration=float(timeline.duration),
        size=stage.program.size,
        pixels=pixels,
        seconds=time.monotonic() - began,
    )


def _play_video(stage: Stage, encoding: Encoding, target: Path, session: Session) -> str:
    """Make every segment, join them and return the hash of the raw frames."""
    store = SegmentStore(_place(target, session, stage.plan), stage.plan)
    about = {
        "engine": stage.runner.label,
        "song": stage.song.audio.name,
        "target": str(target.absolute()),
        "segments": len(store.plan.segments),
    }
    with _kept(store, session):
        with store.open(about):
            fill(store, stage, encoding, session.report)
            recipe = stage.recipe(store.pixel_hashes())
            _join(store, stage, target, recipe, session.report)
        store.remove()
    return recipe.pixels


def _play_pictures(stage: Stage, folder: Path, report: Reporter) -> str:
    """Write every picture that is missing in the folder; return no hash: there is nothing to compare."""
    images = Images(folder, stage.program.size, stage.plan.digest)
    missing, total = images.missing(stage.timeline.frames), stage.timeline.frames
    others = images.others(total)
    if others:
        raise OutputError(
            f"{folder} holds pictures of another video, such as {others[0].name}; remove them, or name "
            "another folder with -o."
        )
    report.begin("Rendering", total)
    report.advance(total - len(missing))
    for stretch in _stretches([Segment(number, number, number + 1) for number in missing]):
        number = stretch[0].first
        with contextlib.closing(stage.frames(number, stretch[-1].last)) as drawn:
            for batch in drawn:
                images.write(number, batch.astype(np.uint8, copy=False))
                report.advance(len(batch))
                number += len(batch)
    return ""


def _place(target: Path, session: Session, plan: Plan) -> Path:
    """Name the folder of a render's pieces: among the kept ones, or hidden beside the target."""
    if session.renders is not None:
        return session.renders / plan.digest
    return target.parent / f".{target.stem}-{plan.digest[:8]}"


def fill(store: SegmentStore, stage: Stage, encoding: Encoding, report: Reporter) -> None:
    """Draw and encode every segment that is missing, each unbroken stretch from one run of frames."""
    missing = store.missing()
    total, left = stage.timeline.frames, sum(segment.last - segment.first for segment in missing)
    report.begin("Rendering", total)
    if left < total:
        report.advance(total - left)
        report.note(f"Going on where it stopped: {total - left} of {total} frames are already made.")
    for stretch in _stretches(missing):
        with contextlib.closing(stage.frames(stretch[0].first, stretch[-1].last)) as drawn:
            _write(store, stretch, drawn, encoding, report)


def _write(
    store: SegmentStore,
    segments: list[Segment],
    drawn: Iterator[Samples],
    encoding: Encoding,
    report: Reporter,
) -> None:
    """Cut one run of frames into its segments."""
    batch: Samples = np.empty(0, np.uint8)
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

    target, session = Path(target), session or Session.of_user()
    check_target(target, ".png", overwrite=overwrite)
    stage = prepare(
        source, replace(settings or Settings(), codec=PICTURES, bits=None, crf=None), session=session
    )
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


def target_suffix(settings: Settings) -> str:
    """Return the ending that the target's name must have; none for a folder of pictures."""
    return "" if settings.codec == PICTURES else codec_of(settings.codec).suffix


def _check_folder(folder: Path, *, overwrite: bool) -> None:
    """Make sure that a folder is there for pictures alone."""
    if folder.is_file():
        raise OutputError(f"{folder} is a file; name a folder for the pictures.")
    if folder.is_dir() and not overwrite and any(path.suffix != ".png" for path in folder.iterdir()):
        raise OutputError(
            f"{folder} holds other files; name an empty folder, or add --force to write among them."
        )


def check_target(target: Path, suffix: str, *, overwrite: bool) -> None:
    """Make sure, before any work, that a file can be written.

    Raises:
        OutputError: wrong ending, a missing or unwritable folder, or a file that is already there.
    """
    if suffix and target.suffix.lower() != suffix:
        raise OutputError(
            f"'{target.name}' should end in {suffix}; name it {target.stem or 'video'}{suffix}."
        )
    if not suffix:
        _check_folder(target, overwrite=overwrite)
    elif target.is_dir():
        raise OutputError(f"{target} is a folder; name a file, such as {target / f'video{suffix}'}.")
    elif target.exists() and not overwrite:
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
