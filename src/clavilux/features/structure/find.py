"""The structure of a song or a mix: sections on all levels, loop length, tracks.

Every answer covers the song from 0 to its end. Similar segments share a letter; in a mix of
several tracks the track's number precedes it, as in 2B, so no two tracks share a name.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from clavilux.arrays import F32, F64, I64
from clavilux.curves import Grid, Sections
from clavilux.features.level.energy import energies_of
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.peaks import SILENCE
from clavilux.features.structure.clusters import letter_name
from clavilux.features.structure.hierarchy import LEVELS
from clavilux.features.structure.loops import USUAL_LOOP_BARS
from clavilux.features.structure.segmentation import Segmentation, Segments, SongRows, describe_song, segment
from clavilux.features.structure.tracks import find_tracks
from clavilux.store import Arrays

__all__ = ["Structure", "find_structure"]


MIN_STRUCTURED_SECONDS = 8.0
"""Songs below it are one section."""


@dataclass(frozen=True, eq=False)
class Structure:
    """The structure of a song.

    Attributes:
        flat: its parts, as one would write them down.
        levels: its parts on nine levels, with at most 2, 3, ... 10 names.
        tracks: 1, 2, ... in a long mix; a song is one track.
        loop_bars: after how many bars most of it repeats itself: 1, 2, 4, 8 or 16.
    """

    flat: Sections
    levels: tuple[Sections, ...]
    tracks: Sections
    loop_bars: int

    def arrays(self) -> Arrays:
        """Flatten into named arrays, to be kept in a store."""
        arrays: Arrays = {"loop_bars": np.array(self.loop_bars)}
        levels = {f"level_{depth}": level for depth, level in zip(LEVELS, self.levels, strict=True)}
        for key, sections in ({"flat": self.flat, "tracks": self.tracks} | levels).items():
            arrays |= {f"{key}_bounds": sections.bounds, f"{key}_energies": sections.energies}
            arrays[f"{key}_labels"] = np.array(sections.labels)
        return arrays

    @classmethod
    def of(cls, arrays: Arrays) -> "Structure":
        """Make a structure of what ``arrays`` gave."""
        levels = tuple(_sections(arrays, f"level_{depth}") for depth in LEVELS)
        return cls(_sections(arrays, "flat"), levels, _sections(arrays, "tracks"), int(arrays["loop_bars"]))


def _sections(arrays: Arrays, key: str) -> Sections:
    bounds, energies = (np.asarray(arrays[f"{key}_{kind}"], np.float64) for kind in ("bounds", "energies"))
    return Sections(bounds, tuple(str(label) for label in arrays[f"{key}_labels"]), energies)


def find_structure(analysis: Analysis, grid: Grid, tuning: float, duration: float) -> Structure:
    """Estimate the structure of a song of ``duration`` s; one section A where nothing differs.

    Args:
        analysis: of its audio.
        grid: its beats and bars; one without confidence is a clock, and bars but a division of time.
        tuning: semitones from A4 = 440 Hz.
        duration: s, above 0.

    >>> quiet = {"mel": np.zeros((9, 96)), "rms": np.zeros(9)}
    >>> nothing = Analysis({"mix": quiet["mel"]}, {"mix": quiet["rms"]}, np.zeros((9, 252)))
    >>> find_structure(nothing, Grid(np.arange(3.0), confidence=0.0), 0.0, 0.2).flat.labels
    ('A',)
    """
    rms = analysis.rms["mix"]
    if duration < MIN_STRUCTURED_SECONDS or float(rms.max()) < SILENCE:
        return _one_segment(duration)
    moments = describe_song(analysis, grid, tuning, duration)
    if len(moments.bars) < 2:
        return _one_segment(duration)
    cuts = _tracks(moments)
    forms = [segment(moments.between(first, last)) for first, last in pairwise(cuts.tolist())]
    bounds = moments.edges[cuts]
    return Structure(
        flat=_joined_segments((form.flat for form in forms), bounds, rms),
        levels=tuple(
            _joined_segments(level, bounds, rms)
            for level in zip(*(form.levels for form in forms), strict=True)
        ),
        tracks=Sections(
            bounds, tuple(str(1 + track) for track in range(len(forms))), energies_of(rms, bounds)
        ),
        loop_bars=_longest_loop(forms, np.diff(bounds)),
    )


def _one_segment(duration: float) -> Structure:
    whole = np.array([0.0, duration])
    part = Sections(whole, ("A",))
    return Structure(part, (part,) * len(LEVELS), Sections(whole, ("1",)), USUAL_LOOP_BARS)


def _tracks(moments: SongRows) -> I64:
    """The first bar of each track, and the number of bars."""
    bars = moments.bars
    return find_tracks(bars.chroma, bars.spectrum, moments.edges)


def _joined_segments(tracks: Iterable[Segments], bounds: F64, rms: F32) -> Sections:
    """Concatenate the segments of all tracks; numbers precede the letters if there are several tracks."""
    several = len(bounds) > 2
    starts: list[float] = []
    labels: list[str] = []
    for number, parts in enumerate(tracks, 1):
        starts += parts.bounds[:-1].tolist()
        labels += [f"{number if several else ''}{letter_name(each)}" for each in parts.names.tolist()]
    all_bounds = np.array([*starts, bounds[-1]])
    return Sections(all_bounds, tuple(labels), energies_of(rms, all_bounds))


def _longest_loop(forms: list[Segmentation], seconds: F64) -> int:
    """The loop that most of the time has."""
    shares = {form.loop_bars: 0.0 for form in forms}
    for form, share in zip(forms, seconds, strict=True):
        shares[form.loop_bars] += float(share)
    return max(shares, key=lambda bars: (shares[bars], bars))
