"""Frames are encoded into a segment: a file whose frames refer to none outside it.

Frames are planar YUV in one array (N, rows, W) as `clavilux.pixel_formats` says, BT.709 limited range, as
the generator draws them, and the file is tagged so. Groups of pictures (GOPs) are closed and of fixed length
and frame n has the time n / fps exactly, so segments are joined packet by packet and no frame changes.
"""

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import av
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from clavilux.errors import SettingError
from clavilux.files import remove, sync, write_error
from clavilux.video.codecs import codec_of
from clavilux.video.encoding import Encoding
from clavilux.video.frame import Samples, to_ffmpeg

__all__ = ["Encoding", "SegmentWriter"]

BT709 = 1
LIMITED_RANGE = 1
"""FFmpeg's numbers (ISO/IEC 23091-2)."""

MIN_TIMED_FRAMES = 3
"""Of fewer frames, x265 leaves decoding times unset; they come in the order they are shown."""


class SegmentWriter:
    """Encode frames into a file at ``path``; a context manager that leaves a whole file or none.

    Its container is the codec's for segments, whatever the suffix of ``path``.

    Raises:
        OutputError: the file cannot be written: no such folder, no permission, no space.
        SettingError: the encoder does not open on this machine for such frames.

    >>> import tempfile
    >>> from fractions import Fraction
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with SegmentWriter(Path(folder, "a.mp4"), Encoding((64, 36), Fraction(24), gop=12)) as writer:
    ...         writer.write(np.full((2, 54, 64), 128, np.uint8))
    ...     writer.frames
    2
    """

    def __init__(self, path: Path, encoding: Encoding) -> None:
        self.path, self.encoding, self.frames = path, encoding, 0
        fresh = not path.exists()
        try:
            self._container = av.open(f"file:{path}", "w", format=codec_of(encoding.codec).segment)
            self._stream = _add_stream(self._container, encoding)
            self._container.start_encoding()
        except BaseException as error:
            if fresh:
                remove(path)
            if isinstance(error, av.FFmpegError | OSError):
                raise write_error(path, error) from error
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def write(self, frames: Samples) -> None:
        """Encode the next ``frames``, (N, rows, W) of the encoding's layout.

        Raises:
            ValueError: another shape or dtype.
            OutputError: the file cannot be written; it is removed.
        """
        shape, layout = self.encoding.shape, self.encoding.layout
        if frames.dtype != layout.dtype or frames.shape[1:] != shape:
            raise ValueError(
                f"frames are {layout.dtype} (N, {shape[0]}, {shape[1]}), not {frames.dtype} {frames.shape}"
            )
        for samples in frames:
            frame = to_ffmpeg(samples, self.encoding.pixels)
            frame.pts, frame.duration, frame.time_base = self.frames, 1, 1 / self.encoding.fps
            _tag(frame)  # ProRes reads the tags here, the others from the stream
            self._encode(frame)
            self.frames += 1

    def close(self) -> None:
        """Finish the file and sync it to the disk.

        Raises:
            ValueError: no frame was written.
            OutputError: the file cannot be written; it is removed.
        """
        if not self.frames:
            self.abort()
            raise ValueError(f"no frame was written to {self.path}")
        self._encode(None)
        try:
            self._container.close()
            sync(self.path)
        except (av.FFmpegError, OSError) as error:
            self.abort()
            raise write_error(self.path, error) from error

    def abort(self) -> None:
        """Stop and remove the file."""
        with suppress(av.FFmpegError, OSError):
            self._container.close()
        remove(self.path)

    def _encode(self, frame: av.VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(frame):
                if frame is None and self.frames < MIN_TIMED_FRAMES:
                    packet.dts = packet.pts
                self._container.mux(packet)
        except (av.FFmpegError, OSError) as error:
            self.abort()
            raise write_error(self.path, error) from error


def _add_stream(container: OutputContainer, encoding: Encoding) -> VideoStream:
    codec = codec_of(encoding.codec)
    os.environ.update(codec.environment)
    stream = cast(
        "VideoStream", container.add_stream(codec.encoder, rate=encoding.fps, options=encoding.options)
    )
    stream.width, stream.height = encoding.size
    stream.pix_fmt = encoding.surface
    context = stream.codec_context
    context.time_base = 1 / encoding.fps
    _tag(context)
    if codec.tag:
        context.codec_tag = codec.tag
    try:
        context.open()
    except av.FFmpegError as error:
        width, height = encoding.size
        raise SettingError(
            f"The encoder {codec.encoder} does not open here for {width}x{height} px at"
            f" {float(encoding.fps):g} fps",
            where="codec",
            value=encoding.codec,
            hint="choose another codec, such as h264",
        ) from error
    return stream


def _tag(colours: VideoCodecContext | av.VideoFrame) -> None:
    colours.color_primaries = colours.color_trc = colours.colorspace = BT709
    colours.color_range = LIMITED_RANGE
