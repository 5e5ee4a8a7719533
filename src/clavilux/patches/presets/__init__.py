"""Patches that need no tuning, by name."""

from clavilux.errors import PatchError, suggest
from clavilux.patches.presets.chapters import chapters
from clavilux.patches.presets.choir import choir
from clavilux.patches.presets.circle import circle
from clavilux.patches.presets.club import club
from clavilux.patches.presets.mutant import mutant
from clavilux.patches.presets.preset import Preset
from clavilux.patches.presets.prism import prism
from clavilux.patches.presets.pulse import pulse
from clavilux.patches.presets.seed import seed
from clavilux.patches.presets.stage import stage
from clavilux.patches.presets.strike import strike
from clavilux.patches.presets.tide import tide
from clavilux.signals.plugins import load_plugins

__all__ = ["PRESETS", "find_preset"]

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (pulse, strike, choir, tide, circle, chapters, stage, prism, mutant, club, seed)
}
"""Every preset by name; plugins add theirs."""


def find_preset(name: str) -> Preset:
    """Look up a preset.

    Raises:
        PatchError: there is none of that name.

    >>> find_preset("pulse")(seed=3) == find_preset("pulse")(seed=3)
    True
    """
    if name not in PRESETS:
        load_plugins()
    if name not in PRESETS:
        hint = suggest(name, PRESETS, otherwise="there is {}")
        raise PatchError(f"There is no preset '{name}'", where="patch", value=name, hint=hint)
    return PRESETS[name]
