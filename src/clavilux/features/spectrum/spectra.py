"""The song as frames: spectra, mel bands, and the way from frames to the control clock.

The song is heard as mono at 22 050 Hz. Frames are 2048 samples long and 512 apart; frame t is centred at
``t * 512 / 22050`` s, with silence before and after the song. Spectra are (T, F), frames first.
"""

from collections.abc import Iterator

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from clavilux.curves import CONTROL_RATE
from clavilux.features.spectrum.stream import Sound

__all__ = [
    "BANDS",
    "FRAME",
    "HOP",
    "RATE",
    "WINDOW",
    "bin_frequencies",
    "excerpt",
    "frame_count",
    "half",
    "mel_bank",
    "mel_centres",
    "on_clock",
    "overlap_add",
    "pieces",
    "stft",
]

Array = NDArray[np.float32]
Half = NDArray[np.float16]

RATE = 22_050
"""Samples per second of the sound that is analysed."""
FRAME = 2048
HOP = 512
BANDS = 96
"""Mel bands between 20 Hz and the Nyquist frequency."""
PIECE = 8192
"""Rows that are worked on at a time where a whole song would take much memory."""
LOWEST_HZ = 20.0
WINDOW = np.hanning(FRAME + 1)[:-1].astype(np.float32)


def frame_count(samples: int) -> int:
    """Count the frames that are centred inside ``samples`` samples; at least 1.

    >>> frame_count(0), frame_count(1024)
    (1, 3)
    """
    return 1 + samples // HOP


def excerpt(samples: Sound, start: int, stop: int) -> Array:
    """Cut samples [start, stop) out of a mono song; outside it there is silence.

    >>> excerpt(np.ones(3, np.float32), -2, 5).tolist()
    [0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0]
    """
    cut = np.zeros(stop - start, np.float32)
    inside = samples[max(start, 0) : max(stop, 0)]
    cut[max(-start, 0) :][: len(inside)] = inside
    return cut


def stft(sound: Array) -> NDArray[np.complex64]:
    """Transform the frames that lie whole in ``sound`` (n,); complex64 (t, 1025), unscaled.

    >>> stft(np.ones(2560, np.float32)).shape
    (2, 1025)
    """
    frames = sliding_window_view(sound, FRAME)[::HOP] * WINDOW
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
    carried = np.empty((rows, frames.shape[1]), np.float32)
    for first in range(0, rows, PIECE):
        row = np.arange(first, min(first + PIECE, rows))
        position = np.minimum((row / CONTROL_RATE + delay) * RATE / HOP, len(frames) - 1)
        low = np.minimum(position.astype(np.int64), max(len(frames) - 2, 0))
        weight = (position - low).astype(np.float32)[:, None]
        high = np.minimum(low + 1, len(frames) - 1)
        carried[row] = frames[low] * (1 - weight) + frames[high] * weight
    return carried


def half(values: Array) -> Half:
    """Round to half precision, in which what was heard is kept: 11 bits, up to 65504.

    >>> half(np.array([0.5, 1e6], np.float32)).tolist()
    [0.5, 65504.0]
    """
    return np.minimum(values, np.float32(np.finfo(np.float16).max)).astype(np.float16)


def pieces(values: Array | Half, overlap: int = 0) -> Iterator[Array]:
    """Yield the rows of a song's (T, C) as float32, some at a time, and ``overlap`` of those before them.

    >>> [len(piece) for piece in pieces(np.zeros((10_000, 1), np.float16), overlap=2)]
    [8192, 1810]
    """
    for first in range(0, len(values), PIECE):
        yield values[max(0, first - overlap) : first + PIECE].astype(np.float32)


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
