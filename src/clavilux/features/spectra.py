"""The song as frames: spectra, mel bands, and the way from frames to the control clock.

The song is heard as mono at 22 050 Hz. Frames are 2048 samples long and 512 apart; frame t is centred at
``t * 512 / 22050`` s, with silence before and after the song. Spectra are (T, F), frames first.
"""

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from clavilux.curves import CONTROL_RATE

__all__ = [
    "BANDS",
    "FRAME",
    "HOP",
    "RATE",
    "WINDOW",
    "bin_frequencies",
    "frame_count",
    "mel_bank",
    "mel_centres",
    "on_clock",
    "overlap_add",
    "stft",
]

Array = NDArray[np.float32]

RATE = 22_050
"""Samples per second of the sound that is analysed."""
FRAME = 2048
HOP = 512
BANDS = 96
"""Mel bands between 20 Hz and the Nyquist frequency."""
LOWEST_HZ = 20.0
WINDOW = np.hanning(FRAME + 1)[:-1].astype(np.float32)


def frame_count(samples: int) -> int:
    """Count the frames that are centred inside ``samples`` samples; at least 1.

    >>> frame_count(0), frame_count(1024)
    (1, 3)
    """
    return 1 + samples // HOP


def stft(samples: Array, first: int, last: int, offset: float = 0.0) -> NDArray[np.complex64]:
    """Transform frames [first, last) of a mono song (n,); complex64 (last - first, 1025), unscaled.

    Only the samples those frames touch are read, less ``offset``; outside the song there is silence.

    >>> stft(np.ones(2048, np.float32), 1, 3).shape
    (2, 1025)
    """
    start, stop = first * HOP - FRAME // 2, (last - 1) * HOP + FRAME // 2
    inside = np.asarray(samples[max(start, 0) : max(stop, 0)] - np.float64(offset), np.float32)
    padded = np.pad(inside, (max(-start, 0), stop - max(start, 0) - len(inside)))
    frames = sliding_window_view(padded, FRAME)[::HOP] * WINDOW
    return np.asarray(scipy.fft.rfft(frames, axis=1), np.complex64)


def overlap_add(spectrum: NDArray[np.complex64]) -> Array:
    """Turn frames (t, 1025) back into sound; windowed again, so that neighbouring blocks simply add.

    The squared windows sum to 3/2 everywhere but within the song's first and last 0.07 s.

    >>> overlap_add(np.zeros((3, 1025), np.complex64)).shape
    (3072,)
    """
    frames = scipy.fft.irfft(spectrum, FRAME, axis=1).astype(np.float32) * (WINDOW / np.float32(1.5))
    sound = np.zeros((len(frames) + FRAME // HOP - 1, HOP), np.float32)
    for quarter in range(FRAME // HOP):
        sound[quarter : quarter + len(frames)] += frames[:, quarter * HOP : (quarter + 1) * HOP]
    return sound.ravel()


def on_clock(frames: Array, duration: float, *, delay: float = 0.0) -> Array:
    """Carry values per frame (T, C) onto the 100 Hz control clock of a song of ``duration`` seconds.

    Frame t tells about t x 512 / 22050 - ``delay`` s; between frames the values go linearly. Returns float32
    (ceil(100 duration), C), at least one row.

    >>> round(on_clock(np.array([[0], [1]], np.float32), 0.02)[1].item(), 3)
    0.431
    """
    rows = max(1, int(np.ceil(duration * CONTROL_RATE - 1e-6)))
    position = np.minimum((np.arange(rows) / CONTROL_RATE + delay) * RATE / HOP, len(frames) - 1)
    low = np.minimum(position.astype(np.int64), max(len(frames) - 2, 0))
    weight = (position - low).astype(np.float32)[:, None]
    high = np.minimum(low + 1, len(frames) - 1)
    return np.asarray(frames[low] * (1 - weight) + frames[high] * weight, np.float32)


def bin_frequencies() -> NDArray[np.float64]:
    """Frequency of each bin of a frame, Hz, (1025,).

    >>> bin_frequencies()[[0, -1]].tolist()
    [0.0, 11025.0]
    """
    return np.asarray(scipy.fft.rfftfreq(FRAME, 1 / RATE))


def mel_centres() -> NDArray[np.float64]:
    """Centre frequency of each mel band, Hz, (96,): evenly spaced on the mel scale of O'Shaughnessy 1987.

    >>> mel_centres()[:2].round().tolist()
    [41.0, 63.0]
    """
    return _mel_edges()[1:-1]


def _mel_edges() -> NDArray[np.float64]:
    mel_low, mel_high = (2595 * np.log10(1 + hz / 700) for hz in (LOWEST_HZ, RATE / 2))
    return np.asarray(700 * (10 ** (np.linspace(mel_low, mel_high, BANDS + 2) / 2595) - 1))


def mel_bank() -> Array:
    """Make triangles (1025, 96) over the FFT bins, each summing to 1: a band is the mean of its bins.

    >>> bool(np.allclose(mel_bank().sum(axis=0), 1))
    True
    """
    edges, bins = _mel_edges(), bin_frequencies()[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(triangles / triangles.sum(axis=0), np.float32)
