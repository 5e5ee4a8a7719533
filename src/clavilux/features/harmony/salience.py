"""The salience of each pitch of a voice: how strong its harmonics are together (Klapuri 2006).

Pitches are MIDI numbers, 69 = A4. Salience is a log-probability per frame and pitch bin, (T, S); a bin is a
third of a semitone.
"""

from dataclasses import dataclass

import numpy as np
import scipy

from clavilux.arrays import F32, I64
from clavilux.features.spectrum.cqt import BINS_PER_NOTE, BINS_PER_OCTAVE, pitch_frequencies
from clavilux.features.spectrum.peaks import above_neighbours

__all__ = ["BASS", "LOWEST_NOTE", "MELODY", "SALIENCE", "SalienceModel", "VoiceModel", "log_salience"]

LOWEST_NOTE = 24
"""C1, the pitch of bin 0."""


@dataclass(frozen=True)
class SalienceModel:
    """How salience is computed from pitch strengths, the same for every voice.

    Attributes:
        harmonics: that are summed.
        whitening: 0 takes the spectrum as it is, 1 makes all its regions equally strong.
        peak_reach: bins on either side, two semitones, above whose mean a partial must stand.
        exponent: of salience as a probability.
        floor: share of the greatest salience that every pitch has.
        faint: share of the song's loud level, -30 dB: a frame whose strongest pitch is weaker counts for
            less than half.
        silent: share of the loud level below which a frame is silent and the path holds, -50 dB.
    """

    harmonics: int = 8
    whitening: float = 0.9
    peak_reach: int = 6
    exponent: float = 2.0
    floor: float = 0.1
    faint: float = 0.03
    silent: float = 0.003


SALIENCE = SalienceModel()


@dataclass(frozen=True)
class VoiceModel:
    """How a voice is distinguished from the rest of the music.

    Attributes:
        low_hz, high_hz: range of its pitches.
        usual_pitch, pitch_deviation: mean and standard deviation of its pitches, MIDI numbers.
        harmonic_decay: weight of each harmonic relative to the one below it.
        compression: exponent of amplitudes; the lower, the more the number of harmonics counts.
        region_semitones: on either side, over which the spectrum is whitened.
        leap_cost: log-probability lost by any leap.
        rise_frames: on either side of an onset between which a new pitch rises; 0 where it rises too slowly.
        level_weight: of the logarithm of the level in the log-odds that the voice sounds.
        share_weight: of the logarithm of its share of the salience.
        bias: the log-odds where level and share are full.
    """

    low_hz: float
    high_hz: float
    usual_pitch: float
    pitch_deviation: float
    harmonic_decay: float
    compression: float
    region_semitones: int
    leap_cost: float
    rise_frames: int
    level_weight: float
    share_weight: float
    bias: float

    @property
    def bins(self) -> slice:
        """The pitch bins it may take, S of them."""
        low, high = np.searchsorted(pitch_frequencies(), (self.low_hz, self.high_hz))
        return slice(int(low), int(high))

    @property
    def harmonics(self) -> I64:
        """Bins from a pitch up to each of its harmonics, (8,): 36 log2(h)."""
        return np.round(BINS_PER_OCTAVE * np.log2(np.arange(1, SALIENCE.harmonics + 1))).astype(np.int64)


# Fitted to 16 rendered songs: the last three values by logistic regression, the others by random search.
MELODY = VoiceModel(
    low_hz=150, high_hz=2000, usual_pitch=93, pitch_deviation=24, harmonic_decay=0.8, compression=1.0,
    region_semitones=12, leap_cost=4, rise_frames=1, level_weight=2.1, share_weight=2.9, bias=5.8,
)  # fmt: skip
BASS = VoiceModel(
    low_hz=32, high_hz=260, usual_pitch=36, pitch_deviation=16, harmonic_decay=0.7, compression=0.5,
    region_semitones=4, leap_cost=2, rise_frames=0, level_weight=0.7, share_weight=2.6, bias=5.0,
)  # fmt: skip


def log_salience(strengths: F32, voice: VoiceModel, loud: float) -> F32:
    """Compute the log-probability of each of the voice's pitches, float32 (t, S); 0 for all in silence.

    Args:
        strengths: amplitude per pitch, (t, 252).
        voice: whose pitches.
        loud: loud level of the whole song.

    Source:
        Klapuri 2006, ISMIR; Salamon and Gómez 2012.

    >>> abs(log_salience(np.zeros((2, 252), np.float32), BASS, 0.0)).max().item()
    0.0
    """
    bins, harmonics = voice.bins, voice.harmonics
    # Whitening: W = P / mean(P over the region)^0.9, P the partials above their neighbours (Klapuri 2006).
    partials = above_neighbours(strengths, SALIENCE.peak_reach)  # (t, 252)
    region = scipy.ndimage.uniform_filter1d(partials, 2 * BINS_PER_NOTE * voice.region_semitones + 1, axis=1)
    white = partials / (region + np.float32(1e-3 * loud + 1e-9)) ** np.float32(SALIENCE.whitening)
    white = np.pad(white ** np.float32(voice.compression), ((0, 0), (0, int(harmonics[-1]))))
    # S[t, s] = sum_h decay^h W[t, s + 36 log2(h + 1)]^compression, divided by its maximum in the frame
    salience = np.zeros((len(strengths), bins.stop - bins.start), np.float32)
    for number, up in enumerate(harmonics):
        salience += np.float32(voice.harmonic_decay**number) * white[:, bins.start + up : bins.stop + up]
    salience /= np.maximum(salience.max(axis=1, keepdims=True), 1e-9)
    # log p = (2 log(S + floor) - ((note - usual) / deviation)^2 / 2) L / (L + faint), L the strongest pitch
    notes = LOWEST_NOTE + np.arange(bins.start, bins.stop) / BINS_PER_NOTE
    prior = np.float32(-0.5) * np.square(
        (notes - voice.usual_pitch) / voice.pitch_deviation, dtype=np.float32
    )
    level = strengths.max(axis=1, keepdims=True)
    weight = level / (level + np.float32(SALIENCE.faint * loud + 1e-9))
    likelihood = SALIENCE.exponent * np.log(salience + np.float32(SALIENCE.floor))
    return np.asarray((likelihood + prior) * weight, np.float32)
