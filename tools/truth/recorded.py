"""Recorded songs whose beats are known: four metal songs (CC BY-SA 3.0), each as guitars and the rest.

Their note charts hold the tempo, which is constant; where the first beat is was measured once against the
onsets of the stems, to about 2 ms. Which beats begin bars follows from where harmony changes most and where
the charts' phrases begin: both agree in every song, in nearly every eighth of it.
"""

from pathlib import Path

import numpy as np
import soundfile

from midi import read_midi
from packages import Packages
from truth import HITS, Truth

__all__ = ["RECORDED", "record"]

RECORDED = {
    "armygeddon": (-0.006, 0),
    "chaos_god": (-0.002, 0),
    "internal_degeneration": (-0.002, 0),
    "mutilated_mime": (-0.004, 1),
}
"""When beat 0 of each song is, s, and which beat is the first that begins a bar."""

MIN_LEVEL = 0.02
"""Share of the song's loud level below which it has not begun, or is over."""


def record(name: str, packages: Packages, folder: Path) -> Path:
    """Mix the two stems of a song 1:1 and save it with its truth, unless it is there; return the audio."""
    target = folder / "real" / f"{name}.flac"
    if target.with_suffix(".npz").is_file():
        return target
    source = packages.recorded(name)
    guitar, rate = soundfile.read(source / "guitar.ogg", dtype="float32", always_2d=True)
    rest, _ = soundfile.read(source / "song.ogg", dtype="float32", always_2d=True)
    sound = np.zeros((max(len(guitar), len(rest)), 2), np.float32)
    for stem in (guitar, rest):
        sound[: len(stem)] += stem / 2
    target.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(target, sound, rate, subtype="PCM_16")
    bpm = float(read_midi(source / "notes.mid").tempo.bpm[-1])
    truth_of_recording(name, sound, rate, bpm).save(target.with_suffix(".npz"))
    return target


def truth_of_recording(name: str, sound: np.ndarray, rate: int, bpm: float) -> Truth:
    """Compute the beats within the part of a recording that sounds."""
    duration = len(sound) / rate
    begin, end = _sounding(sound, rate)
    offset, first = RECORDED[name]
    beats = offset + np.arange(int(duration * bpm / 60) + 1) * 60 / bpm
    inside = (beats >= begin - 0.1) & (beats <= end)
    return Truth(
        name, "real", "recorded metal", "", duration,
        beats=beats[inside], downbeats=beats[first::4][inside[first::4]], beats_per_bar=4,
        tempo=np.array([[0.0, bpm]]), notes=np.zeros((0, 5)),
        hits={kind: np.zeros((0, 2)) for kind in HITS},
    )  # fmt: skip


def _sounding(sound: np.ndarray, rate: int) -> tuple[float, float]:
    """Return the start and end of what sounds of a recording, s."""
    hop = rate // 20
    level = np.sqrt((sound[: len(sound) // hop * hop] ** 2).mean(axis=1).reshape(-1, hop).mean(axis=1))
    loud = np.flatnonzero(level > MIN_LEVEL * np.percentile(level, 95))
    return float(loud[0] * hop / rate), float((loud[-1] + 1) * hop / rate)
