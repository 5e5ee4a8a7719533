"""Tempo and beats without the event network: from onset strength alone.

An autocorrelation tempogram of onset strength shows how well each stretch of song repeats after so many beats
of each tempo; the tempo path is the best one that seldom jumps. Half and double tempo repeat as well: for the
whole song the backbeat, a snare on every other beat, and a prior of the tempo decide. Beats are then tracked
by dynamic programming (Ellis 2007), smoothed, and extrapolated over the song. Curves are (T,) on the 100 Hz
clock; the tempogram is (S, 600): S stretches, 600 tempi.
"""

from dataclasses import dataclass

import numpy as np
import scipy

from clavilux.arrays import F64, I64
from clavilux.curves import CONTROL_RATE
from clavilux.features.rhythm.drums import snare_strength
from clavilux.features.rhythm.grid import DEFAULT_BPM, default_grid, extrapolate_beats, smooth_beats
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.onsets import ONSET_DELAY, onset_strength
from clavilux.features.spectrum.peaks import peak_ceiling
from clavilux.features.spectrum.spectra import RATE, on_clock

__all__ = ["Pulse", "backbeat_strength", "beat_strength", "find_pulse"]


@dataclass(frozen=True)
class TempoModel:
    """Parameters of the tracker.

    Values were set by hand, some with the recorded songs of docs/hearing.md in view; it has the scores.

    Attributes:
        bands: part, low and high Hz of the onset strengths that make up beat strength: kick, body, hats.
        min_ceiling: onset strength that counts as full at least, so that a held tone has no beat.
        window_seconds: song from which one tempo is estimated, every quarter of it.
        multiples: beats after which music with this beat repeats.
        min_deviation: standard deviation that beat strength is taken to have at least.
        prior_bpm: centre of the Gaussian prior on the octave scale.
        path_octaves, song_octaves: its standard deviation for a stretch, and for the octave of the song.
        jump_cost: of a change of tempo, in units of a perfect repetition ...
        jump_octaves: ... of this size; smaller changes cost in proportion.
        backbeat_weight: of a snare that repeats after two beats rather than one, where octaves compete.
        tightness: alpha in Ellis 2007; 100 as in librosa.
        noise_repetition, clear_repetition: mean autocorrelation at which confidence is 0, more than noise
            and speech reach, and 1.
        min_confidence: confidence below which there is no beat.
    """

    bands: tuple[tuple[str, float, float], ...] = (
        ("percussive", 30, 150),
        ("mix", 200, 5000),
        ("mix", 5000, RATE / 2),
    )
    min_ceiling: float = 0.1
    window_seconds: float = 16.0
    multiples: tuple[int, ...] = (1, 2, 3, 4, 8)
    min_deviation: float = 0.05
    prior_bpm: float = 145.0
    path_octaves: float = 0.7
    song_octaves: float = 1.0
    jump_cost: float = 0.5
    jump_octaves: float = 0.1
    backbeat_weight: float = 2.0
    tightness: float = 100.0
    noise_repetition: float = 0.05
    clear_repetition: float = 0.5
    min_confidence: float = 0.1


TEMPO = TempoModel()
TEMPI_PER_OCTAVE = 280
TEMPI = 50 * 2 ** (np.arange(600) / TEMPI_PER_OCTAVE)
"""The tempi considered, (600,) bpm, 50 to 220."""


@dataclass(frozen=True, eq=False)
class Pulse:
    """The beats of a song, (N,) s over all of it, and their confidence, 0 to 1; not yet any bars."""

    beats: F64
    confidence: float


def beat_strength(analysis: Analysis, duration: float) -> F64:
    """Compute how strongly the beat is played on the 100 Hz clock, (T,): kick, body and hats count alike."""
    rises = [onset_strength(analysis, part, low, high) for part, low, high in TEMPO.bands]
    together = np.sum([rise / max(peak_ceiling(rise), TEMPO.min_ceiling) for rise in rises], axis=0)
    return on_clock(together[:, None], duration, delay=ONSET_DELAY)[:, 0].astype(np.float64)


def backbeat_strength(analysis: Analysis, duration: float) -> F64:
    """Compute how strongly the snare is hit on the 100 Hz clock, (T,)."""
    return on_clock(snare_strength(analysis)[:, None], duration, delay=ONSET_DELAY)[:, 0].astype(np.float64)


def find_pulse(strength: F64, backbeat: F64, duration: float) -> Pulse:
    """Find the beats in a song's beat strength and backbeat strength, (T,) each, on the 100 Hz clock.

    Where there is no beat the pulse is that of the `default_grid`, 120 bpm, and its confidence 0.

    >>> clicks = np.zeros(3000)
    >>> clicks[50::60] = 1
    >>> pulse = find_pulse(clicks, np.zeros(3000), 30.0)
    >>> round(60 / float(np.median(np.diff(pulse.beats)))), pulse.confidence > 0.5
    (100, True)
    """
    no_beat = Pulse(default_grid(duration).beats, 0.0)
    deviation = float(strength.std())
    if deviation == 0 or duration < 4 * 60 / DEFAULT_BPM:
        return no_beat
    tempogram = _tempogram(strength, TEMPO.multiples)
    alternation = _tempogram(backbeat, (2,)) - _tempogram(backbeat, (1,))
    evidence = tempogram + TEMPO.backbeat_weight * np.maximum(alternation, 0)
    path = _choose_octave(_tempo_path(tempogram), evidence)
    stretches = np.arange(len(path)) * TEMPO.window_seconds / 4 * CONTROL_RATE
    periods = 60 * CONTROL_RATE / np.interp(np.arange(len(strength)), stretches, TEMPI[path])  # (T,)
    ticks = _track_beats(strength / deviation, periods)
    if len(ticks) < 4:
        return no_beat
    repetition = float(np.mean(tempogram[np.arange(len(path)), path]))
    clear = (repetition - TEMPO.noise_repetition) / (TEMPO.clear_repetition - TEMPO.noise_repetition)
    confidence = float(np.clip(clear, 0, 1))
    if confidence < TEMPO.min_confidence:
        return no_beat
    weight = strength[np.clip(np.round(ticks).astype(int), 0, len(strength) - 1)] + 1e-3
    return Pulse(extrapolate_beats(smooth_beats(ticks / CONTROL_RATE, weight), duration), confidence)


def _tempogram(strength: F64, multiples: tuple[int, ...]) -> F64:
    """Return the mean autocorrelation of each stretch at these multiples of each tempo's beat, (S, 600)."""
    width = round(TEMPO.window_seconds * CONTROL_RATE)
    local = strength - scipy.ndimage.uniform_filter1d(strength, 4 * CONTROL_RATE)
    padded = np.pad(local, (width // 2, width))
    lags = 60 * CONTROL_RATE / TEMPI[:, None] * multiples  # (600, multiples) ticks
    rows = []
    for centre in range(0, len(strength), width // 4):
        # r(l) = sum over t of x(t) x(t + l) = IFFT |FFT x|^2, zero-padded; r(0) = 1
        spectrum = np.abs(np.fft.rfft(padded[centre : centre + width], 2 * width)) ** 2
        correlation = np.fft.irfft(spectrum)[:width]
        correlation /= max(correlation[0], width * TEMPO.min_deviation**2)
        rows.append(np.interp(lags, np.arange(width), correlation).mean(axis=1))
    return np.array(rows)


def _tempo_path(tempogram: F64) -> I64:
    """Return the best path of tempi through a tempogram (S, 600) by Viterbi: indices of `TEMPI`, (S,)."""
    # C(s, j) = g(s, j) p(j) + max over i of C(s - 1, i) - cost min(|log2(bpm_i / bpm_j)| / 0.1, 1)
    gains = np.maximum(tempogram, 0) * _prior(TEMPO.path_octaves)
    octaves = np.log2(TEMPI)
    costs = TEMPO.jump_cost * np.minimum(np.abs(octaves[:, None] - octaves) / TEMPO.jump_octaves, 1)
    total = gains[0]
    backpointers = []
    for row in gains[1:]:
        arrivals = total[:, None] - costs
        best = arrivals.argmax(axis=0)
        backpointers.append(best)
        total = arrivals[best, np.arange(len(best))] + row
    path = [int(total.argmax())]
    for best in reversed(backpointers):
        path.append(int(best[path[-1]]))
    return np.array(path[::-1])


def _choose_octave(path: I64, evidence: F64) -> I64:
    """Move a whole path (S,) to half or double tempo where the evidence (S, 600) is better there."""
    weighted = evidence * _prior(TEMPO.song_octaves)
    moved = [path + shift for shift in (0, -TEMPI_PER_OCTAVE, TEMPI_PER_OCTAVE)]
    inside = [np.clip(other, 0, len(TEMPI) - 1) for other in moved if 0 <= np.median(other) < len(TEMPI)]
    return max(inside, key=lambda other: float(weighted[np.arange(len(other)), other].sum()))


def _prior(octaves: float) -> F64:
    """Return exp(-(log2(bpm / 145) / octaves)^2 / 2) of each tempo, (600,)."""
    return np.asarray(np.exp(-0.5 * np.square(np.log2(TEMPI / TEMPO.prior_bpm) / octaves)))


def _track_beats(strength: F64, periods: F64) -> F64:
    """Choose the beats that are strong and about a period (T,) apart, by dynamic programming; (N,) ticks."""
    smooth = scipy.ndimage.gaussian_filter1d(strength, float(np.median(periods)) / 32)
    longest, shortest = round(2 * periods.max()), max(1, round(periods.min() / 2))
    intervals = np.log(np.arange(longest, shortest - 1, -1))
    scores = np.zeros(longest + len(smooth))  # C(t), after as many zeros as the longest interval has ticks
    previous = np.full(len(smooth), -1)
    for now, period in enumerate(np.log(periods)):
        # C(t) = O(t) + max over i of C(t - i) - alpha (log(i / period))^2   (Ellis 2007, eqs. 2 and 3)
        window = scores[now : now + len(intervals)] - TEMPO.tightness * np.square(intervals - period)
        best = int(window.argmax())
        scores[longest + now] = smooth[now] + window[best]
        previous[now] = now - longest + best
    last = max(0, len(smooth) - round(periods[-1]))
    beat = last + int(scores[longest + last :].argmax())
    beats = []
    while beat >= 0:
        beats.append(beat)
        beat = int(previous[beat])
    return np.array(beats[::-1], np.float64)
