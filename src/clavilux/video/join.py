"""Segments and the song are joined into one video, packet by packet: no frame is decoded or encoded again.

Frame n of the video has the time n / fps exactly and the song begins with frame 0. The file is written
beside its final name, synced to the disk and renamed, so that a file of that name is always whole.
"""

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from clavilux.audio.sound import Audio
from clavilux.errors import FileError, OutputError
from clavilux.files import atomic, write_error
from clavilux.video.codecs import Codec, codec_for_family
from clavilux.video.encoding import MAX_TICKS
from clavilux.video.probe import open_video, video_stream
from clavilux.video.soundtrack import AAC, FLAC, PCM, AudioCodec, Soundtrack

if TYPE_CHECKING:
    from av.container.core import Chapter as ChapterDict

__all__ = ["Chapter", "join"]

MOVIE = {"movflags": "+faststart+use_metadata_tags", "movie_timescale": "{clock}"}


@dataclass(frozen=True)
class _Container:
    """A video's container: FFmpeg's name of it, its audio codec, and options of FFmpeg's."""

    format: str
    audio: AudioCodec
    options: Mapping[str, str]


CONTAINERS = {
    ".mp4": _Container("mp4", AAC, MOVIE),
    ".mov": _Container("mov", PCM, MOVIE),
    ".mkv": _Container("matroska", FLAC, {"fflags": "+bitexact"}),
}
"""By suffix. Matroska rounds times to milliseconds; bitexact omits its random number."""


@dataclass(frozen=True)
class Chapter:
    """A named part of a video; it lasts until the next one.

    Attributes:
        start: where it begins, seconds.
        title: its name.
    """

    start: Fraction
    title: str


@dataclass(frozen=True)
class _Segment:
    """One segment.

    Attributes:
        delay: by how many frames a packet is decoded before it is shown: B-frames wait for later ones.
        setup: what a decoder needs to know; equal for all segments of a video.
    """

    path: Path
    frames: int
    fps: Fraction
    delay: int
    codec: Codec
    setup: tuple[object, ...]


def join(  # noqa: PLR0913  # what is joined, into what, and whether it may be there
    segments: Sequence[Path],
    target: Path,
    *,
    audio: Audio | None = None,
    start: Fraction = Fraction(0),
    duration: Fraction,
    metadata: Mapping[str, str] | None = None,
    chapters: Sequence[Chapter] = (),
    overwrite: bool = True,
) -> None:
    """Write ``target`` from ``segments`` in order and the song from ``start`` seconds on.

    The song plays for ``duration`` seconds or until it ends, as AAC in an mp4, lossless in 24 bits in a
    mov (PCM) or mkv (FLAC). ``metadata`` is written into the file under any names, whose case may be lost.
    Players list ``chapters``, in the order of their times.

    Raises:
        OutputError: a segment is missing or damaged, they do not fit together, or do not hold ceil(duration x
            fps) frames; or the video cannot be written. No file is left, and an older one is untouched.
        FileExistsError: there is a file of that name, and ``overwrite`` is false.

    >>> import tempfile
    >>> import numpy as np
    >>> from clavilux.video.probe import probe
    >>> from clavilux.video.write import Encoding, SegmentWriter
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with SegmentWriter(Path(folder, "0.mp4"), Encoding((64, 36), Fraction(24), gop=12)) as writer:
    ...         writer.write(np.full((12, 54, 64), 128, np.uint8))
    ...     song = Audio.from_samples(np.zeros(44100), 44100)
    ...     join([Path(folder, "0.mp4")] * 2, Path(folder, "song.mp4"), audio=song, duration=Fraction(1))
    ...     info = probe(Path(folder, "song.mp4"))
    >>> info.frames, info.duration, info.audio.duration
    (24, Fraction(1, 1), Fraction(1, 1))
    """
    if target.is_dir() or not target.parent.is_dir():
        raise write_error(target, OSError())
    parts = _read_all(segments, duration)
    kind = _container_of(target, parts[0].codec)
    soundtrack = Soundtrack(audio, start, duration, kind.audio) if audio else None
    if soundtrack and not soundtrack.samples:
        soundtrack = None
    clock = _movie_clock(parts, soundtrack.rate if soundtrack else 1000)
    options = {name: value.format(clock=clock) for name, value in kind.options.items()}
    try:
        with (
            atomic(target, replace=overwrite) as part,
            av.open(f"file:{part}", "w", format=kind.format, container_options=options) as container,
        ):
            container.metadata.update(metadata or {})
            if chapters:
                container.set_chapters(_listed(chapters, duration))
            _mux(parts, soundtrack, container)
    except FileExistsError:
        raise
    except (av.FFmpegError, OSError) as error:
        raise write_error(target, error) from error


def _listed(chapters: Sequence[Chapter], duration: Fraction) -> "list[ChapterDict]":
    """Return chapters as FFmpeg takes them, in milliseconds."""
    edges = [round(1000 * time) for time in (*(chapter.start for chapter in chapters), duration)]
    return [
        {
            "id": number,
            "start": start,
            "end": end,
            "time_base": Fraction(1, 1000),
            "metadata": {"title": chapter.title},
        }
        for number, (chapter, (start, end)) in enumerate(zip(chapters, pairwise(edges), strict=True))
    ]


def _container_of(target: Path, codec: Codec) -> _Container:
    if target.suffix.lower() != codec.suffix:
        raise OutputError(
            f"'{target.name}' cannot be written: {codec.family} videos are {codec.suffix} files",
            where=str(target),
            hint=f"end the name in {codec.suffix}",
            remedy="target",
        )
    return CONTAINERS[codec.suffix]


def _read_all(segments: Sequence[Path], duration: Fraction) -> list[_Segment]:
    if not segments:
        raise OutputError("There are no segments to join", hint="render the video first")
    parts = [_read(path) for path in segments]
    first = parts[0]
    for segment in parts:
        if (segment.fps, segment.setup) != (first.fps, first.setup):
            raise OutputError(
                f"The segments '{first.path}' and '{segment.path}' were written with different settings",
                where=str(segment.path),
                hint="delete them and render again",
            )
    frames = sum(segment.frames for segment in parts)
    if frames != math.ceil(duration * first.fps):
        raise OutputError(
            f"The segments hold {frames} frames where {float(duration):g} s need"
            f" {math.ceil(duration * first.fps)}",
            value=frames,
            hint="render the missing ones first",
        )
    return parts


def _read(path: Path) -> _Segment:
    try:
        with open_video(path) as container:
            stream = video_stream(container, path)
            fps = stream.average_rate
            context, codec = stream.codec_context, codec_for_family(stream.codec_context.codec.canonical_name)
            packet = next(container.demux(stream))
            if not (codec and fps and stream.frames and packet.dts is not None):
                raise _damaged(path)
            delay = -round(packet.dts * packet.time_base * fps)
            setup = (
                codec.family,
                context.extradata,
                context.profile,
                stream.pix_fmt,
                stream.width,
                stream.height,
            )
            return _Segment(path, stream.frames, Fraction(fps), delay, codec, setup)
    except (av.FFmpegError, OSError, FileError, StopIteration) as error:
        raise _damaged(path) from error


def _mux(parts: Sequence[_Segment], soundtrack: Soundtrack | None, container: OutputContainer) -> None:
    video = _copy_stream(parts[0], container)
    sources: list[Iterable[Packet[Any]]] = [_video_packets(parts, video)]
    if soundtrack:
        sources.append(soundtrack.packets(soundtrack.add_to(container)))
    for packet in heapq.merge(*sources, key=_seconds):
        container.mux(packet)


def _movie_clock(parts: Sequence[_Segment], rate: int) -> int:
    """Return ticks per second of edit lists: exact for frames and samples, if that does not overflow."""
    fps, frames = parts[0].fps, sum(segment.frames for segment in parts)
    both = math.lcm(fps.numerator, rate)
    return both if both * (frames / fps + 1) < MAX_TICKS else rate


def _copy_stream(segment: _Segment, container: OutputContainer) -> VideoStream:
    with open_video(segment.path) as source:
        stream = container.add_stream_from_template(video_stream(source, segment.path), opaque=True)
    stream.time_base, stream.codec_context.framerate = 1 / segment.fps, segment.fps
    if segment.codec.tag:
        stream.codec_context.codec_tag = segment.codec.tag
    return stream


def _video_packets(parts: Sequence[_Segment], stream: VideoStream) -> Iterator["Packet[VideoStream]"]:
    """Yield every packet with its frame number as time.

    Packets come in the order of decoding; the k-th is decoded at k - delay, so that each frame is ready when
    it is shown.
    """
    first, delay = 0, max(segment.delay for segment in parts)
    for segment in parts:
        for index, (number, packet) in enumerate(_numbered(segment)):
            packet.stream, packet.time_base = stream, 1 / segment.fps
            packet.pts, packet.dts, packet.duration = first + number, first + index - delay, 1
            yield packet
        first += segment.frames


def _numbered(segment: _Segment) -> Iterator[tuple[int, "Packet[VideoStream]"]]:
    """Yield (frame number, packet) of a segment; each of its frames must be there once."""
    missing = set(range(segment.frames))
    try:
        with open_video(segment.path) as container:
            for packet in container.demux(video_stream(container, segment.path)):
                if packet.pts is None:  # the empty packet that ends every stream
                    continue
                number = packet.pts * packet.time_base * segment.fps
                missing.remove(int(number) if number.denominator == 1 else -1)
                yield int(number), packet
    except (av.FFmpegError, OSError, KeyError, FileError) as error:
        raise _damaged(segment.path) from error
    if missing:
        raise _damaged(segment.path)


def _seconds(packet: "Packet[Any]") -> Fraction:
    return (packet.dts or 0) * packet.time_base


def _damaged(path: Path) -> OutputError:
    return OutputError(
        f"The segment '{path}' is missing or damaged", where=str(path), hint="delete it and render again"
    )
