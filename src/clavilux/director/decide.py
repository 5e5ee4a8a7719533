"""What a project leaves open is decided: the director's choice, calmer and wilder, palettes, muted parts."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from clavilux.catalogue import FIFTHS
from clavilux.director.direct import SPEC, Wishes, direct, likely_preset
from clavilux.director.hits import HITS, safe_gain
from clavilux.director.light import ModelLight
from clavilux.features.song import Song
from clavilux.patches.muted import muted, parts_to_mute
from clavilux.patches.patch import Patch
from clavilux.patches.presets import find_preset
from clavilux.profile.survey import Survey
from clavilux.project.project import AUTO, Project
from clavilux.project.sentences import read_looks

__all__ = ["MIX_PRESET", "Decided", "decide"]

MIX_PRESET = "club"
"""Of the tracks of a mix that name none, where nothing else is asked for."""


@dataclass(frozen=True)
class Decided:
    """A project of which nothing is open.

    Attributes:
        project: its patch is a preset's name with its knobs, or a patch.
        played: what plays, in words.
        reasons: why, where the director chose it or a preset's hits go less far; a line each.
        tables: what the director wrote, as a project file; empty where it chose nothing.
    """

    project: Project
    played: str
    reasons: tuple[str, ...] = ()
    tables: dict[str, Any] | None = None


def decide(
    project: Project,
    song: Callable[[], Song],
    survey: Callable[[], Survey | None] | None = None,
    likely: Callable[[Patch], object] | None = None,
    *,
    tame: bool = True,
) -> Decided:
    """Decide what a project leaves open.

    Args:
        project: what a person wants.
        song: opens the song; called only where it has to be heard.
        survey: finds the model's survey, or none; called only where palettes are compared or hits measured.
        likely: is told early, before all of the song has been heard, what will probably be shown.
        tame: whether hits that would flash on the model go less far, by knobs that nobody turned.

    Raises:
        PatchError: a knob that the chosen preset does not have.
    """
    energy = int(project.wilder) - int(project.calmer)
    reasons: tuple[str, ...] = ()
    tables: dict[str, Any] | None = None
    shown: dict[str, Any] = {}

    @functools.cache
    def light() -> ModelLight | None:
        pool = None if survey is None else survey()
        return None if pool is None else ModelLight(pool, project.seed)

    if project.patch == AUTO and project.cues is None:
        wishes = Wishes(energy, project.palette or "", project.knobs, tame)
        heard = song()
        if likely is not None:
            likely(replace(project, patch=likely_preset(heard, energy), knobs=None).shown)
        found = direct(heard, wishes, light)
        reasons, tables, played = found.reasons, dict(found.tables), f"preset {found.preset}"
        look = read_looks(tables, seed=project.seed)
        shown = {"patch": look.patch, "knobs": look.knobs}
    elif isinstance(project.patch, str):
        name = MIX_PRESET if project.patch == AUTO else project.patch
        played = f"preset {name}" if project.cues is None else f"the tracks of {Path(project.cues).name}"
        knobs = _wished(name, project, energy)
        if tame and survey is not None:
            if likely is not None and project.cues is None:
                likely(replace(project, patch=name, knobs=knobs).shown)
            knobs, reasons = _tamed(name, knobs, project, song, light)
        shown = {"patch": name, "knobs": knobs}
    else:
        played = "your patch"
    decided = replace(project, **shown, calmer=False, wilder=False, palette=None, mute="", solo="")
    parts = parts_to_mute(mute=project.mute, solo=project.solo)
    if parts:
        patch = muted(decided.shown, parts)
        decided = replace(decided, patch=patch, knobs={}, psi=None, cues=None)
    return Decided(decided, played, reasons, tables)


def _wished(name: str, project: Project, energy: int) -> dict[str, Any]:
    """Return a preset's knobs, those that nobody turned as wished: calmer, wilder, another palette."""
    preset = find_preset(name)
    knobs = dict(preset.checked(project.knobs or {}))
    factors = {"punch": SPEC.wish**energy, "drift_bars": SPEC.wish**-energy}
    for knob, factor in factors.items():
        param = preset.knobs.get(knob)
        if param is not None and knobs[knob] == param.default:
            low, high = float(param.low or 0), float(param.high or 1)
            knobs[knob] = min(max(float(knobs[knob]) * factor, low), high)  # type: ignore[arg-type]
    if project.palette and "colours" in knobs and knobs["colours"] == preset.knobs["colours"].default:
        knobs["colours"] = project.palette
    return knobs


def _tamed(
    name: str,
    knobs: dict[str, Any],
    project: Project,
    song: Callable[[], Song],
    light: Callable[[], ModelLight | None],
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return a preset's knobs with the gain of its hits lowered where these would flash, and say so."""
    hit = HITS.get(name)
    if hit is None:
        return knobs, ()
    usual = float(find_preset(name).knobs[hit.knob].default)
    if (project.knobs or {}).get(hit.knob, usual) != usual:
        return knobs, ()
    shown, evenly = (str(knobs.get("colours", "")), 0), np.ones(len(FIFTHS))
    gain = safe_gain(name, usual, [shown], [evenly], song, light)
    if gain == usual:
        return knobs, ()
    lowered = round(knobs[hit.knob] * gain / usual, 2)
    said = f"Its hits would flash on this model: {hit.knob} {lowered:g} instead of {knobs[hit.knob]:g}"
    return knobs | {hit.knob: lowered}, (said,)
