"""A spectrogram parted into what sustains and what strikes.

A sustained tone is a line along time, a stroke a line along frequency; a running median along one direction
keeps its own kind of line and removes the other (Fitzgerald 2010). The medians are compared softly, with
margins that leave what is neither to nobody (Driedger et al. 2014). Spectrograms are magnitudes (T, F),
frames first; masks are in [0, 1].
"""

from dataclasses import dataclass

import bottleneck
import numpy as np
from numpy.typing import NDArray

__all__ = ["HALO", "Parts", "hpss", "hpss_masks"]

Magnitudes = NDArray[np.float32]

KERNEL = 31
"""Frames, and bins, that each median spans."""
HALO = KERNEL // 2
"""Frames on either side that the parts of one frame depend on."""
HARMONIC_MARGIN = 16.0
PERCUSSIVE_MARGIN = 8.0


@dataclass(frozen=True, eq=False)
class Parts:
    """The two parts of a spectrogram, or their masks; float32 (T, F) each."""

    harmonic: Magnitudes
    percussive: Magnitudes


def hpss(
    magnitude: Magnitudes,
    *,
    harmonic_margin: float = HARMONIC_MARGIN,
    percussive_margin: float = PERCUSSIVE_MARGIN,
) -> Parts:
    """Part a magnitude spectrogram (T, F) into harmonic and percussive magnitudes.

    Args:
        magnitude: float32 (T, F), non-negative, finite; at least one frame and one bin.
        harmonic_margin: how many times stronger than the strokes a tone must be to count; >= 1.
        percussive_margin: how many times stronger than the tones a stroke must be to count; >= 1.

    A steady tone among noise-free silence is all harmonic:

    >>> tone = np.zeros((40, 40), np.float32)
    >>> tone[:, 20] = 1
    >>> parts = hpss(tone)
    >>> float(parts.harmonic.sum()), float(parts.percussive.sum())
    (40.0, 0.0)
    """
    masks = hpss_masks(magnitude, harmonic_margin=harmonic_margin, percussive_margin=percussive_margin)
    return Parts(magnitude * masks.harmonic, magnitude * masks.percussive)


def hpss_masks(
    magnitude: Magnitudes,
    *,
    harmonic_margin: float = HARMONIC_MARGIN,
    percussive_margin: float = PERCUSSIVE_MARGIN,
) -> Parts:
    """Find the share of each cell of a spectrogram (T, F) that is harmonic, and that is percussive.

    The arguments are those of ``hpss``. With both margins at 1 the two shares of a sounding cell sum to 1.

    >>> masks = hpss_masks(np.ones((3, 3), np.float32), harmonic_margin=1, percussive_margin=1)
    >>> bool(np.all(masks.harmonic + masks.percussive == 1))
    True
    """
    tones = _median_along_rows(magnitude.T).T
    strokes = _median_along_rows(magnitude)
    return Parts(_share(tones, strokes, harmonic_margin), _share(strokes, tones, percussive_margin))


def _median_along_rows(rows: Magnitudes) -> Magnitudes:
    """Take the centred running median of each row; beyond its ends a row is mirrored, edge value included."""
    mirrored = np.pad(np.ascontiguousarray(rows), ((0, 0), (HALO, HALO)), mode="symmetric")
    medians = bottleneck.move_median(mirrored, KERNEL, axis=1)
    return np.asarray(medians[:, KERNEL - 1 :], np.float32)


def _share(wanted: Magnitudes, other: Magnitudes, margin: float) -> Magnitudes:
    """Wiener-like soft mask wanted^2 / (wanted^2 + (margin other)^2); 0 where both are 0."""
    power = wanted * wanted
    total = other * other
    total *= np.float32(margin * margin)
    total += power
    share = np.zeros_like(power)
    np.divide(power, total, out=share, where=total > 0)
    return share
