"""Segments and the song become one video, packet by packet: no picture is decoded or encoded again.

Frame n of the whole carries the time n / fps exactly and the song begins with frame 0. The file is written
beside its final name, put on the disk and renamed, so that a file of that name is always whole.
"""

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from clavilux.audio.sound import Audio
from clavilux.errors import OutputError, SettingError
from clavilux.files import atomic, write_error
from clavilux.video.codecs import Codec, maker_of
from clavilux.video.encoding import MAX_TICKS
from clavilux.video.probe import opened, pictures_of
from clavilux.video.soundtrack import AAC, FLAC, PCM, Coding, Soundtrack

__all__ = ["join"]


MOVIE = {"movflags": "+faststart+use_metadata_tags", "movie_timescale": "{clock}"}


@dataclass(frozen=True)
class _Container:
    """What a video is put in: FFmpeg's name for it, how it keeps sound, what FFmpeg is told."""

    format: str
    sound: Coding
    options: Mapping[str, str]


CONTAINERS = {
    ".mp4": _Container("mp4", AAC, MOVIE),
    ".mov": _Container("mov", PCM, MOVIE),
    ".mkv": _Container("matroska", FLAC, {"fflags": "+bitexact"}),
}
"""By the ending of the name. Matroska rounds times to milliseconds; bitexact leaves its random number out."""


@dataclass(frozen=True)
class _Piece:
    """One segment: its frames, their rate, how many packets decoding runs ahead, and what a decoder needs."""

    path: Path
    frames: int
    fps: Fraction
    delay: int
    codec: Codec
    setup: tuple[object, ...]


def join(
    segments: Sequence[Path],
    target: Path,
    *,
    audio: Audio | None = None,
    start: Fraction = Fraction(0),
    duration: Fraction,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write ``target`` from ``segments`` in order and the song from ``start`` seconds on.

    The song is heard for ``duration`` seconds or until it ends, as AAC in an mp4, untouched in 24 bits in a
    mov (PCM) or mkv (FLAC). ``metadata`` is kept in the file, under any names; their case is not.

    Raises:
        OutputError: a segment is missing or damaged, they do not fit together, or do not make ceil(duration x
            fps) frames; or the video cannot be written. No file is left, and an older one is untouched.

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
    pieces = _surveyed(segments, duration)
    kind = _kind(target, pieces[0].codec)
    soundtrack = Soundtrack(audio, start, duration, kind.sound) if audio else None
    if soundtrack and not soundtrack.samples:
        soundtrack = None
    clock = _movie_clock(pieces, soundtrack.rate if soundtrack else 1000)
    options = {name: value.format(clock=clock) for name, value in kind.options.items()}
    try:
        with (
            atomic(target) as part,
            av.open(f"file:{part}", "w", format=kind.format, container_options=options) as container,
        ):
            container.metadata.update(metadata or {})
            _mux(pieces, soundtrack, container)
    except (av.FFmpegError, OSError) as error:
        raise write_error(target, error) from error


def _kind(target: Path, codec: Codec) -> _Container:
    if target.suffix.lower() != codec.suffix:
        raise OutputError(
            f"'{target.name}' cannot be written; {codec.family} videos are {codec.suffix} files, so end the"
            f" name in {codec.suffix}."
        )
    return CONTAINERS[codec.suffix]


def _surveyed(segments: Sequence[Path], duration: Fraction) -> list[_Piece]:
    if not segments:
        raise OutputError("There are no segments to join; render the video first.")
    pieces = [_survey(path) for path in segments]
    first = pieces[0]
    for piece in pieces:
        if (piece.fps, piece.setup) != (first.fps, first.setup):
            raise OutputError(
                f"The segments '{first.path}' and '{piece.path}' were written with different settings; delete"
                " them and render again."
            )
    frames = sum(piece.frames for piece in pieces)
    if frames != math.ceil(duration * first.fps):
        raise OutputError(
            f"The segments hold {frames} frames where {float(duration):g} s need"
            f" {math.ceil(duration * first.fps)}; render the missing ones first."
        )
    return pieces


def _survey(path: Path) -> _Piece:
    try:
        with opened(path) as container:
            stream = pictures_of(container, path)
            fps = stream.average_rate
            context, codec = stream.codec_context, maker_of(stream.codec_context.codec.canonical_name)
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
            return _Piece(path, stream.frames, Fraction(fps), delay, codec, setup)
    except (av.FFmpegError, OSError, SettingError, StopIteration) as error:
        raise _damaged(path) from error


def _mux(pieces: Sequence[_Piece], soundtrack: Soundtrack | None, container: OutputContainer) -> None:
    video = _copy_stream(pieces[0], container)
    sources: list[Iterable[Packet[Any]]] = [_video_packets(pieces, video)]
    if soundtrack:
        sources.append(soundtrack.packets(soundtrack.add_to(container)))
    for packet in heapq.merge(*sources, key=_seconds):
        container.mux(packet)


def _movie_clock(pieces: Sequence[_Piece], rate: int) -> int:
    """Ticks per second in which edit lists count: exact for frames and samples, if that does not overflow."""
    fps, frames = pieces[0].fps, sum(piece.frames for piece in pieces)
    both = math.lcm(fps.numerator, rate)
    return both if both * (frames / fps + 1) < MAX_TICKS else rate


def _copy_stream(piece: _Piece, container: OutputContainer) -> VideoStream:
    with opened(piece.path) as source:
        stream = container.add_stream_from_template(pictures_of(source, piece.path), opaque=True)
    stream.time_base, stream.codec_context.framerate = 1 / piece.fps, piece.fps
    if piece.codec.tag:
        stream.codec_context.codec_tag = piece.codec.tag
    return stream


def _video_packets(pieces: Sequence[_Piece], stream: VideoStream) -> Iterator["Packet[VideoStream]"]:
    """Yield every picture with its frame number as time.

    Packets come in the order of decoding; the k-th is decoded at k - delay, early enough for each picture to
    be ready when it is shown.
    """
    first, delay = 0, max(piece.delay for piece in pieces)
    for piece in pieces:
        for index, (number, packet) in enumerate(_numbered(piece)):
            packet.stream, packet.time_base = stream, 1 / piece.fps
            packet.pts, packet.dts, packet.duration = first + number, first + index - delay, 1
            yield packet
        first += piece.frames


def _numbered(piece: _Piece) -> Iterator[tuple[int, "Packet[VideoStream]"]]:
    """Yield (frame number, packet) of a segment; it must hold each of its frames once, at its time."""
    missing = set(range(piece.frames))
    try:
        with opened(piece.path) as container:
            for packet in container.demux(pictures_of(container, piece.path)):
                if packet.pts is None:  # the empty packet that ends every stream
                    continue
                number = packet.pts * packet.time_base * piece.fps
                missing.remove(int(number) if number.denominator == 1 else -1)
                yield int(number), packet
    except (av.FFmpegError, OSError, KeyError, SettingError) as error:
        raise _damaged(piece.path) from error
    if missing:
        raise _damaged(piece.path)


def _seconds(packet: "Packet[Any]") -> Fraction:
    return (packet.dts or 0) * packet.time_base


def _damaged(path: Path) -> OutputError:
    return OutputError(f"The segment '{path}' is missing or damaged; delete it and render again.")
