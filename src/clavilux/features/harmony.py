"""Which notes sound: tuning, chroma and key, from the strength of each pitch.

Chroma is the twelve pitch classes C to B. It is linear and non-negative, on one scale for the whole song: in
the loud parts a frame sums to about 1, in silence to 0.
"""

from dataclasses import dataclass

import numpy as np
import scipy.stats
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from clavilux.features.level import loud_level
from clavilux.features.pitches import BINS_PER_OCTAVE, pitch_frequencies
from clavilux.features.spectra import Half, pieces

__all__ = ["KEY_BAND", "PITCH_CLASSES", "Key", "find_chroma", "find_key", "find_tuning"]

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
NEIGHBOURS, STANDING = 4, 0.8
"""Bins on either side, 1.3 semitones, and the share of their mean that a pitch must stand out from."""
OVERTONES_HZ = 2000.0
"""Above it pitches count for less and less: they are overtones more often than notes."""
QUIETEST = 0.003
"""Share of the song's loud level below which harmony is not scaled up: -50 dB."""
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


def find_chroma(strengths: Array | Half, tuning: float, low_hz: float, high_hz: float, loud: float) -> Array:
    """Fold the pitches (T, 252) of a band into the twelve pitch classes, float32 (T, 12).

    Args:
        strengths: amplitude per pitch.
        tuning: semitones from A4 = 440 Hz.
        low_hz: pitches below do not count.
        high_hz: pitches above do not count.
        loud: loud level of the whole song; harmony far below it stays small.

    Only what stands out from its neighbours counts, and high pitches, which are overtones, count less.

    >>> only_a = np.eye(1, 252, 3 * 45, dtype=np.float32)
    >>> find_chroma(only_a, 0.0, 32, 5000, 1.0)[0, 9].item()
    1.0
    """
    frequencies = pitch_frequencies()
    band = (frequencies >= low_hz) & (frequencies <= high_hz)
    notes = np.arange(len(frequencies)) / BINS_PER_NOTE - tuning
    distance = (notes[:, None] - np.arange(12) + 6) % 12 - 6
    fold = np.where(np.abs(distance) < 0.5, np.cos(np.pi * distance) ** 2, 0) * band[:, None]
    fold /= 1 + np.square(frequencies[:, None] / OVERTONES_HZ)
    chroma = np.concatenate([_summits(heard) @ fold.astype(np.float32) for heard in pieces(strengths)])
    scale = max(loud_level(chroma.sum(axis=1)), QUIETEST * loud)
    chroma *= np.float32(1 / scale if scale > 0 else 0)
    return chroma


def _summits(heard: Array) -> Array:
    """What of each pitch (t, 252) stands out from its neighbours: tones do, noise and their edges do not."""
    around = uniform_filter1d(heard, 2 * NEIGHBOURS + 1, axis=1)
    return np.maximum(heard - np.float32(STANDING) * around, 0)


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
