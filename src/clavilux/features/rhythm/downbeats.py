"""Where bars begin: which beat of four is the first.

Bass notes and chords change on the first beat, the kick falls on it more than elsewhere, the snare on the
second and the fourth. Each kind of evidence is a number per beat; the four possible phases are compared by
the mean over all their beats.
"""

import numpy as np
from numpy.typing import NDArray

from clavilux.curves import Events, Grid
from clavilux.features.rhythm.drums import Drums
from clavilux.features.rhythm.tempo import Pulse
from clavilux.features.spectrum.spectra import HOP, RATE

__all__ = ["with_bars"]

Floats = NDArray[np.float64]

BEATS_PER_BAR = 4
REACH = 0.07
"""Seconds around a beat within which a hit belongs to it."""
WEIGHTS = {"chords": 1.0, "bass": 1.0, "kick": 0.5, "snare": -0.5}


def with_bars(pulse: Pulse, drums: Drums, chords: NDArray[np.float32], bass: NDArray[np.float32]) -> Grid:
    """Choose the first beats of the bars among a pulse's beats.

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
        "chords": _changes(chords, pulse.beats),
        "bass": _changes(bass, pulse.beats),
        "kick": _played(drums.kick, pulse.beats),
        "snare": _played(drums.snare, pulse.beats),
    }
    total = np.sum([WEIGHTS[name] * _standard(values) for name, values in evidence.items()], axis=0)
    phase = int(
        np.argmax([total[first::BEATS_PER_BAR].mean() for first in range(min(BEATS_PER_BAR, len(total)))])
    )
    return Grid(pulse.beats, first_downbeat=phase, beats_per_bar=BEATS_PER_BAR, confidence=pulse.confidence)


def _changes(chroma: NDArray[np.float32], beats: Floats) -> Floats:
    """How much the chroma of the beat after each beat differs from that of the beat before it, (N,)."""
    frames = np.clip(np.round(beats * RATE / HOP).astype(int), 0, len(chroma))
    sums = np.concatenate((np.zeros((1, 12)), np.cumsum(chroma, axis=0, dtype=np.float64)))
    held = np.diff(sums[frames], axis=0) / np.maximum(np.diff(frames), 1)[:, None]
    changes = np.zeros(len(beats))
    changes[1:-1] = np.abs(np.diff(held, axis=0)).sum(axis=1)
    return changes


def _played(hits: Events, beats: Floats) -> Floats:
    """Strength of the strongest hit on each beat, (N,); 0 where there is none."""
    strengths = np.zeros(len(beats))
    if len(hits):
        nearest = np.clip(np.searchsorted((beats[1:] + beats[:-1]) / 2, hits.times), 0, len(beats) - 1)
        near = np.abs(beats[nearest] - hits.times) < REACH
        np.maximum.at(strengths, nearest[near], hits.strengths[near])
    return strengths


def _standard(values: Floats) -> Floats:
    """Centre, and divide by the deviation, so that different kinds of evidence weigh the same."""
    spread = values.std()
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)
