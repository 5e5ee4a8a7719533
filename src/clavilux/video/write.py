"""Frames become a segment: an H.264 file whose pictures refer to nothing outside it.

Frames are planar I420 in one uint8 array (N, H * 3 // 2, W), BT.709 limited range, as the generator draws
them; the file says so in every tag. Groups of pictures are closed and of fixed length and frame n carries the
time n / fps exactly, so segments can be joined packet by packet and every frame stays what it was.
"""

import errno
import os
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from clavilux.errors import OutputError, SettingError

__all__ = ["Encoding", "SegmentWriter", "cannot_write", "remove", "sync"]

PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
)
MAX_SIDE = 8192
MAX_TICKS = 2**31 - 1
"""Largest numerator or denominator of a frame rate that the container can hold."""

BT709 = 1
LIMITED = 1


@dataclass(frozen=True)
class Encoding:
    """How pictures are written.

    Attributes:
        size: width and height in pixels, both even.
        fps: frames per second, exact.
        gop: frames per closed group of pictures.
        crf: quality, 1 (best) to 51 (smallest).
        preset: x264's name for effort, from ``ultrafast`` to ``veryslow``.

    Raises:
        SettingError: a value that cannot be encoded.

    >>> Encoding((1280, 720), Fraction(30000, 1001), gop=60).shape
    (1080, 1280)
    """

    size: tuple[int, int]
    fps: Fraction
    _: KW_ONLY
    gop: int
    crf: float = 18
    preset: str = "medium"

    def __post_init__(self) -> None:
        width, height = self.size
        if width % 2 or height % 2 or not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
            raise SettingError(
                f"A video cannot be {width}x{height}; both sides must be even and at most {MAX_SIDE}, such as"
                f" {_even(width)}x{_even(height)}."
            )
        if self.fps <= 0 or max(self.fps.numerator, self.fps.denominator) > MAX_TICKS:
            raise SettingError(f"The frame rate {self.fps} cannot be written; try 30, 24 or 30000/1001.")
        if not 1 <= self.crf <= 51:
            raise SettingError(f"The quality crf {self.crf} is out of range; it goes from 1 (best) to 51.")
        if self.preset not in PRESETS:
            raise SettingError(f"'{self.preset}' is no x264 preset; choose one of {', '.join(PRESETS)}.")
        if self.gop < 1:
            raise SettingError(f"A group of {self.gop} pictures is empty; give at least 1.")

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of one frame's array."""
        return self.size[1] * 3 // 2, self.size[0]

    @property
    def options(self) -> dict[str, str]:
        """What x264 is told."""
        groups = f"keyint={self.gop}:min-keyint={self.gop}:scenecut=0:open-gop=0"
        return {"crf": str(self.crf), "preset": self.preset, "profile": "high", "x264-params": groups}


class SegmentWriter:
    """Encode frames into a file at ``path``; a context manager that leaves a whole file or none.

    Raises:
        OutputError: the file cannot be written: no such folder, no permission, no space.

    >>> import tempfile
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
            self._container = av.open(f"file:{path}", "w", format="mp4")
            self._stream = self._add_stream()
            self._container.start_encoding()
        except (av.FFmpegError, OSError) as error:
            if fresh:
                remove(path)
            raise cannot_write(path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def write(self, frames: NDArray[np.uint8]) -> None:
        """Encode the next ``frames``, uint8 (N, H * 3 // 2, W).

        Raises:
            ValueError: another shape or dtype.
            OutputError: the file cannot be written; it is removed.
        """
        if frames.dtype != np.uint8 or frames.shape[1:] != self.encoding.shape or frames.ndim != 3:
            raise ValueError(
                f"frames are uint8 (N, {self.encoding.shape[0]}, {self.encoding.shape[1]}),"
                f" not {frames.dtype} {frames.shape}"
            )
        for picture in frames:
            # Copied once, into rows aligned as x264 wants them: sharing it works for some heights only.
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="yuv420p")
            frame.pts, frame.duration, frame.time_base = self.frames, 1, 1 / self.encoding.fps
            self._encode(frame)
            self.frames += 1

    def close(self) -> None:
        """Finish the file and see it onto the disk.

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
            raise cannot_write(self.path, error) from error

    def abort(self) -> None:
        """Give up and remove the file."""
        with suppress(av.FFmpegError, OSError):
            self._container.close()
        remove(self.path)

    def _add_stream(self) -> VideoStream:
        encoding = self.encoding
        stream = self._container.add_stream("libx264", rate=encoding.fps, options=encoding.options)
        stream.width, stream.height = encoding.size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = 1 / encoding.fps
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED
        return stream

    def _encode(self, frame: av.VideoFrame | None) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, OSError) as error:
            self.abort()
            raise cannot_write(self.path, error) from error


def sync(path: Path) -> None:
    """Wait until the system has put a file on the disk."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def remove(path: Path) -> None:
    """Remove a file that was begun, if it is one: never a device or a folder that happened to be named."""
    with suppress(OSError):
        if path.is_file():
            path.unlink()


def cannot_write(path: Path, error: BaseException) -> OutputError:
    """Say in one sentence why ``path`` cannot be written, and what helps.

    >>> str(cannot_write(Path("/videos/song.mp4"), OSError(errno.ENOSPC, "No space left on device")))
    "The disk is full while writing '/videos/song.mp4'; free some space and start again."
    """
    number = getattr(error, "errno", None)
    reason = str(getattr(error, "strerror", None) or error).lower()
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return OutputError(f"The disk is full while writing '{path}'; free some space and start again.")
    if not path.parent.is_dir():
        return OutputError(
            f"There is no folder '{path.parent}'; make it or choose another place for the video."
        )
    if path.is_dir():
        return OutputError(f"'{path}' is a folder; give the name of a file for the video.")
    return OutputError(f"'{path}' cannot be written ({reason}); choose another folder or name.")


def _even(side: int) -> int:
    return min(max(side + side % 2, 2), MAX_SIDE)
