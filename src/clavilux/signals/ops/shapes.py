"""From a curve to a curve: smoothing, scaling by the curve's own peaks, sharpening, and ops on chroma."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clavilux.arrays import F64
from clavilux.catalogue import FIFTHS
from clavilux.curves import CONTROL_RATE
from clavilux.errors import PatchError
from clavilux.signals.lengths import Length, length
from clavilux.signals.ops.sections import per_track
from clavilux.signals.table import choice, number, op

if TYPE_CHECKING:
    from clavilux.features.song import Song

__all__ = ["average"]

PER = choice("song", "track", default="song")
"""What a curve is measured against: the whole song, or each track of a mix."""
NARROWEST = 0.125
"""Standard deviation, in ticks, below which a Gaussian cut off at four of them has one weight."""
WIDE = 512.0
"""Standard deviation, in ticks, from which an average is computed by FFT."""
MAX_ROWS = 20_000
"""Moments from which the number of notes is estimated, and moments turned at a time, of a long song."""


@op("signal", "signal", needs="song", params=length(seconds=0.2))
def smooth(song: Song, curve: F64, *, seconds: float | None, beats: float | None, bars: float | None) -> F64:
    """Average around each moment, as wide as a moving average over a length, without corners or lag."""

    def averaged(values: F64, width: float) -> F64:
        return average(values, width / np.sqrt(12))  # the standard deviation of a box of this width

    return Length(seconds, beats, bars).filtered(song.grid, curve, averaged)


def average(values: F64, sigma: float) -> F64:
    """Average values (N, C) with a Gaussian cut off at four standard deviations, in ticks; the ends hold.

    A wide one is computed by FFT: its time grows with the song's length, not with the width.
    """
    if sigma < NARROWEST:
        return values
    reach = int(4 * sigma + 0.5)
    kernel = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    kernel /= kernel.sum()
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    if sigma < WIDE:
        return np.stack([np.convolve(column, kernel, mode="valid") for column in padded.T], axis=1)
    from scipy.signal import oaconvolve  # takes a second to import

    return np.asarray(oaconvolve(padded, kernel[:, None], mode="valid", axes=0))


@op("signal", "signal", needs="song", params={"percentile": number(90, 0, 100), "per": PER})
def clip_peaks(song: Song, curve: F64, *, percentile: float, per: str) -> F64:
    """Scale so that a percentile of the curve's own peaks becomes 1, and clip to [0, 1].

    A percentile of local maxima, unlike one of all samples, means the same on sparse and on dense music. Per
    track, each track of a mix has its own peaks, and the scale changes over 2 s where one track follows
    another.
    """
    if per == "track":
        gain = per_track(song, curve, lambda track: _gain(track, percentile))
        return np.clip(curve * gain, 0, 1)
    ceiling = _peak_level(curve, percentile)
    return np.zeros_like(curve) if ceiling <= 0 else np.clip(curve / ceiling, 0, 1)


@op(
    "signal",
    "signal",
    needs="song",
    params={"low": number(10, 0, 100, "percent"), "percentile": number(97.5, 0, 100), "per": PER},
)
def normalize(song: Song, curve: F64, *, low: float, percentile: float, per: str) -> F64:
    """Stretch so that the quietest `low` percent become 0 and a percentile of the peaks becomes 1, clipped.

    A curve that does not change becomes 0. Per track, each track of a mix has its own levels, which change
    over 2 s where one track follows another.
    """
    if per == "track":
        floors = per_track(song, curve, lambda track: float(np.percentile(track, low)))
        gain = per_track(song, curve, lambda track: _gain(track - np.percentile(track, low), percentile))
        return np.clip((curve - floors) * gain, 0, 1)
    return clip_peaks(song, curve - np.percentile(curve, low), percentile=percentile, per=per)


@op("signal", "signal", sampling="pointwise", params={"by": number(2, 0.1, 10)})
def sharpen(curve: F64, *, by: float) -> F64:
    """Raise to a power: above 1, strong stays strong and weak becomes weaker."""
    return np.asarray(np.maximum(curve, 0) ** by)


@op("signal", "signal", needs="song", params={"notes": number(2.5, 1, 12), "per": PER})
def focus(song: Song, chroma: F64, *, notes: float, per: str) -> F64:
    """Sharpen a chroma until about so many pitch classes sound at once; each moment keeps its sum.

    In a dense mix all twelve sound equally strong, in a bare melody one. Shares p_i become p_i^a / sum p_j^a,
    with one power a for the whole song, or for each track of a mix: the one at which the effective number of
    notes, 1 / sum p_i^2, has the median `notes` over the loud moments.
    """
    level, shares = _shares(chroma)
    power = per_track(song, chroma, lambda track: _power(track, notes)) if per == "track" else None
    focused = _powered(shares, _power(chroma, notes) if power is None else power)
    focused *= level
    return focused


@op("signal", "signal", needs="song", params={"bars": number(64, 0.25, 4096, "bars")})
def turn(song: Song, chroma: F64, *, bars: float) -> F64:
    """Rotate a chroma along the circle of fifths, once round in so many bars: what C showed, G shows next.

    A palette's neighbours on that circle look alike, so the whole palette drifts, locked to the bars.

    Raises:
        PatchError: the signal does not have twelve channels.
    """
    if chroma.shape[1] != 12:
        raise PatchError(f"'turn' works on a chroma of 12 channels, not on {chroma.shape[1]}", where="turn")
    position = song.grid.bar_at(np.arange(len(chroma)) / CONTROL_RATE) / bars * 12
    turned = np.empty_like(chroma)
    for first in range(0, len(chroma), MAX_ROWS):
        rows = slice(first, first + MAX_ROWS)
        turned[rows] = _turned(chroma[rows], position[rows])
    return turned


def _turned(chroma: F64, position: F64) -> F64:
    """Rotate a chroma (T, 12) by so many fifths (T,), with cosine crossfades between whole ones."""
    step = np.floor(position).astype(np.int64)
    crossing = (1 - np.cos(np.pi * (position - step)))[:, None] / 2
    places = (np.arange(12) - step[:, None]) % 12
    ring = chroma[:, FIFTHS]
    turned = (1 - crossing) * np.take_along_axis(ring, places, 1)
    turned += crossing * np.take_along_axis(ring, (places - 1) % 12, 1)
    turned[:, FIFTHS] = turned.copy()
    return np.asarray(turned)


def _shares(chroma: F64) -> tuple[F64, F64]:
    """Return the level (T, 1) of a chroma, and the share of it that each pitch class has, (T, 12)."""
    level = chroma.sum(axis=1, keepdims=True)
    return level, np.maximum(chroma, 0) / np.maximum(level, 1e-9)


def _power(chroma: F64, notes: float) -> float:
    """Find the power at which so many notes sound at once in a chroma's loud moments; 1 in silence."""
    level, shares = _shares(chroma)
    loud_rows = np.flatnonzero(level[:, 0] > max(float(np.median(level)) / 2, 1e-6))
    loud = shares[loud_rows[:: 1 + len(loud_rows) // MAX_ROWS]]
    low, high = 1.0, 16.0
    logs = np.log(np.maximum(loud, 1e-30) / np.maximum(loud.max(axis=1, keepdims=True), 1e-9))
    logs = np.ascontiguousarray(logs.T)  # sums over twelve rows are quicker than twelve in each row
    for _ in range(20 if len(loud) else 0):
        middle = (low + high) / 2
        low, high = (middle, high) if _effective(logs, middle) > notes else (low, middle)
    return low


def _powered(shares: F64, by: float | F64) -> F64:
    """Return p^a / sum p^a along the channels; silence stays 0."""
    powered: F64 = shares / np.maximum(shares.max(axis=1, keepdims=True), 1e-9)
    np.power(powered, by, out=powered)
    powered /= np.maximum(powered.sum(axis=1, keepdims=True), 1e-9)
    return powered


def _effective(logs: F64, by: float) -> float:
    """Return the median effective number of channels, 1 / sum p^2 (inverse participation ratio).

    Args:
        logs: ln p of each share, up to a constant, (C, N).
        by: the power of the shares.
    """
    powered = by * logs
    np.exp(powered, out=powered)
    sums = powered.sum(axis=0)
    np.square(powered, out=powered)
    # with q = p^a: 1 / sum (q / sum q)^2 = (sum q)^2 / sum q^2
    return float(np.median(sums**2 / powered.sum(axis=0)))


def _gain(curve: F64, percentile: float) -> float:
    ceiling = _peak_level(curve, percentile)
    return 1 / ceiling if ceiling > 0 else 0.0


def _peak_level(curve: F64, percentile: float) -> float:
    """Return the percentile of the local maxima of all channels; of all values where there are none."""
    padded = np.pad(curve, ((1, 1), (0, 0)), constant_values=-np.inf)
    middle = padded[1:-1]
    peaks = middle[(middle > padded[:-2]) & (middle >= padded[2:]) & (middle > 1e-9)]
    return float(np.percentile(peaks, percentile)) if peaks.size else 0.0
