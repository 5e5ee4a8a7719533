"""Curves of the song's sections: which one plays, and how energetic it is; (T, 1) in [0, 1]."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from clavilux.arrays import F64
from clavilux.curves import CONTROL_RATE, Grid, Sections, clock
from clavilux.errors import SongError, suggest
from clavilux.signals.lengths import Length, length
from clavilux.signals.table import op, text

if TYPE_CHECKING:
    from clavilux.features.song import Song

__all__ = ["gates", "per_track"]

ENERGY_SECONDS = 1.0
"""Over which the energies of neighbouring sections are averaged."""
TRACK_FADE_SECONDS = 2.0
"""In which the levels of one track of a mix become those of the next."""
RANK = re.compile(r"energy ([1-9]\d?)")


@op("signal", needs="song", params={"name": text(), "unless": text(""), **length(bars=1)})
def in_section(
    song: Song, name: str, *, unless: str, seconds: float | None, beats: float | None, bars: float | None
) -> F64:
    """Hold 1 in the sections of a label and 0 elsewhere, with crossfades centred on their bounds; (T, 1).

    'loudest' and 'quietest' are the labels of the loudest and the quietest section, 'energy 1', 'energy 2'
    and so on the labels by their loudest section, the loudest first; a song with fewer labels has 0. The
    curves of all labels sum to 1. Where one of the names in `unless`, with semicolons between them, means the
    same label, that one is played instead: 0.

    Raises:
        SongError: the song has no section of that label.
    """
    ticks = clock(song.duration)
    label, inside = _label(song.sections, name), np.zeros(len(ticks))
    others = {_label(song.sections, other.strip()) for other in unless.split(";") if other.strip()}
    for each, gate in gates(song.sections, ticks, song.grid, Length(seconds, beats, bars)):
        if song.sections.labels[each] == label and label not in others:
            inside += gate
    return np.clip(inside, 0, 1)[:, None]


@op("signal", needs="song")
def energy(song: Song) -> F64:
    """Follow the energy of the section that plays, 1 in the loudest, averaged over a second; (T, 1)."""
    from scipy.ndimage import gaussian_filter1d

    now = song.sections.energies[song.sections.index_at(clock(song.duration))]
    sigma = ENERGY_SECONDS * CONTROL_RATE / np.sqrt(12)  # as `smooth` averages
    return np.clip(gaussian_filter1d(now, sigma, mode="nearest"), 0, 1)[:, None]


def per_track(song: Song, curve: F64, measure: Callable[[F64], float]) -> F64:
    """Measure each track of a mix in a curve (T, C), and pass from one to the next within 2 s; (T, 1).

    A curve of one value has it in every track.
    """
    ticks, tracks = np.arange(len(curve)) / CONTROL_RATE, song.tracks
    measured = np.zeros(len(curve))
    first = np.clip(np.searchsorted(ticks, tracks.bounds[:-1]), 0, len(curve) - 1)
    last = np.maximum(np.append(first[1:], len(curve)), first + 1)
    for track, gate in gates(tracks, ticks, song.grid, Length(TRACK_FADE_SECONDS)):
        measured += gate * measure(curve[first[track] : last[track]])
    return measured[:, None]


def gates(parts: Sections, ticks: F64, grid: Grid, fade: Length) -> Iterator[tuple[int, F64]]:
    """Yield the index of each part and its weight at each tick, (T,): crossfades of one length.

    The weights sum to 1 at every tick, however short the parts are.

    >>> halves = Sections([0, 1, 2], ("A", "B"))
    >>> [gate.tolist() for _, gate in gates(halves, np.array([0.0, 1.0, 1.5]), Grid([0, 1]), Length(1.0))]
    [[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]]
    """
    # part k has r_k - r_(k+1), r_k the rise at its beginning: the sum over all parts telescopes
    begun = np.ones(len(ticks))
    for part, ended in enumerate(fade.rises(grid, ticks, parts.bounds[1:-1])):
        yield part, begun - ended
        begun = ended
    yield len(parts) - 1, begun


def _label(sections: Sections, name: str) -> str:
    """Return the label that is meant, or nothing where a song has too few for a rank."""
    if name in sections.labels:
        return name
    by_energy: list[str] = [sections.labels[part] for part in np.argsort(-sections.energies, kind="stable")]
    ranked = list(dict.fromkeys(by_energy))
    if name == "loudest":
        return ranked[0]
    if name == "quietest":
        return by_energy[-1]
    if found := RANK.fullmatch(name):
        rank = int(found[1])
        return ranked[rank - 1] if rank <= len(ranked) else ""
    known = [*dict.fromkeys(sections.labels), "loudest", "quietest", "energy 1"]
    hint = suggest(name, known, otherwise="there are {}")
    raise SongError(f"The song has no section '{name[:60]}'", where="in_section", value=name, hint=hint)
