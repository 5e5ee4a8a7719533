"""From a cue sheet to a score: a scene for every track of a mix."""

from pathlib import Path
from typing import Any

from clavilux.annotations.cues import Cue, read_cues, tracks_of
from clavilux.features.corrections import Corrections
from clavilux.moments import Moment
from clavilux.patches.patch import Patch
from clavilux.patches.presets import find_preset
from clavilux.patches.score import scene, score

__all__ = ["corrections_of_cues", "score_of_cues"]

CALM_PUNCH, WILD_PUNCH = 0.4, 1.6
CALM_BARS = 64.0
OCTAVES = 3
"""A track of energy 1 drifts 2^3 times as fast as one of energy 0."""


def corrections_of_cues(path: Path) -> Corrections:
    """Return the tracks of a cue sheet as corrections: each is measured by its own loud and soft parts.

    Raises:
        FileError: it cannot be read.
    """
    return Corrections(tracks=tracks_of(read_cues(path)))


def score_of_cues(path: Path, *, preset: str, seed: int) -> Patch:
    """Join the patches of a cue sheet's tracks, each changed to where its track begins.

    Args:
        path: the cue sheet; files that it names are looked for from its folder.
        preset: of the tracks that name none.
        seed: of the first track; the others count on.

    Raises:
        FileError, PatchError: the sheet, or a patch that it names, cannot be used.
    """
    cues = read_cues(path)
    starts = [cue.time for cue in cues[1:]]
    ends = [Moment("seconds", start) for start in starts] + [Moment("end")]
    patches = [_patch(cue, path.parent, preset, seed + number) for number, cue in enumerate(cues)]
    return score(
        *(scene(patch, until=end, fade=cue.fade) for cue, patch, end in zip(cues, patches, ends, strict=True))
    )


def _patch(cue: Cue, folder: Path, usual: str, seed: int) -> Patch:
    """Make the patch of one track."""
    if cue.patch.lower().endswith(".toml"):
        from clavilux.project.show import read_show

        patch = read_show(folder / cue.patch, knobs=cue.knobs).project.shown
    else:
        chosen = find_preset(cue.patch or usual)
        knobs: dict[str, Any] = dict(cue.knobs)
        if cue.palette:
            knobs.setdefault("colours", cue.palette)
        if cue.energy is not None:
            knobs = _knobs_of(cue.energy) | knobs
        patch = chosen(
            seed if cue.seed is None else cue.seed,
            **{name: value for name, value in knobs.items() if name in chosen.knobs or name in cue.knobs},
        )
    if cue.gain == 1:
        return patch
    return Patch(patch.latents, patch.noise.scale(cue.gain), patch.psi, patch.bends, patch.rewrites)


def _knobs_of(energy: float) -> dict[str, float]:
    """Return knobs for an energy: the harder the music, the stronger the noise and the faster the loops."""
    return {
        "punch": CALM_PUNCH + (WILD_PUNCH - CALM_PUNCH) * energy,
        "drift_bars": CALM_BARS / 2 ** (OCTAVES * energy),
    }
