"""A song as it is written, in beats, and its truth in seconds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from midi import Score
from truth import Truth, hits_of

__all__ = ["Written", "truth_of"]


@dataclass(frozen=True, eq=False)
class Written:
    """A song as written.

    Attributes:
        score: what is played.
        downbeats: (M,) beats; the last is the end of the song's last bar.
        bounds, labels: sections, beats.
        chord_bounds, chords: (C + 1,) beats and names.
        key: such as "A minor"; "" when unknown.
    """

    score: Score
    downbeats: NDArray[np.float64]
    bounds: NDArray[np.float64]
    labels: tuple[str, ...]
    chord_bounds: NDArray[np.float64]
    chords: tuple[str, ...]
    key: str


def truth_of(written: Written, called: tuple[str, str, str, str], duration: float) -> Truth:
    """Convert what was written in beats to seconds; `called` is the truth's name, split, style and font."""
    score, at = written.score, written.score.tempo.seconds_at
    notes = score.seconds()
    names = ("start", "end", "pitch", "velocity", "role")
    rows = np.stack([notes[name].astype(float) for name in names], axis=1)
    beats = np.arange(int(np.ceil(score.beats - 1e-6)))
    downbeats = written.downbeats[written.downbeats < score.beats - 1e-6]
    return Truth(
        *called, duration,
        beats=at(beats), downbeats=at(downbeats), beats_per_bar=score.beats_per_bar,
        tempo=np.stack([at(score.tempo.beats), score.tempo.bpm], axis=1),
        notes=rows, hits=hits_of(rows),
        bounds=at(written.bounds), labels=written.labels,
        chord_bounds=at(written.chord_bounds), chords=written.chords, key=written.key,
    )  # fmt: skip
