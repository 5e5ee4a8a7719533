"""The tuning and the key of a song.

Tuning is in semitones from A4 = 440 Hz. Chroma is (T, 12) as in ``chroma``, columns C to B.
"""

from dataclasses import dataclass

import numpy as np

from clavilux.arrays import F16, F32, F64
from clavilux.catalogue import PITCH_CLASSES
from clavilux.features.spectrum.cqt import BINS_PER_NOTE, BINS_PER_OCTAVE
from clavilux.features.spectrum.spectra import pieces

__all__ = ["KEY", "PITCH_CLASSES", "TUNING", "Key", "KeyModel", "TuningModel", "find_key", "find_tuning"]

KEY_NAMES = {
    "major": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "minor": ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "Bb", "B"),
}
# How well each degree fits a major, and a minor, key: first the ratings of listeners (Krumhansl and Kessler
# 1982), then the frequencies in classical music (Temperley 2007).
MAJOR_PROFILES = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400),
)
MINOR_PROFILES = (
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
    (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330),
)


@dataclass(frozen=True)
class TuningModel:
    """How the tuning is estimated. Values were set by hand.

    Attributes:
        first_bin, end_bin: the pitch bins that count, C3 to B6: below, the kernels are too short to resolve a
            third of a semitone.
        min_resultant: mean resultant length, 0.5 for one steady tone, below which the pitches have no common
            tuning.
    """

    first_bin: int = 2 * BINS_PER_OCTAVE
    end_bin: int = 6 * BINS_PER_OCTAVE
    min_resultant: float = 0.05


@dataclass(frozen=True)
class KeyModel:
    """How the key is estimated. Values were set by hand; docs/hearing.md has the scores they reach.

    Attributes:
        low_hz, high_hz: where chords are. Above, overtones blur the key; below, the bass has too much weight.
        full_frame_sum: sum of a frame of chroma, 1 in loud parts, from which the frame has full weight.
        certain_lead: lead in correlation over the best key on another tonic at which the confidence is 1.
    """

    low_hz: float = 130.0
    high_hz: float = 1000.0
    full_frame_sum: float = 0.1
    certain_lead: float = 0.2


TUNING, KEY = TuningModel(), KeyModel()


@dataclass(frozen=True)
class Key:
    """A key such as 'A minor', and its confidence from 0 (no notes) to 1."""

    name: str
    confidence: float


def find_tuning(strengths: F32 | F16) -> float:
    """Estimate the deviation of a song from A4 = 440 Hz, in semitones [-0.5, 0.5).

    Args:
        strengths: amplitude per pitch, (T, 252).

    >>> find_tuning(np.zeros((4, 252), np.float32))
    0.0
    """
    bins = np.arange(TUNING.first_bin, TUNING.end_bin)
    energy = np.zeros(len(bins))
    for piece in pieces(strengths[:, TUNING.first_bin : TUNING.end_bin]):
        energy += np.einsum("tb,tb->b", piece, piece, dtype=np.float64)
    # The circular mean over the three bins of a semitone: tuning = arg(sum_b E[b] exp(2 pi i b / 3)) / (2 pi)
    circle = np.exp(2j * np.pi * bins / BINS_PER_NOTE)
    resultant = complex(energy @ circle)
    clear = abs(resultant) > TUNING.min_resultant * energy.sum()
    return float(np.angle(resultant) / (2 * np.pi)) if clear else 0.0


def find_key(chroma: F32) -> Key:
    """Estimate the key of a song from its chroma (T, 12).

    Every frame has the same weight however loud, except near silence. The confidence is the lead in
    correlation over the best key on another tonic. Without notes the key is 'C major' with confidence 0.

    Source:
        Krumhansl 1990: the key whose profile correlates best; here with the sum of two standardised profiles.

    >>> find_key(np.array([[4, 0, 2, 0, 3, 2, 0, 3, 0, 2, 0, 1]], np.float32)).name
    'C major'
    """
    sums = chroma.sum(axis=1, keepdims=True, dtype=np.float64)
    distribution = (chroma / np.maximum(sums, KEY.full_frame_sum)).sum(axis=0)  # (12,)
    if distribution.std() == 0:
        return Key("C major", 0.0)
    profiles = [np.sum(_standardised(each), axis=0) for each in (MAJOR_PROFILES, MINOR_PROFILES)]
    fits = np.array([[_fit(profile, tonic, distribution) for tonic in range(12)] for profile in profiles])
    row, tonic = np.unravel_index(fits.argmax(), fits.shape)
    mode = tuple(KEY_NAMES)[row]
    lead = float(fits.max() - np.delete(fits, tonic, axis=1).max())
    return Key(f"{KEY_NAMES[mode][tonic]} {mode}", float(np.clip(lead / KEY.certain_lead, 0, 1)))


def _standardised(profiles: tuple[tuple[float, ...], ...]) -> F64:
    """Give profiles (K, 12) mean 0 and standard deviation 1."""
    values = np.array(profiles)
    mean, deviation = values.mean(axis=1, keepdims=True), values.std(axis=1, keepdims=True)
    return np.asarray((values - mean) / deviation)


def _fit(profile: F64, tonic: int, distribution: F64) -> float:
    return float(np.corrcoef(np.roll(profile, tonic), distribution)[0, 1])
