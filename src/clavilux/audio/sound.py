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

import av
import numpy as np
import soxr
from numpy.typing import ArrayLike

from clavilux.array_files import Arrays
from clavilux.arrays import F32, AnyArray
from clavilux.audio.decode import AudioFile, layout_of
from clavilux.audio.pcm import LaterPcm, Pcm, PcmFile
from clavilux.errors import AudioError
from clavilux.files import hash_of, is_file, state_of
from clavilux.store import Store

__all__ = ["Audio", "open_audio"]

SILENT_PEAK = 1e-4
"""Peak below which there is nothing to hear: -80 dB."""

VERSION = 0
"""Of what is kept of a file; raise it when its measures change although the file and FFmpeg do not."""
MAX_HASHED_BYTES = 1 << 30

BLOCK_SECONDS = 10.0
RATES = range(1_000, 768_001)
MAX_CHANNELS = 64


@dataclass(frozen=True, eq=False)
class Audio:
    """The samples of a song, kept in a temporary file that goes when they do.

    Attributes:
        name: the file's name without its ending, for messages.
        layout: FFmpeg's name of the channel layout, such as ``stereo``.
        tags: ``title`` and ``artist`` where the file has them.
        track: which of the file's audio tracks this is, from 1.
        tracks: how many it has.
    """

    name: str
    layout: str
    tags: Mapping[str, str] = field(repr=False)
    _pcm: Pcm = field(repr=False)
    _packet_digest: str = field(default="", repr=False)
    track: int = 1
    tracks: int = 1

    @classmethod
    def from_samples(cls, samples: ArrayLike, rate: int, *, name: str = "samples") -> "Audio":
        """Return a song of an array (channels, n) or (n,) at ``rate`` Hz.

        Raises:
            AudioError: no samples, a sample that is not a number, more than 64 channels, or a strange rate.

        >>> Audio.from_samples(np.zeros((2, 44100)), 44100).duration
        Fraction(1, 1)
        """
        array = np.atleast_2d(np.asarray(samples))
        if array.ndim != 2:
            raise AudioError(
                f"'{name}' is an array of shape {array.shape}",
                value=array.shape,
                hint="audio is (channels, samples)",
            )
        pcm = _new_pcm(rate, array.shape[0], name)
        step = _block_size(rate)
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which append refuses
            for first in range(0, array.shape[1], step):
                pcm.append(array[:, first : first + step].T.astype(np.float32))
        if not pcm.samples:
            pcm.close()
            raise _empty(name)
        return cls(name, layout_of(array.shape[0]), MappingProxyType({}), pcm)

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
        """Identity of the sound, the same on every machine that opens the same file, as hexadecimal.

        Of an array or a lossless file, this is `samples_digest`: equal for equal samples, whatever file they
        came from. Of a lossy file (mp3, AAC, Opus, Vorbis) it is the hash of the coded packets, because
        decoders round differently; tags and the file's name do not count, but another encoding of the same
        music is another sound.
        """
        return self._packet_digest or self.samples_digest

    @property
    def samples_digest(self) -> str:
        """Hash of rate, channels and the decoded samples, by which version 0.1.0 identified every sound.

        Of a lossy file it differs between processors and FFmpeg builds.
        """
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
        """Mean of all samples of `mono`: the constant offset."""
        return self._pcm.offset

    @property
    def turned(self) -> bool:
        """Whether `mono` turns the sign of a channel that would cancel the others."""
        return bool(self._pcm.signs().min() < 0)

    @property
    def silent(self) -> bool:
        """Whether the peak stays below -80 dB."""
        return self.peak < SILENT_PEAK

    def read(self, start: int, count: int) -> F32:
        """Return samples ``start`` to ``start + count``, clipped to the song, as float32 (channels, n).

        >>> Audio.from_samples(np.zeros(100), 8000).read(90, 20).shape
        (1, 10)
        """
        return np.ascontiguousarray(self._pcm.read(start, count).T)

    def blocks(self, seconds: float = BLOCK_SECONDS) -> Iterator[F32]:
        """Yield the whole song in order, float32 (channels, n) of ``seconds`` each, the last what is left."""
        step = _block_size(self.rate, seconds)
        for first in range(0, self.samples, step):
            yield self.read(first, step)

    def mono(self, rate: int = 22_050) -> F32:
        """Return the mean of the channels at ``rate`` Hz, float32 (m,), never empty.

        A channel that is the others inverted, by a wrong wire or a widener, counts with its sign turned:
        both ears hear it, but the mean would be silence.

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
        """Count the samples of ``mono`` without computing them.

        >>> Audio.from_samples(np.zeros((2, 44100)), 44100).mono_samples()
        22050
        """
        return max(1, round(Fraction(self.samples * rate, self.rate)))

    def mono_blocks(self, rate: int = 22_050) -> Iterator[F32]:
        """Yield the samples of ``mono`` in order, float32 (m,) each, some of them empty.

        Resampled by soxr, which may end one sample sooner or later than ``mono_samples``.

        >>> [len(block) for block in Audio.from_samples(np.zeros((2, 661500)), 22050).mono_blocks()]
        [220500, 220500, 220500]
        """
        signs = self._pcm.signs()[:, None]
        whole = self.blocks()
        blocks = (block.mean(axis=0) for block in (whole if signs.min() > 0 else (signs * b for b in whole)))
        if rate == self.rate:
            yield from blocks
            return
        stream = soxr.ResampleStream(self.rate, rate, 1, dtype="float32")
        for block in blocks:
            yield stream.resample_chunk(block)
        yield stream.resample_chunk(np.zeros(0, np.float32), last=True)

    def _arrays(self) -> Arrays:
        """Return all that is known without the samples."""
        tags = [word for tag in self.tags.items() for word in tag]
        words = np.array([self.layout, self._packet_digest, *tags], np.str_)
        return {**self._pcm.arrays(), "words": words, "tracks": np.array([self.track, self.tracks])}

    def close(self) -> None:
        """Delete the temporary file now; this happens by itself when the song is no longer used."""
        self._pcm.close()


def open_audio(path: str | Path, track: int | None = None, store: Store | None = None) -> Audio:
    """Decode a song, or the audio of a video, into a temporary file.

    Reads what FFmpeg reads: wav, aiff, flac, mp3, aac and alac in m4a, ogg, opus, mp4, mkv and more. Silence
    that an encoder added in front is dropped. Of a damaged or cut file, all that can be decoded is read.

    Args:
        path: the file.
        track: which of several audio tracks, from 1; by default the one marked as default, else the first.
        store: keeps the measures of a file's samples under the hash of its content: one that is known is
            decoded only where its samples are read.

    Raises:
        AudioError: no such file, a folder, not audio, no audio in it, not a single sample, a sample that is
            not a number, or more than 24 hours.
        SettingError: it has no such track.
        OutputError: the temporary folder is full.

    >>> open_audio("no such song.mp3")
    Traceback (most recent call last):
    clavilux.errors.AudioError: There is no file 'no such song.mp3'; check the name and the folder.
    """
    path, decoded = Path(path), dict[str, Audio]()
    state = state_of(path)
    if store is None or store.folder is None or not (content := _content(path)):
        return _decoded(path, track)

    def measure() -> Arrays:
        audio = decoded["now"] = _decoded(path, track)
        if state_of(path) != state:  # what was decoded may not be what was hashed
            raise _ChangedError
        return audio._arrays()

    key = f"sound/{VERSION}/{content}/{track}/{av.__version__}/{sorted(av.library_versions.items())}"
    try:
        measures = store.fetch(key, measure)
    except _ChangedError:
        return decoded["now"]
    return decoded.get("now") or _later(path, track, measures)


class _ChangedError(Exception):
    """A file changed while it was read."""


def _content(path: Path) -> str:
    """Hash a file; empty where it cannot be read, or is so large that it would take long."""
    try:
        return hash_of(path) if is_file(path) and path.stat().st_size <= MAX_HASHED_BYTES else ""
    except OSError:
        return ""


def _decoded(path: Path, track: int | None) -> Audio:
    with AudioFile(path, track) as file:
        pcm = None
        for block in file.blocks():
            pcm = pcm or _new_pcm(file.rate, file.channels, file.name)
            pcm.append(block)
        if pcm is None:
            raise _empty(file.path.name)
        digest = file.packet_digest(pcm.samples)
        tags = MappingProxyType(file.tags)
        return Audio(file.name, file.layout, tags, pcm, digest, file.track, file.tracks)


def _later(path: Path, track: int | None, measures: Mapping[str, AnyArray]) -> Audio:
    """Return the audio of a file that is known, decoded where its samples are read."""
    layout, digest, *tags = measures["words"].tolist()
    expected = digest or str(measures["digest"])

    def decode() -> Pcm:
        audio = _decoded(path, track)
        if audio.digest != expected:
            what = f"'{path.name}' has changed since it was opened"
            raise AudioError(what, where=str(path), hint="start again")
        return audio._pcm

    pairs = dict(zip(tags[::2], tags[1::2], strict=True))
    pcm = LaterPcm(measures, decode)
    return Audio(path.stem, layout, MappingProxyType(pairs), pcm, digest, *measures["tracks"].tolist())


def _new_pcm(rate: int, channels: int, name: str) -> PcmFile:
    if rate != int(rate) or int(rate) not in RATES:
        raise AudioError(
            f"'{name}' claims {rate} samples per second",
            value=rate,
            hint=f"audio has {RATES[0]} to {RATES[-1]}",
        )
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError(
            f"'{name}' has {channels} channels", value=channels, hint=f"it must have 1 to {MAX_CHANNELS}"
        )
    return PcmFile(int(rate), channels, name)


def _empty(name: str) -> AudioError:
    return AudioError(f"'{name}' holds no audio at all", where=name, hint="export it again")


def _block_size(rate: int, seconds: float = BLOCK_SECONDS) -> int:
    return max(1, round(seconds * rate))
