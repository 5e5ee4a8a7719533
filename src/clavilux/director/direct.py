"""The director: chooses preset, palettes, layer split, loop length and gains from what is heard; says why.

What it chooses is written as a person would write it: the tables of a project file, with a look for every
section that sounds different. It decides nothing that a person has decided already.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clavilux.arrays import F64
from clavilux.catalogue import MOODS
from clavilux.director.hits import safe_gain
from clavilux.director.light import ModelLight
from clavilux.director.sections import RankedSections, rank_sections, ring_shares
from clavilux.features.song import Song
from clavilux.patches.presets import find_preset
from clavilux.report.summary import drums_of

__all__ = ["Direction", "Wishes", "direct", "likely_preset"]

LADDER = ("tide", "choir", "stage", "strike", "prism")
"""Presets from the calmest to the wildest."""
STRENGTH = ("calm", "cool", "warm", "wild")
"""Moods from the weakest to the strongest."""
SHOWN = {"coarse": "form and colours", "middle": "details and colours", "fine": "colours alone"}
"""What the harmony moves, by the split of a preset."""


@dataclass(frozen=True)
class DirectorSpec:
    """Where it draws its lines.

    Attributes:
        tonal: confidence of the key from which harmony leads where drums do not, and moves the form too where
            they do. Of eleven songs with strong drums ten are at 0.29 and more, and keep a lift of 0.56 and
            more with it; one at 0.09 falls from 0.76 to 0.37 (silk).
        usual_hits: hits a second for which presets are made; denser drums push less far, sparse ones more.
        punch: least and largest push.
        bars: least and largest number of bars in which the slow drift comes round.
        drift_seconds: the bars are doubled while it would come round sooner: a fast song's sections would
            differ no more than their halves.
        looks: different looks of a song at most; of more sections the shortest share a look.
        wish: factor of push and speed of 'wilder'; 'calmer' divides by it.
    """

    tonal: float = 0.2
    usual_hits: float = 8.0
    punch: tuple[float, float] = (0.6, 1.6)
    bars: tuple[float, float] = (32.0, 64.0)
    drift_seconds: float = 75.0
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
        tame: whether hits that would flash go less far.
    """

    energy: int = 0
    palette: str = ""
    knobs: Mapping[str, float | str] | None = None
    tame: bool = True


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


def direct(
    song: Song, wishes: Wishes | None = None, find_light: Callable[[], ModelLight | None] = lambda: None
) -> Direction:
    """Choose what a song is shown with.

    Args:
        song: the song.
        wishes: what a person wants.
        find_light: finds the light of the model that shows it, or none; called only where it is used.
            Without it palettes are not compared, and drums not tamed.

    Raises:
        PatchError: the chosen preset has no knob of a name that is wished for.
    """
    wishes = wishes or Wishes()
    name, heard = _preset(song, wishes.energy)
    preset, factor = find_preset(name), SPEC.wish**wishes.energy
    given = dict(wishes.knobs or {})
    preset.checked(given)
    bars = float(given.get("drift_bars", _drift_bars(song) / factor))
    sections = rank_sections(song.sections, SPEC.looks)
    shares = ring_shares(song, sections, bars)
    if "colours" in given:
        wishes = replace(wishes, palette=str(given["colours"]))
    alike = "colours" in given or "colours" not in preset.knobs
    looks = _looks(sections, wishes)
    if not alike:
        looks = _compared(sections, shares, looks, find_light)
    hits = _hits_per_second(song)
    punch = float(np.clip((SPEC.usual_hits / max(hits, 0.1)) ** 0.5, *SPEC.punch))
    shown = [(looks[label].colours, 0 if alike else looks[label].seed) for label in sections.ranked]
    if wishes.tame:
        seen = [shares[label] for label in sections.ranked]
        punch = safe_gain(name, punch, shown, seen, lambda: song, find_light)
    chosen: dict[str, Any] = {
        "punch": round(min(punch * factor, 2.0), 2),
        "drift_bars": round(bars, 1),
        "split": _split(song),
    }
    knobs = {key: value for key, value in chosen.items() if key in preset.knobs} | given
    tables = _tables(song, name, knobs, looks)
    palettes = ", ".join(dict.fromkeys(look.colours for look in looks.values()))
    played = (
        f"{hits:.1f} hits a second: punch {knobs['punch']:g}" if "punch" in knobs else "no hits are followed"
    )
    second = f"Palettes {palettes}; {played}"
    if "drift_bars" in knobs:
        second += f"; the drift comes round in {knobs['drift_bars']:g} bars"
    if "split" in knobs:
        second += f"; harmony moves {SHOWN[knobs['split']]}"
    return Direction(name, tables, (f"{heard}: preset {name}, {_sections_in_words(looks)}", second))


def _drift_bars(song: Song) -> float:
    """Return in how many bars the slow drift comes round: as the song repeats, and not too soon."""
    bars = float(np.clip(4 * song.loop_bars, *SPEC.bars))
    bar = 60 * song.grid.beats_per_bar / song.grid.tempo  # s
    while bars * bar < SPEC.drift_seconds:
        bars *= 2
    return bars


def likely_preset(song: Song, energy: int) -> str:
    """Return the preset that fits a song unless it is a mix, which takes longer to hear."""
    return _of_one_track(song, energy)[0]


def _preset(song: Song, energy: int) -> tuple[str, str]:
    """Return the preset that fits a song, a step calmer or wilder where that is wished, and why."""
    if len(song.tracks) > 1:
        return "club", f"A mix of {len(song.tracks)} tracks"
    return _of_one_track(song, energy)


def _of_one_track(song: Song, energy: int) -> tuple[str, str]:
    drums, tonal = drums_of(song), song.key.confidence >= SPEC.tonal
    if drums == "strong":
        key = "the key is clear" if tonal else "hardly a key"
        place, heard = LADDER.index("strike"), f"Drums lead, {key}"
    elif drums == "soft":
        place, heard = LADDER.index("stage"), "Drums accompany"
    elif tonal and not song.audio.silent:
        place, heard = LADDER.index("choir"), "Harmony leads without drums"
    else:
        place, heard = LADDER.index("tide"), "Neither drums nor harmony lead"
    return LADDER[min(max(place + energy, 0), len(LADDER) - 1)], heard


def _split(song: Song) -> str:
    """Return the coarsest layers that follow the harmony; the form does not where drums lead without key."""
    form_stays = drums_of(song) == "strong" and song.key.confidence < SPEC.tonal
    return "fine" if form_stays else "coarse"


def _hits_per_second(song: Song) -> float:
    return (len(song.kick) + len(song.snare) + len(song.hat) / 2) / max(song.duration, 1.0)


@dataclass(frozen=True)
class _LabelLook:
    name: str
    colours: str
    seed: int


def _looks(sections: RankedSections, wishes: Wishes) -> dict[str, _LabelLook]:
    """Return the look of every section label, from the weakest mood in the quietest to the strongest."""
    ranked, colours = sections.ranked, {}
    for place, label in enumerate(ranked):
        share = (place + 1) / len(ranked) if len(ranked) > 1 else 1.0
        index = round(share * (len(STRENGTH) - 1)) + min(wishes.energy, 0)
        colours[label] = wishes.palette or STRENGTH[max(index, 0)]
    found = {label: _LabelLook(label, colours[label], place) for place, label in enumerate(ranked)}
    return {label: found[own] for label, own in sections.shared.items()}


def _compared(
    sections: RankedSections,
    shares: Mapping[str, F64],
    looks: Mapping[str, _LabelLook],
    find_light: Callable[[], ModelLight | None],
) -> dict[str, _LabelLook]:
    """Return the looks with the palettes of their moods that suit the model, where there are several."""
    own = [looks[label] for label in sections.ranked]
    if len(own) < 2 or not {look.colours for look in own} <= set(MOODS) or (light := find_light()) is None:
        return dict(looks)
    seeds = light.choose([look.colours for look in own], [shares[look.name] for look in own])
    found = {look.name: replace(look, seed=seed) for look, seed in zip(own, seeds, strict=True)}
    return {label: found[other] for label, other in sections.shared.items()}


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
    fade = "2 bars" if song.grid.confidence > 0 else "2 seconds"
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
