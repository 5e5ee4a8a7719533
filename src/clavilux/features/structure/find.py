"""The structure of a song or a mix: its parts, coarse and fine, the length of its loop, its tracks.

All sections cover the song from 0 to its end. Similar parts share a letter; in a mix of several tracks the
track's number precedes it, as in 2B, so no two tracks share a label. Times are seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from clavilux.arrays import F32, F64
from clavilux.curves import Grid, Sections
from clavilux.features.level.energy import energies_of
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.peaks import SILENCE
from clavilux.features.structure.clusters import letter_name
from clavilux.features.structure.hierarchy import LEVELS
from clavilux.features.structure.loops import LOOP
from clavilux.features.structure.segmentation import Form, Segments, find_form, sync_features
from clavilux.features.structure.tracks import find_tracks
from clavilux.store import Arrays

__all__ = ["Structure", "find_structure"]

MIN_SONG_SECONDS = 8.0
"""Seconds below which a song is one part."""


@dataclass(frozen=True, eq=False)
class Structure:
    """The structure of a song.

    Attributes:
        flat: its parts, as a musician would write them down.
        levels: its parts on nine levels, with at most 2, 3, ... 10 labels.
        tracks: 1, 2, ... in a long mix; a song is one track.
        loop_bars: after how many bars most of it repeats: 1, 2, 4, 8 or 16.
    """

    flat: Sections
    levels: tuple[Sections, ...]
    tracks: Sections
    loop_bars: int

    def arrays(self) -> Arrays:
        """Return it as named arrays, to be kept in a store."""
        arrays: Arrays = {"loop_bars": np.array(self.loop_bars)}
        levels = {f"level_{count}": level for count, level in zip(LEVELS, self.levels, strict=True)}
        for key, sections in ({"flat": self.flat, "tracks": self.tracks} | levels).items():
            arrays |= {f"{key}_bounds": sections.bounds, f"{key}_energies": sections.energies}
            arrays[f"{key}_labels"] = np.array(sections.labels)
        return arrays

    @classmethod
    def of(cls, arrays: Arrays) -> "Structure":
        """Read what ``arrays`` returned."""
        levels = tuple(_sections(arrays, f"level_{count}") for count in LEVELS)
        return cls(_sections(arrays, "flat"), levels, _sections(arrays, "tracks"), int(arrays["loop_bars"]))


def _sections(arrays: Arrays, key: str) -> Sections:
    bounds, energies = (np.asarray(arrays[f"{key}_{kind}"], np.float64) for kind in ("bounds", "energies"))
    return Sections(bounds, tuple(str(label) for label in arrays[f"{key}_labels"]), energies)


def find_structure(analysis: Analysis, grid: Grid, tuning: float, duration: float) -> Structure:
    """Find the structure of a song of ``duration`` s; one part A where all of it is alike.

    Args:
        analysis: the song.
        grid: its beats and bars; of a grid without confidence, bars are a mere division of time.
        tuning: semitones from A4 = 440 Hz.
        duration: s, above 0.

    >>> mel, rms = np.zeros((9, 96)), np.zeros(9)
    >>> silence = Analysis({"mix": mel}, {"mix": rms}, np.zeros((9, 252)))
    >>> find_structure(silence, Grid(np.arange(3.0), confidence=0.0), 0.0, 0.2).flat.labels
    ('A',)
    """
    rms = analysis.rms["mix"]
    if duration < MIN_SONG_SECONDS or float(rms.max()) < SILENCE:
        return _one_part(duration)
    features = sync_features(analysis, grid, tuning, duration)
    bars = features.bars
    if len(bars) < 2:
        return _one_part(duration)
    tracks = find_tracks(bars.mean_chroma, bars.mean_mel, features.edges)
    forms = [find_form(features.between(first, last)) for first, last in pairwise(tracks.tolist())]
    bounds = features.edges[tracks]
    levels = zip(*(form.levels for form in forms), strict=True)  # for each level, that of every track
    names = tuple(str(1 + track) for track in range(len(forms)))
    return Structure(
        flat=_join((form.flat for form in forms), bounds, rms),
        levels=tuple(_join(level, bounds, rms) for level in levels),
        tracks=Sections(bounds, names, energies_of(rms, bounds)),
        loop_bars=_usual_loop(forms, np.diff(bounds)),
    )


def _one_part(duration: float) -> Structure:
    whole = np.array([0.0, duration])
    part = Sections(whole, ("A",))
    return Structure(part, (part,) * len(LEVELS), Sections(whole, ("1",)), LOOP.default_bars)


def _join(tracks: Iterable[Segments], bounds: F64, rms: F32) -> Sections:
    """Join the parts of all tracks; numbers precede the letters if there are several."""
    several = len(bounds) > 2
    starts: list[float] = []
    labels: list[str] = []
    for number, parts in enumerate(tracks, 1):
        starts += parts.bounds[:-1].tolist()
        labels += [f"{number if several else ''}{letter_name(each)}" for each in parts.labels.tolist()]
    all_bounds = np.array([*starts, bounds[-1]])
    return Sections(all_bounds, tuple(labels), energies_of(rms, all_bounds))


def _usual_loop(forms: list[Form], seconds: F64) -> int:
    """Return the loop that most of the time has."""
    shares = {form.loop_bars: 0.0 for form in forms}
    for form, share in zip(forms, seconds, strict=True):
        shares[form.loop_bars] += float(share)
    return max(shares, key=lambda bars: (shares[bars], bars))
