"""The strength of each pitch over time: a constant-Q transform, 36 bins per octave from C1 to B7.

The transform runs block by block, and each octave is computed at half the sample rate of the one above it.
Bin b has the frequency ``32.703 Hz x 2^(b / 36)``; every third bin is a note of equal temperament at
A4 = 440 Hz. Values are amplitudes: a sine of amplitude A has A in its bin.

Source:
    Brown 1991 (constant Q); Schörkhuber and Klapuri 2010 (octave by octave).
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
import soxr
from numpy.lib.stride_tricks import sliding_window_view

from clavilux.arrays import F16, F32, F64
from clavilux.features.spectrum.spectra import HOP, RATE, excerpt, frame_count, to_half
from clavilux.features.spectrum.stream import SampleStream

__all__ = [
    "BINS_PER_NOTE",
    "BINS_PER_OCTAVE",
    "KERNEL",
    "LOWEST_HZ",
    "KernelModel",
    "PitchStrengths",
    "pitch_frequencies",
    "pitch_strengths",
]

BINS_PER_OCTAVE = 36
BINS_PER_NOTE = BINS_PER_OCTAVE // 12
OCTAVES = 7
BINS = BINS_PER_OCTAVE * OCTAVES
LOWEST_HZ = 440 * 2 ** (-45 / 12)
"""C1."""
BLOCK_FRAMES = 1024
"""24 s."""
STORED = np.float16


@dataclass(frozen=True)
class KernelModel:
    """How long the kernels are. The quality is that of Brown 1991; the other values were set by hand.

    Attributes:
        quality: Q, the periods that one kernel spans: its main lobe reaches to the neighbouring bins.
        max_seconds: shortens the kernels below 68 Hz, where resolution in time counts for more than in
            frequency.
        margin_frames: frames on either side of a block that its pitches depend on, 1.5 s: half the longest
            kernel, and the reach of the filters of six halvings. A multiple of 64 samples, so that all blocks
            are halved at the same phase.
    """

    quality: float = 1 / (2 ** (1 / BINS_PER_OCTAVE) - 1)
    max_seconds: float = 0.75
    margin_frames: int = 64


KERNEL = KernelModel()


def pitch_frequencies() -> F64:
    """Return the centre frequency of each bin, Hz, (252,).

    >>> round(float(pitch_frequencies()[3 * 45]), 6)
    440.0
    """
    return np.asarray(LOWEST_HZ * 2.0 ** (np.arange(BINS) / BINS_PER_OCTAVE))


def pitch_strengths(samples: F32 | SampleStream) -> F16:
    """Measure the amplitude of each pitch in mono samples (n,) at 22 050 Hz.

    Returns:
        float16 (T, 252), frames as in ``spectra``.

    >>> tone = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    >>> int(pitch_strengths(tone)[20].argmax()), round(float(pitch_strengths(tone)[20].max()), 2)
    (135, 1.0)
    """
    stream, block = SampleStream.of(samples), BLOCK_FRAMES * HOP
    pitches = PitchStrengths(len(stream))
    for first in range(0, max(1, len(stream)), block):
        pitches.add(stream.read(first, min(first + block, len(stream))))
    return pitches.values


class PitchStrengths:
    """The constant-Q transform of samples that arrive piece by piece; no more than a block of them is kept.

    Attributes:
        values: float16 (T, 252), complete once all samples were added.

    Args:
        samples: length of the song in samples.

    >>> pitches = PitchStrengths(1024)
    >>> pitches.add(np.zeros(1000, np.float32))
    >>> pitches.add(np.zeros(24, np.float32))
    >>> pitches.values.max().item()
    0.0
    """

    def __init__(self, samples: int) -> None:
        self.values = np.empty((frame_count(samples), BINS), STORED)
        self._samples = samples
        self._frame = 0  # the first frame that is not computed yet
        self._start = 0  # the sample at which _kept begins
        self._kept = np.zeros(0, np.float32)

    def add(self, samples: F32) -> None:
        """Append samples (m,), any number of them; those past the end of the song are ignored."""
        self._kept = np.concatenate((self._kept, samples))
        frames = len(self.values)
        while self._frame < frames:
            first, last = self._frame, min(self._frame + BLOCK_FRAMES, frames)
            low = max(0, first - KERNEL.margin_frames)
            start, end = low * HOP, min((last + KERNEL.margin_frames) * HOP, self._samples)
            if self._start + len(self._kept) < end:
                return
            self._kept, self._start = self._kept[start - self._start :], start
            strengths = _constant_q(self._kept[: end - start], last - low)
            self.values[first:last] = to_half(strengths[first - low :])
            self._frame = last


def _constant_q(samples: F32, frames: int) -> F32:
    """Transform the first frames of a block, (frames, 252)."""
    strengths = np.empty((frames, OCTAVES, BINS_PER_OCTAVE), np.float32)
    for octave in range(OCTAVES):  # from the highest down
        _one_octave(samples, octave, out=strengths[:, OCTAVES - 1 - octave])
        if octave < OCTAVES - 1:
            samples = soxr.resample(samples, 2, 1) if len(samples) else samples
    return strengths.reshape(frames, -1)


def _one_octave(samples: F32, octave: int, out: F32) -> None:
    """Measure the 36 pitches ``octave`` octaves below the highest.

    Args:
        samples: of the block, (n,), halved in rate ``octave`` times.
        octave: see above.
        out: where the amplitudes are written, (T, 36).
    """
    rate, hop = RATE / 2**octave, HOP // 2**octave
    kernels = _kernels(pitch_frequencies()[BINS_PER_OCTAVE * (OCTAVES - 1) :] / 2**octave, rate)
    length = kernels.shape[0]
    padded = excerpt(samples, -(length // 2), (len(out) - 1) * hop + length - length // 2)
    # X[t, k] = sum_n w_k[n] x[t hop + n] exp(-2 pi i f_k n / rate): real and imaginary parts, (T, 72)
    waves = np.ascontiguousarray(sliding_window_view(padded, length)[::hop]) @ kernels
    np.hypot(waves[:, :BINS_PER_OCTAVE], waves[:, BINS_PER_OCTAVE:], out=out)


def _kernels(frequencies: F64, rate: float) -> F32:
    """Return windowed cosines, then sines, one column per frequency: float32 (N, 72), centred at N / 2."""
    seconds = np.minimum(KERNEL.quality / frequencies, KERNEL.max_seconds)
    reach = ceil(seconds.max() * rate / 2)
    times = np.arange(-reach, reach)[:, None] / rate  # (N, 1)
    hann = np.where(np.abs(times) < seconds / 2, 0.5 + 0.5 * np.cos(2 * np.pi * times / seconds), 0)
    hann *= 2 / hann.sum(axis=0)  # a sine of amplitude A correlates to A
    phases = 2 * np.pi * frequencies * times
    return np.concatenate([hann * np.cos(phases), hann * np.sin(phases)], axis=1).astype(np.float32)
