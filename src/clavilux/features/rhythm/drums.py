"""Where something begins: onset strength in any band, and the hits of kick, snare and hats.

Onset strength is superflux (Böck and Widmer 2013): the rise of each log-mel band over the highest of its
neighbourhood two frames before, so that a vibrato is no onset; the mean over the bands. The song is measured
against its own loud level, so it does not matter how loudly it was mastered. Drums are picked where a band
rises strongly against its own usual hits, less what a louder neighbour explains.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from clavilux.curves import Events
from clavilux.features.rhythm.activations import EVENTS
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.onsets import ONSET_DELAY, onset_strength
from clavilux.features.spectrum.peaks import parabolic_peak, peak_ceiling, peaks
from clavilux.features.spectrum.spectra import HOP, RATE

__all__ = ["Drums", "drums_from_activations", "find_drums", "snare_strength"]

Array = NDArray[np.float32]

LIKELY = 0.3
"""Likelihood from which the ear's word is taken for it."""
FAINTEST_HIT = 0.02
"""Strength of its band's rise below which nothing was hit, whatever the ear says."""
NEAREST_HITS = 2
"""Frames, 46 ms: two hits of one drum are never closer than this."""


@dataclass(frozen=True)
class Drum:
    """How one drum is told from the rest.

    Attributes:
        low_hz, high_hz: the band in which it rises.
        parts: the parts of the song in which it must rise; their geometric mean counts.
        faintest: strength below which a rise is no hit, of full strength 1.
        floor: onset strength that full strength has at least, so that a song without the drum has no hits.
    """

    low_hz: float
    high_hz: float
    parts: tuple[str, ...]
    faintest: float
    floor: float


KICK = Drum(30, 150, ("percussive",), faintest=0.45, floor=0.25)
SNARE = Drum(200, 5000, ("mix", "percussive"), faintest=0.3, floor=0.12)
HAT = Drum(8000, RATE / 2, ("mix",), faintest=0.08, floor=0.1)
KICK_IN_SNARE = 0.3
"""Share of a kick's strength that its click may lend to the snare's band."""
SNARE_IN_HAT = 0.1


@dataclass(frozen=True, eq=False)
class Drums:
    """Every hit of the kit, with strengths in [0, 1]."""

    kick: Events
    snare: Events
    hat: Events


def find_drums(analysis: Analysis) -> Drums:
    """Find the hits of kick, snare and hats; in a song without drums, none or few."""
    kick, snare, hat = (_drum_strength(analysis, drum) for drum in (KICK, SNARE, HAT))
    hat_alone = hat - SNARE_IN_HAT * _around(snare)
    return Drums(_hits(kick, KICK), _hits(snare_strength(analysis), SNARE), _hits(hat_alone, HAT))


def drums_from_activations(events: NDArray[np.floating], analysis: Analysis) -> Drums:
    """Find the hits of kick, snare and hats in what the ear heard.

    When a drum was hit is what the ear says, how strongly what the sound in its band says.

    Args:
        events: likelihood of each of the ear's events, (T, 5) per frame.
        analysis: of the same song.
    """

    def hits(name: str, drum: Drum) -> Events:
        heard = np.asarray(events[:, EVENTS.index(name)], np.float32)
        frames = peaks(heard)
        frames = frames[heard[frames] >= LIKELY]
        strength = _around(_drum_strength(analysis, drum))
        frames = frames[strength[frames] >= FAINTEST_HIT]
        places = np.clip(frames + _summit(heard, frames), 0, len(heard) - 1)
        return Events(places * HOP / RATE, np.clip(strength[frames], 0, 1))

    return Drums(hits("kick", KICK), hits("snare", SNARE), hits("hat", HAT))


def snare_strength(analysis: Analysis) -> Array:
    """Measure how strongly a snare is struck, per frame: float32 (T,), >= 0, usual strong hits at 1."""
    kick, snare = _drum_strength(analysis, KICK), _drum_strength(analysis, SNARE)
    return np.maximum(snare - KICK_IN_SNARE * _around(kick), 0)


def _drum_strength(analysis: Analysis, drum: Drum) -> Array:
    """Onset strength of a drum, with its usual strong hits at 1."""
    rises = [onset_strength(analysis, part, drum.low_hz, drum.high_hz) for part in drum.parts]
    together = np.prod([rise / max(peak_ceiling(rise), drum.floor) for rise in rises], axis=0)
    return np.asarray(together ** (1 / len(rises)), np.float32)


def _around(strength: Array) -> Array:
    """The highest value at a frame and its two neighbours."""
    return np.asarray(maximum_filter1d(strength, 3), np.float32)


def _hits(strength: Array, drum: Drum) -> Events:
    frames = peaks(strength)
    highest = maximum_filter1d(strength, 2 * NEAREST_HITS + 1)[frames]
    frames = frames[(strength[frames] >= drum.faintest) & (strength[frames] == highest)]
    summits = np.minimum(frames + _summit(strength, frames), len(strength) - 1) * HOP / RATE
    times = np.maximum(summits - ONSET_DELAY, 0)
    return Events(times, np.clip(strength[frames], 0, 1))


def _summit(values: Array, frames: NDArray[np.int64]) -> NDArray[np.float64]:
    """Where the parabola through each peak and its neighbours is highest, -0.5 to 0.5 frames from it."""
    before, after = np.maximum(frames - 1, 0), np.minimum(frames + 1, len(values) - 1)
    return parabolic_peak(values[before], values[frames], values[after], limit=0.5)
