"""The song as frames: short-time spectra, mel bands, and the way from frames to the control clock.

The song is analysed as mono at 22 050 Hz. Frames are 2048 samples long and 512 apart; frame t is centred at
``t * 512 / 22050`` s, with silence before and after the song. Spectra are (T, F), frames first.
"""

from collections.abc import Iterator

import numpy as np
import scipy
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from clavilux.arrays import F16, F32, F64
from clavilux.curves import CONTROL_RATE

__all__ = [
    "BANDS",
    "FRAME",
    "HOP",
    "RATE",
    "WINDOW",
    "bin_frequencies",
    "excerpt",
    "frame_count",
    "mel_bank",
    "mel_centres",
    "on_clock",
    "overlap_add",
    "pieces",
    "stft",
    "to_half",
]


RATE = 22_050
"""Sample rate of the analysis, Hz."""
FRAME = 2048
"""Samples per frame, 93 ms."""
HOP = 512
"""Samples from one frame to the next, 23 ms."""
BANDS = 96
"""Mel bands between ``MEL_LOW_HZ`` and the Nyquist frequency."""
MEL_LOW_HZ = 20.0
PIECE = 8192
"""Frames processed at a time where a whole song would need much memory."""
WINDOW = np.hanning(FRAME + 1)[:-1].astype(np.float32)  # (2048,), periodic Hann


def frame_count(samples: int) -> int:
    """Count the frames that are centred inside ``samples`` samples; at least 1.

    >>> frame_count(0), frame_count(1024)
    (1, 3)
    """
    return 1 + samples // HOP


def excerpt(samples: F32, start: int, stop: int) -> F32:
    """Return samples [start, stop) of an array (n,); outside it there is silence.

    >>> excerpt(np.ones(3, np.float32), -2, 5).tolist()
    [0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0]
    """
    cut = np.zeros(stop - start, np.float32)
    inside = samples[max(start, 0) : max(stop, 0)]
    cut[max(-start, 0) :][: len(inside)] = inside
    return cut


def stft(samples: F32) -> NDArray[np.complex64]:
    """Transform the frames that lie whole in ``samples`` (n,); complex64 (t, 1025), unscaled.

    >>> stft(np.ones(2560, np.float32)).shape
    (2, 1025)
    """
    # X[t, k] = sum_n w[n] x[512 t + n] exp(-2 pi i k n / 2048)
    frames = sliding_window_view(samples, FRAME)[::HOP] * WINDOW  # (t, 2048)
    return np.asarray(scipy.fft.rfft(frames, axis=1), np.complex64)


def overlap_add(spectrum: NDArray[np.complex64]) -> F32:
    """Transform frames (t, 1025) back into samples ((t + 3) x 512,); neighbouring blocks simply add.

    The reconstruction is exact but within the first and last 0.07 s of a song.

    Source:
        Griffin and Lim 1984, equation 6: least squares, windowed again at synthesis.

    >>> overlap_add(np.zeros((3, 1025), np.complex64)).shape
    (3072,)
    """
    # x = sum_t w y_t / sum_t w^2; a squared Hann window sums to 3/2 at a hop of a quarter of its length.
    frames = scipy.fft.irfft(spectrum, FRAME, axis=1).astype(np.float32) * (WINDOW / np.float32(1.5))
    samples = np.zeros((len(frames) + FRAME // HOP - 1, HOP), np.float32)  # one row per hop
    for quarter in range(FRAME // HOP):
        samples[quarter : quarter + len(frames)] += frames[:, quarter * HOP : (quarter + 1) * HOP]
    return samples.ravel()


def on_clock(frames: F32, duration: float, *, delay: float = 0.0) -> F32:
    """Interpolate values per frame (T, C) linearly on the 100 Hz control clock of a song.

    Args:
        frames: (T, C); frame t is the value at t x 512 / 22050 - ``delay`` s.
        duration: of the song, s.
        delay: by how many seconds the values come late.

    Returns:
        float32 (ceil(100 duration), C), at least one row; the last frame is held.

    >>> round(on_clock(np.array([[0], [1]], np.float32), 0.02)[1].item(), 3)
    0.431
    """
    rows = max(1, int(np.ceil(duration * CONTROL_RATE - 1e-6)))
    values = np.empty((rows, frames.shape[1]), np.float32)
    for first in range(0, rows, PIECE):
        row = np.arange(first, min(first + PIECE, rows))
        position = np.minimum((row / CONTROL_RATE + delay) * RATE / HOP, len(frames) - 1)  # in frames
        low = np.minimum(position.astype(np.int64), max(len(frames) - 2, 0))
        weight = (position - low).astype(np.float32)[:, None]
        high = np.minimum(low + 1, len(frames) - 1)
        values[row] = frames[low] * (1 - weight) + frames[high] * weight
    return values


def to_half(values: F32) -> F16:
    """Round to half precision, in which an analysis is stored: 11 bits, at most 65504.

    >>> to_half(np.array([0.5, 1e6], np.float32)).tolist()
    [0.5, 65504.0]
    """
    return np.minimum(values, np.float32(np.finfo(np.float16).max)).astype(np.float16)


def pieces(values: F32 | F16, overlap: int = 0) -> Iterator[F32]:
    """Yield the rows of (T, C) as float32, 8192 at a time, each time with the ``overlap`` rows before them.

    >>> [len(piece) for piece in pieces(np.zeros((10_000, 1), np.float16), overlap=2)]
    [8192, 1810]
    """
    for first in range(0, len(values), PIECE):
        yield values[max(0, first - overlap) : first + PIECE].astype(np.float32)


def bin_frequencies() -> F64:
    """Return the frequency of each bin of a spectrum, Hz, (1025,).

    >>> bin_frequencies()[[0, -1]].tolist()
    [0.0, 11025.0]
    """
    return np.asarray(scipy.fft.rfftfreq(FRAME, 1 / RATE))


def mel_centres() -> F64:
    """Return the centre frequency of each mel band, Hz, (96,): evenly spaced on the mel scale.

    Source:
        O'Shaughnessy 1987, Speech Communication.

    >>> mel_centres()[:2].round().tolist()
    [41.0, 63.0]
    """
    return _mel_edges()[1:-1]


def _mel_edges() -> F64:
    # mel = 2595 log10(1 + hz / 700), and its inverse hz = 700 (10^(mel / 2595) - 1)
    mel_low, mel_high = (2595 * np.log10(1 + hz / 700) for hz in (MEL_LOW_HZ, RATE / 2))
    return np.asarray(700 * (10 ** (np.linspace(mel_low, mel_high, BANDS + 2) / 2595) - 1))  # (98,)


def mel_bank() -> F32:
    """Return triangular filters (1025, 96) over the FFT bins; each sums to 1, so a band is a mean of bins.

    >>> bool(np.allclose(mel_bank().sum(axis=0), 1))
    True
    """
    edges, bins = _mel_edges(), bin_frequencies()[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(triangles / triangles.sum(axis=0), np.float32)
