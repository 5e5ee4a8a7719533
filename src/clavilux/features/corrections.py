"""Corrections by the user: tempo, bars and sections given by hand, and how they override what was detected.

Times are seconds. What the user gives is certain: a grid made from it has confidence 1.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar, cast

import numpy as np

from clavilux.arrays import F64
from clavilux.curves import Grid, Sections
from clavilux.errors import SettingError
from clavilux.features.rhythm.grid import (
    constant_tempo,
    double_tempo,
    extrapolate_beats,
    extrapolate_grid,
    halve_tempo,
    regular_bars,
)
from clavilux.timeline import format_time

__all__ = ["MAX_SONG_SECONDS", "UNNAMED", "Corrections", "Marks"]

T = TypeVar("T")

MAX_SONG_SECONDS = 86_400.0
"""24 hours: no song is longer, so a section that ends there lasts to the end of any song."""
UNNAMED = "-"
"""Label of a stretch of song between labelled sections."""
MAX_TAIL_SECONDS = 1.0
"""A rest of the song after its last labelled section, up to this long, still belongs to that section."""
DOWNBEAT_TOLERANCE_SECONDS = 0.07
"""How far a given downbeat may be from a detected beat and still mean that beat."""
MIN_BEAT_SECONDS = 0.05
"""Least time between two beats."""
TEMPO_FACTORS = {0.5: "half the detected tempo", 1.0: "", 2.0: "double the detected tempo"}


@dataclass(frozen=True, eq=False)
class Marks:
    """Beats of which nobody said where bars begin, or bar lines alone; the rest is as detected.

    Attributes:
        times: (N,) s, N >= 2, increasing.
        each: what each of them is.

    Raises:
        ValueError: fewer than two times, or times that do not increase.
    """

    times: F64
    each: Literal["beat", "bar"]

    def __post_init__(self) -> None:
        times = np.array(self.times, np.float64)
        if (
            self.each not in {"beat", "bar"}
            or times.ndim != 1
            or len(times) < 2
            or np.any(np.diff(times) <= 0)
        ):
            raise ValueError("marks are two or more increasing times of beats or bars")
        object.__setattr__(self, "times", times)

    def grid(
        self, detected: Grid, duration: float, beats_per_bar: int | None, downbeat: float | None
    ) -> Grid:
        """Make a whole grid of a song of ``duration`` s.

        Args:
            detected: its metre, and the phase of its bars, are taken where they are not given.
            duration: of the song, s.
            beats_per_bar: the metre.
            downbeat: where a bar begins, s.

        >>> marks = Marks(np.arange(0.5, 8, 0.5), "beat")
        >>> marks.grid(Grid(np.arange(0, 8, 0.5)), 8.0, None, None).downbeats.tolist()
        [0.0, 2.0, 4.0, 6.0, 8.0]
        """
        metre = beats_per_bar or detected.beats_per_bar
        if self.each == "bar":
            positions = np.arange((len(self.times) - 1) * metre + 1) / metre
            beats = np.interp(positions, np.arange(len(self.times)), self.times)
            bars = np.arange(0, len(beats), metre)
            return extrapolate_grid(Grid(beats, beats_per_bar=metre, bars=bars), duration)
        beats = extrapolate_beats(self.times, duration)
        if downbeat is None:
            distances = np.abs(beats[:, None] - detected.downbeats).min(axis=1)  # (N,) s
            phase = int(np.argmin([np.mean(distances[k::metre]) for k in range(min(metre, len(beats)))]))
            downbeat = float(beats[phase])
        return regular_bars(beats, downbeat, metre, 1.0)


@dataclass(frozen=True, eq=False)
class Corrections:
    """What the user corrects in a song; the rest stays as detected. Equal by value.

    Attributes:
        bpm: beats per minute of the whole song, 20 to 400.
        first_downbeat: where a bar begins, s; bars continue from there in both directions.
        beats_per_bar: the metre, 2 to 7.
        tempo_factor: 2 where the detected tempo is half the true one, 0.5 where it is double, else 1.
        beats: every beat and bar, none of the fields above may be given besides; or only beats, or only bar
            lines, beside which there may be a metre.
        sections: the sections of the song, whose energies are measured; the last may end after the song.
        tracks: the tracks of a mix, likewise.

    Raises:
        SettingError: a value out of range, or two that determine the same thing.

    >>> Corrections(bpm=128).none, Corrections().none
    (False, True)
    """

    bpm: float | None = None
    first_downbeat: float | None = None
    beats_per_bar: int | None = None
    tempo_factor: float = 1.0
    beats: Grid | Marks | None = None
    sections: Sections | None = None
    tracks: Sections | None = None

    def __post_init__(self) -> None:
        _check_range("bpm", self.bpm, 20, 400)
        _check_range("first_downbeat", self.first_downbeat, 0, MAX_SONG_SECONDS, unit=" s")
        _check_range("beats_per_bar", self.beats_per_bar, 2, 7, whole=True)
        if self.tempo_factor not in TEMPO_FACTORS:
            raise SettingError(
                f"The tempo cannot be multiplied by {self.tempo_factor}",
                where="tempo_factor",
                value=self.tempo_factor,
                hint="it can be halved (0.5) or doubled (2)",
            )
        self._to_plain_numbers()
        if self.bpm is not None and self.tempo_factor != 1:
            raise SettingError(
                "There are two tempos: one in bpm, and the detected one halved or doubled",
                where="bpm",
                value=self.bpm,
                hint="give one of them, not both",
                remedy="tempo",
            )
        if self.beats is not None:
            self._check_beats(self.beats)
        for parts in (self.sections, self.tracks):
            if parts is not None:
                _check_times(parts.bounds, 0.0)

    def _to_plain_numbers(self) -> None:
        numbers = {"bpm": float, "first_downbeat": float, "beats_per_bar": int, "tempo_factor": float}
        for name, kind in numbers.items():
            if getattr(self, name) is not None:
                object.__setattr__(self, name, kind(getattr(self, name)))

    def _check_beats(self, beats: Grid | Marks) -> None:
        whole = isinstance(beats, Grid)
        _check_times(beats.beats if isinstance(beats, Grid) else beats.times, MIN_BEAT_SECONDS)
        free = {"beats", "sections", "tracks"} | (set() if whole else {"beats_per_bar", "first_downbeat"})
        given = [name for name in self.to_dict() if name not in free]
        if given:
            raise SettingError(
                "The labels already give every beat",
                where=given[0],
                value=getattr(self, given[0]),
                hint=f"omit {' and '.join(given)}, or remove the beats from the labels",
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Corrections) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(json.dumps(self.to_dict()))

    def __str__(self) -> str:
        """Return one line: '128 bpm, a bar at 0.52 s'."""
        return ", ".join(self.words)

    @property
    def words(self) -> tuple[str, ...]:
        """Each correction in a few words."""
        words = []
        if self.bpm is not None:
            words.append(f"{self.bpm:g} bpm")
        if self.first_downbeat is not None:
            words.append(f"a bar at {self.first_downbeat:g} s")
        if self.beats_per_bar is not None:
            words.append(f"{self.beats_per_bar} beats a bar")
        if self.tempo_factor != 1:
            words.append(TEMPO_FACTORS[self.tempo_factor])
        if self.beats is not None:
            marks = self.beats if isinstance(self.beats, Marks) else Marks(self.beats.beats, "beat")
            words.append(f"{len(marks.times)} {marks.each}s")
        if self.sections is not None:
            words.append(f"{len(self.sections)} sections")
        if self.tracks is not None:
            words.append(f"{len(self.tracks)} tracks")
        return tuple(words)

    @property
    def none(self) -> bool:
        """Whether nothing is corrected."""
        return not self.to_dict()

    @property
    def _timing(self) -> bool:
        """Whether tempo or bars are corrected other than beat by beat."""
        numbers = (self.bpm, self.first_downbeat, self.beats_per_bar)
        return self.tempo_factor != 1 or any(number is not None for number in numbers)

    def merged(self, later: "Corrections") -> "Corrections":
        """Add later corrections, which replace earlier ones of the same thing.

        Bpm and tempo factor are one thing; so are single beats and everything else about tempo and bars.

        >>> Corrections(bpm=170, first_downbeat=0.5).merged(Corrections(tempo_factor=0.5)).to_dict()
        {'first_downbeat': 0.5, 'tempo_factor': 0.5}
        """
        kept = self
        if later.beats is not None:
            kept = Corrections(sections=kept.sections, tracks=kept.tracks)
        if later._timing and not (
            isinstance(kept.beats, Marks) and later.bpm is None and later.tempo_factor == 1
        ):
            kept = replace(kept, beats=None)
        if later.bpm is not None or later.tempo_factor != 1:
            kept = replace(kept, bpm=None, tempo_factor=1.0)
        return Corrections(
            bpm=_either(later.bpm, kept.bpm),
            first_downbeat=_either(later.first_downbeat, kept.first_downbeat),
            beats_per_bar=_either(later.beats_per_bar, kept.beats_per_bar),
            tempo_factor=kept.tempo_factor if later.tempo_factor == 1 else later.tempo_factor,
            beats=kept.beats if later.beats is None else later.beats,
            sections=_either(later.sections, kept.sections),
            tracks=_either(later.tracks, kept.tracks),
        )

    def to_dict(self) -> dict[str, object]:
        """Return what is corrected as plain values that JSON can hold.

        >>> Corrections(bpm=128.0).to_dict()
        {'bpm': 128.0}
        """
        numbers = {
            "bpm": self.bpm,
            "first_downbeat": self.first_downbeat,
            "beats_per_bar": self.beats_per_bar,
            "tempo_factor": None if self.tempo_factor == 1 else self.tempo_factor,
        }
        written: dict[str, object] = {name: value for name, value in numbers.items() if value is not None}
        if isinstance(self.beats, Marks):
            written["beats"] = {"times": self.beats.times.tolist(), "each": self.beats.each}
        elif self.beats is not None:
            written["beats"] = {
                "times": self.beats.beats.tolist(),
                "bars": self.beats.bars.tolist(),
                "beats_per_bar": self.beats.beats_per_bar,
            }
        for name, parts in (("sections", self.sections), ("tracks", self.tracks)):
            if parts is not None:
                written[name] = {"bounds": parts.bounds.tolist(), "labels": list(parts.labels)}
        return written

    @classmethod
    def from_dict(cls, written: Mapping[str, object]) -> "Corrections":
        """Read what `to_dict` wrote, exactly.

        Raises:
            SettingError: these are not corrections, or have a value out of range.

        >>> Corrections.from_dict({"bpm": 128.0}) == Corrections(bpm=128)
        True
        """
        fields = dict(written)
        try:
            if "beats" in fields:
                fields["beats"] = _read_beats(cast("Mapping[str, Any]", fields["beats"]))
            for name in fields.keys() & {"sections", "tracks"}:
                parts = cast("dict[str, list[str]]", fields[name])
                fields[name] = Sections(np.array(parts["bounds"], np.float64), tuple(parts["labels"]))
            return cls(**fields)  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError) as error:
            raise SettingError(
                f"These corrections cannot be read: {error}", where="corrections", hint="correct them again"
            ) from error

    def apply_to_grid(self, grid: Grid, duration: float) -> Grid:
        """Correct the beats and bars detected in a song of ``duration`` s.

        Single beats override everything. A tempo gives a regular grid whose phase fits the detected beats,
        or the first downbeat where it is given. A first downbeat alone moves the bars to the nearest beat,
        and the beats too where that is more than 70 ms away.

        Raises:
            SettingError: the first downbeat is past the end of the song.

        >>> detected = Grid(np.arange(0, 8, 0.5))
        >>> Corrections(first_downbeat=1.0).apply_to_grid(detected, 7.0).downbeats.tolist()
        [1.0, 3.0, 5.0, 7.0]
        """
        if isinstance(self.beats, Marks):
            return self.beats.grid(grid, duration, self.beats_per_bar, self.first_downbeat)
        if self.beats is not None:
            return extrapolate_grid(self.beats, duration)
        if not self._timing:
            return grid
        certain = self.bpm is not None or (
            grid.confidence > 0 and (self.first_downbeat is not None or self.tempo_factor != 1)
        )
        grid = self._with_tempo(grid, duration)
        beats, downbeat = grid.beats, float(grid.downbeats[0])
        if self.first_downbeat is not None:
            downbeat = self.first_downbeat
            if downbeat > duration:
                raise SettingError(
                    f"The first downbeat, {format_time(downbeat)}, is past the end of the song",
                    where="first_downbeat",
                    value=downbeat,
                    hint=f"the song lasts {format_time(duration)} ({duration:.2f} s)",
                )
            missed = downbeat - float(beats[np.abs(beats - downbeat).argmin()])
            if self.bpm is not None or abs(missed) > DOWNBEAT_TOLERANCE_SECONDS:
                beats = extrapolate_beats(beats + missed, duration)
        metre = self.beats_per_bar or grid.beats_per_bar
        return regular_bars(beats, downbeat, metre, 1.0 if certain else grid.confidence)

    def _with_tempo(self, grid: Grid, duration: float) -> Grid:
        if self.bpm is not None:
            return constant_tempo(grid, 60 / self.bpm, duration)
        if self.tempo_factor == 1:
            return grid
        return double_tempo(grid, duration) if self.tempo_factor == 2 else halve_tempo(grid, duration)

    def apply_to_sections(self, detected: Sections, duration: float) -> Sections:
        """Return the given sections, fitted to a song of ``duration`` s, or else the detected ones.

        A rest of the song of more than a second after the last section becomes a section '-'.

        Raises:
            SettingError: a section begins after the end of the song.

        >>> given = Sections(np.array([0.0, 4.0, 60.0]), ("verse", "chorus"))
        >>> Corrections(sections=given).apply_to_sections(given, 9.0).bounds.tolist()
        [0.0, 4.0, 9.0]
        """
        return detected if self.sections is None else _fitted(self.sections, duration, "section")

    def apply_to_tracks(self, detected: Sections, duration: float) -> Sections:
        """Return the given tracks, fitted to a song of ``duration`` s, or else the detected ones.

        Raises:
            SettingError: a track begins after the end of the song.
        """
        return detected if self.tracks is None else _fitted(self.tracks, duration, "track")


def _fitted(parts: Sections, duration: float, kind: str) -> Sections:
    """Make the last part end with a song of `duration` s, or add one without a name."""
    bounds, labels = parts.bounds.copy(), parts.labels
    if bounds[-2] >= duration:
        late = int(np.argmax(bounds >= duration))
        raise SettingError(
            f"The {kind} '{labels[late]}' begins at {format_time(bounds[late])}, after the song's end, "
            f"{format_time(duration)}",
            where=f"{kind}s",
            value=labels[late],
            hint=f"are these the {kind}s of another song?",
        )
    if duration - bounds[-1] > MAX_TAIL_SECONDS:
        return Sections(np.append(bounds, duration), (*labels, UNNAMED))
    bounds[-1] = duration
    return Sections(bounds, labels)


def _read_beats(written: Mapping[str, Any]) -> Grid | Marks:
    times = np.array(written["times"], np.float64)
    if "each" in written:
        return Marks(times, written["each"])
    bars = np.array(written["bars"], np.int64)
    return Grid(times, beats_per_bar=int(written["beats_per_bar"]), bars=bars)


def _either(first: T | None, second: T | None) -> T | None:
    return second if first is None else first


def _check_range(
    name: str, value: float | None, low: float, high: float, *, unit: str = "", whole: bool = False
) -> None:
    if value is None:
        return
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high or (whole and value != int(value)):
        kind = "a whole number" if whole else "a number"
        raise SettingError(
            f"{name} must be {kind} from {low:g} to {high:g}{unit}, not {value!r}", where=name, value=value
        )


def _check_times(times: F64, least: float) -> None:
    if not (np.abs(times) <= MAX_SONG_SECONDS).all():
        raise SettingError(
            "A time of the beats or sections is not a number of seconds within 24 hours",
            where="corrections",
            hint="count seconds from the song's start",
        )
    close = np.flatnonzero(np.diff(times) < least)
    if len(close):
        raise SettingError(
            f"The beats at {times[close[0]]:.3f} s and {times[close[0] + 1]:.3f} s are less than "
            f"{least * 1000:.0f} ms apart",
            value=float(times[close[0]]),
            hint="remove one of them",
        )
