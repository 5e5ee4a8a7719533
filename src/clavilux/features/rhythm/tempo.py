"""The beat: how fast it goes and where it falls.

Onset strength in three bands, put on the 100 Hz clock, repeats at the beat and at its multiples; the tempo of
every stretch of song is the one whose multiples repeat best, along a path that seldom jumps. Half and double
tempo repeat as well: for the whole song the snare, struck on every other beat, and what is usual decide. The
beats are then placed by dynamic programming (Ellis 2007), evened out over neighbouring beats, and continued
at the nearest tempo over the whole song.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from clavilux.curves import CONTROL_RATE
from clavilux.features.rhythm.drums import snare_strength
from clavilux.features.rhythm.grid import CLOCK_BPM, beat_clock, continued, evened
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.onsets import ONSET_DELAY, onset_strength
from clavilux.features.spectrum.peaks import peak_ceiling
from clavilux.features.spectrum.spectra import RATE, on_clock

__all__ = ["Pulse", "backbeat_strength", "beat_strength", "find_pulse"]

Floats = NDArray[np.float64]

LIKELY_BPM = 145.0
PATH_OCTAVES, SONG_OCTAVES = 0.7, 1.0
"""A bell on the octave scale around ``LIKELY_BPM`` weighs tempi: its width for stretches, and for songs."""
OCTAVE = 280
BPMS = 50 * 2 ** (np.arange(600) / OCTAVE)
"""50 to 220 bpm."""
MULTIPLES = (1, 2, 3, 4, 8)
"""Beats after which music that has this beat repeats."""
STRETCH = 16.0
"""Seconds of song from which one tempo is read, every quarter of it."""
JUMP = 0.5
"""What a change of tempo costs, in units of a perfect repetition; smaller changes cost in proportion."""
JUMP_OCTAVES = 0.1
FAINT = 0.05
"""Deviation of beat strength that a stretch must exceed to be heard as a beat at all."""
TIGHTNESS = 100.0
"""Cost of the squared log ratio of a beat to the tempo, against onset strength of deviation 1."""
BACKBEAT = 2.0
"""Weight of a snare that repeats after two beats rather than one, where half and double tempo compete."""
RANDOM_REPEAT, CLEAR_REPEAT = 0.05, 0.5
"""Mean autocorrelation at the beat's multiples: more than noise and speech reach; and all one can ask."""
FLOOR = 0.1
"""Onset strength that counts as full at least, so that a held tone has no beat."""
FAINTEST = 0.1
"""Confidence below which there is no beat."""


@dataclass(frozen=True, eq=False)
class Pulse:
    """The beats of a song, (N,) s over all of it, and how sure they are, 0 to 1; not yet any bars."""

    beats: Floats
    confidence: float


def beat_strength(analysis: Analysis, duration: float) -> Floats:
    """Measure how strongly the beat is played on the 100 Hz clock, (T,): kick, body and hats count alike."""
    rises = [
        onset_strength(analysis, "percussive", 30, 150),
        onset_strength(analysis, "mix", 200, 5000),
        onset_strength(analysis, "mix", 5000, RATE / 2),
    ]
    together = np.sum([rise / max(peak_ceiling(rise), FLOOR) for rise in rises], axis=0)
    return on_clock(together[:, None], duration, delay=ONSET_DELAY)[:, 0].astype(np.float64)


def backbeat_strength(analysis: Analysis, duration: float) -> Floats:
    """Measure how strongly the snare is struck on the 100 Hz clock, (T,)."""
    return on_clock(snare_strength(analysis)[:, None], duration, delay=ONSET_DELAY)[:, 0].astype(np.float64)


def find_pulse(strength: Floats, backbeat: Floats, duration: float) -> Pulse:
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
    path = _in_octave(_tempo_path(tempogram), tempogram + BACKBEAT * np.maximum(alternation, 0))
    stretches = np.arange(len(path)) * STRETCH / 4 * CONTROL_RATE
    periods = 60 * CONTROL_RATE / np.interp(np.arange(len(strength)), stretches, BPMS[path])
    beats = _place_beats(strength / spread, periods)
    if len(beats) < 4:
        return _clock(duration)
    salience = float(np.mean(tempogram[np.arange(len(path)), path]))
    confidence = float(np.clip((salience - RANDOM_REPEAT) / (CLEAR_REPEAT - RANDOM_REPEAT), 0, 1))
    if confidence < FAINTEST:
        return _clock(duration)
    played = strength[np.clip(np.round(beats).astype(int), 0, len(strength) - 1)] + 1e-3
    return Pulse(continued(evened(beats / CONTROL_RATE, played), duration), confidence)


def _clock(duration: float) -> Pulse:
    return Pulse(beat_clock(duration).beats, 0.0)


def _repetition(strength: Floats, multiples: tuple[int, ...]) -> Floats:
    """How well each stretch repeats after so many beats of each tempo: mean autocorrelation, (S, 600)."""
    width = round(STRETCH * CONTROL_RATE)
    local = strength - uniform_filter1d(strength, 4 * CONTROL_RATE)
    padded = np.pad(local, (width // 2, width))
    centres = range(0, len(strength), width // 4)
    lags = 60 * CONTROL_RATE / BPMS[:, None] * multiples
    rows = []
    for centre in centres:
        piece = padded[centre : centre + width]
        spectrum = np.abs(np.fft.rfft(piece, 2 * width)) ** 2
        repeats = np.fft.irfft(spectrum)[:width]
        repeats /= max(repeats[0], width * FAINT**2)
        rows.append(np.interp(lags, np.arange(width), repeats).mean(axis=1))
    return np.array(rows)


def _tempo_path(evidence: Floats) -> NDArray[np.int64]:
    """Choose a tempo for each stretch from evidence (S, 600): indices into ``BPMS``, (S,), seldom jumping."""
    wins = np.maximum(evidence, 0) * _likelihood(PATH_OCTAVES)
    octaves = np.log2(BPMS)
    costs = JUMP * np.minimum(np.abs(octaves[:, None] - octaves) / JUMP_OCTAVES, 1)
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


def _in_octave(path: NDArray[np.int64], evidence: Floats) -> NDArray[np.int64]:
    """Move a whole path (S,) to half or double tempo where the evidence (S, 600) is better there."""
    weighed = evidence * _likelihood(SONG_OCTAVES)
    moved = [path + shift for shift in (0, -OCTAVE, OCTAVE)]
    inside = [np.clip(other, 0, len(BPMS) - 1) for other in moved if 0 <= np.median(other) < len(BPMS)]
    return max(inside, key=lambda other: float(weighed[np.arange(len(other)), other].sum()))


def _likelihood(octaves: float) -> Floats:
    """How usual each tempo is, (600,), up to 1."""
    return np.asarray(np.exp(-0.5 * np.square(np.log2(BPMS / LIKELY_BPM) / octaves)))


def _place_beats(strength: Floats, periods: Floats) -> Floats:
    """Place beats where strength is high and intervals near the local period; positions on the clock."""
    smooth = gaussian_filter1d(strength, float(np.median(periods)) / 32)
    longest, shortest = round(2 * periods.max()), max(1, round(periods.min() / 2))
    intervals = np.log(np.arange(longest, shortest - 1, -1))
    scores = np.zeros(longest + len(smooth))
    before = np.full(len(smooth), -1)
    for now, period in enumerate(np.log(periods)):
        window = scores[now : now + len(intervals)] - TIGHTNESS * np.square(intervals - period)
        best = int(window.argmax())
        scores[longest + now] = smooth[now] + window[best]
        before[now] = now - longest + best
    last = max(0, len(smooth) - round(periods[-1]))
    beat = last + int(scores[longest + last :].argmax())
    beats = []
    while beat >= 0:
        beats.append(beat)
        beat = int(before[beat])
    return np.array(beats[::-1], np.float64)
