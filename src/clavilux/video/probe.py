"""Read what a video file holds, and its frames.

Everything is read from the file itself: what a player would see.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from clavilux.errors import FileError
from clavilux.media import open_media
from clavilux.video.frame import Samples, ffmpeg_name, from_ffmpeg, pixels_of

__all__ = ["AudioInfo", "VideoInfo", "damaged", "decode", "open_video", "probe", "video_stream"]


@dataclass(frozen=True)
class AudioInfo:
    """The audio of a video.

    Attributes:
        codec: FFmpeg's name, such as ``aac``.
        rate: samples per second.
        channels: number of channels.
        layout: FFmpeg's name of the layout.
        start: time of the first sample, seconds.
        duration: seconds, where the file has it; 0 otherwise.
    """

    codec: str
    rate: int
    channels: int
    layout: str
    start: Fraction
    duration: Fraction


@dataclass(frozen=True)
class VideoInfo:
    """What a video file holds.

    Attributes:
        frames: their number, counted.
        fps: frames per second.
        size: width and height, pixels.
        start: time of the first frame, seconds.
        duration: of the frames, seconds.
        codec: FFmpeg's name of the format, such as ``h264``, whatever encoder wrote it.
        profile: of the codec, such as ``Main 10``; empty where it has none.
        tag: the four letters (FourCC) in the container, such as ``hvc1``.
        pix_fmt: FFmpeg's pixel format, such as ``yuv420p``.
        colour: numbers of primaries, transfer, matrix (1 is BT.709) and range (1 is limited).
        audio: if there is any.
        metadata: texts by name, in small letters, since Matroska loses their case.
    """

    frames: int
    fps: Fraction
    size: tuple[int, int]
    start: Fraction
    duration: Fraction
    codec: str
    profile: str
    tag: str
    pix_fmt: str
    colour: tuple[int, int, int, int]
    audio: AudioInfo | None
    metadata: Mapping[str, str]


def probe(path: str | Path) -> VideoInfo:
    """Read what a video file holds, without decoding it.

    Raises:
        FileError: no such file, or not a video.

    >>> import tempfile
    >>> import numpy as np
    >>> from clavilux.video.write import Encoding, SegmentWriter
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with SegmentWriter(Path(folder, "a.mp4"), Encoding((64, 36), Fraction(24), gop=12)) as writer:
    ...         writer.write(np.full((3, 54, 64), 128, np.uint8))
    ...     info = probe(Path(folder, "a.mp4"))
    >>> info.frames, info.fps, info.size, info.codec
    (3, Fraction(24, 1), (64, 36), 'h264')
    """
    with open_video(Path(path)) as container:
        stream = video_stream(container, Path(path))
        context, fps = stream.codec_context, Fraction(stream.average_rate or 0)
        audio = [stream for stream in container.streams.audio if stream.codec_context]
        frames = _count_frames(container, stream, Path(path))
        return VideoInfo(
            frames=frames,
            fps=fps,
            size=(stream.width, stream.height),
            start=_seconds(stream, stream.start_time),
            duration=_seconds(stream, stream.duration) or (frames / fps if fps else Fraction(0)),
            codec=context.codec.canonical_name,
            profile=context.profile or "",
            tag=context.codec_tag.strip("\0 "),
            pix_fmt=stream.pix_fmt or "",
            colour=(context.color_primaries, context.color_trc, context.colorspace, context.color_range),
            audio=_audio_info(audio[0]) if audio else None,
            metadata={name.lower(): text for name, text in container.metadata.items()},
        )


def decode(path: str | Path) -> Iterator[Samples]:
    """Yield the frames of a video in order, (rows, W) as `clavilux.pixel_formats` says.

    A pixel format that Clavilux does not write is converted to yuv420p.

    Raises:
        FileError: no such file, not a video, or damaged.

    >>> import tempfile
    >>> import numpy as np
    >>> from clavilux.video.write import Encoding, SegmentWriter
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with SegmentWriter(Path(folder, "a.mp4"), Encoding((64, 36), Fraction(24), gop=12)) as writer:
    ...         writer.write(np.full((3, 54, 64), 128, np.uint8))
    ...     [frame.shape for frame in decode(Path(folder, "a.mp4"))]
    [(54, 64), (54, 64), (54, 64)]
    """
    path = Path(path)
    with open_video(path) as container:
        try:
            for frame in container.decode(video_stream(container, path)):
                pixels = pixels_of(frame.format.name) or "yuv420p"
                yield from_ffmpeg(frame.reformat(format=ffmpeg_name(pixels)), pixels)
        except av.FFmpegError as error:
            raise damaged(path) from error


def open_video(path: Path) -> InputContainer:
    """Open a video file, and no other file or address that it may name.

    Raises:
        FileError: no such file, or not a video.
    """
    try:
        return open_media(path)
    except FileNotFoundError as error:
        raise FileError(
            f"There is no video '{path}'", where=str(path), hint="check the name and the folder"
        ) from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise FileError(
            f"'{path}' cannot be read as a video", where=str(path), hint="give a file like song.mp4"
        ) from error


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """Return the first video stream.

    Raises:
        FileError: there is none that can be read.
    """
    for stream in container.streams.video:
        if stream.codec_context:
            return stream
    raise FileError(f"There is no video in '{path}'", where=str(path), hint="give a file like song.mp4")


def _count_frames(container: InputContainer, stream: VideoStream, path: Path) -> int:
    try:
        return sum(packet.pts is not None for packet in container.demux(stream))
    except av.FFmpegError as error:
        raise damaged(path) from error


def damaged(path: Path) -> FileError:
    """Return the error for a video whose frames cannot be decoded."""
    return FileError(f"The video '{path}' is damaged", where=str(path), hint="render it again")


def _audio_info(stream: AudioStream) -> AudioInfo:
    return AudioInfo(
        codec=stream.codec_context.name,
        rate=stream.rate,
        channels=stream.channels,
        layout=stream.layout.name,
        start=_seconds(stream, stream.start_time),
        duration=_seconds(stream, stream.duration),
    )


def _seconds(stream: VideoStream | AudioStream, ticks: int | None) -> Fraction:
    return (ticks or 0) * Fraction(stream.time_base or 0)
