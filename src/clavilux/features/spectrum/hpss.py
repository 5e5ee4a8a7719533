"""Harmonic-percussive separation of a spectrogram by median filtering.

A sustained tone is a line along time, a drum hit a line along frequency; a running median along one direction
keeps the lines of that direction and removes the others. The two medians become soft masks, with margins that
assign what is neither to neither part. Spectrograms are magnitudes (T, F), frames first; masks are in [0, 1].

Source:
    Fitzgerald 2010 (medians and soft masks); Driedger, Müller and Disch 2014 (margins).
"""

from dataclasses import dataclass

import bottleneck
import numpy as np

from clavilux.arrays import F32

__all__ = ["HALO", "Parts", "hpss", "hpss_masks"]

MEDIAN_LENGTH = 31
"""Frames, and bins, that each median spans; as in librosa."""
HALO = MEDIAN_LENGTH // 2
"""Frames on either side that the masks of one frame depend on."""
HARMONIC_MARGIN = 16.0
PERCUSSIVE_MARGIN = 8.0


@dataclass(frozen=True, eq=False)
class Parts:
    """The two parts of a spectrogram, or their masks; float32 (T, F) each."""

    harmonic: F32
    percussive: F32


def hpss(
    magnitude: F32,
    *,
    harmonic_margin: float = HARMONIC_MARGIN,
    percussive_margin: float = PERCUSSIVE_MARGIN,
) -> Parts:
    """Separate a magnitude spectrogram (T, F) into harmonic and percussive magnitudes.

    Args:
        magnitude: float32 (T, F), non-negative, finite; at least one frame and one bin.
        harmonic_margin: how many times stronger than the percussive median the harmonic one must be; >= 1.
        percussive_margin: the same the other way round; >= 1.

    A steady tone in silence is all harmonic:

    >>> tone = np.zeros((40, 40), np.float32)
    >>> tone[:, 20] = 1
    >>> parts = hpss(tone)
    >>> float(parts.harmonic.sum()), float(parts.percussive.sum())
    (40.0, 0.0)
    """
    masks = hpss_masks(magnitude, harmonic_margin=harmonic_margin, percussive_margin=percussive_margin)
    return Parts(magnitude * masks.harmonic, magnitude * masks.percussive)


def hpss_masks(
    magnitude: F32,
    *,
    harmonic_margin: float = HARMONIC_MARGIN,
    percussive_margin: float = PERCUSSIVE_MARGIN,
) -> Parts:
    """Compute the share of each cell of a spectrogram (T, F) that is harmonic, and that is percussive.

    The arguments are those of ``hpss``. With both margins at 1 the two shares of a cell that is not silent
    sum to 1.

    >>> masks = hpss_masks(np.ones((3, 3), np.float32), harmonic_margin=1, percussive_margin=1)
    >>> bool(np.all(masks.harmonic + masks.percussive == 1))
    True
    """
    harmonic = _median_along_rows(magnitude.T).T  # along time, per bin
    percussive = _median_along_rows(magnitude)  # along frequency, per frame
    return Parts(
        _soft_mask(harmonic, percussive, harmonic_margin), _soft_mask(percussive, harmonic, percussive_margin)
    )


def _median_along_rows(rows: F32) -> F32:
    """Compute the centred running median of each row; beyond its ends a row is mirrored, edge included."""
    mirrored = np.pad(np.ascontiguousarray(rows), ((0, 0), (HALO, HALO)), mode="symmetric")
    medians = bottleneck.move_median(mirrored, MEDIAN_LENGTH, axis=1)
    return np.asarray(medians[:, MEDIAN_LENGTH - 1 :], np.float32)


def _soft_mask(wanted: F32, other: F32, margin: float) -> F32:
    # M = W^2 / (W^2 + (margin O)^2); 0 where both are 0
    power = wanted * wanted
    total = other * other
    total *= np.float32(margin * margin)
    total += power
    mask = np.zeros_like(power)
    np.divide(power, total, out=mask, where=total > 0)
    return mask
