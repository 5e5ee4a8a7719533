"""The truth scores 1; an estimate that is wrong in a known way loses what that is worth."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "truth"))

from listeners import Beats, Line, Parts
from scores import QUANTITIES
from truth import Truth, hits_of


@pytest.fixture(scope="module")
def truth():
    """A minute at 120 bpm: kick on 1 and 3, snare on 2 and 4, a bass, a tune; A, B, A."""
    beats = np.arange(120) * 0.5

    def rows(starts: np.ndarray, pitches: object, role: int) -> np.ndarray:
        columns = (starts, starts + 0.4, pitches, 100.0, role)
        return np.stack([np.broadcast_to(each, starts.shape) for each in columns], axis=1)

    count = np.arange(len(beats))
    bass, tune = rows(beats, 36 + count // 8 % 12, 1), rows(beats, 60 + count % 12, 3)
    notes = np.concatenate([rows(beats[::2], 36, 0), rows(beats[1::2], 38, 0), bass, tune])
    return Truth(
        "song", "test", "", "", 60.0,
        beats=beats, downbeats=beats[::4], beats_per_bar=4, tempo=np.array([[0.0, 120.0]]),
        notes=notes, hits=hits_of(notes),
        bounds=np.array([0.0, 16.0, 40.0, 60.0]), labels=("A", "B", "A"), key="C major",
    )  # fmt: skip


class Oracle:
    """Returns the truth, except for what is changed."""

    def __init__(self, truth: Truth, *, late: float = 0.0, octave: float = 1.0, key: str = "C major"):
        self.truth, self.late, self.octave, self.its_key = truth, late, octave, key
        self.times = np.arange(6000) / 100

    def beats(self):
        truth = self.truth
        return Beats(truth.beats + self.late, truth.bpm, truth.downbeats + self.late, truth.beats_per_bar)

    def hits(self):
        return {name: getattr(self.truth, name) + self.late for name in ("kick", "snare", "hat")}

    def chroma(self):
        return {"plain": self.truth.chroma_at(self.times)}

    def bass(self):
        return self.truth.bass_at(self.times) + 36.0

    def melody(self):
        hz = self.truth.melody_at(self.times) * self.octave
        return Line(hz, np.ones(len(hz)))

    def key(self):
        return self.its_key

    def sections(self):
        parts = Parts(self.truth.bounds + np.array([0, self.late, self.late, 0]), ("x", "y", "x"))
        return {"flat": parts, "level 2": parts}


def scores(truth: Truth, **changes: object) -> dict[str, float]:
    listener = Oracle(truth, **changes)
    return {name: score for each in QUANTITIES.values() for name, score in each(truth, listener).items()}


def test_the_truth_scores_one(truth):
    found = scores(truth)
    assert len(found) > 20
    assert found == pytest.approx(dict.fromkeys(found, 1.0))


def test_a_drum_that_does_not_play_is_not_scored(truth):
    assert "hat F" not in scores(truth)
    assert "kick F" in scores(truth)


def test_the_off_beat_is_no_beat_but_forgiven_by_amlt(truth):
    found = scores(truth, late=0.25)
    assert found["beat F"] == found["CMLt"] == found["downbeat F"] == found["kick F"] == 0
    assert found["AMLt"] > 0.95
    assert found["sections F@0.5"] == 1


def test_boundaries_two_seconds_late_are_within_three_only(truth):
    found = scores(truth, late=2.0)
    assert found["sections F@0.5"] == 0
    assert found["sections F@3"] == 1


def test_an_octave_is_wrong_as_a_pitch_alone(truth):
    found = scores(truth, octave=2.0)
    assert found["melody RPA"] == 0
    assert found["melody RCA"] == 1


def test_a_relative_key_is_partly_right(truth):
    found = scores(truth, key="A minor")
    assert found["key"] == 0
    assert found["key, weighted"] == pytest.approx(0.3)
