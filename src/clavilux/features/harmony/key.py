"""Which notes sound: tuning, chroma and key, from the strength of each pitch.

Chroma is the twelve pitch classes C to B. It is linear and non-negative, on one scale for the whole song: in
the loud parts a frame sums to about 1, in silence to 0.
"""

from dataclasses import dataclass

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from clavilux.features.spectrum.cqt import BINS_PER_OCTAVE
from clavilux.features.spectrum.spectra import Half, pieces

__all__ = ["KEY_BAND", "PITCH_CLASSES", "Key", "find_key", "find_tuning"]

Array = NDArray[np.float32]

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
KEY_NAMES = {
    "major": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "minor": ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "Bb", "B"),
}
BINS_PER_NOTE = BINS_PER_OCTAVE // 12
TUNED = slice(2 * BINS_PER_OCTAVE, 6 * BINS_PER_OCTAVE)
"""Bins that tell the tuning, C3 to B6: below them notes are too short to be so sharp."""
UNTUNED = 0.05
"""Resultant length, 0.5 for one steady tone, below which the pitches point nowhere."""
KEY_BAND = (130.0, 1000.0)
"""Hz; where chords are. Above it overtones blur the key, below it the bass weighs too much."""
NEARLY_SILENT = 0.1
"""Sum of a frame of chroma, 1 in loud parts, below which a frame counts less for the key."""
CERTAIN_LEAD = 0.2

# How well each degree fits a major, and a minor, key: as listeners say (Krumhansl and Kessler 1982), and as
# the classics were written (Temperley 2007).
MAJORS = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400),
)
MINORS = (
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
    (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330),
)


@dataclass(frozen=True)
class Key:
    """A key such as 'A minor', and how sure it is, 0 (nothing to hear) to 1."""

    name: str
    confidence: float


def find_tuning(strengths: Array | Half) -> float:
    """Find how far the song is from A4 = 440 Hz, in semitones [-0.5, 0.5), from pitches (T, 252).

    The three bins of each note are one turn of a circle; the tuning is where their energy points.

    >>> find_tuning(np.zeros((4, 252), np.float32))
    0.0
    """
    energy = np.zeros(TUNED.stop - TUNED.start)
    for heard in pieces(strengths[:, TUNED]):
        energy += np.einsum("tb,tb->b", heard, heard, dtype=np.float64)
    turns = np.exp(2j * np.pi * np.arange(TUNED.start, TUNED.stop) / BINS_PER_NOTE)
    total = complex(energy @ turns)
    return float(np.angle(total) / (2 * np.pi)) if abs(total) > UNTUNED * energy.sum() else 0.0


def find_key(chroma: Array) -> Key:
    """Name the key whose two profiles fit a song's chroma (T, 12) best (Krumhansl 1990).

    Every frame counts the same however loud, but near silence. The confidence is the lead in correlation over
    the best key on another tonic; a lead of 0.2 is certain. Without notes it is 'C major' with confidence 0.

    >>> find_key(np.array([[4, 0, 2, 0, 3, 2, 0, 3, 0, 2, 0, 1]], np.float32)).name
    'C major'
    """
    sums = chroma.sum(axis=1, keepdims=True, dtype=np.float64)
    share = (chroma / np.maximum(sums, NEARLY_SILENT)).sum(axis=0)
    if share.std() == 0:
        return Key("C major", 0.0)
    profiles = [np.sum(scipy.stats.zscore(each, axis=1), axis=0) for each in (MAJORS, MINORS)]
    fits = np.array([[_fit(profile, tonic, share) for tonic in range(12)] for profile in profiles])
    row, tonic = np.unravel_index(fits.argmax(), fits.shape)
    mode = tuple(KEY_NAMES)[row]
    lead = float(fits.max() - np.delete(fits, tonic, axis=1).max())
    return Key(f"{KEY_NAMES[mode][tonic]} {mode}", float(np.clip(lead / CERTAIN_LEAD, 0, 1)))


def _fit(profile: NDArray[np.float64], tonic: int, share: NDArray[np.float64]) -> float:
    return float(np.corrcoef(np.roll(profile, tonic), share)[0, 1])
