"""The director: chooses preset, palettes, loop length and gains from what is heard, and says why.

What it chooses is written as a person would write it: the tables of a project file, with a look for every
section that sounds different. It decides nothing that a person has decided already.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from clavilux.catalogue import MOODS
from clavilux.features.song import Song
from clavilux.patches.presets import find_preset
from clavilux.report.summary import drums_of

__all__ = ["Direction", "Wishes", "direct"]

LADDER = ("tide", "choir", "stage", "strike", "prism")
"""Presets from the calmest to the wildest."""
STRENGTH = ("calm", "cool", "warm", "wild")
"""Moods from the weakest to the strongest."""


@dataclass(frozen=True)
class DirectorSpec:
    """Where it draws its lines.

    Attributes:
        tonal: confidence of the key from which harmony leads where drums do not.
        usual_hits: hits a second for which presets are made; denser drums push less far, sparse ones more.
        punch: least and largest push.
        bars: least and largest number of bars in which the slow drift comes round.
        looks: different looks of a song at most; of more sections the shortest share a look.
        wish: factor of push and speed of 'wilder'; 'calmer' divides by it.
    """

    tonal: float = 0.2
    usual_hits: float = 8.0
    punch: tuple[float, float] = (0.6, 1.6)
    bars: tuple[float, float] = (32.0, 64.0)
    looks: int = 5
    wish: float = 1.6


SPEC = DirectorSpec()


@dataclass(frozen=True)
class Wishes:
    """What a person wants of the director.

    Attributes:
        energy: -1 calmer, 0 as it is heard, 1 wilder.
        palette: a mood or a saved palette for all sections; empty is what fits.
        knobs: values of the preset's knobs that are decided.
    """

    energy: int = 0
    palette: str = ""
    knobs: Mapping[str, float | str] | None = None


@dataclass(frozen=True)
class Direction:
    """What the director chose.

    Attributes:
        preset: its name.
        tables: what is shown, as a project file writes it.
        reasons: what was heard and what follows from it, in two lines.
    """

    preset: str
    tables: Mapping[str, Any]
    reasons: tuple[str, str]


def direct(song: Song, wishes: Wishes | None = None) -> Direction:
    """Choose what a song is shown with.

    Raises:
        PatchError: the chosen preset has no knob of a name that is wished for.
    """
    wishes = wishes or Wishes()
    name, heard = _preset(song, wishes.energy)
    preset, factor = find_preset(name), SPEC.wish**wishes.energy
    hits = _hits_per_second(song)
    punch = float(np.clip((SPEC.usual_hits / max(hits, 0.1)) ** 0.5, *SPEC.punch)) * factor
    bars = float(np.clip(4 * song.loop_bars, *SPEC.bars)) / factor
    chosen: dict[str, Any] = {"punch": round(min(punch, 2.0), 2), "drift_bars": round(bars, 1)}
    knobs = {key: value for key, value in chosen.items() if key in preset.knobs} | dict(wishes.knobs or {})
    preset.checked(knobs)
    looks = _looks(song, wishes)
    tables = _tables(song, name, knobs, looks)
    palettes = ", ".join(dict.fromkeys(look.colours for look in looks.values()))
    played = (
        f"{hits:.1f} hits a second: punch {knobs['punch']:g}" if "punch" in knobs else "no hits are followed"
    )
    second = f"Palettes {palettes}; {played}"
    if "drift_bars" in knobs:
        second += f"; the drift comes round in {knobs['drift_bars']:g} bars"
    return Direction(name, tables, (f"{heard}: preset {name}, {_sections_in_words(looks)}", second))


def _preset(song: Song, energy: int) -> tuple[str, str]:
    """Return the preset that fits a song, a step calmer or wilder where that is wished, and why."""
    drums, tonal = drums_of(song), song.key.confidence >= SPEC.tonal
    if len(song.tracks) > 1:
        return "club", f"A mix of {len(song.tracks)} tracks"
    if drums == "strong":
        place, heard = LADDER.index("strike"), "Drums lead"
    elif drums == "soft":
        place, heard = LADDER.index("stage"), "Drums accompany"
    elif tonal and not song.audio.silent:
        place, heard = LADDER.index("choir"), "Harmony leads without drums"
    else:
        place, heard = LADDER.index("tide"), "Neither drums nor harmony lead"
    return LADDER[min(max(place + energy, 0), len(LADDER) - 1)], heard


def _hits_per_second(song: Song) -> float:
    return (len(song.kick) + len(song.snare) + len(song.hat) / 2) / max(song.duration, 1.0)


@dataclass(frozen=True)
class _LabelLook:
    name: str
    colours: str
    seed: int


def _looks(song: Song, wishes: Wishes) -> dict[str, _LabelLook]:
    """Return the look of every section label, from the weakest mood in the quietest to the strongest."""
    sections = song.sections
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
        if len(kept) < SPEC.looks:
            kept.add(label)
    ranked = [label for label in quiet_first if label in kept]
    found = {}
    for place, label in enumerate(ranked):
        share = (place + 1) / len(ranked) if len(ranked) > 1 else 1.0
        index = round(share * (len(STRENGTH) - 1)) + min(wishes.energy, 0)
        colours = wishes.palette or STRENGTH[max(index, 0)]
        found[label] = _LabelLook(label, colours, place)
    nearest = {
        label: found[min(ranked, key=lambda other, own=label: abs(level[own] - level[other]))]  # type: ignore[misc]
        for label in labels
    }
    return nearest | found


def _tables(
    song: Song, preset: str, knobs: Mapping[str, Any], looks: Mapping[str, _LabelLook]
) -> dict[str, Any]:
    """Write looks as a project file does."""
    has_colours = "colours" in find_preset(preset).knobs and "colours" not in knobs
    different = {look.name: look for look in looks.values()}
    if len(different) < 2 or not has_colours:
        first = next(iter(different.values()))
        colours = {"colours": first.colours} if has_colours else {}
        return {"look": {"preset": preset, **knobs, **colours}}
    fade = "1 bar" if song.grid.confidence > 0 else "2 seconds"
    return {
        "looks": {
            name: {"preset": preset, **knobs, "colours": look.colours, "seed": look.seed}
            for name, look in different.items()
        },
        "by_section": {**{label: look.name for label, look in looks.items()}, "fade": fade},
    }


def _sections_in_words(looks: Mapping[str, _LabelLook]) -> str:
    different = {look.name: look for look in looks.values()}
    if len(different) < 2:
        return "one look throughout"
    strongest = max(different.values(), key=lambda look: _strength(look.colours))
    return f"{len(different)} looks for {len(looks)} kinds of section, the strongest in {strongest.name}"


def _strength(colours: str) -> int:
    return STRENGTH.index(colours) if colours in MOODS else 0
