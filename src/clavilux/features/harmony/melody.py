"""Single voices: the melody, which is the predominant pitch above the bass, and the bass line.

A pitch is as salient as its harmonics are strong together (Klapuri 2006; Salamon and Gómez 2012). The line is
the likeliest path through salience: it rather holds than glides and rather glides than leaps, and in silence
it holds. Pitches are MIDI numbers, 69 = A4, and fractions of a semitone count.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.special import expit

from clavilux.curves import Curve, Events, clock
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.cqt import BINS_PER_OCTAVE, pitch_frequencies
from clavilux.features.spectrum.onsets import ONSET_DELAY, onset_strength
from clavilux.features.spectrum.peaks import loud_level, peak_ceiling, peaks
from clavilux.features.spectrum.spectra import HOP, RATE, Half, on_clock

__all__ = ["BASS", "MELODY", "PitchTrack", "VoiceModel", "find_pitch_track"]

Array = NDArray[np.float32]
Places = NDArray[np.int64]

LOWEST_NOTE = 24
"""C1, the pitch of bin 0."""
BINS_PER_NOTE = BINS_PER_OCTAVE // 12
HARMONICS = 8
WHITENING = 0.9
"""0 takes the spectrum as it is, 1 makes all its regions equally strong."""
NEIGHBOURS, STANDING = 6, 0.8
"""Bins on either side, two semitones, and the share of their mean, that a partial must stand out from."""
GLIDE = 0.2
"""Log-probability that a line loses per third of a semitone and frame."""
SHARPNESS = 2.0
"""Exponent of salience as a probability."""
LEAST = 0.1
"""Share of the greatest salience that any pitch has."""
FAINT = 0.03
"""Share of the loud level, -30 dB: frames whose strongest pitch is weaker count for less than half."""
SILENT = 0.003
STEADY = 9
"""Frames, 0.2 s, over which it is judged whether a voice is there."""
NEAREST = 5
"""Frames: two notes of a line begin 0.06 s apart or more."""
SLIGHTEST = 0.05
"""Strength of onset that full strength has at least: noise has no notes."""
GROUP, SPAN, HALO = 32, 256, 64
"""Paths are found for 32 spans of 256 frames (6 s) side by side; each also sees 1.5 s before and after it, in
which all paths have met."""


@dataclass(frozen=True)
class VoiceModel:
    """How a line is told from the rest.

    Attributes:
        low_hz, high_hz: where its pitches lie.
        centre, width: MIDI number around which they usually lie, and how far (standard deviation).
        decay: weight of each harmonic against the one below it.
        compression: exponent of amplitudes: low, the number of harmonics counts for more than their strength.
        around: semitones on either side that tell how strong a region of the spectrum is.
        leap: log-probability lost by any leap.
        lag: frames on either side between which a new pitch rises; 0 where pitch rises too slowly to tell.
        presence: how far log-odds of being there go with the logarithm of the level,
        clarity: with that of the share of the salience,
        bias: and what they are where both are full.
    """

    low_hz: float
    high_hz: float
    centre: float
    width: float
    decay: float
    compression: float
    around: int
    leap: float
    lag: int
    presence: float
    clarity: float
    bias: float

    @property
    def bins(self) -> slice:
        """The pitches it may take."""
        low, high = np.searchsorted(pitch_frequencies(), (self.low_hz, self.high_hz))
        return slice(int(low), int(high))

    @property
    def places(self) -> Places:
        """Bins between a pitch and each of its harmonics."""
        return np.round(BINS_PER_OCTAVE * np.log2(np.arange(1, HARMONICS + 1))).astype(np.int64)


# Learnt from 16 rendered songs: the first by random search, the last three by logistic regression.
MELODY = VoiceModel(
    low_hz=150, high_hz=2000, centre=93, width=24, decay=0.8, compression=1.0, around=12, leap=4,
    lag=1, presence=2.1, clarity=2.9, bias=5.8,
)  # fmt: skip
BASS = VoiceModel(
    low_hz=32, high_hz=260, centre=36, width=16, decay=0.7, compression=0.5, around=4, leap=2,
    lag=0, presence=0.7, clarity=2.6, bias=5.0,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class PitchTrack:
    """One voice of the song.

    Attributes:
        pitch: (T, 1) MIDI number; where the voice is silent, the last one or the next.
        confidence: (T, 1) in [0, 1]; above 0.5 the voice is more likely there than not.
        rms: (T, 1) linear amplitude of its harmonics.
        onsets: where its notes begin.
    """

    pitch: Curve
    confidence: Curve
    rms: Curve
    onsets: Events


def find_pitch_track(
    analysis: Analysis, voice: VoiceModel, tuning: float, duration: float, *, gain: float = 1.0
) -> PitchTrack:
    """Follow one voice through the song.

    Args:
        analysis: what was heard.
        voice: ``MELODY`` or ``BASS``.
        tuning: semitones from A4 = 440 Hz; a song tuned high has whole numbers for its notes all the same.
        duration: of the song, s.
        gain: by which the song was amplified before it was heard.

    >>> from clavilux.features.spectrum.analysis import analyse
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    >>> line = find_pitch_track(analyse(tone), MELODY, 0.0, 1.0)
    >>> round(line.pitch.at([0.5]).item(), 2), round(line.rms.at([0.5]).item(), 2)
    (69.0, 0.71)
    """
    strengths, loud = analysis.pitches, loud_level(analysis.rms["mix"])
    path, clarity = _find_path(strengths, voice, loud)
    level = _level(strengths, path, voice)
    confidence = _confidence(level, clarity, voice, loud)
    notes = LOWEST_NOTE + (path + _summit(strengths, path, voice)) / BINS_PER_NOTE - tuning
    nearest = np.round(clock(duration) * (RATE / HOP)).astype(np.int64)
    return PitchTrack(
        Curve(notes[np.minimum(nearest, len(notes) - 1)].astype(np.float32)),
        Curve(np.clip(on_clock(confidence[:, None], duration), 0, 1)),
        Curve(on_clock(level[:, None], duration) / np.float32(gain)),
        _onsets(analysis, path, confidence, voice),
    )


def _find_path(strengths: Half, voice: VoiceModel, loud: float) -> tuple[Places, Array]:
    """Find the likeliest bins (T,) of a voice, and the logarithm of their share of all salience (T,)."""
    paths, shares = [], []
    for chances in _chances(strengths, voice, loud):
        spans = sliding_window_view(chances, SPAN + 2 * HALO, axis=0)[::SPAN]
        path = _likeliest(np.moveaxis(spans, 2, 0).copy(), voice)[HALO:-HALO].T.ravel()
        own = chances[HALO:-HALO]
        chosen = np.take_along_axis(own, path[:, None], axis=1)[:, 0]
        shares.append(chosen - np.log(np.exp(own).sum(axis=1) / BINS_PER_NOTE))
        paths.append(path)
    path = np.concatenate(paths)[: len(strengths)] + voice.bins.start
    heard = strengths.max(axis=1) > SILENT * loud
    return _held(path, heard), np.concatenate(shares)[: len(strengths)]


def _held(path: Places, heard: NDArray[np.bool_]) -> Places:
    """Hold the last place that was heard where nothing is; before the first, the first."""
    if not heard.any():
        return path
    last = np.maximum.accumulate(np.where(heard, np.arange(len(path)), 0))
    return path[np.maximum(last, heard.argmax())]


def _chances(strengths: Half, voice: VoiceModel, loud: float) -> Iterator[Array]:
    """Yield log-probabilities of the voice's pitches, a group of spans at a time, with a halo on both sides.

    Outside the song all pitches are equally likely.
    """
    for first in range(0, len(strengths), GROUP * SPAN):
        last = min(first + GROUP * SPAN, len(strengths))
        low, high = max(0, first - HALO), min(len(strengths), last + HALO)
        heard = _log_salience(strengths[low:high].astype(np.float32), voice, loud)
        rows = -(-(last - first) // SPAN) * SPAN + 2 * HALO
        before = low - first + HALO
        yield np.pad(heard, ((before, rows - before - len(heard)), (0, 0)))


def _log_salience(heard: Array, voice: VoiceModel, loud: float) -> Array:
    """Log-probability of each of the voice's pitches, (t, S); 0 for all in silence."""
    bins, places = voice.bins, voice.places
    near = uniform_filter1d(heard, 2 * NEIGHBOURS + 1, axis=1)
    partials = np.maximum(heard - np.float32(STANDING) * near, 0)
    region = uniform_filter1d(partials, 2 * BINS_PER_NOTE * voice.around + 1, axis=1)
    white = partials / (region + np.float32(1e-3 * loud + 1e-9)) ** np.float32(WHITENING)
    white = np.pad(white ** np.float32(voice.compression), ((0, 0), (0, int(places[-1]))))
    salience = np.zeros((len(heard), bins.stop - bins.start), np.float32)
    for number, place in enumerate(places):
        salience += np.float32(voice.decay**number) * white[:, bins.start + place : bins.stop + place]
    salience /= np.maximum(salience.max(axis=1, keepdims=True), 1e-9)
    notes = LOWEST_NOTE + np.arange(bins.start, bins.stop) / BINS_PER_NOTE
    usual = np.float32(-0.5) * np.square((notes - voice.centre) / voice.width, dtype=np.float32)
    level = heard.max(axis=1, keepdims=True)
    weight = level / (level + np.float32(FAINT * loud + 1e-9))
    return np.asarray((SHARPNESS * np.log(salience + np.float32(LEAST)) + usual) * weight, np.float32)


def _likeliest(scores: Array, voice: VoiceModel) -> Places:
    """Find the likeliest path through each of B sequences (W, B, S) at once (Viterbi 1967): int64 (W, B).

    The scores are overwritten: with the best score of any path up to there.
    """
    for before, here in pairwise(scores):
        best = np.maximum(before, before.max(axis=1, keepdims=True) - np.float32(voice.leap))
        for bins in (1, 2):
            near = before - np.float32(GLIDE * bins)
            np.maximum(best[:, bins:], near[:, :-bins], out=best[:, bins:])
            np.maximum(best[:, :-bins], near[:, bins:], out=best[:, :-bins])
        np.add(here, best, out=here)
    path = np.empty(scores.shape[:2], np.int64)
    path[-1] = scores[-1].argmax(axis=1)
    for step in range(len(scores) - 2, -1, -1):
        path[step] = _previous(scores[step], path[step + 1], voice)
    return path


def _previous(scores: Array, place: Places, voice: VoiceModel) -> Places:
    """Where the best path to a place (B,) comes from, given the scores (B, S) one frame before."""
    near = np.clip(place[:, None] + np.arange(-2, 3), 0, scores.shape[1] - 1)
    far = scores.argmax(axis=1)
    ways = np.concatenate((near, far[:, None]), axis=1)
    costs = np.append(GLIDE * np.array([2, 1, 0, 1, 2]), voice.leap)
    values = np.take_along_axis(scores, ways, axis=1) - costs
    return np.asarray(np.take_along_axis(ways, values.argmax(axis=1)[:, None], axis=1)[:, 0])


def _level(strengths: Half, path: Places, voice: VoiceModel, rows: Places | None = None) -> Array:
    """Amplitude of a path's harmonics together, rms, (T,); in other rows than its own where given."""
    rows = np.arange(len(path)) if rows is None else rows
    power, last = np.zeros(len(path), np.float32), strengths.shape[1] - 1
    for place in voice.places:
        around = [strengths[rows, np.minimum(path + place + by, last)] for by in (-1, 0, 1)]
        power += np.square(np.max(around, axis=0), dtype=np.float32) * (path + place <= last)
    return np.sqrt(power / 2)


def _confidence(level: Array, clarity: Array, voice: VoiceModel, loud: float) -> Array:
    """Probability that the voice sounds, (T,); 0 in a song without sound."""
    usual = max(peak_ceiling(level), FAINT * loud)
    if usual == 0:
        return np.zeros_like(level)
    presence = np.log(level / np.float32(usual) + np.float32(0.01))
    odds = uniform_filter1d(voice.presence * presence + voice.clarity * clarity, STEADY) + voice.bias
    return np.asarray(expit(odds), np.float32)


def _summit(strengths: Half, path: Places, voice: VoiceModel) -> NDArray[np.float64]:
    """Where between the bins a pitch lies: the top of the parabola through its first harmonics, (T,)."""
    rows, last = np.arange(len(path)), strengths.shape[1] - 1
    before, here, after = (
        sum(
            strengths[rows, np.clip(path + by + place, 0, last)].astype(np.float64)
            for place in voice.places[:2]
        )
        for by in (-1, 0, 1)
    )
    bend = before - 2 * here + after
    summit = np.divide(before - after, 2 * bend, out=np.zeros_like(bend), where=bend < 0)
    return np.asarray(np.clip(summit, -1, 1))


def _onsets(analysis: Analysis, path: Places, confidence: Array, voice: VoiceModel) -> Events:
    """Where something begins, and the pitch that the line goes on with was weaker just before."""
    frames = np.arange(len(path))
    earlier, later = np.maximum(frames - voice.lag, 0), np.minimum(frames + voice.lag, len(path) - 1)
    rise = flux = onset_strength(analysis, "mix", voice.low_hz, 2 * voice.high_hz)
    if voice.lag:
        gain = np.float32(10 / max(loud_level(analysis.rms["mix"]), 1e-9))
        levels = [_level(analysis.pitches, path[later], voice, rows) * gain for rows in (earlier, later)]
        rise = np.maximum(0, np.log1p(levels[1]) - np.log1p(levels[0]))
        flux = maximum_filter1d(flux, 3)
    strength = np.sqrt(rise * flux * confidence[later])
    full = max(peak_ceiling(strength), SLIGHTEST)
    found = peaks(strength)
    found = found[strength[found] > 0.4 * full]
    found = found[strength[found] == maximum_filter1d(strength, NEAREST)[found]]
    times = np.maximum(found * (HOP / RATE) - ONSET_DELAY, 0)
    return Events(times, np.minimum(strength[found] / full, 1))
