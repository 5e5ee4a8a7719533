"""The operations a patch is written in.

Every op works on float64 arrays (T, C) on the 100 Hz control clock and returns a new one. Measures and
envelopes also get the `Song`. Filters look both ways in time, so nothing lags and the end of the song never
bleeds into its beginning.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from clavilux.curves import CONTROL_RATE, Events, clock
from clavilux.errors import PatchError
from clavilux.features.song import Song
from clavilux.signals.table import Limits, op

__all__: list[str] = []

Array = NDArray[np.float64]

SECONDS = Limits(None, 0, 600, "seconds")
BEATS = Limits(None, 0, 1024, "beats")
MOMENTS = 20_000
"""Of a long song, so many moments tell how many notes sound at once, and so many are turned at a time."""


@op("measure")
def chroma(song: Song, stem: str) -> Array:
    """How strongly each of the 12 pitch classes sounds, C first; (T, 12), about 1 in sum where it is loud."""
    return song.chroma(stem).values.astype(np.float64)


@op(
    "measure",
    low_hz=Limits(30, 0, 24000, "Hz"),
    high_hz=Limits(11000, 1, 24000, "Hz"),
)
def flux(song: Song, stem: str, *, low_hz: float, high_hz: float) -> Array:
    """Onset strength: how much new energy arrives in a band at every moment; (T, 1), from 0 up."""
    return song.flux(stem, low_hz, high_hz).values.astype(np.float64)


@op("measure", low_hz=Limits(0, 0, 11025, "Hz"), high_hz=Limits(11025, 1, 24000, "Hz"))
def rms(song: Song, stem: str, *, low_hz: float, high_hz: float) -> Array:
    """Level of a band as root mean square amplitude; (T, 1), 0 to 1."""
    return song.rms(stem, low_hz, high_hz).values.astype(np.float64)


@op("measure")
def loudness(song: Song, stem: str) -> Array:
    """Momentary loudness over 0.4 s as people hear it (ITU-R BS.1770); (T, 1) LUFS, -70 in silence."""
    return song.loudness(stem).values.astype(np.float64)


@op("measure")
def pitch(song: Song, stem: str) -> Array:
    """Pitch of the melody or the bass; (T, 1) MIDI number, 69 = A4, held while the voice is silent."""
    return song.pitch_track(stem).pitch.values.astype(np.float64)


@op("measure")
def change(song: Song, stem: str) -> Array:
    """How much the harmony changes; (T, 1) in [0, 1], clear changes of chord near 1."""
    return song.chord_change(stem).values.astype(np.float64)


@op("detect")
def notes(song: Song, stem: str) -> Events:
    """Moments at which a note of the melody or the bass begins."""
    return song.pitch_track(stem).onsets


@op("envelope", seconds=SECONDS, beats=BEATS)
def decay(song: Song, hits: Events, *, seconds: float | None, beats: float | None) -> Array:
    """Jump to each hit's strength, then fall to a tenth of it within the given time; (T, 1) in [0, 1]."""
    ticks = clock(song.duration)
    impulses = np.zeros(len(ticks))
    places = np.clip(np.round(hits.times * CONTROL_RATE).astype(np.int64), 0, len(ticks) - 1)
    np.maximum.at(impulses, places, hits.strengths)
    return _fall(impulses[:, None], _elapsed(song, ticks, seconds, beats))


@op("shape", seconds=SECONDS, beats=BEATS)
def release(song: Song, curve: Array, *, seconds: float | None, beats: float | None) -> Array:
    """Rise at once with the curve, then fall no faster than to a tenth within the given time."""
    return _fall(curve, _elapsed(song, clock(song.duration), seconds, beats))


@op("shape", seconds=Limits(0.2, 0, 600, "seconds"))
def smooth(curve: Array, *, seconds: float) -> Array:
    """Average around each moment, as wide as a moving average over `seconds`, without corners or lag."""
    sigma = seconds * CONTROL_RATE / np.sqrt(12)
    return curve if sigma == 0 else np.asarray(gaussian_filter1d(curve, sigma, axis=0, mode="nearest"))


@op("shape", percentile=Limits(90, 0, 100))
def clip_peaks(curve: Array, *, percentile: float) -> Array:
    """Scale so that a percentile of the curve's own peaks becomes 1, and clip to [0, 1].

    A percentile of local maxima, unlike one of all samples, means the same on sparse and on dense music.
    """
    ceiling = _peak_level(curve, percentile)
    return np.zeros_like(curve) if ceiling <= 0 else np.clip(curve / ceiling, 0, 1)


@op("shape", low=Limits(10, 0, 100, "percent"), percentile=Limits(97.5, 0, 100))
def normalize(curve: Array, *, low: float, percentile: float) -> Array:
    """Stretch so that the quietest `low` percent become 0 and a percentile of the peaks becomes 1, clipped.

    A curve that does not change becomes 0.
    """
    floor = np.percentile(curve, low)
    return clip_peaks(curve - floor, percentile=percentile)


@op("shape", pointwise=True, by=Limits(2, 0.1, 10))
def sharpen(curve: Array, *, by: float) -> Array:
    """Raise to a power: strong stays strong, weak becomes weaker (above 1)."""
    return np.asarray(np.maximum(curve, 0) ** by)


@op("shape", notes=Limits(2.5, 1, 12))
def focus(chroma: Array, *, notes: float) -> Array:
    """Let about so many channels speak at once, as loud together as before.

    A dense mix sounds all twelve notes nearly alike, a bare melody one; each is raised to the power, one for
    the whole song, at which the median of the effective number 1 / sum p^2 of its loud moments is `notes`.
    """
    level = chroma.sum(axis=1, keepdims=True)
    shares = np.maximum(chroma, 0) / np.maximum(level, 1e-9)
    loud_rows = np.flatnonzero(level[:, 0] > max(float(np.median(level)) / 2, 1e-6))
    loud = shares[loud_rows[:: 1 + len(loud_rows) // MOMENTS]]
    low, high = 1.0, 16.0
    for _ in range(20 if len(loud) else 0):
        middle = (low + high) / 2
        low, high = (middle, high) if _effective(loud, middle) > notes else (low, middle)
    focused = _powered(shares, low)
    focused *= level
    return focused


@op("shape", bars=Limits(64, 0.25, 4096, "bars"))
def turn(song: Song, chroma: Array, *, bars: float) -> Array:
    """Turn the circle of fifths once in so many bars: what C showed, G shows next, and so on.

    A palette's neighbours on that circle look alike, so the whole palette drifts, locked to the bars.

    Raises:
        PatchError: the signal does not have twelve channels.
    """
    if chroma.shape[1] != 12:
        raise PatchError(f"'turn' works on a chroma of 12 channels, not on {chroma.shape[1]}.")
    position = song.grid.bar_at(np.arange(len(chroma)) / CONTROL_RATE) / bars * 12
    turned = np.empty_like(chroma)
    for first in range(0, len(chroma), MOMENTS):
        rows = slice(first, first + MOMENTS)
        turned[rows] = _turned(chroma[rows], position[rows])
    return turned


@op("combine", pointwise=True)
def mix(first: Array, second: Array, amount: Array) -> Array:
    """Go from the first to the second as `amount` goes from 0 to 1."""
    return first + amount * (second - first)


@op("combine", pointwise=True, symbol=" + ")
def add(first: Array, second: Array) -> Array:
    """Add two signals."""
    return first + second


@op("combine", pointwise=True, symbol=" - ")
def subtract(first: Array, second: Array) -> Array:
    """Take the second from the first."""
    return first - second


@op("combine", pointwise=True, symbol=" * ")
def multiply(first: Array, second: Array) -> Array:
    """Multiply two signals."""
    return first * second


def _turned(chroma: Array, position: Array) -> Array:
    """Turn a chroma (T, 12) by so many fifths (T,)."""
    fifths = [7 * k % 12 for k in range(12)]
    step = np.floor(position).astype(np.int64)
    crossing = (1 - np.cos(np.pi * (position - step)))[:, None] / 2
    places = (np.arange(12) - step[:, None]) % 12
    ring = chroma[:, fifths]
    turned = (1 - crossing) * np.take_along_axis(ring, places, 1)
    turned += crossing * np.take_along_axis(ring, (places - 1) % 12, 1)
    turned[:, fifths] = turned.copy()
    return np.asarray(turned)


def _powered(shares: Array, by: float) -> Array:
    """Raise shares to a power and let them sum to 1 again; silence stays silent."""
    powered: Array = shares / np.maximum(shares.max(axis=1, keepdims=True), 1e-9)
    np.power(powered, by, out=powered)
    powered /= np.maximum(powered.sum(axis=1, keepdims=True), 1e-9)
    return powered


def _effective(shares: Array, by: float) -> float:
    """Return how many channels speak at once, as the median of 1 / sum p^2."""
    return float(np.median(1 / (_powered(shares, by) ** 2).sum(axis=1)))


def _elapsed(song: Song, ticks: Array, seconds: float | None, beats: float | None) -> Array:
    """Time passed at each tick in units of the given fall time; in beats it follows the song's tempo."""
    if beats is not None:
        return song.grid.beat_at(ticks) / max(beats, 1e-6)
    return ticks / max(seconds or 0.0, 1e-6)


def _fall(curve: Array, elapsed: Array) -> Array:
    """Hold every value and let it fall to a tenth per unit of elapsed time; the highest wins.

    exp(max over earlier s of (ln x_s + k e_s) - k e_t): one running maximum, no loop, any tempo curve.
    """
    rate = np.log(10.0) * elapsed[:, None]
    with np.errstate(divide="ignore"):
        level = np.log(np.maximum(curve, 0.0))
    return np.asarray(np.exp(np.maximum.accumulate(level + rate, axis=0) - rate))


def _peak_level(curve: Array, percentile: float) -> float:
    """Return the percentile of the local maxima of all channels; of all values where there are none."""
    padded = np.pad(curve, ((1, 1), (0, 0)), constant_values=-np.inf)
    middle = padded[1:-1]
    peaks = middle[(middle > padded[:-2]) & (middle >= padded[2:]) & (middle > 1e-9)]
    return float(np.percentile(peaks, percentile)) if peaks.size else 0.0
