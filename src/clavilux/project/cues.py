"""From a cue sheet to a score: a scene for every track of a mix."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from clavilux.annotations.cues import Cue, check_cues, read_cues, tracks_of
from clavilux.errors import ClaviluxError, FileError
from clavilux.features.corrections import Corrections
from clavilux.moments import Moment
from clavilux.patches.patch import Patch
from clavilux.patches.presets import find_preset
from clavilux.patches.score import scene, score
from clavilux.timeline import format_time

__all__ = ["corrections_of_cues", "errors_of_cues", "score_of_cues"]

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


def score_of_cues(path: Path, *, preset: str, seed: int, knobs: Mapping[str, Any] | None = None) -> Patch:
    """Join the patches of a cue sheet's tracks, each changed to where its track begins.

    Args:
        path: the cue sheet; files that it names are looked for from its folder.
        preset: of the tracks that name none.
        seed: of the first track; the others count on.
        knobs: of that preset, for the tracks that say nothing else.

    Raises:
        FileError, PatchError: the sheet, or a patch that it names, cannot be used.
    """
    cues = read_cues(path)
    starts = [cue.time for cue in cues[1:]]
    ends = [Moment("seconds", start) for start in starts] + [Moment("end")]
    patches = []
    for number, cue in enumerate(cues):
        try:
            patch = _patch(cue, seed + number, path.parent, preset, knobs or {})
        except ClaviluxError as error:
            raise error.placed(_track(cue)) from error
        places = {each.digest: _track(cue, patch.places.get(each.digest, "")) for each in patch.nodes}
        patches.append(replace(patch, places=places))
    return score(
        *(scene(patch, until=end, fade=cue.fade) for cue, patch, end in zip(cues, patches, ends, strict=True))
    )


def errors_of_cues(
    path: Path, *, preset: str, seed: int, knobs: Mapping[str, Any] | None = None
) -> list[ClaviluxError]:
    """Find all that is wrong with a cue sheet: its lines, and the looks that it names.

    Raises:
        FileError: it is no file that can be read.
    """
    cues, errors = check_cues(path)
    for cue in cues:
        try:
            _patch(cue, seed, path.parent, preset, knobs or {})
        except ClaviluxError as error:
            errors.append(error.placed(_track(cue)))
    return errors


def _track(cue: Cue, place: str = "") -> str:
    """Return what messages call a track, or a place in its project."""
    named = f"the track at {format_time(cue.time)} ({cue.title})"
    return f"{named}, {cue.patch}: {place}" if place else named


def _patch(
    cue: Cue, usual_seed: int, folder: Path, usual_preset: str, usual_knobs: Mapping[str, Any]
) -> Patch:
    """Make the patch of one track; what it does not say is usual."""
    if cue.patch.lower().endswith(".toml"):
        from clavilux.project.show import read_show

        given = (("palette", cue.palette), ("seed", cue.seed), ("energy", cue.energy))
        ignored = [name for name, value in given if value not in {None, ""}]
        if ignored:
            raise FileError(
                f"The track '{cue.title}' has {' and '.join(ignored)} beside the project '{cue.patch}'",
                where="cues",
                value=cue.patch,
                hint="they belong to presets; write them in the project, and leave the columns empty",
            )
        project = read_show(folder / cue.patch, knobs=cue.knobs).project
        if project.cues is not None:  # its own sheet, for example, without end
            raise FileError(
                f"The project '{cue.patch}' of a track has a cue sheet itself",
                where="cues",
                value=cue.patch,
                hint="name one that shows a single look",
            )
        patch = project.shown
    else:
        chosen = find_preset(cue.patch or usual_preset)
        from_cue = {} if cue.energy is None else _knobs_of(cue.energy)
        if cue.palette:
            from_cue["colours"] = cue.palette
        known = {name: value for name, value in from_cue.items() if name in chosen.knobs}
        usual = {**usual_knobs} if chosen.name == usual_preset else {}
        patch = chosen(usual_seed if cue.seed is None else cue.seed, **{**usual, **known, **cue.knobs})
    if cue.gain == 1:
        return patch
    return replace(patch, noise=patch.noise.scale(cue.gain))


def _knobs_of(energy: float) -> dict[str, Any]:
    """Return knobs for an energy: the harder the music, the stronger the noise and the faster the loops."""
    return {
        "punch": CALM_PUNCH + (WILD_PUNCH - CALM_PUNCH) * energy,
        "drift_bars": CALM_BARS / 2 ** (OCTAVES * energy),
    }
