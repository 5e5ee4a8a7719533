"""The score of the demo song: key, tempo, form, chords, drum patterns, bass and melody, all chosen by a seed.

Musical time is in steps, sixteenths of a 4/4 bar. Pitches are MIDI numbers, pitch classes 0 (C) to
11 (B). The form is intro, A, B, A, outro; the intro and the outro have no bass, kick or snare, and the melody
enters in the middle of B, which is the middle of the song.
"""

from dataclasses import dataclass

import numpy as np

from clavilux import seeds
from clavilux.catalogue import PITCH_CLASSES

__all__ = ["BAR", "Chord", "Note", "Part", "Score", "write_score"]

BAR = 16
"""Steps in a bar."""

FLAT_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
# Tonics of the major keys that are written with sharps.
SHARP_KEYS = (2, 4, 6, 7, 9, 11)
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
PENTATONIC = {"major": (0, 2, 4, 7, 9), "minor": (0, 3, 5, 7, 10)}
QUALITIES = {
    (4, 7): "",
    (3, 7): "m",
    (4, 7, 11): "maj7",
    (3, 7, 10): "m7",
    (4, 7, 10): "7",
}

# Scale degrees, 0 is the tonic. A begins on the tonic (the first: C Am F G), B does not and has sevenths.
PROGRESSIONS = {
    ("major", "A"): ((0, 5, 3, 4), (0, 4, 5, 3), (0, 2, 3, 4)),
    ("major", "B"): ((3, 4, 2, 5), (1, 5, 3, 4), (5, 3, 1, 4)),
    ("minor", "A"): ((0, 5, 2, 6), (0, 3, 5, 6), (0, 6, 5, 6)),
    ("minor", "B"): ((5, 2, 6, 3), (3, 0, 5, 6), (5, 6, 2, 3)),
}
# Steps of a bar with a hit or a note.
KICKS = ((0, 4, 8, 12), (0, 8, 10), (0, 6, 8), (0, 7, 8, 10))
HATS = ((0, 2, 4, 6, 8, 10, 12, 14), (2, 6, 10, 14), tuple(range(BAR)))
BASSES = (  # (step, length in steps)
    ((2, 2), (6, 2), (10, 2), (14, 2)),
    ((0, 3), (3, 3), (6, 2), (8, 3), (11, 3), (14, 2)),
    ((0, 6), (6, 2), (8, 6), (14, 2)),
)
# Steps of two bars on which the melody has a note.
RHYTHMS = ((0, 3, 6, 8, 14, 16, 19, 22, 24), (0, 4, 6, 10, 12, 16, 20, 22, 26), (2, 4, 8, 11, 14, 18, 20, 24))


@dataclass(frozen=True)
class Chord:
    """A chord of one bar: the index of the bar, its name ('Am7') and its pitch classes, root first."""

    bar: int
    name: str
    pitches: tuple[int, ...]


@dataclass(frozen=True)
class Note:
    """A note or a drum hit: first step, length in steps, MIDI pitch (0 for drums), strength in (0, 1]."""

    step: int
    steps: int
    pitch: int
    strength: float


@dataclass(frozen=True)
class Part:
    """A section of the form, in bars."""

    label: str
    first: int
    bars: int


@dataclass(frozen=True)
class Score:
    """Every note of the song; ``tonic`` is the root of ``key``."""

    seed: int
    bpm: float
    key: str
    tonic: int
    parts: tuple[Part, ...]
    chords: tuple[Chord, ...]
    kick: tuple[Note, ...]
    snare: tuple[Note, ...]
    hat: tuple[Note, ...]
    bass: tuple[Note, ...]
    melody: tuple[Note, ...]

    @property
    def steps(self) -> int:
        """Length in steps."""
        return sum(part.bars for part in self.parts) * BAR

    def part_at(self, step: int) -> Part:
        """Return the section that contains ``step``."""
        return next(part for part in reversed(self.parts) if part.first * BAR <= step)


def write_score(seed: int, bars: int, bpm: float | None = None) -> Score:
    """Write the score of ``seed``, with ``bars`` bars in each of A, B, A and a quarter of that around them.

    >>> score = write_score(0, 4)
    >>> [part.label for part in score.parts]
    ['intro', 'A', 'B', 'A', 'outro']
    """
    rng = seeds.generator(seed, "composer/key")
    mode = ("major", "minor")[rng.integers(2)]
    tonic = int(rng.integers(12))
    tempo = float(rng.integers(108, 127)) if bpm is None else bpm
    parts = _form(bars)
    chords = _harmony(seed, mode, tonic, parts)
    return Score(
        seed=seed,
        bpm=tempo,
        key=f"{_names(mode, tonic)[tonic]} {mode}",
        tonic=tonic,
        parts=parts,
        chords=chords,
        kick=_kick(seed, parts),
        snare=_snare(parts),
        hat=_hat(seed, parts),
        bass=_bass(seed, parts, chords),
        melody=_melody(seed, tuple((tonic + pitch) % 12 for pitch in PENTATONIC[mode]), parts, chords),
    )


def _form(bars: int) -> tuple[Part, ...]:
    edge = max(1, bars // 4)
    lengths = {"intro": edge, "A": bars, "B": bars, "A again": bars, "outro": edge}
    first = np.concatenate(([0], np.cumsum(list(lengths.values())))).tolist()
    return tuple(
        Part(label.split()[0], first[i], length) for i, (label, length) in enumerate(lengths.items())
    )


def _harmony(seed: int, mode: str, tonic: int, parts: tuple[Part, ...]) -> tuple[Chord, ...]:
    rng = seeds.generator(seed, "composer/harmony")
    degrees = {label: PROGRESSIONS[mode, label][rng.integers(3)] for label in ("A", "B")}
    chords = []
    for part in parts:
        loop = degrees["B" if part.label == "B" else "A"]
        for bar in range(part.bars):
            place = {"intro": bar - part.bars, "outro": bar - part.bars + 1}.get(part.label, bar)
            degree = loop[place % 4]  # the intro leads to the tonic of A, the outro ends on it
            chords.append(_chord_on(part.first + bar, mode, tonic, degree, 4 if part.label == "B" else 3))
    return tuple(chords)


def _names(mode: str, tonic: int) -> tuple[str, ...]:
    """Return the names of the pitch classes with sharps or flats, as in the key signature."""
    major = tonic if mode == "major" else (tonic + 3) % 12
    return PITCH_CLASSES if major in SHARP_KEYS else FLAT_NAMES


def _chord_on(bar: int, mode: str, tonic: int, degree: int, size: int) -> Chord:
    """Return the chord of ``size`` stacked thirds on a degree of the scale."""
    scale = SCALES[mode]
    heights = [scale[(degree + 2 * i) % 7] + 12 * ((degree + 2 * i) // 7) for i in range(size)]
    root = (tonic + heights[0]) % 12
    quality = QUALITIES[tuple(height - heights[0] for height in heights[1:])]
    return Chord(bar, _names(mode, tonic)[root] + quality, tuple((tonic + height) % 12 for height in heights))


def _main(parts: tuple[Part, ...]) -> list[Part]:
    return [part for part in parts if part.label in {"A", "B"}]


def _hit(bar: int, step: int, strength: float = 1.0) -> Note:
    return Note(bar * BAR + step, 1, 0, strength)


def _kick(seed: int, parts: tuple[Part, ...]) -> tuple[Note, ...]:
    order = seeds.generator(seed, "composer/kick").permutation(len(KICKS))
    patterns = {"A": KICKS[order[0]], "B": KICKS[order[1]]}
    return tuple(
        _hit(part.first + bar, step, 1.0 if step % 4 == 0 else 0.8)
        for part in _main(parts)
        for bar in range(part.bars)
        for step in patterns[part.label]
    )


def _snare(parts: tuple[Part, ...]) -> tuple[Note, ...]:
    """Return the backbeats, and a short fill at the end of every section."""
    hits = []
    for part in _main(parts):
        for bar in range(part.bars):
            hits += [_hit(part.first + bar, step) for step in (4, 12)]
        hits += [_hit(part.first + part.bars - 1, 14, 0.6), _hit(part.first + part.bars - 1, 15, 0.8)]
    return tuple(hits)


def _hat(seed: int, parts: tuple[Part, ...]) -> tuple[Note, ...]:
    """Return closed hats everywhere but in the outro; an open one, 8 steps long, begins A and B."""
    order = seeds.generator(seed, "composer/hat").permutation(len(HATS))
    patterns = {"intro": HATS[1], "A": HATS[order[0]], "B": HATS[order[1]], "outro": ()}
    hits = []
    for part in parts:
        for bar in range(part.bars):
            for step in patterns[part.label]:
                opening = part.label in {"A", "B"} and bar == step == 0
                if not opening:
                    hits.append(_hit(part.first + bar, step, (0.7, 0.35, 0.55, 0.35)[step % 4]))
        if part.label in {"A", "B"}:
            hits.append(Note(part.first * BAR, 8, 0, 1.0))
    return tuple(sorted(hits, key=lambda hit: hit.step))


def _bass(seed: int, parts: tuple[Part, ...], chords: tuple[Chord, ...]) -> tuple[Note, ...]:
    order = seeds.generator(seed, "composer/bass").permutation(len(BASSES))
    patterns = {"A": BASSES[order[0]], "B": BASSES[order[1]]}
    notes = []
    for part in _main(parts):
        for chord in chords[part.first : part.first + part.bars]:
            low = _in_octave(chord.pitches[0], 33)
            for step, steps in patterns[part.label]:
                octave = 12 if step == 14 else 0
                notes.append(
                    Note(chord.bar * BAR + step, steps, low + octave, 1.0 if step % 4 == 0 else 0.85)
                )
    return tuple(notes)


def _melody(
    seed: int, scale: tuple[int, ...], parts: tuple[Part, ...], chords: tuple[Chord, ...]
) -> tuple[Note, ...]:
    """Repeat a two-bar motif from the middle of the song on, with chord notes on its strong steps."""
    rng = seeds.generator(seed, "composer/melody")
    rhythm = RHYTHMS[rng.integers(len(RHYTHMS))]
    pitches = [pitch for pitch in range(69, 87) if pitch % 12 in scale]
    contours = [_contour(rng, len(rhythm), len(pitches)) for _ in range(2)]
    enters, leaves = parts[2].first + parts[2].bars // 2, parts[4].first
    notes = []
    for first in range(enters, leaves, 2):
        contour = contours[(first - enters) // 2 % 4 == 3]  # the motif three times, then its answer
        for i, (step, index) in enumerate(zip(rhythm, contour, strict=True)):
            bar = first + step // BAR
            if bar >= leaves:
                break
            pitch = pitches[index]
            if step % 8 == 0:
                pitch = min(
                    (_in_octave(p, pitch - 6) for p in chords[bar].pitches), key=lambda p: abs(p - pitch)
                )
            until = rhythm[i + 1] if i + 1 < len(rhythm) else 2 * BAR
            notes.append(Note(first * BAR + step, until - step, pitch, 1.0 if step % 4 == 0 else 0.75))
    return tuple(notes)


def _contour(rng: np.random.Generator, notes: int, count: int) -> list[int]:
    """Draw a random walk over the pitches of a scale in small steps, reflected at its ends."""
    walk = count // 2 + np.cumsum(rng.choice((-2, -1, -1, 1, 1, 2), size=notes))
    return [int(count - 1 - abs(step % (2 * (count - 1)) - (count - 1))) for step in walk]


def _in_octave(pitch: int, low: int) -> int:
    """Return the pitch of a pitch class in the octave from ``low`` up."""
    return low + (pitch - low) % 12
