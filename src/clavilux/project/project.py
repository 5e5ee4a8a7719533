"""What a video shows, and of what: the song, the model, the patch, and which part of the song."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

from clavilux.project.setting import check, setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clavilux.features.corrections import Corrections
    from clavilux.patches.patch import Patch
    from clavilux.patches.presets.preset import Preset

__all__ = ["AUTO", "Project"]

AUTO = "auto"
"""The patch that the director chooses for the song."""

MAX_TRACKS = 1000


def _time(text: str) -> Fraction:
    from clavilux.timeline import parse_time  # here and below: NumPy would delay the command line's help

    return parse_time(text)


def _knobs(texts: list[str]) -> dict[str, float | str]:
    """Read knobs: `punch=1.5`."""
    found: dict[str, float | str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        check(
            bool(name and equals), f"'{text}' sets no knob", where="knobs", value=text, hint="write punch=1.5"
        )
        try:
            found[name.strip()] = float(value)
        except ValueError:
            found[name.strip()] = value.strip()
    return found


@dataclass(frozen=True)
class Project:
    """Which part of a song is shown, and how.

    Attributes:
        start: where in the song to begin, seconds, exact.
        duration: how much of it to show, seconds; none is all.
        seed: another seed chooses other images and another texture.
        model: a built-in model's name or a checkpoint file.
        psi: truncation, 0 the average image, 1 full variety; none is the patch's own.
        loop: whether the end of the video fades into its beginning.
        stems: a folder of the song's own stems, which replace those separated from the mix.
        track: which of several audio tracks, from 1; none is the one marked as default, else the first.
        cues: a cue sheet of the tracks of a mix; tracks that name no preset have the project's.
        patch: a patch, a preset, or a preset's name; 'auto' is what the director chooses for the song.
        knobs: values of the preset's knobs, by name; the others stand where the preset has them.
        calmer: less of everything: a calmer preset, a softer push, slower loops.
        wilder: more of everything.
        palette: a mood or a saved palette, instead of those that the director or the preset has.
        mute: parts of the song that are not followed, such as 'kick,hats'.
        solo: parts that alone are followed.
        corrections: of beats and sections; none is what is kept beside the song.

    Raises:
        SettingError: a value is out of its range.
        PatchError: there is no such preset or knob, or a knob does not go so far.

    >>> Project(start=0.5, seed=3).start
    Fraction(1, 2)
    """

    start: Fraction = setting(
        Fraction(0),
        "Where in the song to begin: 64.5 or 1:04.5.",
        placeholder="TIME",
        parse=_time,
        usual="0",
    )
    duration: Fraction | None = setting(
        None, "How much of the song to show.", placeholder="TIME", parse=_time, usual="all of it"
    )
    seed: int = setting(0, "Another number, other images.", placeholder="N", type=int)
    model: str = setting("silk", "A model's name, a checkpoint file or its address.", placeholder="NAME")
    psi: float | None = setting(
        None,
        "Variety: 0 the model's average image, 1 all it can do.",
        placeholder="X",
        usual="1",
        type=float,
    )
    loop: bool = setting(False, "Fade the end of the video into its beginning.", type=bool)
    stems: str | None = setting(
        None,
        "The song's own stems, such as drums.wav and bass.wav, instead of those separated from the mix.",
        placeholder="FOLDER",
    )
    track: int | None = setting(
        None,
        "Which audio track of a film or a stem file, from 1.",
        placeholder="N",
        usual="the one marked as default",
        type=int,
    )
    cues: str | None = setting(
        None,
        "A cue sheet of a mix, CSV, TOML or .cue: when each track begins, and its patch and palette.",
        placeholder="FILE",
    )
    patch: Patch | Preset | str = setting(
        "pulse", "A preset, or auto: what suits the song.", placeholder="NAME", usual="auto"
    )
    knobs: Mapping[str, float | str] | None = setting(
        None,
        "A knob of the preset, such as punch=1.5; once for each.",
        placeholder="KNOB=VALUE",
        parse=_knobs,
        usual="as they stand",
        type=list,
        option="knob",
    )
    calmer: bool = setting(False, "Less of everything: softer hits, slower loops.", type=bool)
    wilder: bool = setting(False, "More of everything.", type=bool)
    palette: str | None = setting(
        None,
        "Colours: warm, cool, calm, wild, or a saved palette.",
        placeholder="NAME",
        usual="what suits the song",
    )
    mute: str = setting("", "Parts of the song not to follow, such as kick,hats.", placeholder="PARTS")
    solo: str = setting("", "Parts of the song to follow alone.", placeholder="PARTS")
    corrections: Corrections | None = field(default=None)

    def __post_init__(self) -> None:
        for name in ("start", "duration"):
            value = getattr(self, name)
            if value is not None:
                check(
                    math.isfinite(value),
                    f"The {name} is {value}",
                    where=name,
                    value=value,
                    hint="give seconds",
                )
                object.__setattr__(self, name, Fraction(value))
        check(
            self.start >= 0,
            f"The start, {float(self.start):g} s, is before the song",
            where="start",
            value=self.start,
            hint="it is 0 or later",
        )
        check(
            self.duration is None or self.duration > 0,
            f"The duration is {float(self.duration or 0):g} s",
            where="duration",
            value=self.duration,
            hint="it is above 0 s",
        )
        check(
            self.track is None or 1 <= self.track <= MAX_TRACKS,
            f"There is no audio track {self.track}",
            where="track",
            value=self.track,
            hint="tracks count from 1",
        )
        check(
            self.psi is None or 0 <= self.psi <= 2,
            f"psi is {self.psi}",
            where="psi",
            value=self.psi,
            hint="it is between 0 and 2",
        )
        check(
            -(2**63) <= self.seed < 2**63 - 1,
            f"The seed {self.seed} is too large",
            where="seed",
            value=self.seed,
            hint="any number of up to 18 digits will do",
        )
        object.__setattr__(self, "model", str(self.model))
        for name in ("stems", "cues"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else str(value))
        from clavilux.patches.presets import find_preset
        from clavilux.patches.presets.preset import Preset

        object.__setattr__(self, "knobs", dict(self.knobs or {}))
        if isinstance(self.patch, Preset):  # one of the user's own: what it makes travels in the recipe
            object.__setattr__(self, "patch", self.patch(self.seed, **(self.knobs or {})))
            object.__setattr__(self, "knobs", {})
        check(
            not (self.calmer and self.wilder),
            "A video cannot be both calmer and wilder",
            where="wilder",
            value=True,
            hint="choose one",
        )
        from clavilux.patches.muted import parts_to_mute

        parts_to_mute(mute=self.mute, solo=self.solo)
        if isinstance(self.patch, str) and self.patch != AUTO:
            object.__setattr__(self, "knobs", find_preset(self.patch).checked(self.knobs or {}))
        elif self.patch != AUTO:
            check(
                not self.knobs,
                "A patch has no knobs",
                where="knobs",
                value=self.knobs,
                hint="give them to the preset that makes it",
            )

    @property
    def shown(self) -> Patch:
        """The patch with its seed, knobs and truncation.

        Raises:
            SettingError: the director has yet to choose it.
        """
        from clavilux.patches.presets import find_preset

        known = self.patch
        check(
            known != AUTO,
            "The patch auto is chosen when the song is heard",
            where="patch",
            value=known,
            hint="name a preset",
        )
        if self.cues is not None:
            from clavilux.project.cues import score_of_cues

            check(
                isinstance(known, str),
                "A cue sheet joins presets, not a patch",
                where="cues",
                value=self.cues,
                hint="name the preset that most tracks have",
            )
            known = score_of_cues(Path(self.cues), preset=str(known), seed=self.seed, knobs=self.knobs)
        patch = cast(
            "Patch", find_preset(known)(self.seed, **(self.knobs or {})) if isinstance(known, str) else known
        )
        return patch if self.psi is None else patch.with_psi(self.psi)
