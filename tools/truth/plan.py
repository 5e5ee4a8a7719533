"""The plan of a song, drawn from its number: form, key, chords, tempo, who plays where.

Everything is a function of (split, number) and of nothing else.
"""

from dataclasses import dataclass

import numpy as np

from clavilux.seeds import generator
from grooves import Grooves, Style

__all__ = ["Chord", "Part", "Plan", "Section", "draw_plan", "stream"]

SEEDS = {"train": 0, "test": 1, "heavy": 2}
PITCHES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
NUMERALS = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}

MAJOR = """I V vi IV|vi IV I V|I vi IV V|I IV V IV|ii V I vi|I iii IV V|IV V iii vi|I bVII IV I|vi V IV V
I I IV V|IV I V vi|I ii IV V|I V ii IV|vi ii V I|IV iv I I|I IV vi V|bVI bVII I I"""
MINOR = """i bVI bIII bVII|i bVII bVI bVII|i iv v i|i iv bVI V|i bIII bVII iv|i i bVI bVII|i v bVI bVII
i bVI iv V|iv i V i|bVI bVII i i|i bVII iv i|i bII i bVII|i i i bVI|i bIII iv V"""
BLUES = "I I I I IV IV I I V IV I V"

FORMS = (
    "iABABCBo", "iAABABCBBo", "ABACABA", "iABCABCDBo", "AABAAABA", "iABABo", "ABABCAB", "iAABCBo",
    "iABCBADBCo", "iABABCCBo", "ABCABC", "iAABBAABBo", "iABACADAo", "iBABACBo",
)  # fmt: skip
LENGTHS = {"train": (60, 120), "heavy": (60, 120), "test": (90, 180)}
"""Seconds."""
COLOURED = {"jazz", "latin", "funk", "blues"}
MODES = {"metal": 0.1, "punk": 0.5, "dance": 0.3, "break": 0.2, "hiphop": 0.25}
"""How often a kind is in major; else 0.6."""


@dataclass(frozen=True)
class Chord:
    """A chord: pitch class of its root, quality as mma writes it."""

    root: int
    quality: str

    @property
    def name(self) -> str:
        """Such as Bbm7."""
        return PITCHES[self.root] + self.quality

    @property
    def tones(self) -> tuple[int, ...]:
        """Pitch classes, root first."""
        third, fifth = (3 if self.quality.startswith("m") else 4), 7
        seventh = {"7": (10,), "m7": (10,), "M7": (11,)}.get(self.quality, ())
        return tuple((self.root + step) % 12 for step in (0, third, fifth, *seventh))


@dataclass(frozen=True)
class Section:
    """A stretch of the song; `bars` long."""

    label: str
    bars: int


@dataclass(frozen=True)
class Part:
    """What is played whenever a label comes.

    Attributes:
        chords: one list a bar, of one or two chords.
        groove, fill: names of mma's; "" for none.
        loudness: factor for all velocities.
        rests: roles that rest, and which share of the chord tracks does.
        drums: which pattern of players.py replaces the groove's drums; "" for none.
        melody: whether a melody is played.
    """

    chords: tuple[tuple[Chord, ...], ...]
    groove: str
    fill: str
    loudness: float
    rests: frozenset[str]
    drums: str
    melody: bool


@dataclass(frozen=True)
class Plan:
    """A song before it is played."""

    split: str
    number: int
    style: Style
    bpm: float
    tonic: int
    mode: str
    sections: tuple[Section, ...]
    parts: dict[str, Part]
    tempo: str
    swing: float

    @property
    def key(self) -> str:
        """Such as "A minor"."""
        return f"{PITCHES[self.tonic]} {self.mode}"

    @property
    def bars(self) -> int:
        """How many there are."""
        return sum(section.bars for section in self.sections)


def stream(split: str, number: int, name: str) -> np.random.Generator:
    """Return the random generator of one aspect of one song."""
    return generator(SEEDS[split], f"truth {name}", number)


OWN_DRUMS = {
    "metal": ("half", "straight", "double", "blast", "gallop", "gallop"),
    "punk": ("double", "straight", "half"),
    "dance": ("floor", "floor", "break", "straight"),
    "break": ("break", "break2", "half"),
    "hiphop": ("trap", "break", "half"),
    "waltz": ("three", "three2"),
}
ANY_DRUMS = ("straight", "half", "straight", "tresillo", "floor", "break")


def draw_plan(split: str, number: int, style: Style, grooves: Grooves) -> Plan:
    """Draw the song `number` of a split in a style."""
    rng = stream(split, number, "plan")
    bpm = float(np.round(np.exp(rng.uniform(np.log(style.slowest), np.log(style.fastest))), 1))
    tonic = int(rng.integers(12))
    mode = "major" if rng.random() < MODES.get(style.kind, 0.6) else "minor"
    sections = _draw_form(rng, LENGTHS[split], 60 * style.beats_per_bar / bpm)
    parts = _draw_parts(rng, sections, style, grooves, (tonic, mode))
    tempo = str(rng.choice(["steady", "drift", "step", "ritardando"], p=[0.76, 0.14, 0.06, 0.04]))
    swing = float(rng.choice([0.0, rng.uniform(0.08, 0.33)], p=[0.85, 0.15]))
    return Plan(split, number, style, bpm, tonic, mode, sections, parts, tempo, swing)


def _draw_form(rng: np.random.Generator, lengths: tuple[int, int], bar: float) -> tuple[Section, ...]:
    """Repeat a form until the length is reached, in units of 4, 8 or 16 bars of about 16 s."""
    target = rng.uniform(*lengths)
    wished = rng.uniform(11, 20)
    unit = min((4, 8, 16), key=lambda bars: abs(np.log(bars * bar / wished)))
    form = str(rng.choice(FORMS))
    bars = dict.fromkeys(form, unit) | dict.fromkeys("io", max(4, unit // 2))
    for label in "ABCD":
        if rng.random() < 0.15:
            bars[label] = int(rng.choice([max(4, unit // 2), unit + unit // 2, unit + 2, unit + 1]))
    labels, end = list(form.removesuffix("o")), form[len(form.removesuffix("o")) :]
    taken, seconds = [], bars["o"] * bar * len(end)
    for label in labels + [label for label in labels if label != "i"] * 3:
        taken.append(label)
        seconds += bars[label] * bar
        if seconds > target:
            break
    return tuple(Section(label, bars[label]) for label in (*taken, *end))


def _draw_parts(
    rng: np.random.Generator,
    sections: tuple[Section, ...],
    style: Style,
    grooves: Grooves,
    key: tuple[int, str],
) -> dict[str, Part]:
    """Draw what each label plays; neighbours in the alphabet never share chords, and rarely grooves."""
    labels = sorted({section.label for section in sections})
    mains = list(rng.permutation(grooves.main)) or [""]
    own = style.own or rng.random() < (0.55 if style.kind in {"metal", "rock", "dance"} else 0.2)
    drums = _draw_drums(rng, style) if own else [""]
    bars = {section.label: section.bars for section in sections}
    progressions = list(rng.permutation([p.strip() for p in _pool(key[1])]))
    parts = {}
    for place, label in enumerate(labels):
        parts[label] = Part(
            chords=_draw_chords(rng, progressions.pop(), bars[label], style, key),
            groove=str(rng.choice(grooves.intro)) if label == "i" and grooves.intro and rng.random() < 0.4
            else str(mains[place % len(mains)]),
            fill=str(rng.choice(grooves.fill)) if grooves.fill and rng.random() < 0.7 else "",
            loudness=float({"i": 0.8, "o": 0.85, "B": 1.0}.get(label, rng.uniform(0.72, 0.95))),
            rests=_draw_rests(rng, label),
            drums=drums[place % len(drums)],
            melody=bool(label not in "io" and rng.random() < 0.85) or bool(rng.random() < 0.15),
        )  # fmt: skip
    return parts


def _pool(mode: str) -> list[str]:
    return (MAJOR if mode == "major" else MINOR).replace("\n", "|").split("|")


def _draw_drums(rng: np.random.Generator, style: Style) -> list[str]:
    pool = OWN_DRUMS.get(style.kind, ANY_DRUMS)
    return [str(name) for name in rng.permutation(pool)]


def _draw_rests(rng: np.random.Generator, label: str) -> frozenset[str]:
    if label == "B":
        return frozenset()
    if label == "i":
        choices: list[tuple[str, ...]] = [("drums",), ("bass",), ("drums", "bass"), ("chords",), ()]
    elif label in "CDo":
        choices = [("drums",), ("bass",), ("half the chords",), (), ("chords",), ()]
    else:
        choices = [("half the chords",), (), ()]
    return frozenset(choices[int(rng.integers(len(choices)))])


def _draw_chords(
    rng: np.random.Generator, progression: str, bars: int, style: Style, key: tuple[int, str]
) -> tuple[tuple[Chord, ...], ...]:
    """Spread a progression over bars: one chord a bar, sometimes every two bars or two a bar."""
    if style.kind == "blues" and key[1] == "major" and bars >= 8 and rng.random() < 0.5:
        progression = BLUES
    colour = style.kind in COLOURED and rng.random() < 0.8
    chords = [_chord(numeral, key[0], colour) for numeral in progression.split()]
    pace = rng.choice(["one", "slow", "two"], p=[0.72, 0.16, 0.12])
    if pace == "slow":
        chords = [chord for chord in chords for _ in range(2)]
    each = 2 if pace == "two" else 1
    laid = [tuple(chords[(bar * each + k) % len(chords)] for k in range(each)) for bar in range(bars)]
    if rng.random() < 0.4:  # another end the second time
        laid[-1] = (_chord("V", key[0], colour),)
    return tuple(laid)


def _chord(numeral: str, tonic: int, colour: bool) -> Chord:
    step = NUMERALS[numeral.lstrip("b").lower()] - numeral.startswith("b")
    minor = numeral.lstrip("b").islower()
    quality = "m" if minor else ""
    if colour:
        quality = "m7" if minor else ("7" if numeral in {"V", "bVII", "bII"} else "M7")
    return Chord((tonic + step) % 12, quality)
