"""Drum hits: kick, snare and hats, from the event network's activations or from onset strength alone.

Onset strength rises with every hit in a drum's band; measured against the song's own strong hits it does not
depend on mastering, and what a louder drum adds to the band is subtracted. Times are seconds; curves have one
value per frame of `spectra`, (T,).
"""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from clavilux.arrays import F32, F64, I64
from clavilux.curves import Events
from clavilux.features.rhythm.activations import OUTPUTS
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.onsets import ONSET_DELAY, onset_strength
from clavilux.features.spectrum.peaks import parabolic_peak, peak_ceiling, peaks
from clavilux.features.spectrum.spectra import HOP, RATE

__all__ = ["Drums", "drums_from_activations", "find_drums", "snare_strength"]


@dataclass(frozen=True)
class Drum:
    """Where one drum is detected. Values were set by hand; docs/hearing.md has the scores they reach.

    Attributes:
        low_hz, high_hz: its band.
        parts: the parts of the song in which onset strength must rise; their geometric mean counts.
        min_strength: strength from which a peak is a hit; the song's strong hits have 1.
        min_ceiling: onset strength that counts as 1 at least, so that a song without the drum has no hits.
    """

    low_hz: float
    high_hz: float
    parts: tuple[str, ...]
    min_strength: float
    min_ceiling: float


@dataclass(frozen=True)
class HitModel:
    """How peaks become hits. Values were set by hand; docs/hearing.md has the scores they reach.

    Attributes:
        min_activation: activation of the event network from which a peak is a hit.
        min_onset: strength of the drum's band below which a peak of the activation is no hit.
        min_gap_frames: frames, 46 ms: of hits of one drum that are closer, the stronger one counts.
        kick_in_snare: share of a kick's strength that its click may add to the snare's band.
        snare_in_hat: share of a snare's strength that its noise may add to the hats' band.
    """

    min_activation: float = 0.3
    min_onset: float = 0.02
    min_gap_frames: int = 2
    kick_in_snare: float = 0.3
    snare_in_hat: float = 0.1


KICK = Drum(30, 150, ("percussive",), min_strength=0.45, min_ceiling=0.25)
SNARE = Drum(200, 5000, ("mix", "percussive"), min_strength=0.3, min_ceiling=0.12)
HAT = Drum(8000, RATE / 2, ("mix",), min_strength=0.08, min_ceiling=0.1)
HITS = HitModel()
MIN_ONSET_STRENGTH = 0.3
MIN_ONSET_CEILING = 0.1
"""Of onsets in any band, as `Drum` has them for its own."""


@dataclass(frozen=True, eq=False)
class Drums:
    """Every hit of the kit, with strengths in [0, 1]."""

    kick: Events
    snare: Events
    hat: Events


def find_drums(analysis: Analysis) -> Drums:
    """Find the hits of kick, snare and hats by onset strength; in a song without drums, none or few."""
    kick, snare, hat = (_drum_strength(analysis, drum) for drum in (KICK, SNARE, HAT))
    hat_alone = hat - HITS.snare_in_hat * _maximum_of_3(snare)
    return Drums(
        _pick_hits(kick, KICK), _pick_hits(snare_strength(analysis), SNARE), _pick_hits(hat_alone, HAT)
    )


def find_onsets(analysis: Analysis, stem: str, low_hz: float, high_hz: float) -> Events:
    """Find the onsets in a band of a stem, the song's clear ones with strength 1; in silence none.

    Args:
        analysis: of the song.
        stem: one of ``STEMS``.
        low_hz: lower edge of the band.
        high_hz: upper edge.
    """
    band = Drum(low_hz, high_hz, (stem,), min_strength=MIN_ONSET_STRENGTH, min_ceiling=MIN_ONSET_CEILING)
    return _pick_hits(_drum_strength(analysis, band), band)


def drums_from_activations(events: NDArray[np.floating], analysis: Analysis) -> Drums:
    """Find the hits of kick, snare and hats in the event network's activations.

    The activations decide when a drum is hit, onset strength in its band how hard.

    Args:
        events: activations in `OUTPUTS` order, (T, 5) per frame.
        analysis: of the same song.
    """

    def hits(name: str, drum: Drum) -> Events:
        activation = np.asarray(events[:, OUTPUTS.index(name)], np.float32)
        frames = peaks(activation)
        frames = frames[activation[frames] >= HITS.min_activation]
        strength = _maximum_of_3(_drum_strength(analysis, drum))
        frames = frames[strength[frames] >= HITS.min_onset]
        centres = np.clip(frames + _offset(activation, frames), 0, len(activation) - 1)
        return Events(centres * HOP / RATE, np.clip(strength[frames], 0, 1))

    return Drums(hits("kick", KICK), hits("snare", SNARE), hits("hat", HAT))


def snare_strength(analysis: Analysis) -> F32:
    """Compute how strongly a snare is hit, per frame: float32 (T,), >= 0, the song's strong hits at 1."""
    kick, snare = _drum_strength(analysis, KICK), _drum_strength(analysis, SNARE)
    return np.maximum(snare - HITS.kick_in_snare * _maximum_of_3(kick), 0)


def _drum_strength(analysis: Analysis, drum: Drum) -> F32:
    """Return onset strength in a drum's band, (T,), with the song's strong hits at 1."""
    rises = [onset_strength(analysis, part, drum.low_hz, drum.high_hz) for part in drum.parts]
    # (prod over P parts of r_p / c_p)^(1/P), where c_p is the 95th percentile of the peaks of r_p
    together = np.prod([rise / max(peak_ceiling(rise), drum.min_ceiling) for rise in rises], axis=0)
    return np.asarray(together ** (1 / len(rises)), np.float32)


def _maximum_of_3(strength: F32) -> F32:
    return np.asarray(scipy.ndimage.maximum_filter1d(strength, 3), np.float32)


def _pick_hits(strength: F32, drum: Drum) -> Events:
    frames = peaks(strength)
    highest = scipy.ndimage.maximum_filter1d(strength, 2 * HITS.min_gap_frames + 1)[frames]
    frames = frames[(strength[frames] >= drum.min_strength) & (strength[frames] == highest)]
    times = np.minimum(frames + _offset(strength, frames), len(strength) - 1) * HOP / RATE
    return Events(np.maximum(times - ONSET_DELAY, 0), np.clip(strength[frames], 0, 1))


def _offset(values: F32, frames: I64) -> F64:
    before, after = np.maximum(frames - 1, 0), np.minimum(frames + 1, len(values) - 1)
    return parabolic_peak(values[before], values[frames], values[after], limit=0.5)
