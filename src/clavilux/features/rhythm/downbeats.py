"""Downbeats without the event network: which beat of four begins a bar.

Bass notes and chords change on the first beat, the kick falls on it more than elsewhere, the snare on the
second and the fourth. Each kind of evidence is one number per beat, (N,); the four possible phases are
compared by the mean over their beats. Times are seconds.
"""

import numpy as np

from clavilux.arrays import F32, F64
from clavilux.curves import Events, Grid
from clavilux.features.rhythm.drums import Drums
from clavilux.features.rhythm.tempo import Pulse
from clavilux.features.spectrum.spectra import HOP, RATE

__all__ = ["with_bars"]

BEATS_PER_BAR = 4
HIT_TOLERANCE_SECONDS = 0.07
"""Seconds around a beat within which a hit is on it, as in beat F-measures."""
EVIDENCE_WEIGHTS = {"chords": 1.0, "bass": 1.0, "kick": 0.5, "snare": -0.5}


def with_bars(pulse: Pulse, drums: Drums, chords: F32, bass: F32) -> Grid:
    """Choose the downbeats among a pulse's beats.

    Args:
        pulse: beats over the whole song.
        drums: its hits.
        chords: their chroma (T, 12) per frame.
        bass: its chroma (T, 12) per frame.

    >>> silence = np.zeros((40, 12), np.float32)
    >>> kick = Events(np.arange(0.5, 8, 2))
    >>> drums = Drums(kick, Events(np.empty(0)), Events(np.empty(0)))
    >>> with_bars(Pulse(np.arange(0, 8.5, 0.5), 1.0), drums, silence, silence).downbeats.tolist()
    [0.5, 2.5, 4.5, 6.5]
    """
    if pulse.confidence == 0:
        return Grid(pulse.beats, confidence=0.0)
    evidence = {
        "chords": _chroma_change(chords, pulse.beats),
        "bass": _chroma_change(bass, pulse.beats),
        "kick": _strength_on_beats(drums.kick, pulse.beats),
        "snare": _strength_on_beats(drums.snare, pulse.beats),
    }
    # phase = argmax over p of the mean of sum_e w_e z_e[n] over beats n = p, p + 4, p + 8 ...
    total = np.sum([EVIDENCE_WEIGHTS[name] * _z_score(values) for name, values in evidence.items()], axis=0)
    phases = range(min(BEATS_PER_BAR, len(total)))
    phase = int(np.argmax([total[first::BEATS_PER_BAR].mean() for first in phases]))
    return Grid(pulse.beats, first_downbeat=phase, beats_per_bar=BEATS_PER_BAR, confidence=pulse.confidence)


def _chroma_change(chroma: F32, beats: F64) -> F64:
    """Return the L1 distance of the mean chroma of the beat that begins to that of the one before, (N,)."""
    frames = np.clip(np.round(beats * RATE / HOP).astype(int), 0, len(chroma))
    sums = np.concatenate((np.zeros((1, 12)), np.cumsum(chroma, axis=0, dtype=np.float64)))  # (T + 1, 12)
    means = np.diff(sums[frames], axis=0) / np.maximum(np.diff(frames), 1)[:, None]  # (N - 1, 12)
    changes = np.zeros(len(beats))
    changes[1:-1] = np.abs(np.diff(means, axis=0)).sum(axis=1)
    return changes


def _strength_on_beats(hits: Events, beats: F64) -> F64:
    """Return the strength of the strongest hit on each beat, (N,); 0 where there is none."""
    strengths = np.zeros(len(beats))
    if len(hits):
        nearest = np.clip(np.searchsorted((beats[1:] + beats[:-1]) / 2, hits.times), 0, len(beats) - 1)
        near = np.abs(beats[nearest] - hits.times) < HIT_TOLERANCE_SECONDS
        np.maximum.at(strengths, nearest[near], hits.strengths[near])
    return strengths


def _z_score(values: F64) -> F64:
    deviation = values.std()
    return (values - values.mean()) / deviation if deviation > 0 else np.zeros_like(values)
