"""Ground truth of a song that was made for it: beats, bars, hits, notes, chords, sections.

Times are seconds from the first sample. A truth is one `.npz` file beside its audio. Pitches are MIDI numbers
as they sound, pitch classes 0 (C) to 11 (B).
"""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["HITS", "ROLES", "Truth", "hits_of", "load_truth"]

ROLES = ("drums", "bass", "chords", "melody")

HITS = {
    "kick": (35, 36),
    "snare": (38, 40),
    "stick": (37,),
    "clap": (39,),
    "tom": (41, 43, 45, 47, 48, 50),
    "hat": (42, 44, 46),
    "crash": (49, 52, 55, 57),
    "ride": (51, 53, 59),
}
"""The General MIDI keys of each kind of hit."""

MIN_GAP_SECONDS = 0.02
"""Hits of one kind that are closer are one."""

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Truth:
    """Everything known about a song.

    Attributes:
        name, split, style, font: where it comes from.
        duration: s.
        beats, downbeats: (N,), (M,) s.
        beats_per_bar: 3 or 4.
        tempo: (K, 2) seconds from which on, beats per minute.
        notes: (N, 5) start, end, pitch, velocity 1 to 127, role (index into ROLES).
        hits: for every kind in HITS (N, 2) time, velocity.
        bounds, labels: (S + 1,) s and one label a section, neighbours different; none when unknown.
        chord_bounds, chords: (C + 1,) s and names such as "A#m7"; none when unknown.
        key: such as "A minor"; "" when unknown.
    """

    name: str
    split: str
    style: str
    font: str
    duration: float
    beats: Array
    downbeats: Array
    beats_per_bar: int
    tempo: Array
    notes: Array
    hits: dict[str, Array] = field(default_factory=dict)
    bounds: Array = field(default_factory=lambda: np.zeros(0))
    labels: tuple[str, ...] = ()
    chord_bounds: Array = field(default_factory=lambda: np.zeros(0))
    chords: tuple[str, ...] = ()
    key: str = ""

    @property
    def bpm(self) -> float:
        """Tempo of most of the song, from the median beat interval."""
        return 60 / float(np.median(np.diff(self.beats)))

    @property
    def kick(self) -> Array:
        """Hits of the kick drum, s."""
        return self.hits["kick"][:, 0]

    @property
    def snare(self) -> Array:
        """Hits of the snare and claps, s: the backbeat."""
        return _apart(np.sort(np.concatenate([self.hits["snare"][:, 0], self.hits["clap"][:, 0]])))

    @property
    def hat(self) -> Array:
        """Hits of the hats, s."""
        return self.hits["hat"][:, 0]

    def role(self, *names: str) -> Array:
        """Return the notes of some roles, (N, 5)."""
        return self.notes[np.isin(self.notes[:, 4], [ROLES.index(name) for name in names])]

    def chroma_at(self, times: ArrayLike) -> Array:
        """Return the sum of velocities of each pitch class at times (T,), (T, 12)."""
        chroma = np.zeros((len(np.asarray(times)), 12))
        for note, (first, last) in _spans(self.role("bass", "chords", "melody"), times):
            chroma[first:last, int(note[2]) % 12] += note[3]
        return chroma

    def bass_at(self, times: ArrayLike) -> NDArray[np.int64]:
        """Return the pitch class of the lowest bass note at times (T,); -1 where there is none."""
        lowest = np.full(len(np.asarray(times)), 999)
        for note, (first, last) in _spans(self.role("bass"), times):
            np.minimum(lowest[first:last], int(note[2]), out=lowest[first:last])
        return np.where(lowest < 999, lowest % 12, -1)

    def melody_at(self, times: ArrayLike) -> Array:
        """Return the melody's frequency at times (T,), Hz; 0 where it rests. The newest note counts."""
        pitch = np.zeros(len(np.asarray(times)))
        for note, (first, last) in _spans(self.role("melody"), times):
            pitch[first:last] = 440 * 2 ** ((note[2] - 69) / 12)
        return pitch

    def save(self, path: Path) -> None:
        """Write it as `.npz`, atomically."""
        arrays = {f"hits_{name}": hits for name, hits in self.hits.items()}
        about = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, np.ndarray):
                arrays[each.name] = value
            elif each.name != "hits":
                about[each.name] = value
        part = path.with_suffix(".part.npz")
        np.savez_compressed(part, about=np.array(json.dumps(about)), **arrays)
        part.rename(path)


def load_truth(path: Path | str) -> Truth:
    """Read a truth back; `path` is its `.npz` or the audio beside it."""
    with np.load(Path(path).with_suffix(".npz")) as file:
        arrays = {name: file[name] for name in file.files}
    about = json.loads(str(arrays.pop("about")))
    hits = {name: arrays.pop(f"hits_{name}") for name in HITS}
    about |= {name: tuple(about[name]) for name in ("labels", "chords")}
    return Truth(**about, **arrays, hits=hits)


def hits_of(notes: Array) -> dict[str, Array]:
    """Sort drum notes (N, 5) into kinds of hits."""
    found = {}
    for name, keys in HITS.items():
        own = notes[np.isin(notes[:, 2], keys) & (notes[:, 4] == ROLES.index("drums"))]
        own = own[np.argsort(own[:, 0], kind="stable")]
        found[name] = own[_first_of_each(own[:, 0])][:, [0, 3]]
    return found


def _apart(times: Array) -> Array:
    return times[_first_of_each(times)]


def _first_of_each(times: Array) -> NDArray[np.bool_]:
    """Mark the first of neighbours that are one hit."""
    return np.diff(times, prepend=-np.inf) > MIN_GAP_SECONDS


def _spans(notes: Array, times: ArrayLike) -> list[tuple[Array, tuple[int, int]]]:
    """Each note with the range of increasing times during which it sounds."""
    places = np.searchsorted(np.asarray(times, np.float64), notes[:, :2])
    return [(note, (int(a), int(b))) for note, (a, b) in zip(notes, places, strict=True) if b > a]
