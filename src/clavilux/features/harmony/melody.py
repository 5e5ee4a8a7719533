"""Pitch tracks of single voices: the melody, which is the predominant pitch above the bass, and the bass.

A track is the most likely path through salience (Viterbi 1967): it rather holds than glides and rather glides
than leaps, and in silence it holds. Pitches are MIDI numbers, 69 = A4, with fractions of a semitone; a state
of the path is one pitch bin, a third of a semitone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy
from numpy.lib.stride_tricks import sliding_window_view

from clavilux.arrays import F16, F32, F64, I64, Bools
from clavilux.curves import Curve, Events, clock
from clavilux.features.harmony.salience import BASS, LOWEST_NOTE, MELODY, SALIENCE, VoiceModel, log_salience
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.cqt import BINS_PER_NOTE
from clavilux.features.spectrum.onsets import ONSET_DELAY, onset_strength
from clavilux.features.spectrum.peaks import loud_level, parabolic_peak, peak_ceiling, peaks
from clavilux.features.spectrum.spectra import HOP, RATE, on_clock

__all__ = ["BASS", "MELODY", "PitchTrack", "VoiceModel", "find_pitch_track"]


@dataclass(frozen=True)
class PathModel:
    """How the path moves, and how the song is cut for it.

    Attributes:
        glide_cost: log-probability lost per bin and frame, up to ``glide_bins``; farther is a leap.
        glide_bins: see above.
        span: frames per piece of path, 6 s.
        halo: frames that a piece also sees before and after it, 1.5 s, in which all paths have merged.
        spans: pieces whose paths are found at the same time.
    """

    glide_cost: float = 0.2
    glide_bins: int = 2
    span: int = 256
    halo: int = 64
    spans: int = 32


@dataclass(frozen=True)
class OnsetModel:
    """Which onsets begin a note, and over how long a voice is judged to be there.

    Attributes:
        min_distance: frames; two notes of a voice begin 0.06 s apart or more.
        min_full_strength: onset strength that full strength has at least, so that noise has no notes.
        min_strength: share of full strength that an onset must exceed.
        presence_frames: averaged for the confidence, 0.2 s.
    """

    min_distance: int = 5
    min_full_strength: float = 0.05
    min_strength: float = 0.4
    presence_frames: int = 9


PATH, ONSETS = PathModel(), OnsetModel()


@dataclass(frozen=True, eq=False)
class PitchTrack:
    """One voice of the song.

    Attributes:
        pitch: (T, 1) MIDI number; where the voice is silent, the previous one, or else the next.
        confidence: (T, 1) in [0, 1]; above 0.5 the voice more likely sounds than not.
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
    """Estimate the pitch track of one voice.

    Args:
        analysis: of the song.
        voice: ``MELODY`` or ``BASS``.
        tuning: semitones from A4 = 440 Hz; it is subtracted, so notes have whole numbers in any tuning.
        duration: of the song, s.
        gain: by which the song was amplified before the analysis.

    >>> from clavilux.features.spectrum.analysis import analyse
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    >>> track = find_pitch_track(analyse(tone), MELODY, 0.0, 1.0)
    >>> round(track.pitch.at([0.5]).item(), 2), round(track.rms.at([0.5]).item(), 2)
    (69.0, 0.71)
    """
    strengths, loud = analysis.pitches, loud_level(analysis.rms["mix"])
    path, log_share = _find_path(strengths, voice, loud)
    level = _level(strengths, path, voice)
    confidence = _confidence(level, log_share, voice, loud)
    notes = LOWEST_NOTE + (path + _between_bins(strengths, path, voice)) / BINS_PER_NOTE - tuning
    nearest = np.round(clock(duration) * (RATE / HOP)).astype(np.int64)
    return PitchTrack(
        Curve(notes[np.minimum(nearest, len(notes) - 1)].astype(np.float32)),
        Curve(np.clip(on_clock(confidence[:, None], duration), 0, 1)),
        Curve(on_clock(level[:, None], duration) / np.float32(gain)),
        _onsets(analysis, path, confidence, voice),
    )


def _find_path(strengths: F16, voice: VoiceModel, loud: float) -> tuple[I64, F32]:
    """Find the most likely bin of a voice, (T,), and the logarithm of its share of all salience, (T,)."""
    paths, shares = [], []
    for scores in _scores(strengths, voice, loud):
        spans = sliding_window_view(scores, PATH.span + 2 * PATH.halo, axis=0)[:: PATH.span]  # (B, S, W)
        path = _viterbi(np.moveaxis(spans, 2, 0).copy(), voice)[PATH.halo : -PATH.halo].T.ravel()
        own = scores[PATH.halo : -PATH.halo]  # (t, S)
        chosen = np.take_along_axis(own, path[:, None], axis=1)[:, 0]
        # log share = log p(chosen) - log(sum_s p(s) / 3), three bins to a note
        shares.append(chosen - np.log(np.exp(own).sum(axis=1) / BINS_PER_NOTE))
        paths.append(path)
    path = np.concatenate(paths)[: len(strengths)] + voice.bins.start
    sounding = strengths.max(axis=1) > SALIENCE.silent * loud
    return _held(path, sounding), np.concatenate(shares)[: len(strengths)]


def _held(path: I64, sounding: Bools) -> I64:
    """Hold the last bin that sounded where nothing does; before the first, the first."""
    if not sounding.any():
        return path
    last = np.maximum.accumulate(np.where(sounding, np.arange(len(path)), 0))
    return path[np.maximum(last, sounding.argmax())]


def _scores(strengths: F16, voice: VoiceModel, loud: float) -> Iterator[F32]:
    """Yield the log-probabilities of the voice's pitches, some spans at a time, with a halo on both sides.

    Outside the song all pitches are equally likely.
    """
    step = PATH.spans * PATH.span
    for first in range(0, len(strengths), step):
        last = min(first + step, len(strengths))
        low, high = max(0, first - PATH.halo), min(len(strengths), last + PATH.halo)
        inside = log_salience(strengths[low:high].astype(np.float32), voice, loud)
        rows = -(-(last - first) // PATH.span) * PATH.span + 2 * PATH.halo
        before = low - first + PATH.halo
        yield np.pad(inside, ((before, rows - before - len(inside)), (0, 0)))


def _viterbi(scores: F32, voice: VoiceModel) -> I64:
    """Find the most likely path through each of B sequences (W, B, S) at once: int64 (W, B).

    The scores are overwritten with delta, the best score of any path up to there.
    """
    # delta[t, j] = score[t, j] + max_i (delta[t - 1, i] - cost(i, j)), where cost is glide |i - j| up to two
    # bins and leap from anywhere: O(S) per frame instead of O(S^2).
    for before, here in pairwise(scores):
        best = np.maximum(before, before.max(axis=1, keepdims=True) - np.float32(voice.leap_cost))
        for bins in range(1, PATH.glide_bins + 1):
            near = before - np.float32(PATH.glide_cost * bins)
            np.maximum(best[:, bins:], near[:, :-bins], out=best[:, bins:])
            np.maximum(best[:, :-bins], near[:, bins:], out=best[:, :-bins])
        np.add(here, best, out=here)
    path = np.empty(scores.shape[:2], np.int64)
    path[-1] = scores[-1].argmax(axis=1)
    for step in range(len(scores) - 2, -1, -1):
        path[step] = _previous(scores[step], path[step + 1], voice)
    return path


def _previous(delta: F32, state: I64, voice: VoiceModel) -> I64:
    """Backtrack: return the best state (B,) one frame before, given delta (B, S) there and the state now."""
    glides = np.arange(-PATH.glide_bins, PATH.glide_bins + 1)
    near = np.clip(state[:, None] + glides, 0, delta.shape[1] - 1)
    candidates = np.concatenate((near, delta.argmax(axis=1)[:, None]), axis=1)  # (B, 6), the leap last
    costs = np.append(PATH.glide_cost * np.abs(glides), voice.leap_cost)
    values = np.take_along_axis(delta, candidates, axis=1) - costs
    return np.asarray(np.take_along_axis(candidates, values.argmax(axis=1)[:, None], axis=1)[:, 0])


def _level(strengths: F16, path: I64, voice: VoiceModel, rows: I64 | None = None) -> F32:
    """Compute the rms amplitude of a path's harmonics together, (T,); in other rows than its own if given."""
    rows = np.arange(len(path)) if rows is None else rows
    power, last = np.zeros(len(path), np.float32), strengths.shape[1] - 1
    # sqrt(sum_h a_h^2 / 2), a_h the highest of three bins
    for up in voice.harmonics:
        around = [strengths[rows, np.minimum(path + up + by, last)] for by in (-1, 0, 1)]
        power += np.square(np.max(around, axis=0), dtype=np.float32) * (path + up <= last)
    return np.sqrt(power / 2)


def _confidence(level: F32, log_share: F32, voice: VoiceModel, loud: float) -> F32:
    """Compute the probability that the voice sounds, (T,); 0 in silence."""
    usual = max(peak_ceiling(level), SALIENCE.faint * loud)
    if usual == 0:
        return np.zeros_like(level)
    # p = logistic(bias + mean over 0.2 s of (u log(level / usual) + v log(share)))
    log_level = np.log(level / np.float32(usual) + np.float32(0.01))
    evidence = voice.level_weight * log_level + voice.share_weight * log_share
    return np.asarray(
        scipy.special.expit(scipy.ndimage.uniform_filter1d(evidence, ONSETS.presence_frames) + voice.bias),
        np.float32,
    )


def _between_bins(strengths: F16, path: I64, voice: VoiceModel) -> F64:
    """Interpolate the pitch between bins from its first two harmonics, (T,) in [-1, 1] bins."""
    rows, last = np.arange(len(path)), strengths.shape[1] - 1

    def strength(by: int) -> F64:
        places = (np.clip(path + by + up, 0, last) for up in voice.harmonics[:2])
        first, second = (strengths[rows, place].astype(np.float64) for place in places)
        return np.asarray(first + second)

    return parabolic_peak(strength(-1), strength(0), strength(1), limit=1.0)


def _onsets(analysis: Analysis, path: I64, confidence: F32, voice: VoiceModel) -> Events:
    """Find where notes begin: an onset, at which the pitch that follows was weaker just before."""
    frames = np.arange(len(path))
    earlier = np.maximum(frames - voice.rise_frames, 0)
    later = np.minimum(frames + voice.rise_frames, len(path) - 1)
    rise = flux = onset_strength(analysis, "mix", voice.low_hz, 2 * voice.high_hz)
    if voice.rise_frames:
        gain = np.float32(10 / max(loud_level(analysis.rms["mix"]), 1e-9))
        levels = [_level(analysis.pitches, path[later], voice, rows) * gain for rows in (earlier, later)]
        rise = np.maximum(0, np.log1p(levels[1]) - np.log1p(levels[0]))
        flux = scipy.ndimage.maximum_filter1d(flux, 3)
    strength = np.sqrt(rise * flux * confidence[later])
    full = max(peak_ceiling(strength), ONSETS.min_full_strength)
    found = peaks(strength)
    found = found[strength[found] > ONSETS.min_strength * full]
    found = found[strength[found] == scipy.ndimage.maximum_filter1d(strength, ONSETS.min_distance)[found]]
    times = np.maximum(found * (HOP / RATE) - ONSET_DELAY, 0)
    return Events(times, np.minimum(strength[found] / full, 1))
