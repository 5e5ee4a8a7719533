"""A song as samples: opened once, read in blocks, always on its own clock.

Time 0 is the first decoded sample and sample i sounds at ``i / rate`` seconds, whatever time stamps the file
carries; what is analysed and what is put under the video are the same samples. Arrays are float32
(channels, n) in [-1, 1]; rate and channels are the file's own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import numpy as np
import soxr
from numpy.typing import ArrayLike, NDArray

from clavilux.audio.decode import Decoding, layout_of
from clavilux.audio.pcm import PcmFile
from clavilux.errors import AudioError

__all__ = ["Audio", "open_audio"]

SILENCE = 1e-4
"""Peak below which there is nothing to hear: -80 dB."""

BLOCK_SECONDS = 10.0
RATES = range(1_000, 768_001)
MAX_CHANNELS = 64


@dataclass(frozen=True, eq=False)
class Audio:
    """The samples of a song, kept in a temporary file that goes when they do.

    Attributes:
        name: the file's name without its ending, for messages.
        layout: FFmpeg's name of the channel layout, such as ``stereo``.
        tags: ``title`` and ``artist`` where the file tells.
    """

    name: str
    layout: str
    tags: Mapping[str, str] = field(repr=False)
    _pcm: PcmFile = field(repr=False)

    @classmethod
    def from_samples(cls, samples: ArrayLike, rate: int, *, name: str = "samples") -> "Audio":
        """Make a song of an array (channels, n) or (n,) at ``rate`` Hz.

        Raises:
            AudioError: no samples, a sample that is not a number, more than 64 channels, or a strange rate.

        >>> Audio.from_samples(np.zeros((2, 44100)), 44100).duration
        Fraction(1, 1)
        """
        array = np.atleast_2d(np.asarray(samples))
        if array.ndim != 2:
            raise AudioError(f"'{name}' is an array of shape {array.shape}; sound is (channels, samples).")
        pcm = _new_pcm(rate, array.shape[0], name)
        step = _block_size(rate)
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and append says so
            for first in range(0, array.shape[1], step):
                pcm.append(array[:, first : first + step].T.astype(np.float32))
        return cls._of(pcm, name, layout_of(array.shape[0]), {})

    @classmethod
    def _of(cls, pcm: PcmFile, name: str, layout: str, tags: dict[str, str]) -> "Audio":
        if not pcm.samples:
            pcm.close()
            raise AudioError(f"'{name}' holds no sound at all: not one sample could be read from it.")
        return cls(name, layout, MappingProxyType(tags), pcm)

    @property
    def rate(self) -> int:
        """Samples per second."""
        return self._pcm.rate

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self._pcm.channels

    @property
    def samples(self) -> int:
        """Number of samples per channel."""
        return self._pcm.samples

    @property
    def digest(self) -> str:
        """Hash of rate, channels and samples: equal for equal sound, whatever file it came from."""
        return self._pcm.digest

    @property
    def duration(self) -> Fraction:
        """Length in seconds, exact."""
        return Fraction(self.samples, self.rate)

    @property
    def peak(self) -> float:
        """Largest absolute sample."""
        return self._pcm.peak

    @property
    def mean(self) -> float:
        """Mean of all samples of all channels: the constant offset."""
        return self._pcm.total / (self.samples * self.channels)

    @property
    def silent(self) -> bool:
        """Whether the peak stays below -80 dB."""
        return self.peak < SILENCE

    def read(self, start: int, count: int) -> NDArray[np.float32]:
        """Return samples ``start`` to ``start + count``, clipped to the song, as float32 (channels, n).

        >>> Audio.from_samples(np.zeros(100), 8000).read(90, 20).shape
        (1, 10)
        """
        return np.ascontiguousarray(self._pcm.read(start, count).T)

    def blocks(self, seconds: float = BLOCK_SECONDS) -> Iterator[NDArray[np.float32]]:
        """Yield the whole song in order, float32 (channels, n) of ``seconds`` each, the last what is left."""
        step = _block_size(self.rate, seconds)
        for first in range(0, self.samples, step):
            yield self.read(first, step)

    def mono(self, rate: int = 22_050) -> NDArray[np.float32]:
        """Return the mean of the channels at ``rate`` Hz, float32 (m,), never empty.

        >>> Audio.from_samples(np.zeros((2, 44100)), 44100).mono().shape
        (22050,)
        """
        whole = np.zeros(self.mono_samples(rate), np.float32)
        start = 0
        for block in self.mono_blocks(rate):
            inside = block[: len(whole) - start]
            whole[start : start + len(inside)] = inside
            start += len(inside)
        return whole

    def mono_samples(self, rate: int = 22_050) -> int:
        """Count the samples of ``mono`` without making them.

        >>> Audio.from_samples(np.zeros((2, 44100)), 44100).mono_samples()
        22050
        """
        return max(1, round(Fraction(self.samples * rate, self.rate)))

    def mono_blocks(self, rate: int = 22_050) -> Iterator[NDArray[np.float32]]:
        """Yield the samples of ``mono`` in order, float32 (m,) each, some of them empty.

        Resampled by soxr, which may end one sample sooner or later than ``mono_samples``.

        >>> [len(block) for block in Audio.from_samples(np.zeros((2, 661500)), 22050).mono_blocks()]
        [220500, 220500, 220500]
        """
        blocks = (block.mean(axis=0) for block in self.blocks())
        if rate == self.rate:
            yield from blocks
            return
        stream = soxr.ResampleStream(self.rate, rate, 1, dtype="float32")
        for block in blocks:
            yield stream.resample_chunk(block)
        yield stream.resample_chunk(np.zeros(0, np.float32), last=True)

    def close(self) -> None:
        """Delete the temporary file now; happens by itself when the song is no longer used."""
        self._pcm.close()


def open_audio(path: str | Path) -> Audio:
    """Decode a song, or the sound of a video, into a temporary file.

    Reads what FFmpeg reads: wav, aiff, flac, mp3, aac and alac in m4a, ogg, opus, mp4, mkv and more. Silence
    that an encoder added in front is dropped. A damaged or cut file gives what can be decoded of it.

    Raises:
        AudioError: no such file, a folder, not sound, no sound in it, not a single sample, a sample that is
            not a number, or more than 24 hours.
        OutputError: the temporary folder is full.

    >>> open_audio("no such song.mp3")
    Traceback (most recent call last):
    clavilux.errors.AudioError: There is no file 'no such song.mp3'; check the name and the folder.
    """
    with Decoding(Path(path)) as source:
        name, pcm = source.name, None
        for block in source.blocks():
            pcm = pcm or _new_pcm(source.rate, source.channels, name)
            pcm.append(block)
        if pcm is None:
            raise AudioError(f"'{source.path.name}' holds no sound at all: nothing in it could be decoded.")
        return Audio._of(pcm, name, source.layout, source.tags)


def _new_pcm(rate: int, channels: int, name: str) -> PcmFile:
    if rate != int(rate) or int(rate) not in RATES:
        raise AudioError(f"'{name}' claims {rate} samples per second; sound has {RATES[0]} to {RATES[-1]}.")
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError(f"'{name}' has {channels} channels; it must have 1 to {MAX_CHANNELS}.")
    return PcmFile(int(rate), channels, name)


def _block_size(rate: int, seconds: float = BLOCK_SECONDS) -> int:
    return max(1, round(seconds * rate))
