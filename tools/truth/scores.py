"""Scores of one song at a time: figures from 0 to 1, as mir_eval defines them.

A figure that has no meaning for a song, such as the snare's where none is hit, is omitted from its scores.
"""

import warnings
from collections.abc import Callable
from typing import Protocol

import mir_eval
import numpy as np
from numpy.typing import NDArray

from listeners import Beats, Line, Parts
from truth import Truth

__all__ = ["QUANTITIES", "Listener", "Scores"]

Array = NDArray[np.float64]
Scores = dict[str, float]

MIN_HITS = 10
"""Hits of a drum, or notes of a melody, that a song must have for it to be scored."""
COMPARED_SECONDS = (20.0, 80.0)
"""Seconds of the recorded songs that other trackers were compared on."""


class Listener(Protocol):
    """An analyser; None where it computes no such thing."""

    def beats(self) -> Beats | None: ...
    def hits(self) -> dict[str, Array] | None: ...
    def chroma(self) -> dict[str, Array] | None: ...
    def bass(self) -> Array | None: ...
    def melody(self) -> Line | None: ...
    def key(self) -> str | None: ...
    def sections(self) -> dict[str, Parts] | None: ...


def score_beats(truth: Truth, listener: Listener) -> Scores:
    """Score beats, bars, tempo and metre; the first 5 s do not count."""
    found = listener.beats()
    if found is None:
        return {}
    true, beats = (mir_eval.beat.trim_beats(each) for each in (truth.beats, found.beats))
    _, cmlt, _, amlt = mir_eval.beat.continuity(true, beats)
    scores = {"beat F": mir_eval.beat.f_measure(true, beats), "CMLt": cmlt, "AMLt": amlt}
    scores |= _tempo_scores(truth.bpm, found.tempo)
    if truth.split == "real":
        scores["beat F, 20-80 s"] = mir_eval.beat.f_measure(_within(truth.beats), _within(found.beats))
    if found.downbeats is not None:
        true, bars = (mir_eval.beat.trim_beats(each) for each in (truth.downbeats, found.downbeats))
        scores["downbeat F"] = mir_eval.beat.f_measure(true, bars)
        scores["metre"] = float(found.beats_per_bar == truth.beats_per_bar)
        if truth.split == "real":
            true, bars = _within(truth.downbeats), _within(found.downbeats)
            scores["downbeat F, 20-80 s"] = mir_eval.beat.f_measure(true, bars)
    return {name: float(score) for name, score in scores.items()}


def _tempo_scores(true: float, found: float) -> Scores:
    """Score the tempo within 4 % (acc1), and also its half, third, double or triple (acc2)."""
    right = [abs(found / (true * factor) - 1) < 0.04 for factor in (1, 2, 3, 1 / 2, 1 / 3)]
    return {"tempo acc1": float(right[0]), "tempo acc2": float(any(right))}


def _within(times: Array) -> Array:
    return times[(times >= COMPARED_SECONDS[0]) & (times < COMPARED_SECONDS[1])]


def score_drums(truth: Truth, listener: Listener) -> Scores:
    """Score each drum's hits within 50 ms."""
    found = listener.hits()
    scores: Scores = {}
    for name in ("kick", "snare", "hat") if found else ():
        true = getattr(truth, name)
        if len(true) >= MIN_HITS:
            measures = mir_eval.onset.f_measure(true, found[name], window=0.05)
            labels = ("F", "precision", "recall")
            scores |= {f"{name} {label}": float(x) for label, x in zip(labels, measures, strict=True)}
    return scores


def score_chroma(truth: Truth, listener: Listener) -> Scores:
    """Score chroma: the mean cosine of true and found pitch classes, where any sound."""
    found = listener.chroma()
    if not found or not len(truth.role("bass", "chords", "melody")):
        return {}
    true = truth.chroma_at(_sampling_times(truth))
    return {f"chroma cosine, {kind}": _cosine(true, frames) for kind, frames in found.items()}


def _cosine(true: Array, found: Array) -> float:
    true, found = _same_length(true, found)
    sounding = true.any(axis=1)
    true, found = true[sounding], found[sounding]
    lengths = np.linalg.norm(true, axis=1) * np.maximum(np.linalg.norm(found, axis=1), 1e-9)
    return float(((true * found).sum(axis=1) / lengths).mean())


def score_bass(truth: Truth, listener: Listener) -> Scores:
    """Score how often the bass's pitch class is right while it sounds."""
    found = listener.bass()
    if found is None or not len(truth.role("bass")):
        return {}
    true, found = _same_length(truth.bass_at(_sampling_times(truth)), found)
    sounding = true >= 0
    return {"bass pitch class": float((np.round(found[sounding]) % 12 == true[sounding]).mean())}


def score_melody(truth: Truth, listener: Listener) -> Scores:
    """Score pitch within half a semitone while the melody sounds (RPA), in any octave (RCA)."""
    found = listener.melody()
    if found is None or len(truth.role("melody")) < MIN_HITS:
        return {}
    true, hz = _same_length(truth.melody_at(_sampling_times(truth)), found.hz)
    cents = [mir_eval.melody.hz2cents(np.asarray(each, float)) for each in (true, hz)]
    voiced = [(true > 0).astype(float), (hz > 0).astype(float)]
    arguments = voiced[0], cents[0], voiced[1], cents[1]
    return {
        "melody RPA": float(mir_eval.melody.raw_pitch_accuracy(*arguments)),
        "melody RCA": float(mir_eval.melody.raw_chroma_accuracy(*arguments)),
    }


def score_key(truth: Truth, listener: Listener) -> Scores:
    """Score whether the key is right; and with fifths, relatives and parallels partly right."""
    found = listener.key()
    if found is None or not truth.key:
        return {}
    weighted = mir_eval.key.weighted_score(truth.key, found)
    return {"key": float(weighted == 1), "key, weighted": float(weighted)}


def score_sections(truth: Truth, listener: Listener) -> Scores:
    """Score boundaries within 0.5 and 3 s, pairwise labels and V-measure; and the best of the levels."""
    found = listener.sections()
    if not found or not truth.labels:
        return {}
    scores = {name: _part_scores(truth, parts) for name, parts in found.items()}
    best = {
        f"{name}, best level": max(each[name] for level, each in scores.items() if level != "flat")
        for name in ("sections F@3", "sections pairwise F")
    }
    return scores["flat"] | best


def _part_scores(truth: Truth, parts: Parts) -> Scores:
    true = np.stack([truth.bounds[:-1], truth.bounds[1:]], axis=1)
    found = np.stack([parts.bounds[:-1], parts.bounds[1:]], axis=1)
    found, labels = mir_eval.util.adjust_intervals(found, list(parts.labels), 0.0, float(true[-1, 1]))
    true_labels = list(truth.labels)
    scores = {
        f"sections F@{window:g}": mir_eval.segment.detection(true, found, window=window, trim=True)[2]
        for window in (0.5, 3)
    }
    scores["sections pairwise F"] = mir_eval.segment.pairwise(true, true_labels, found, labels)[2]
    scores["sections V"] = mir_eval.segment.vmeasure(true, true_labels, found, labels)[2]
    return {name: float(score) for name, score in scores.items()}


def _sampling_times(truth: Truth) -> Array:
    return np.arange(int(np.ceil(truth.duration * 100 - 1e-6))) / 100


def _same_length(true: Array, found: Array) -> tuple[Array, Array]:
    """Cut both to one length."""
    length = min(len(true), len(found))
    return true[:length], found[:length]


def _quietly(score: Callable[[Truth, Listener], Scores]) -> Callable[[Truth, Listener], Scores]:
    """Silence mir_eval's warnings of empty estimates; they score 0, which is enough."""

    def scored(truth: Truth, listener: Listener) -> Scores:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return score(truth, listener)

    return scored


QUANTITIES = {
    "beats": _quietly(score_beats),
    "drums": _quietly(score_drums),
    "chroma": _quietly(score_chroma),
    "bass": _quietly(score_bass),
    "melody": _quietly(score_melody),
    "key": _quietly(score_key),
    "sections": _quietly(score_sections),
}
"""What can be scored, each by several figures."""
