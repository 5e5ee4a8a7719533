"""A song's samples in a temporary file, so that its length costs disk and not memory.

Samples are float32, interleaved, in [-1, 1] by convention (peaks above 1 are kept). The file has no name
where the system allows it and is gone when its last reader is, even after a crash.
"""

import tempfile
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import BinaryIO

import numpy as np

from clavilux.array_files import Arrays
from clavilux.arrays import F32, F64, AnyArray
from clavilux.errors import AudioError, OutputError
from clavilux.timeline import MAX_HOURS

__all__ = ["LaterPcm", "Pcm", "PcmFile"]

MAX_PEAK = 1000.0
"""60 dB above full scale: a file that holds more was written in another unit, or damaged."""

CANCELLED = 0.1
"""Channels cancel where their mean has less than this share of the power of as many unlike channels."""


class Pcm(ABC):
    """The measures of a song's samples, and the samples where they are read.

    Attributes:
        rate: samples per second.
        channels: number of channels.
        samples: samples per channel so far.
        peak: largest absolute sample so far.
        total: sum of all samples of all channels so far.
        totals: sum of each channel's samples so far.
        products: sums of the products of every two channels so far, (channels, channels).
    """

    def __init__(self, rate: int, channels: int) -> None:
        self.rate, self.channels, self.samples = rate, channels, 0
        self.peak = self.total = 0.0
        self.totals: F64 = np.zeros(channels)
        self.products: F64 = np.zeros((channels, channels))

    @property
    @abstractmethod
    def digest(self) -> str:
        """Hash of rate, channels and every sample, as hexadecimal."""

    @abstractmethod
    def read(self, start: int, count: int) -> F32:
        """Return samples ``start`` to ``start + count``, what of it exists, as float32 (n, channels)."""

    @abstractmethod
    def close(self) -> None:
        """Delete the samples now."""

    @property
    def offset(self) -> float:
        """Mean of all samples, each channel with its sign."""
        signs = self.signs()
        total = self.total if signs.min() > 0 else float(signs @ self.totals)
        return total / (self.samples * self.channels)

    def signs(self) -> F32:
        """Return by what each channel is multiplied before their mean is taken, 1 or -1; (channels,).

        All are 1 unless the channels cancel: then a channel is turned that opposes the sum of those louder.
        """
        signs = np.ones(self.channels, np.float32)
        power = np.trace(self.products) / self.channels**2  # of the mean, if no two were alike
        if self.products.sum() / self.channels**2 >= CANCELLED * power:
            return signs
        loudest_first = np.argsort(-np.diag(self.products), kind="stable")
        for k, channel in enumerate(loudest_first):
            if self.products[channel, loudest_first[:k]] @ signs[loudest_first[:k]] < 0:
                signs[channel] = -1
        return signs

    def arrays(self) -> Arrays:
        """Return all measures, from which `LaterPcm` is made."""
        return {
            "numbers": np.array([self.rate, self.channels, self.samples], np.int64),
            "levels": np.array([self.peak, self.total]),
            "totals": self.totals,
            "products": self.products,
            "digest": np.array(self.digest),
        }


class LaterPcm(Pcm):
    """Samples whose measures are known; they are decoded when they are first read.

    Args:
        measures: what `Pcm.arrays` returned of them.
        decode: decodes them.
    """

    def __init__(self, measures: Mapping[str, AnyArray], decode: Callable[[], Pcm]) -> None:
        rate, channels, samples = measures["numbers"].tolist()
        super().__init__(rate, channels)
        self.samples = samples
        self.peak, self.total = measures["levels"].tolist()
        self.totals, self.products = np.asarray(measures["totals"]), np.asarray(measures["products"])
        self._digest, self._decode = str(measures["digest"]), decode
        self._pcm: Pcm | None = None
        self._lock = threading.Lock()

    @property
    def digest(self) -> str:
        """Hash of rate, channels and every sample, as hexadecimal."""
        return self._digest

    def read(self, start: int, count: int) -> F32:
        """Return samples, see `Pcm.read`; what decoding raises is raised here."""
        with self._lock:
            self._pcm = self._pcm or self._decode()
        return self._pcm.read(start, count)

    def close(self) -> None:
        """Delete the samples now."""
        if self._pcm is not None:
            self._pcm.close()


class PcmFile(Pcm):
    """Samples that are appended once, in order, then read anywhere."""

    def __init__(self, rate: int, channels: int, name: str) -> None:
        super().__init__(rate, channels)
        self._name = name
        self._hash = blake2b(f"{rate} Hz {channels} channels".encode(), digest_size=16)
        self._lock = threading.Lock()
        try:
            self._file: BinaryIO = tempfile.TemporaryFile(prefix="clavilux-", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise _unwritable(error) from error
        # A file object that is merely forgotten warns; one that is closed by its finalizer does not.
        self._finalizer = weakref.finalize(self, self._file.close)

    def close(self) -> None:
        """Delete the file now; this happens by itself when the samples are no longer used."""
        self._finalizer()

    @property
    def digest(self) -> str:
        """Hash of rate, channels and every sample, as hexadecimal."""
        return self._hash.hexdigest()

    def append(self, block: F32) -> None:
        """Add ``block`` float32 (n, channels).

        Raises:
            AudioError: a sample is not a number or absurdly large, or the song passes 24 hours.
            OutputError: the temporary folder is full.
        """
        if not block.size:
            return
        data = np.ascontiguousarray(block, "<f4")
        peak = float(max(data.max(), -data.min()))
        if not peak <= MAX_PEAK:
            raise AudioError(
                f"'{self._name}' holds a sample of {peak:g} at {self.samples / self.rate:.1f} s where audio"
                " lies between -1 and 1",
                where=self._name,
                value=peak,
                hint="export it again from the program that made it",
            )
        if self.samples + len(data) > MAX_HOURS * 3600 * self.rate:
            raise AudioError(
                f"'{self._name}' is longer than {MAX_HOURS} hours", where=self._name, hint="cut it into parts"
            )
        self._write(data.data.cast("B"))
        self._hash.update(data.data)
        self.peak = max(self.peak, peak)
        self.total += float(data.sum(dtype=np.float64))
        self.totals += data.sum(axis=0, dtype=np.float64)
        self.products += data.T @ data
        self.samples += len(data)

    def read(self, start: int, count: int) -> F32:
        """Return samples ``start`` to ``start + count``, what of it exists, as float32 (n, channels)."""
        first = min(max(start, 0), self.samples)
        last = min(max(start + count, first), self.samples)
        block = np.empty((last - first, self.channels), "<f4")
        left = block.reshape(-1).view(np.uint8).data
        with self._lock:
            self._file.seek(first * self.channels * 4)
            while left and (got := self._file.readinto(left)):  # type: ignore[attr-defined]
                left = left[got:]
        if left:
            raise AudioError(
                f"The decoded samples of '{self._name}' were cut short",
                where=self._name,
                hint="open it again",
            )
        return block.astype(np.float32, copy=False)

    def _write(self, data: memoryview) -> None:
        try:
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            raise _unwritable(error) from error


def _unwritable(error: OSError) -> OutputError:
    return OutputError(
        f"The song cannot be decoded into the temporary folder '{tempfile.gettempdir()}'"
        f" ({error.strerror or error})",
        where=tempfile.gettempdir(),
        hint="free some space there or set TMPDIR to another folder",
    )
