"""The part of a song that a video plays becomes packets of sound, on the song's own clock.

The song is read block by block, so an hour costs no more memory than a minute. Packet times count samples
from the first one played; AAC's priming lies before 0, where the container's edit list hides it. What keeps
everything keeps 24 bits of it.
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
from numpy.typing import NDArray

from clavilux.audio.sound import Audio

__all__ = ["AAC", "FLAC", "PCM", "Coding", "Soundtrack"]

AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
"""Sample rates that AAC knows."""

STUDIO_RATES = (384_000, 352_800, 192_000, 176_400)
"""Higher ones, which only codings without loss know."""

LAYOUTS = ("mono", "stereo", "2.1", "3.0", "4.0", "quad", "5.0", "5.1", "7.1")
"""Layouts that come back from a stream as they went in."""

SIDE_AS_BACK = {"5.0(side)": "5.0", "5.1(side)": "5.1"}
PAIR_BIT_RATE = 320_000
PACKET_SAMPLES = 1024
PACKET_BITS = 6144
"""Most bits that AAC gives one channel in a packet; it decides the bit rate where the sample rate is low."""

FULL_SCALE = 2**23
"""Of a sample of 24 bits; it travels in the upper part of 32."""

BLOCK_SECONDS = 2


@dataclass(frozen=True)
class Coding:
    """How sound is kept: FFmpeg's name of the encoder, the sample rates it knows, whether it keeps all."""

    codec: str
    rates: tuple[int, ...]
    lossless: bool


AAC = Coding("aac", AAC_RATES, lossless=False)
PCM = Coding("pcm_s24le", (*STUDIO_RATES, *AAC_RATES), lossless=True)
FLAC = Coding("flac", (*STUDIO_RATES, *AAC_RATES), lossless=True)


class Soundtrack:
    """What is heard from ``start`` on, for ``duration`` seconds or until the song ends.

    The sample rate is kept where the coding knows it, otherwise it becomes the next lower one (or 7350 Hz).
    Channels are kept in the layouts that files return unchanged; any other becomes stereo, its first,
    third, ... channel averaged on the left and its second, fourth, ... on the right.
    """

    def __init__(self, audio: Audio, start: Fraction, duration: Fraction, coding: Coding = AAC) -> None:
        self._audio, self._coding = audio, coding
        self._first = min(max(round(start * audio.rate), 0), audio.samples)
        self._count = min(round(duration * audio.rate), audio.samples - self._first)
        self.rate = next((rate for rate in coding.rates if rate <= audio.rate), coding.rates[-1])
        layout = SIDE_AS_BACK.get(audio.layout, audio.layout)
        self._folded = layout not in LAYOUTS
        self.layout = "stereo" if self._folded else layout
        self.channels = 2 if self._folded else audio.channels
        self.samples = round(Fraction(self._count * self.rate, audio.rate))

    def add_to(self, container: OutputContainer) -> AudioStream:
        """Add the stream that the packets go to."""
        stream = cast(
            "AudioStream", container.add_stream(self._coding.codec, rate=self.rate, layout=self.layout)
        )
        if self._coding.lossless:
            stream.format = "s32"
        else:
            most = PACKET_BITS * self.rate // PACKET_SAMPLES * self.channels
            stream.bit_rate = min(PAIR_BIT_RATE * max(self.channels, 2) // 2, most)
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

    def _frame(self, block: NDArray[np.float32]) -> av.AudioFrame:
        packed = np.ascontiguousarray(block).reshape(1, -1)
        if not self._coding.lossless:
            return av.AudioFrame.from_ndarray(packed, format="flt", layout=self.layout)
        steps = np.clip(np.rint(packed * np.float64(FULL_SCALE)), -FULL_SCALE, FULL_SCALE - 1)
        return av.AudioFrame.from_ndarray(steps.astype(np.int32) << 8, format="s32", layout=self.layout)

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yield exactly ``samples`` samples at ``rate``, in blocks float32 (n, channels)."""
        left = self.samples
        for block in self._resampled():
            part = block[:left]
            left -= len(part)
            if len(part):
                yield part
        if left:  # soxr may round the length of the end down by a sample
            yield np.zeros((left, self.channels), np.float32)

    def _resampled(self) -> Iterator[NDArray[np.float32]]:
        if self.rate == self._audio.rate:
            yield from self._source()
            return
        stream = soxr.ResampleStream(self._audio.rate, self.rate, self.channels, dtype="float32")
        for block in self._source():
            yield stream.resample_chunk(block)
        yield stream.resample_chunk(np.zeros((0, self.channels), np.float32), last=True)

    def _source(self) -> Iterator[NDArray[np.float32]]:
        step, last = BLOCK_SECONDS * self._audio.rate, self._first + self._count
        for first in range(self._first, last, step):
            block = self._audio.read(first, min(step, last - first))
            if self._folded:
                block = np.stack([block[::2].mean(axis=0), block[1::2].mean(axis=0)])
            yield np.ascontiguousarray(block.T)
