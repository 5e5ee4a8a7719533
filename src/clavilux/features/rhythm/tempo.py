"""Tempo and beats from onset strength alone, for songs in which the event network is unsure.

Onset strength in three bands, on the 100 Hz clock, repeats at the beat and at its multiples; the tempo of
every stretch of song is the one whose multiples repeat best, along a path that seldom jumps. Half and double
tempo repeat as well: for the whole song the backbeat of the snare and a prior decide. Beats are then placed
by dynamic programming (Ellis 2007), smoothed over neighbouring beats, and extrapolated over the whole song.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from clavilux.arrays import F64, I64
from clavilux.curves import CONTROL_RATE
from clavilux.features.rhythm.drums import snare_strength
from clavilux.features.rhythm.grid import CLOCK_BPM, beat_clock, extrapolated, smoothed
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.onsets import ONSET_DELAY, onset_strength
from clavilux.features.spectrum.peaks import peak_ceiling
from clavilux.features.spectrum.spectra import RATE, on_clock

__all__ = ["Pulse", "backbeat_strength", "beat_strength", "find_pulse"]


@dataclass(frozen=True)
class TempoModel:
    """How tempo is estimated; judged on the songs of known truth in docs/hearing.md.

    Attributes:
        usual_bpm: centre of the log-normal prior of tempo.
        path_octaves, song_octaves: its standard deviation for stretches, and for whole songs.
        stretch_seconds: length of song from which one tempo is read, every quarter of it.
        jump_cost: of a change of tempo, in units of a perfect repetition; smaller changes in proportion.
        jump_octaves: change of tempo from which the whole cost applies.
        min_deviation: standard deviation of beat strength below which a stretch has no beat.
        tightness: cost of the squared log ratio of an interval to the tempo (Ellis 2007, alpha).
        backbeat_weight: of a snare that repeats after two beats rather than one, between half and double
        tempo. chance_repetition: mean autocorrelation that noise and speech reach; confidence 0.
        full_repetition: mean autocorrelation at confidence 1. min_full_strength: onset strength that counts
        as full at least, so that a held tone has no beat. min_confidence: below it there is no beat.
    """

    usual_bpm: float = 145.0
    path_octaves: float = 0.7
    song_octaves: float = 1.0
    stretch_seconds: float = 16.0
    jump_cost: float = 0.5
    jump_octaves: float = 0.1
    min_deviation: float = 0.05
    tightness: float = 100.0
    backbeat_weight: float = 2.0
    chance_repetition: float = 0.05
    full_repetition: float = 0.5
    min_full_strength: float = 0.1
    min_confidence: float = 0.1


TEMPO = TempoModel()
OCTAVE_STEPS = 280
BPMS = 50 * 2 ** (np.arange(600) / OCTAVE_STEPS)
"""50 to 220 bpm."""
MULTIPLES = (1, 2, 3, 4, 8)
"""Beats after which music that has this beat repeats."""


@dataclass(frozen=True, eq=False)
class Pulse:
    """The beats of a song, (N,) s over all of it, and how sure they are, 0 to 1; not yet any bars."""

    beats: F64
    confidence: float


def beat_strength(analysis: Analysis, duration: float) -> F64:
    """Compute the beat strength on the 100 Hz clock, (T,): the sum of onset strength in three bands."""
    rises = [
        onset_strength(analysis, "percussive", 30, 150),
        onset_strength(analysis, "mix", 200, 5000),
        onset_strength(analysis, "mix", 5000, RATE / 2),
    ]
    together = np.sum([rise / max(peak_ceiling(rise), TEMPO.min_full_strength) for rise in rises], axis=0)
    return on_clock(together[:, None], duration, delay=ONSET_DELAY)[:, 0].astype(np.float64)


def backbeat_strength(analysis: Analysis, duration: float) -> F64:
    """Compute the onset strength of the snare on the 100 Hz clock, (T,)."""
    return on_clock(snare_strength(analysis)[:, None], duration, delay=ONSET_DELAY)[:, 0].astype(np.float64)


def find_pulse(strength: F64, backbeat: F64, duration: float) -> Pulse:
    """Find the beats in a song's beat strength and backbeat strength, (T,) each, on the 100 Hz clock.

    Where there is no beat the pulse is a clock of 120 bpm and its confidence 0.

    >>> clicks = np.zeros(3000)
    >>> clicks[50::60] = 1
    >>> pulse = find_pulse(clicks, np.zeros(3000), 30.0)
    >>> round(60 / float(np.median(np.diff(pulse.beats)))), pulse.confidence > 0.5
    (100, True)
    """
    spread = float(strength.std())
    if spread == 0 or duration < 4 * 60 / CLOCK_BPM:
        return _clock(duration)
    tempogram = _repetition(strength, MULTIPLES)
    alternation = _repetition(backbeat, (2,)) - _repetition(backbeat, (1,))
    path = _choose_octave(
        _tempo_path(tempogram), tempogram + TEMPO.backbeat_weight * np.maximum(alternation, 0)
    )
    stretches = np.arange(len(path)) * TEMPO.stretch_seconds / 4 * CONTROL_RATE
    periods = 60 * CONTROL_RATE / np.interp(np.arange(len(strength)), stretches, BPMS[path])
    beats = _place_beats(strength / spread, periods)
    if len(beats) < 4:
        return _clock(duration)
    salience = float(np.mean(tempogram[np.arange(len(path)), path]))
    confidence = float(
        np.clip(
            (salience - TEMPO.chance_repetition) / (TEMPO.full_repetition - TEMPO.chance_repetition), 0, 1
        )
    )
    if confidence < TEMPO.min_confidence:
        return _clock(duration)
    played = strength[np.clip(np.round(beats).astype(int), 0, len(strength) - 1)] + 1e-3
    return Pulse(extrapolated(smoothed(beats / CONTROL_RATE, played), duration), confidence)


def _clock(duration: float) -> Pulse:
    return Pulse(beat_clock(duration).beats, 0.0)


def _repetition(strength: F64, multiples: tuple[int, ...]) -> F64:
    """Compute a tempogram: mean autocorrelation of stretches at multiples of each beat period, (S, 600)."""
    width = round(TEMPO.stretch_seconds * CONTROL_RATE)
    local = strength - uniform_filter1d(strength, 4 * CONTROL_RATE)
    padded = np.pad(local, (width // 2, width))
    centres = range(0, len(strength), width // 4)
    lags = 60 * CONTROL_RATE / BPMS[:, None] * multiples
    rows = []
    for centre in centres:
        piece = padded[centre : centre + width]
        spectrum = np.abs(np.fft.rfft(piece, 2 * width)) ** 2
        repeats = np.fft.irfft(spectrum)[:width]
        repeats /= max(repeats[0], width * TEMPO.min_deviation**2)
        rows.append(np.interp(lags, np.arange(width), repeats).mean(axis=1))
    return np.array(rows)


def _tempo_path(evidence: F64) -> I64:
    """Decode a tempo for each stretch from a tempogram (S, 600) by Viterbi: indices into ``BPMS``, (S,)."""
    wins = np.maximum(evidence, 0) * _prior(TEMPO.path_octaves)
    octaves = np.log2(BPMS)
    costs = TEMPO.jump_cost * np.minimum(np.abs(octaves[:, None] - octaves) / TEMPO.jump_octaves, 1)
    total = wins[0]
    came_from = []
    for row in wins[1:]:
        arrivals = total[:, None] - costs
        best = arrivals.argmax(axis=0)
        came_from.append(best)
        total = arrivals[best, np.arange(len(best))] + row
    path = [int(total.argmax())]
    for best in reversed(came_from):
        path.append(int(best[path[-1]]))
    return np.array(path[::-1])


def _choose_octave(path: I64, evidence: F64) -> I64:
    """Move a whole path (S,) to half or double tempo where the tempogram (S, 600) is better there."""
    weighed = evidence * _prior(TEMPO.song_octaves)
    moved = [path + shift for shift in (0, -OCTAVE_STEPS, OCTAVE_STEPS)]
    inside = [np.clip(other, 0, len(BPMS) - 1) for other in moved if 0 <= np.median(other) < len(BPMS)]
    return max(inside, key=lambda other: float(weighed[np.arange(len(other)), other].sum()))


def _prior(octaves: float) -> F64:
    """Return the prior of each tempo, exp(-(log2 bpm / usual)^2 / 2 sigma^2), (600,)."""
    return np.asarray(np.exp(-0.5 * np.square(np.log2(BPMS / TEMPO.usual_bpm) / octaves)))


def _place_beats(strength: F64, periods: F64) -> F64:
    """Place beats where strength is high and intervals near the local period; positions on the clock.

    C(t) = O(t) + max over tau of (C(t - tau) - alpha log(tau / period)^2)   (Ellis 2007, equation 5)
    """
    smooth = gaussian_filter1d(strength, float(np.median(periods)) / 32)
    longest, shortest = round(2 * periods.max()), max(1, round(periods.min() / 2))
    intervals = np.log(np.arange(longest, shortest - 1, -1))
    scores = np.zeros(longest + len(smooth))
    backpointer = np.full(len(smooth), -1)
    for now, period in enumerate(np.log(periods)):
        window = scores[now : now + len(intervals)] - TEMPO.tightness * np.square(intervals - period)
        best = int(window.argmax())
        scores[longest + now] = smooth[now] + window[best]
        backpointer[now] = now - longest + best
    last = max(0, len(smooth) - round(periods[-1]))
    beat = last + int(scores[longest + last :].argmax())
    beats = []
    while beat >= 0:
        beats.append(beat)
        beat = int(backpointer[beat])
    return np.array(beats[::-1], np.float64)
