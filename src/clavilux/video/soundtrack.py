"""The part of a song that a video plays is encoded into packets, on the song's own clock.

The song is read block by block, so an hour costs no more memory than a minute. Packet times count samples
from the first one played; AAC's priming lies before 0, where the container's edit list hides it. Lossless
codecs keep 24 bits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
import numpy as np
import soxr
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from clavilux.arrays import F32
from clavilux.audio.sound import Audio

__all__ = ["AAC", "FLAC", "PCM", "AudioCodec", "Soundtrack"]

AAC_RATES = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
"""Sample rates of AAC that every player and upload site takes; it knows up to 96 kHz."""

HIGH_RATES = (384_000, 352_800, 192_000, 176_400, 96000, 88200, 64000)
"""Sample rates that are kept by lossless codecs alone."""

LAYOUTS = ("mono", "stereo", "2.1", "3.0", "4.0", "quad", "5.0", "5.1", "7.1")
"""Layouts that come back from a file unchanged."""

SIDE_AS_BACK = {"5.0(side)": "5.0", "5.1(side)": "5.1"}
STEREO_BIT_RATE = 320_000
AAC_PACKET_SAMPLES = 1024
AAC_PACKET_BITS = 6144
"""Most bits per channel in a packet (ISO/IEC 14496-3): the limit of the bit rate at low sample rates."""

FULL_SCALE = 2**23
"""Of a sample of 24 bits."""

BLOCK_SECONDS = 2


@dataclass(frozen=True)
class AudioCodec:
    """An audio codec: FFmpeg's name of the encoder, its sample rates, whether it is lossless."""

    encoder: str
    rates: tuple[int, ...]
    lossless: bool


AAC = AudioCodec("aac", AAC_RATES, lossless=False)
PCM = AudioCodec("pcm_s24le", (*HIGH_RATES, *AAC_RATES), lossless=True)
FLAC = AudioCodec("flac", (*HIGH_RATES, *AAC_RATES), lossless=True)


class Soundtrack:
    """The song from ``start`` seconds on, for ``duration`` seconds or until it ends.

    The sample rate is the song's where the codec has it, otherwise one that divides it evenly (44.1 kHz for
    88.2 kHz), or else the codec's next lower one (or 7350 Hz).
    The channels are the song's in layouts that files return unchanged; any other is mixed down to stereo:
    the first, third, ... channel averaged on the left and the second, fourth, ... on the right.
    """

    def __init__(self, audio: Audio, start: Fraction, duration: Fraction, codec: AudioCodec = AAC) -> None:
        self._audio, self._codec = audio, codec
        self._first = min(max(round(start * audio.rate), 0), audio.samples)
        self._count = min(round(duration * audio.rate), audio.samples - self._first)
        self.rate = _rate_for(audio.rate, codec)
        layout = SIDE_AS_BACK.get(audio.layout, audio.layout)
        self._mixed_down = layout not in LAYOUTS
        self.layout = "stereo" if self._mixed_down else layout
        self.channels = 2 if self._mixed_down else audio.channels
        self.samples = round(Fraction(self._count * self.rate, audio.rate))

    def add_to(self, container: OutputContainer) -> AudioStream:
        """Add the stream that the packets belong to."""
        stream = cast(
            "AudioStream", container.add_stream(self._codec.encoder, rate=self.rate, layout=self.layout)
        )
        if self._codec.lossless:
            stream.format = "s32"
        else:
            highest = AAC_PACKET_BITS * self.rate // AAC_PACKET_SAMPLES * self.channels
            stream.bit_rate = min(STEREO_BIT_RATE * max(self.channels, 2) // 2, highest)
        stream.time_base = Fraction(1, self.rate)
        return stream

    def packets(self, stream: AudioStream) -> Iterator["Packet[AudioStream]"]:
        """Yield the encoded packets in order."""
        done = 0
        for block in self.blocks():
            frame = self._frame(block)
            frame.sample_rate, frame.time_base, frame.pts = self.rate, Fraction(1, self.rate), done
            done += len(block)
            yield from stream.encode(frame)
        yield from stream.encode(None)

    def _frame(self, block: F32) -> av.AudioFrame:
        packed = np.ascontiguousarray(block).reshape(1, -1)
        if not self._codec.lossless:
            return av.AudioFrame.from_ndarray(packed, format="flt", layout=self.layout)
        steps = np.clip(np.rint(packed * np.float64(FULL_SCALE)), -FULL_SCALE, FULL_SCALE - 1)
        # FFmpeg takes 24 bits as the upper ones of 32
        return av.AudioFrame.from_ndarray(steps.astype(np.int32) << 8, format="s32", layout=self.layout)

    def blocks(self) -> Iterator[F32]:
        """Yield exactly ``samples`` samples at ``rate``, in blocks float32 (n, channels)."""
        left = self.samples
        for block in self._resampled():
            part = block[:left]
            left -= len(part)
            if len(part):
                yield part
        if left:  # soxr may round the length of the end down by a sample
            yield np.zeros((left, self.channels), np.float32)

    def _resampled(self) -> Iterator[F32]:
        if self.rate == self._audio.rate:
            yield from self._source()
            return
        stream = soxr.ResampleStream(self._audio.rate, self.rate, self.channels, dtype="float32")
        for block in self._source():
            yield stream.resample_chunk(block)
        yield stream.resample_chunk(np.zeros((0, self.channels), np.float32), last=True)

    def _source(self) -> Iterator[F32]:
        step, last = BLOCK_SECONDS * self._audio.rate, self._first + self._count
        for first in range(self._first, last, step):
            block = self._audio.read(first, min(step, last - first))
            if self._mixed_down:
                block = np.stack([block[::2].mean(axis=0), block[1::2].mean(axis=0)])
            yield np.ascontiguousarray(block.T)


def _rate_for(rate: int, codec: AudioCodec) -> int:
    lower = [each for each in codec.rates if each <= rate] or [codec.rates[-1]]
    return next((each for each in lower[:2] if rate % each == 0), lower[0])
