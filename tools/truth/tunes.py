"""Composed tunes: MIDI files whose bars begin where the file says.

Only those are used whose barlines the music itself confirms: bass, kick and change of chord fall together on
the first beat more than on any other, and the metre stays. Sections and keys are not known.
"""

from dataclasses import replace

import numpy as np

from midi import Score, read_midi
from packages import Packages
from written import Written

__all__ = ["TUNES", "read_tune"]

TUNES = {
    "train": (
        "chuggachugga", "flying_scotsman", "modern_motion", "ultimate_run", "no_work_song_redfarn",
        "careless_perc_redfarn",
    ),
    "test": (
        "be_sharp_bw_redfarn", "coconut_run2", "harp_harmony", "keep_on_rolling", "linns_basket",
        "moo_redfarn", "run_for_your_life", "say_what_redfarn", "ttsong_iv_imuh3", "tttheme2", "relax_song",
    ),
}  # fmt: skip


def read_tune(name: str, packages: Packages, longest: float = 180.0) -> Written:
    """Read a tune as a song with truth; the bars that would end after `longest` s are omitted."""
    score = read_midi(packages.tune(name))
    bar = score.beats_per_bar
    downbeats = np.arange(0, score.beats + bar, bar, dtype=np.float64)
    downbeats = downbeats[score.tempo.seconds_at(downbeats) <= longest]
    score = _until(score, min(score.beats, float(downbeats[-1])))
    return Written(score, downbeats, np.zeros(0), (), np.zeros(0), (), "")


def _until(score: Score, beats: float) -> Score:
    notes = score.notes[score.notes["start"] < beats - 0.05].copy()
    notes["end"] = np.minimum(notes["end"], beats)
    return replace(score, notes=notes, beats=beats)
