"""An audio file is decoded into blocks of samples, in order, without the silence its encoder added.

The decoders drop the priming samples that mp3, AAC and Opus begin with. The first sample has time 0 whatever
its time stamp, because an mp3's first frame claims 25 ms; a hole between later ones, where a recorder omitted
silence or packets were lost, is filled with silence, as in every player. Blocks are float32 (n, channels) at
the rate and layout of the first frame.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition

from clavilux.arrays import F32
from clavilux.audio.identity import PacketHash, decodes_exactly
from clavilux.errors import AudioError, SettingError
from clavilux.media import open_media, reason

__all__ = ["AudioFile", "layout_of"]

MAX_PADDING_SAMPLES = 4096
"""What an encoder may have added at either end: to start its transform, to fill its last packet."""

BLOCK_SAMPLES = 32_768
"""Samples per channel in a block."""

STAMPED_FORMATS = frozenset({"matroska", "webm", "mov", "mp4", "ogg", "asf", "flv", "mpegts", "nut"})
"""Formats that give every packet a time of its own, instead of one counted from the packets before."""

MAX_PLANAR_CHANNELS = 7
"""PyAV reads planar channels up to here; beyond, it reads past the frame."""

TAGS = ("title", "artist")
MAX_TAG_LENGTH = 200
LAYOUTS = ("mono", "stereo", "2.1", "4.0", "5.0", "5.1", "6.1", "7.1")


@dataclass(frozen=True)
class HoleModel:
    """When time stamps mean a hole. Values were set by hand.

    Attributes:
        min_seconds, min_jump_seconds: a hole is a sudden jump that leaves the samples behind the time stamps
            by more than jitter does.
        max_seconds: a longer one is a damaged time stamp.
        max_backward_seconds: time stamps that go back by more begin anew, as in files put one after the
            other.
    """

    min_seconds: float = 0.05
    min_jump_seconds: float = 0.01
    max_seconds: float = 3600.0
    max_backward_seconds: float = 0.5


HOLE = HoleModel()


class AudioFile:
    """An opened audio file; a context manager.

    ``rate``, ``channels`` and ``layout`` are known once the first block has been read.

    Args:
        path: the file.
        track: which of several audio tracks, from 1; by default the first one that is marked as default.

    Raises:
        AudioError: no such file, a folder, not audio, or no audio in it.
        SettingError: it has no such track.
    """

    def __init__(self, path: Path, track: int | None = None) -> None:
        self.path, self.name = path, path.stem
        self.rate, self.channels, self.layout, self._priming = 0, 0, "", 0
        _check_file(path)
        try:
            self._container = open_media(path)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise AudioError(
                f"'{path.name}' cannot be read as audio ({reason(error)})", where=str(path)
            ) from error
        streams = [stream for stream in self._container.streams.audio if stream.codec_context]
        if not streams:
            self._container.close()
            raise AudioError(
                f"'{path.name}' has no audio in it", where=str(path), hint="give a song or a video with audio"
            )
        self.tracks = len(streams)
        marked = [k for k, stream in enumerate(streams, 1) if Disposition.default in stream.disposition]
        self.track = track or next(iter(marked), 1)
        if not 1 <= self.track <= len(streams):
            self._container.close()
            raise SettingError(
                f"'{path.name}' has no audio track {self.track}",
                where="track",
                value=self.track,
                hint=f"it has {len(streams)}",
            )
        self._stream = streams[self.track - 1]
        self._packet_hash = None if decodes_exactly(self._stream) else PacketHash(self._stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    @property
    def tags(self) -> dict[str, str]:
        """Title and artist, where the file has them; ogg files have them in the stream."""
        found = {**self._stream.metadata, **self._container.metadata}
        lower = {key.lower(): value.strip()[:MAX_TAG_LENGTH] for key, value in found.items()}
        return {key: lower[key] for key in TAGS if lower.get(key)}

    def blocks(self) -> Iterator[F32]:
        """Yield the samples in order, float32 (n, channels)."""
        blocks = _gathered(self._converted(self._frames()))
        for first in blocks:  # rate and layout are known now, and so is the length
            yield from _trimmed(chain((first[self._priming :],), blocks), self._length())

    def packet_digest(self, samples: int) -> str:
        """Return the hash of the coded packets, once all blocks have been read; empty for a lossless codec.

        Args:
            samples: how many per channel the blocks held.
        """
        return self._packet_hash.digest(self.rate, self.channels, samples) if self._packet_hash else ""

    def _packets(self) -> Iterator["Packet[AudioStream]"]:
        """Yield all packets that can be read: a file that is cut or damaged ends early."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.FFmpegError, OSError):
                return
            except IndexError:  # PyAV stumbles over the packet of a stream that appears midway: skip it
                packets = self._container.demux(self._stream)
                continue
            if self._packet_hash:
                self._packet_hash.update(packet)
            yield packet

    def _frames(self) -> Iterator[AudioFrame]:
        """Decode every packet; one that is damaged is skipped."""
        for packet in self._packets():
            try:
                yield from packet.decode()
            except av.FFmpegError:
                continue

    def _converted(self, frames: Iterable[AudioFrame]) -> Iterator[F32]:
        """Convert every frame to float32 (channels, n) at the first frame's rate and layout."""
        resampler, kind, clock = None, None, _Clock(self._container)
        for frame in frames:
            if not frame.samples:
                continue
            hole = clock.hole_before(frame)
            if hole and self.rate:
                yield from self._silence(round(hole * self.rate))
            if (now := (frame.format.name, frame.layout.name, frame.sample_rate)) != kind:
                yield from self._resampled(resampler, None)
                self._priming = _samples_before_zero(frame) if kind is None else self._priming
                resampler, kind = self._resampler(frame), now
            yield from self._resampled(resampler, frame)
        yield from self._resampled(resampler, None)

    def _silence(self, samples: int) -> Iterator[F32]:
        for first in range(0, samples, BLOCK_SAMPLES):
            yield np.zeros((self.channels, min(BLOCK_SAMPLES, samples - first)), np.float32)

    def _resampler(self, frame: AudioFrame) -> AudioResampler | None:
        """Convert frames like this one, where they must be; the first decides the rate and layout of all."""
        self.rate = self.rate or frame.sample_rate
        self.channels = self.channels or frame.layout.nb_channels
        self.layout = self.layout or _layout_name(frame.layout)
        layout = frame.layout.name if frame.layout.nb_channels == self.channels else self.layout
        kind = "fltp" if self.channels <= MAX_PLANAR_CHANNELS else "flt"
        if (frame.format.name, frame.layout.name, frame.sample_rate) == (kind, layout, self.rate):
            return None
        return AudioResampler(format=kind, layout=layout, rate=self.rate)

    def _resampled(self, resampler: AudioResampler | None, frame: AudioFrame | None) -> Iterator[F32]:
        try:
            parts = resampler.resample(frame) if resampler else [frame]
        except (av.FFmpegError, ValueError) as error:
            raise AudioError(
                f"'{self.path.name}' has channels that cannot be read ({reason(error)})",
                where=str(self.path),
                hint="export it as a stereo wav",
            ) from error
        for part in parts:
            if part is not None:  # there is nothing to flush
                array = np.asarray(part.to_ndarray(), np.float32)
                yield array if part.format.is_planar else array.reshape(-1, self.channels).T

    def _length(self) -> int | None:
        """Return the samples that the container promises, where its promise is good: mp4 omits padding."""
        stream = self._stream
        if "mp4" not in self._container.format.name or not stream.duration or not stream.time_base:
            return None
        return round(stream.duration * stream.time_base * self.rate)


class _Clock:
    """Compares the samples decoded so far with the frames' time stamps, where a container has true ones."""

    def __init__(self, container: InputContainer) -> None:
        self._stamped = bool(STAMPED_FORMATS & set(container.format.name.split(",")))
        end = None if container.duration is None else container.duration + max(container.start_time or 0, 0)
        self._end = None if end is None else end / av.time_base
        self._expected: float | None = None
        self._last_end = 0.0

    def hole_before(self, frame: AudioFrame) -> float:
        """Return the seconds of silence that belong before a frame, and count the frame as decoded."""
        if not self._stamped or frame.pts is None or not frame.time_base or not frame.sample_rate:
            return 0.0
        time, length = frame.pts * float(frame.time_base), frame.samples / frame.sample_rate
        expected = time if self._expected is None else self._expected
        behind, jump = time - expected, time - self._last_end
        self._last_end = time + length
        hole = 0.0
        if behind < -HOLE.max_backward_seconds:
            expected = time
        elif behind > HOLE.min_seconds and jump > HOLE.min_jump_seconds:
            if behind <= HOLE.max_seconds and (self._end is None or time <= self._end + 1):
                hole = behind
            expected = time
        self._expected = expected + length
        return hole


def layout_of(channels: int) -> str:
    """Return FFmpeg's name of the usual layout of a number of channels.

    >>> layout_of(2), layout_of(6), layout_of(10)
    ('stereo', '5.1', '10 channels')
    """
    return LAYOUTS[channels - 1] if channels <= len(LAYOUTS) else f"{channels} channels"


def _samples_before_zero(frame: AudioFrame) -> int:
    """Count the priming of AAC in Matroska, which FFmpeg 8.0 left in place, at times before 0."""
    if frame.pts is None or not frame.time_base:
        return 0
    samples = round(-frame.pts * frame.time_base * frame.sample_rate)
    return samples if 0 < samples <= MAX_PADDING_SAMPLES else 0


def _layout_name(layout: AudioLayout) -> str:
    """Return a layout's name; channels without places, as plain wav files have, get the usual ones."""
    return layout_of(layout.nb_channels) if layout.name.endswith(" channels") else layout.name


def _gathered(parts: Iterable[F32]) -> Iterator[F32]:
    """Join parts (channels, n) of a codec's frames into longer blocks (n, channels): fewer, cheaper steps."""
    waiting: list[F32] = []
    samples = 0
    for part in parts:
        waiting.append(part)
        samples += part.shape[1]
        if samples >= BLOCK_SAMPLES:
            yield np.concatenate(waiting, axis=1).T
            waiting.clear()
            samples = 0
    if waiting:
        yield np.concatenate(waiting, axis=1).T


def _trimmed(blocks: Iterable[F32], length: int | None) -> Iterator[F32]:
    """Drop what comes after ``length`` if it is so little that it must be padding; keep it otherwise."""
    done, held = 0, 0
    after: list[F32] = []
    for block in blocks:
        inside = len(block) if length is None else min(max(length - done, 0), len(block))
        done += len(block)
        if inside:
            yield block[:inside]
        if inside < len(block):
            after.append(block[inside:])
            held += len(block) - inside
        if held > MAX_PADDING_SAMPLES:
            yield from after
            after.clear()


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            what, hint = f"'{path}' is a folder", "give the song inside it"
        elif not path.exists():
            what, hint = f"There is no file '{path}'", "check the name and the folder"
        elif not path.is_file():
            what, hint = f"'{path}' is not an ordinary file", "save the song to one first"
        elif not path.stat().st_size:
            what, hint = f"'{path.name}' is an empty file", "export the song again"
        else:
            return
    except (OSError, ValueError) as error:
        raise AudioError(f"'{path}' cannot be opened ({reason(error)})", where=str(path)) from error
    raise AudioError(what, where=str(path), hint=hint)
