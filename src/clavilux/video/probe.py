"""What is in a video file, and its pictures.

Read from the file itself, so that tests and ``recreate`` trust nothing but what a player would see.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from clavilux.errors import SettingError
from clavilux.video.frame import Samples, ffmpeg_name, picture_of, pixels_of

__all__ = ["AudioInfo", "VideoInfo", "decode", "opened", "pictures_of", "probe"]


@dataclass(frozen=True)
class AudioInfo:
    """The sound of a video.

    Attributes:
        codec: FFmpeg's name, such as ``aac``.
        rate: samples per second.
        channels: number of channels.
        layout: FFmpeg's name of the layout.
        start: time of the first sample, seconds.
        duration: seconds, where the file tells; 0 otherwise.
    """

    codec: str
    rate: int
    channels: int
    layout: str
    start: Fraction
    duration: Fraction


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says about itself.

    Attributes:
        frames: number of pictures, counted.
        fps: frames per second.
        size: width and height, pixels.
        start: time of the first picture, seconds.
        duration: of the pictures, seconds.
        codec: FFmpeg's name, such as ``h264``, whatever reads or wrote it.
        profile: of the codec, such as ``Main 10``; empty where it has none.
        tag: four letters that the container keeps, such as ``hvc1``.
        pix_fmt: FFmpeg's pixel format, such as ``yuv420p``.
        colour: numbers of primaries, transfer, matrix (1 is BT.709) and range (1 is limited).
        audio: the sound, if there is any.
        metadata: everything kept in the file by name, in small letters, since Matroska forgets their case.
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
    """Say what is in a video file, without decoding it.

    Raises:
        SettingError: no such file, or not a video.

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
    with opened(Path(path)) as container:
        stream = pictures_of(container, Path(path))
        context, fps = stream.codec_context, Fraction(stream.average_rate or 0)
        sounds = [sound for sound in container.streams.audio if sound.codec_context]
        frames = _counted(container, stream, Path(path))
        return VideoInfo(
            frames=frames,
            fps=fps,
            size=(stream.width, stream.height),
            start=_times(stream, stream.start_time),
            duration=_times(stream, stream.duration) or (frames / fps if fps else Fraction(0)),
            codec=context.codec.canonical_name,
            profile=context.profile or "",
            tag=context.codec_tag.strip("\0 "),
            pix_fmt=stream.pix_fmt or "",
            colour=(context.color_primaries, context.color_trc, context.colorspace, context.color_range),
            audio=_sound(sounds[0]) if sounds else None,
            metadata={name.lower(): text for name, text in container.metadata.items()},
        )


def decode(path: str | Path) -> Iterator[Samples]:
    """Yield the pictures of a video in order, (rows, W) as `clavilux.pixel_formats` says.

    A pixel format that Clavilux does not write is turned into yuv420p.

    Raises:
        SettingError: no such file, not a video, or damaged.

    >>> import tempfile
    >>> import numpy as np
    >>> from clavilux.video.write import Encoding, SegmentWriter
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with SegmentWriter(Path(folder, "a.mp4"), Encoding((64, 36), Fraction(24), gop=12)) as writer:
    ...         writer.write(np.full((3, 54, 64), 128, np.uint8))
    ...     [picture.shape for picture in decode(Path(folder, "a.mp4"))]
    [(54, 64), (54, 64), (54, 64)]
    """
    path = Path(path)
    with opened(path) as container:
        try:
            for frame in container.decode(pictures_of(container, path)):
                pixels = pixels_of(frame.format.name) or "yuv420p"
                yield picture_of(frame.reformat(format=ffmpeg_name(pixels)), pixels)
        except av.FFmpegError as error:
            raise _damaged(path) from error


def opened(path: Path) -> InputContainer:
    """Open a video file, never reaching beyond it.

    Raises:
        SettingError: no such file, or not a video.
    """
    try:
        return av.open(f"file:{path}", metadata_errors="replace", options={"protocol_whitelist": "file"})
    except FileNotFoundError as error:
        raise SettingError(f"There is no video '{path}'; check the name and the folder.") from error
    except (av.FFmpegError, OSError) as error:
        raise SettingError(f"'{path}' cannot be read as a video; give a file like song.mp4.") from error


def pictures_of(container: InputContainer, path: Path) -> VideoStream:
    """Choose the stream of pictures.

    Raises:
        SettingError: there is none that can be read.
    """
    for stream in container.streams.video:
        if stream.codec_context:
            return stream
    raise SettingError(f"There are no pictures in '{path}'; give a video.")


def _counted(container: InputContainer, stream: VideoStream, path: Path) -> int:
    try:
        return sum(packet.pts is not None for packet in container.demux(stream))
    except av.FFmpegError as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> SettingError:
    return SettingError(f"The video '{path}' is damaged; make it again.")


def _sound(stream: AudioStream) -> AudioInfo:
    return AudioInfo(
        codec=stream.codec_context.name,
        rate=stream.rate,
        channels=stream.channels,
        layout=stream.layout.name,
        start=_times(stream, stream.start_time),
        duration=_times(stream, stream.duration),
    )


def _times(stream: VideoStream | AudioStream, ticks: int | None) -> Fraction:
    return (ticks or 0) * Fraction(stream.time_base or 0)
