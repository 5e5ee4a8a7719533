"""What a person knows better: tempo, bars and sections said by hand, and how they change what was heard.

Times are seconds. What was said is certain: a grid made from it has confidence 1.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from clavilux.curves import Grid, Sections
from clavilux.errors import SettingError
from clavilux.features.rhythm.grid import continued, doubled, even_bars, extended, halved, straight
from clavilux.timeline import format_time

__all__ = ["LONGEST", "UNNAMED", "Corrections"]

Floats = NDArray[np.float64]

LONGEST = 86_400.0
"""Seconds, 24 hours: no song is longer, so a part that ends there goes on to the end of any song."""
UNNAMED = "-"
"""Label of a stretch of song between sections that were named."""
GAP = 1.0
"""Seconds of a song's end after its last named part that still belong to it."""
NEAR = 0.07
"""Seconds by which a bar may miss a beat that was heard and still begin on it."""
CLOSEST = 0.05
"""Seconds between two beats, at least."""
FACTORS = {0.5: "half the tempo heard", 1.0: "", 2.0: "double the tempo heard"}
UNSAID = {"bpm": None, "first_downbeat": None, "beats_per_bar": None, "tempo_factor": 1.0}
"""What is said about beats and bars, and what each is when nothing is."""


@dataclass(frozen=True, eq=False)
class Corrections:
    """What a person says about a song; the rest stays as heard. Two are equal if they say the same.

    Attributes:
        bpm: beats per minute of the whole song, 20 to 400.
        first_downbeat: where a bar begins, s; bars go on from there in both directions.
        beats_per_bar: the metre, 2 to 7.
        tempo_factor: 2 where the beat was heard half as fast as it is, 0.5 where twice as fast, else 1.
        beats: every beat and bar; then nothing else can be said about them.
        sections: the parts of the song, whose energies are heard, not said; the last may end after the song.

    Raises:
        SettingError: a value out of range, or two that say the same thing.

    >>> Corrections(bpm=128).none, Corrections().none
    (False, True)
    """

    bpm: float | None = None
    first_downbeat: float | None = None
    beats_per_bar: int | None = None
    tempo_factor: float = 1.0
    beats: Grid | None = None
    sections: Sections | None = None

    def __post_init__(self) -> None:
        _check_range("bpm", self.bpm, 20, 400)
        _check_range("first_downbeat", self.first_downbeat, 0, LONGEST, unit=" s")
        _check_range("beats_per_bar", self.beats_per_bar, 2, 7, whole=True)
        if self.tempo_factor not in FACTORS:
            raise SettingError(
                f"The tempo can be halved (0.5) or doubled (2), not times {self.tempo_factor}."
            )
        for name, kind in (("bpm", float), ("first_downbeat", float), ("beats_per_bar", int)):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, kind(getattr(self, name)))
        if self.bpm is not None and self.tempo_factor != 1:
            raise SettingError("Say the tempo in bpm, or halve or double the one that was heard; not both.")
        if self.beats is not None:
            _check_times(self.beats.beats, CLOSEST)
        if self.sections is not None:
            _check_times(self.sections.bounds, 0.0)
        timing = [name for name in UNSAID if name in self._said]
        if self.beats is not None and timing:
            raise SettingError(
                f"The labels already say where every beat is; leave {' and '.join(timing)} away, or take the "
                "beats out of the labels."
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Corrections) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(json.dumps(self.to_dict()))

    def __str__(self) -> str:
        """Say it in one line: '128 bpm, a bar at 0.52 s'."""
        return ", ".join(self.words)

    @property
    def words(self) -> tuple[str, ...]:
        """What was said, a few words for each."""
        words = {
            "bpm": f"{self.bpm or 0:g} bpm",
            "first_downbeat": f"a bar at {self.first_downbeat or 0:g} s",
            "beats_per_bar": f"{self.beats_per_bar} beats a bar",
            "tempo_factor": FACTORS[self.tempo_factor],
            "beats": f"{len(self.beats.beats) if self.beats else 0} beats",
            "sections": f"{len(self.sections or ())} sections",
        }
        return tuple(words[name] for name in self._said)

    @property
    def none(self) -> bool:
        """Whether nothing was said at all."""
        return not self._said

    @property
    def _said(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if value != UNSAID.get(name)}

    def merged(self, later: "Corrections") -> "Corrections":
        """Add what is said later: it replaces what was said before about the same thing.

        Bpm and tempo factor are one thing; so are single beats and everything else about tempo and bars.

        >>> Corrections(bpm=170, first_downbeat=0.5).merged(Corrections(tempo_factor=0.5))._said
        {'first_downbeat': 0.5, 'tempo_factor': 0.5}
        """
        new, replaced = later._said, set[str]()
        if "beats" in new:
            replaced |= UNSAID.keys()
        if new.keys() & UNSAID.keys():
            replaced |= {"beats"}
        if new.keys() & {"bpm", "tempo_factor"}:
            replaced |= {"bpm", "tempo_factor"}
        kept = {name: value for name, value in self._said.items() if name not in replaced}
        return Corrections(**(kept | new))  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, object]:
        """Write down what was said, made of nothing but what JSON knows.

        >>> Corrections(bpm=128.0).to_dict()
        {'bpm': 128.0}
        """
        written = self._said
        if self.beats is not None:
            written["beats"] = {
                "times": self.beats.beats.tolist(),
                "bars": self.beats.bars.tolist(),
                "beats_per_bar": self.beats.beats_per_bar,
            }
        if self.sections is not None:
            written["sections"] = {
                "bounds": self.sections.bounds.tolist(),
                "labels": list(self.sections.labels),
            }
        return written

    @classmethod
    def from_dict(cls, written: Mapping[str, object]) -> "Corrections":
        """Read exactly what `to_dict` wrote.

        Raises:
            SettingError: it did not write this.

        >>> Corrections.from_dict({"bpm": 128.0}) == Corrections(bpm=128)
        True
        """
        said = dict(written)
        try:
            if "beats" in said:
                beats = cast("dict[str, list[float]]", said["beats"])
                said["beats"] = Grid(
                    np.array(beats["times"], np.float64),
                    beats_per_bar=int(cast("int", beats["beats_per_bar"])),
                    bars=np.array(beats["bars"], np.int64),
                )
            if "sections" in said:
                parts = cast("dict[str, list[str]]", said["sections"])
                said["sections"] = Sections(np.array(parts["bounds"], np.float64), tuple(parts["labels"]))
            return cls(**said)  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError) as error:
            raise SettingError(f"These corrections cannot be read: {error}.") from error

    def apply_to_grid(self, grid: Grid, duration: float) -> Grid:
        """Correct the beats and bars heard in a song of ``duration`` s.

        Beats said by hand win over everything. A tempo gives a straight grid whose phase fits the beats
        heard, or the first downbeat where it was said. A first downbeat alone moves the bars to the nearest
        beat, and the beats too where that is more than 70 ms away.

        Raises:
            SettingError: the first downbeat is past the end of the song.

        >>> heard = Grid(np.arange(0, 8, 0.5))
        >>> Corrections(first_downbeat=1.0).apply_to_grid(heard, 7.0).downbeats.tolist()
        [1.0, 3.0, 5.0, 7.0]
        """
        if self.beats is not None:
            return extended(self.beats, duration)
        if not any(name in self._said for name in UNSAID):
            return grid
        certain = self.bpm is not None or (
            grid.confidence > 0 and (self.first_downbeat is not None or self.tempo_factor != 1)
        )
        grid = self._retimed(grid, duration)
        beats, downbeat = grid.beats, float(grid.downbeats[0])
        if self.first_downbeat is not None:
            downbeat = self.first_downbeat
            if downbeat > duration:
                raise SettingError(
                    f"The first downbeat, {format_time(downbeat)}, is past the end of the song, which lasts "
                    f"{format_time(duration)} ({duration:.2f} s)."
                )
            missed = downbeat - float(beats[np.abs(beats - downbeat).argmin()])
            if self.bpm is not None or abs(missed) > NEAR:
                beats = continued(beats + missed, duration)
        metre = self.beats_per_bar or grid.beats_per_bar
        return even_bars(beats, downbeat, metre, 1.0 if certain else grid.confidence)

    def _retimed(self, grid: Grid, duration: float) -> Grid:
        """Change the tempo of a grid, keeping its bars where they are as well as it can."""
        if self.bpm is not None:
            return straight(grid, 60 / self.bpm, duration)
        if self.tempo_factor == 1:
            return grid
        return doubled(grid, duration) if self.tempo_factor == 2 else halved(grid, duration)

    def apply_to_sections(self, heard: Sections, duration: float) -> Sections:
        """Take the sections that were said, fitted to a song of ``duration`` s, or else those heard.

        A rest of the song of more than a second after the last part is a part of its own, '-'.

        Raises:
            SettingError: a part begins after the song has ended.

        >>> said = Sections(np.array([0.0, 4.0, 60.0]), ("verse", "chorus"))
        >>> Corrections(sections=said).apply_to_sections(said, 9.0).bounds.tolist()
        [0.0, 4.0, 9.0]
        """
        if self.sections is None:
            return heard
        bounds, labels = self.sections.bounds.copy(), self.sections.labels
        if bounds[-2] >= duration:
            late = int(np.argmax(bounds >= duration))
            raise SettingError(
                f"The section '{labels[late]}' begins at {format_time(bounds[late])}, after the song's end, "
                f"{format_time(duration)}; are these the sections of another song?"
            )
        if duration - bounds[-1] > GAP:
            return Sections(np.append(bounds, duration), (*labels, UNNAMED))
        bounds[-1] = duration
        return Sections(bounds, labels)


def _check_range(
    name: str, value: float | None, low: float, high: float, *, unit: str = "", whole: bool = False
) -> None:
    if value is None:
        return
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high or (whole and value != int(value)):
        kind = "a whole number" if whole else "a number"
        raise SettingError(f"{name} must be {kind} from {low:g} to {high:g}{unit}, not {value!r}.")


def _check_times(times: Floats, least: float) -> None:
    if not (np.abs(times) <= LONGEST).all():
        raise SettingError("A time of the beats or sections is not a number of seconds within 24 hours.")
    close = np.flatnonzero(np.diff(times) < least)
    if len(close):
        raise SettingError(
            f"The beats at {times[close[0]]:.3f} s and {times[close[0] + 1]:.3f} s are less than "
            f"{least * 1000:.0f} ms apart; take one away."
        )
