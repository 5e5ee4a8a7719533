"""How strongly each pitch sounds: a constant-Q transform, 36 bins to the octave from C1 to B7.

A song is heard block by block, and every octave at half the sampling rate of the one above it (after Brown
1991 and Schörkhuber and Klapuri 2010). Bin b is the pitch ``32.703 Hz x 2^(b / 36)``; every third bin is a
note of the tempered scale at A4 = 440 Hz. Values are amplitudes: a sine of amplitude A gives A in its bin.
"""

from math import ceil

import numpy as np
import soxr
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from clavilux.features.spectrum.spectra import HOP, RATE, Half, excerpt, frame_count, half
from clavilux.features.spectrum.stream import Sound

__all__ = ["BINS_PER_OCTAVE", "LOWEST_HZ", "pitch_frequencies", "pitch_strengths"]

Array = NDArray[np.float32]

BINS_PER_OCTAVE = 36
OCTAVES = 7
LOWEST_HZ = 440 * 2 ** (-45 / 12)
"""C1."""
CYCLES = 1 / (2 ** (1 / BINS_PER_OCTAVE) - 1)
"""Periods that one kernel spans, Q: its main lobe reaches to the neighbouring bins."""
LONGEST = 0.75
"""Seconds that a kernel spans at most: below 68 Hz time counts for more than resolution."""
BLOCK = 1024
"""Frames per block, 24 s."""
MARGIN = 64
"""Frames on either side of a block that its pitches are heard from, 1.5 s: half the longest kernel, and what
the filters of six halvings reach. A multiple of 64 samples, so that all blocks are halved alike."""
KEPT = np.float16


def pitch_frequencies() -> NDArray[np.float64]:
    """Centre frequency of each bin, Hz, (252,).

    >>> round(float(pitch_frequencies()[3 * 45]), 6)
    440.0
    """
    return np.asarray(LOWEST_HZ * 2.0 ** (np.arange(BINS_PER_OCTAVE * OCTAVES) / BINS_PER_OCTAVE))


def pitch_strengths(samples: Sound) -> Half:
    """Measure each pitch in a mono song (n,) at 22 050 Hz; float16 (T, 252), frames as in ``spectra``.

    >>> tone = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    >>> int(pitch_strengths(tone)[20].argmax()), round(float(pitch_strengths(tone)[20].max()), 2)
    (135, 1.0)
    """
    frames = frame_count(len(samples))
    strengths = np.empty((frames, BINS_PER_OCTAVE * OCTAVES), KEPT)
    for first in range(0, frames, BLOCK):
        low, last = max(0, first - MARGIN), min(first + BLOCK, frames)
        sound = excerpt(samples, low * HOP, min((last + MARGIN) * HOP, len(samples)))
        strengths[first:last] = half(_all_octaves(sound, last - low)[first - low :])
    return strengths


def _all_octaves(sound: Array, frames: int) -> Array:
    """Measure the first frames of a piece of sound, (frames, 252)."""
    strengths = np.empty((frames, OCTAVES, BINS_PER_OCTAVE), np.float32)
    for octave in range(OCTAVES):
        _one_octave(sound, octave, strengths[:, OCTAVES - 1 - octave])
        if octave < OCTAVES - 1:
            sound = soxr.resample(sound, 2, 1) if len(sound) else sound
    return strengths.reshape(frames, -1)


def _one_octave(sound: Array, octave: int, strengths: Array) -> None:
    """Measure the 36 pitches ``octave`` octaves below the highest, in sound halved that many times.

    Args:
        sound: the halved sound, (n,).
        octave: how many times it was halved.
        strengths: where the amplitudes go, (T, 36).
    """
    rate, hop = RATE / 2**octave, HOP // 2**octave
    kernels = _kernels(pitch_frequencies()[BINS_PER_OCTAVE * (OCTAVES - 1) :] / 2**octave, rate)
    length = kernels.shape[0]
    padded = excerpt(sound, -(length // 2), (len(strengths) - 1) * hop + length - length // 2)
    waves = np.ascontiguousarray(sliding_window_view(padded, length)[::hop]) @ kernels
    np.hypot(waves[:, :BINS_PER_OCTAVE], waves[:, BINS_PER_OCTAVE:], out=strengths)


def _kernels(frequencies: NDArray[np.float64], rate: float) -> Array:
    """Make windowed cosines, then sines, one column per frequency: float32 (N, 72), centred at N / 2."""
    spans = np.minimum(CYCLES / frequencies, LONGEST)
    half = ceil(spans.max() * rate / 2)
    times = np.arange(-half, half)[:, None] / rate
    windows = np.where(np.abs(times) < spans / 2, 0.5 + 0.5 * np.cos(2 * np.pi * times / spans), 0)
    windows *= 2 / windows.sum(axis=0)
    phases = 2 * np.pi * frequencies * times
    return np.concatenate([windows * np.cos(phases), windows * np.sin(phases)], axis=1).astype(np.float32)
