"""How right an answer is: figures from 0 to 1, as mir_eval defines them, for one song at a time.

A figure that has no meaning for a song, such as the snare's where none is hit, is left out of its scores.
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

FEWEST = 10
"""Hits that a drum must have in a song to be scored there."""
SPAN = (20.0, 80.0)
"""Seconds of the recorded songs that other trackers were compared on."""


class Listener(Protocol):
    """Who answers; None where it has no notion."""

    def beats(self) -> Beats | None: ...
    def hits(self) -> dict[str, Array] | None: ...
    def chroma(self) -> dict[str, Array] | None: ...
    def bass(self) -> Array | None: ...
    def melody(self) -> Line | None: ...
    def key(self) -> str | None: ...
    def sections(self) -> dict[str, Parts] | None: ...


def score_beats(truth: Truth, listener: Listener) -> Scores:
    """Beats, bars, tempo and metre; the first 5 s do not count."""
    heard = listener.beats()
    if heard is None:
        return {}
    told, beats = (mir_eval.beat.trim_beats(each) for each in (truth.beats, heard.beats))
    _, cmlt, _, amlt = mir_eval.beat.continuity(told, beats)
    scores = {"beat F": mir_eval.beat.f_measure(told, beats), "CMLt": cmlt, "AMLt": amlt}
    scores |= _tempo_scores(truth.bpm, heard.tempo)
    if truth.split == "real":
        scores["beat F, 20-80 s"] = mir_eval.beat.f_measure(_within(truth.beats), _within(heard.beats))
    if heard.downbeats is not None:
        told, bars = (mir_eval.beat.trim_beats(each) for each in (truth.downbeats, heard.downbeats))
        scores["downbeat F"] = mir_eval.beat.f_measure(told, bars)
        scores["metre"] = float(heard.beats_per_bar == truth.beats_per_bar)
        if truth.split == "real":
            told, bars = _within(truth.downbeats), _within(heard.downbeats)
            scores["downbeat F, 20-80 s"] = mir_eval.beat.f_measure(told, bars)
    return {name: float(score) for name, score in scores.items()}


def _tempo_scores(told: float, heard: float) -> Scores:
    """Within 4 % of the tempo (acc1), or of it, its half, third, double or triple (acc2)."""
    right = [abs(heard / (told * factor) - 1) < 0.04 for factor in (1, 2, 3, 1 / 2, 1 / 3)]
    return {"tempo acc1": float(right[0]), "tempo acc2": float(any(right))}


def _within(times: Array) -> Array:
    return times[(times >= SPAN[0]) & (times < SPAN[1])]


def score_drums(truth: Truth, listener: Listener) -> Scores:
    """Each drum's hits within 50 ms."""
    heard = listener.hits()
    scores: Scores = {}
    for name in ("kick", "snare", "hat") if heard else ():
        told = getattr(truth, name)
        if len(told) >= FEWEST:
            found = mir_eval.onset.f_measure(told, heard[name], window=0.05)
            labels = ("F", "precision", "recall")
            scores |= {f"{name} {label}": float(x) for label, x in zip(labels, found, strict=True)}
    return scores


def score_chroma(truth: Truth, listener: Listener) -> Scores:
    """Mean cosine of the angle between told and heard pitch classes, where any sound."""
    heard = listener.chroma()
    if not heard or not len(truth.role("bass", "chords", "melody")):
        return {}
    told = truth.chroma_at(_moments(truth))
    return {f"chroma cosine, {kind}": _cosine(told, frames) for kind, frames in heard.items()}


def _cosine(told: Array, heard: Array) -> float:
    told, heard = _alike(told, heard)
    sounding = told.any(axis=1)
    told, heard = told[sounding], heard[sounding]
    lengths = np.linalg.norm(told, axis=1) * np.maximum(np.linalg.norm(heard, axis=1), 1e-9)
    return float(((told * heard).sum(axis=1) / lengths).mean())


def score_bass(truth: Truth, listener: Listener) -> Scores:
    """How often the bass's pitch class is right while it sounds."""
    heard = listener.bass()
    if heard is None or not len(truth.role("bass")):
        return {}
    told, heard = _alike(truth.bass_at(_moments(truth)), heard)
    sounding = told >= 0
    return {"bass pitch class": float((np.round(heard[sounding]) % 12 == told[sounding]).mean())}


def score_melody(truth: Truth, listener: Listener) -> Scores:
    """Pitch within half a semitone while the melody sounds (RPA); octaves forgiven (RCA)."""
    heard = listener.melody()
    if heard is None or len(truth.role("melody")) < FEWEST:
        return {}
    told, hz = _alike(truth.melody_at(_moments(truth)), heard.hz)
    cents = [mir_eval.melody.hz2cents(np.asarray(each, float)) for each in (told, hz)]
    voiced = [(told > 0).astype(float), (hz > 0).astype(float)]
    arguments = voiced[0], cents[0], voiced[1], cents[1]
    return {
        "melody RPA": float(mir_eval.melody.raw_pitch_accuracy(*arguments)),
        "melody RCA": float(mir_eval.melody.raw_chroma_accuracy(*arguments)),
    }


def score_key(truth: Truth, listener: Listener) -> Scores:
    """Whether the key is right; and with fifths, relatives and parallels partly right."""
    heard = listener.key()
    if heard is None or not truth.key:
        return {}
    weighted = mir_eval.key.weighted_score(truth.key, heard)
    return {"key": float(weighted == 1), "key, weighted": float(weighted)}


def score_sections(truth: Truth, listener: Listener) -> Scores:
    """Boundaries within 0.5 and 3 s, pairs of moments in one label, V-measure; and the best of the levels."""
    heard = listener.sections()
    if not heard or not truth.labels:
        return {}
    scores = {name: _part_scores(truth, parts) for name, parts in heard.items()}
    best = {
        f"{name}, best level": max(each[name] for level, each in scores.items() if level != "flat")
        for name in ("sections F@3", "sections pairwise F")
    }
    return scores["flat"] | best


def _part_scores(truth: Truth, parts: Parts) -> Scores:
    told = np.stack([truth.bounds[:-1], truth.bounds[1:]], axis=1)
    heard = np.stack([parts.bounds[:-1], parts.bounds[1:]], axis=1)
    heard, labels = mir_eval.util.adjust_intervals(heard, list(parts.labels), 0.0, float(told[-1, 1]))
    labels_told = list(truth.labels)
    scores = {
        f"sections F@{window:g}": mir_eval.segment.detection(told, heard, window=window, trim=True)[2]
        for window in (0.5, 3)
    }
    scores["sections pairwise F"] = mir_eval.segment.pairwise(told, labels_told, heard, labels)[2]
    scores["sections V"] = mir_eval.segment.vmeasure(told, labels_told, heard, labels)[2]
    return {name: float(score) for name, score in scores.items()}


def _moments(truth: Truth) -> Array:
    return np.arange(int(np.ceil(truth.duration * 100 - 1e-6))) / 100


def _alike(told: Array, heard: Array) -> tuple[Array, Array]:
    """Cut both to one length."""
    length = min(len(told), len(heard))
    return told[:length], heard[:length]


def _quietly(score: Callable[[Truth, Listener], Scores]) -> Callable[[Truth, Listener], Scores]:
    """Mir_eval warns of empty answers; they score 0, which says enough."""

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
"""What can be asked for, each giving several figures."""
