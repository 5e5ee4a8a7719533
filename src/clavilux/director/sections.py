"""Which sections of a song share a look, and at which places of the drift each look is shown."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from clavilux.arrays import F64
from clavilux.catalogue import FIFTHS
from clavilux.curves import Sections
from clavilux.features.song import Song

__all__ = ["RankedSections", "rank_sections", "ring_shares"]

STEP_SECONDS = 0.5
"""Between the moments at which the drift is looked at."""


@dataclass(frozen=True)
class RankedSections:
    """The sections of a song by how loud they are.

    Attributes:
        ranked: labels that have looks of their own, the quietest first.
        shared: for every label the one whose look it has: its own, or that of one about as loud.
    """

    ranked: tuple[str, ...]
    shared: Mapping[str, str]


def rank_sections(sections: Sections, most: int) -> RankedSections:
    """Rank the labels of a song; the quietest, the loudest and the longest have looks of their own.

    Args:
        sections: of the song.
        most: how many looks there are at most, two or more.
    """
    lengths = np.diff(sections.bounds)
    labels = list(dict.fromkeys(sections.labels))
    total, level = {}, {}
    for label in labels:
        own = np.array([each == label for each in sections.labels])
        total[label] = float(lengths[own].sum())
        level[label] = float(np.average(sections.energies[own], weights=lengths[own]))
    quiet_first = sorted(labels, key=lambda label: level[label])
    kept = {quiet_first[-1], quiet_first[0]}
    for label in sorted(labels, key=lambda label: -total[label]):
        if len(kept) < most:
            kept.add(label)
    ranked = tuple(label for label in quiet_first if label in kept)
    nearest = {
        label: min(ranked, key=lambda other, own=label: abs(level[own] - level[other]))  # type: ignore[misc]
        for label in labels
    }
    return RankedSections(ranked, nearest | {label: label for label in ranked})


def ring_shares(song: Song, sections: RankedSections, bars: float) -> dict[str, F64]:
    """Return for every look which share of the song shows which place of its ring, (12,); together 1.

    Args:
        song: the song.
        sections: its sections.
        bars: in which the drift comes round; it begins with the song.
    """
    times = np.arange(0, max(song.duration, STEP_SECONDS), STEP_SECONDS)
    number = np.searchsorted(song.sections.bounds, times, side="right") - 1
    labels = [song.sections.labels[k] for k in np.clip(number, 0, len(song.sections.labels) - 1)]
    looks = np.array([sections.ranked.index(sections.shared[label]) for label in labels])
    place = song.grid.bar_at(times) / bars * len(FIFTHS)
    low = np.floor(place).astype(np.int64)
    shares = np.zeros((len(sections.ranked), len(FIFTHS)))
    np.add.at(shares, (looks, low % len(FIFTHS)), 1 - (place - low))
    np.add.at(shares, (looks, (low + 1) % len(FIFTHS)), place - low)
    return dict(zip(sections.ranked, shares / len(times), strict=True))
