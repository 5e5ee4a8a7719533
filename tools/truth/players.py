"""Players of our own: drums from sixteenth-note patterns, riffs, bass lines, chords, tunes.

Each plays one part of a song from bar 0 on, as rows (start, end, pitch, velocity) in beats, the same whenever
the part comes again.
"""

import numpy as np
from numpy.typing import NDArray

from midi import notes_of
from plan import Chord

__all__ = ["BASS_PROGRAMS", "CHORD_PROGRAMS", "Player"]

Row = tuple[float, float, int, int]

KICK, SNARE, STICK, CLAP, HAT, PEDAL, OPEN, CRASH, RIDE, CHINA = 36, 38, 37, 39, 42, 44, 46, 49, 51, 52
TOMS = (50, 48, 45, 43)

PATTERNS = {
    # kick, snare, and what keeps time: one character a sixteenth; x always, o often, . seldom, - never
    "straight": ("x-.-..o-x.o-..o-", "----x-------x--.", "x-x-x-x-x-x-x-x-"),
    "half": ("x-.-..o-.-o-..o-", "--------x-----.-", "x---x---x---x---"),
    "double": ("x---x---x---x-o-", "--x---x---x---x-", "x-x-x-x-x-x-x-x-"),
    "blast": ("x-x-x-x-x-x-x-x-", "-.x-..x-..x-..x-", "x---x---x---x---"),
    "gallop": ("xxx-xxxxx-xxxxxo", "----x-------x---", "x---x---x---x---"),
    "floor": ("x---x---x---x---", "----x-------x---", "--x---x---x---x-"),
    "break": ("x-o-....-.x-..--", "----x--.-.--x--.", "x-x-x-x-x-x-x-x-"),
    "break2": ("x---------x-----", "----x--o-o--x---", "x-xxx-x-x-x-x-xx"),
    "trap": ("x-..--o-.-o..-o-", "--------x-------", "xoxoxoxoxoxoxoxo"),
    "tresillo": ("x--o--x-x--o--x-", "---.--x----.--x-", "x-x-x-x-x-x-x-x-"),
    "three": ("x-.-....o-..", "----x-..x-..", "x-x-x-x-x-x-"),
    "three2": ("x-.-..o-.-..", "--------x-..", "x---x---x---"),
}
CHANCE = {"x": 1.0, "o": 0.6, ".": 0.12, "-": 0.0}

RIFFS = ("xxxxxxxxxxxxxxxx", "x-xxx-xxx-xxx-xx", "x---x---x--x--x-", "x-x-x-x-x-x-x-x-", "x---------------",
         "xx-xx-xx-xx-x-x-", "x--x--x--x--x-x-", "xxxxx-x-xxxxx-x-", "x-------x-----x-")  # fmt: skip
RIFF_STEPS = (0, 0, 0, 0, 0, 0, 1, 3, 5, 6, 7, -2)

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)

BASS_PROGRAMS = (32, 33, 33, 34, 34, 35, 36, 38, 38, 39, 39)
CHORD_PROGRAMS = (0, 2, 4, 5, 16, 18, 24, 25, 26, 27, 28, 48, 50, 62, 63, 81, 88, 89, 90, 91, 95)


class Player:
    """Plays one part; `rng` belongs to the part alone, so each occasion is the same but for its fill."""

    def __init__(
        self, rng: np.random.Generator, chords: tuple[tuple[Chord, ...], ...], beats_per_bar: int
    ) -> None:
        self.rng = rng
        self.chords = chords
        self.beats_per_bar = beats_per_bar

    @property
    def bars(self) -> int:
        """How long the part is."""
        return len(self.chords)

    def drums(self, name: str, channel: int, *, electronic: bool) -> NDArray[np.void]:
        """Play a pattern: two bars drawn once, repeated, with small changes now and then."""
        if len(PATTERNS[name][0]) != 4 * self.beats_per_bar:
            name = "three" if self.beats_per_bar == 3 else "straight"
        kick, snare, time = PATTERNS[name]
        keeper, backbeat = self._timekeeper(name), (CLAP if electronic and self.rng.random() < 0.4 else SNARE)
        rows: list[Row] = []
        voices = ((KICK, kick, 112), (backbeat, snare, 110), (keeper, time, 84))
        drawn = [[(key, self._hits(steps), velocity) for key, steps, velocity in voices] for _ in range(2)]
        for bar in range(self.bars):
            for key, steps, velocity in drawn[bar % 2]:
                rows += self._strike(key, steps, velocity, bar, electronic=electronic)
        if self.rng.random() < 0.7:
            rows.append((0.0, 0.5, CRASH, 108))
        return notes_of(rows, channel, "drums")

    def fill(self, bar: int, channel: int) -> NDArray[np.void]:
        """Play a fill on the last one or two beats of a bar, on snare and toms."""
        beats = int(self.rng.integers(1, 3))
        begin = (bar + 1) * self.beats_per_bar - beats
        step = float(self.rng.choice([0.25, 0.25, 0.5, 1 / 3]))
        count = round(beats / step)
        keys = [TOMS[min(3, 4 * k // count)] if self.rng.random() < 0.65 else SNARE for k in range(count)]
        rows: list[Row] = [
            (begin + k * step, begin + k * step + 0.1, key, int(self.rng.integers(85, 122)))
            for k, key in enumerate(keys)
        ]
        return notes_of(rows, channel, "drums")

    def _timekeeper(self, name: str) -> int:
        if name in {"blast", "gallop", "double"}:
            return int(self.rng.choice([RIDE, OPEN, CRASH, CHINA, HAT], p=[0.3, 0.2, 0.15, 0.1, 0.25]))
        return int(self.rng.choice([HAT, OPEN, RIDE], p=[0.7, 0.12, 0.18]))

    def _hits(self, pattern: str) -> list[int]:
        return [step for step, character in enumerate(pattern) if self.rng.random() < CHANCE[character]]

    def _strike(self, key: int, steps: list[int], velocity: int, bar: int, *, electronic: bool) -> list[Row]:
        rows: list[Row] = []
        late, uneven = (0.0, 3) if electronic else (0.008, 8)
        for step in steps:
            accent = 0 if step % 4 == 0 else -10
            start = bar * self.beats_per_bar + step / 4 + self.rng.normal() * late
            loud = np.clip(velocity + accent + self.rng.normal() * uneven, 30, 127)
            rows.append((max(0.0, start), max(0.0, start) + 0.1, key, int(loud)))
        return rows

    def riff(self, channels: tuple[int, int, int]) -> list[NDArray[np.void]]:
        """Play fifths on two guitars and their roots on the bass, after one rhythm of a bar or two."""
        rhythms = [str(self.rng.choice(RIFFS))[: 4 * self.beats_per_bar] for _ in range(2)]
        steps = [[int(self.rng.choice(RIFF_STEPS)) for _ in rhythm] for rhythm in rhythms]
        muted = self.rng.random() < 0.6
        low: list[Row] = []
        high: list[Row] = []
        for bar in range(self.bars):
            k = bar % 2 if self.rng.random() < 0.9 else 0
            onsets = [place for place, character in enumerate(rhythms[k]) if character == "x"]
            for place, after in zip(onsets, [*onsets[1:], len(rhythms[k])], strict=True):
                root = 40 + (self._chord(bar, place / 4).root - 4) % 12 + (steps[k][place] if place else 0)
                start = bar * self.beats_per_bar + place / 4
                length = (after - place) / 4 * (0.55 if muted and after - place < 3 else 0.95)
                velocity = int(self.rng.integers(92, 118))
                low.append((start, start + length, max(28, root - 12), velocity))
                high += [(start, start + length, root + interval, velocity) for interval in (0, 7, 12)]
        bass, left, right = channels
        late = [(s + abs(self.rng.normal()) * 0.01, e, p, v) for s, e, p, v in high]
        return [notes_of(low, bass, "bass"), notes_of(high, left, "chords"), notes_of(late, right, "chords")]

    def bass(self, channel: int) -> NDArray[np.void]:
        """Play roots in one of several manners."""
        manner = str(self.rng.choice(["eighths", "held", "octaves", "offbeat", "walk", "pattern"]))
        pattern = self._hits("x-.o..o.o-.o..o."[: 4 * self.beats_per_bar])
        onsets = {
            "eighths": np.arange(0, self.beats_per_bar, 0.5),
            "held": np.array([0.0]),
            "octaves": np.arange(0, self.beats_per_bar, 0.5),
            "offbeat": np.arange(0.5, self.beats_per_bar, 1.0),
            "walk": np.arange(0, self.beats_per_bar, 1.0),
            "pattern": np.array(pattern) / 4,
        }[manner]
        rows: list[Row] = []
        for bar in range(self.bars):
            for count, (onset, end) in enumerate(self._spans(onsets.tolist())):
                chord = self._chord(bar, onset)
                pitch = 28 + (chord.root - 4) % 12
                if manner == "octaves":
                    pitch += 12 * (count % 2)
                elif manner == "walk" and count:
                    pitch = 28 + (int(self.rng.choice(chord.tones)) - 4) % 12
                    pitch += 12 * int(self.rng.random() < 0.3)
                start = bar * self.beats_per_bar
                length = (end - onset) * 0.9
                rows.append((start + onset, start + onset + length, pitch, int(self.rng.integers(88, 116))))
        return notes_of(rows, channel, "bass")

    def accompany(self, channel: int) -> NDArray[np.void]:
        """Play chords: held, strummed, off the beat, or broken."""
        steps = {"held": 4.0, "eighths": 0.5, "stabs": 1.0, "broken": 0.5, "sixteenths": 0.25}
        manner = str(self.rng.choice(list(steps)))
        offset = 0.5 if manner == "stabs" else 0.0
        low = int(self.rng.integers(50, 62))
        rows: list[Row] = []
        for bar in range(self.bars):
            onsets = np.arange(offset, self.beats_per_bar, steps[manner]).tolist()
            if manner == "held" and len(self.chords[bar]) == 2:
                onsets = [0.0, 2.0]
            for count, (onset, end) in enumerate(self._spans(onsets)):
                pitches = sorted(low + (tone - low) % 12 for tone in self._chord(bar, onset).tones)
                if manner in {"broken", "sixteenths"}:
                    pitches = [pitches[count % len(pitches)] + 12 * (count % 4 == 3)]
                start = bar * self.beats_per_bar + onset
                length = (end - onset) * (0.4 if manner == "stabs" else 0.97)
                velocity = int(self.rng.integers(62, 92))
                rows += [(start, start + length, pitch, velocity) for pitch in pitches]
        return notes_of(rows, channel, "chords")

    def melody(self, channel: int, *, major: bool, tonic: int) -> NDArray[np.void]:
        """Play a phrase of four bars over the chords, with rests, and again with another end."""
        scale = [(tonic + step) % 12 for step in (MAJOR if major else MINOR)]
        low = int(self.rng.integers(60, 72))
        busy = self.rng.uniform(0.25, 0.7)
        rhythms = [self._rhythm(busy) for _ in range(4)]
        pitch = low + 6
        rows: list[Row] = []
        for bar in range(self.bars):
            onsets = rhythms[bar % 4] if (bar % 8 != 7) else rhythms[3][:2]
            for onset, end in self._spans(onsets):
                chord = self._chord(bar, onset)
                allowed = chord.tones if onset == int(onset) else (*chord.tones, *scale)
                near = [p for p in range(low, low + 18) if p % 12 in allowed]
                weights = np.exp(-((np.array(near) - pitch - self.rng.normal() * 2) ** 2) / 12)
                pitch = int(self.rng.choice(near, p=weights / weights.sum()))
                start = bar * self.beats_per_bar + onset
                length = min(end - onset, 2.5) * self.rng.uniform(0.8, 0.98)
                rows.append((start, start + length, pitch, int(self.rng.integers(96, 122))))
        return notes_of(rows, channel, "melody")

    def _rhythm(self, busy: float) -> list[float]:
        """Draw onsets within a bar, in eighths; one bar in seven rests."""
        if self.rng.random() < 0.14:
            return []
        eighths = np.arange(0, self.beats_per_bar, 0.5)
        chance = np.where(eighths % 1 == 0, 1.25 * busy, 0.75 * busy)
        return eighths[self.rng.random(len(eighths)) < chance].tolist()

    def _spans(self, onsets: list[float]) -> list[tuple[float, float]]:
        """Return each onset within a bar with the next one or the barline."""
        return list(zip(onsets, [*onsets[1:], float(self.beats_per_bar)], strict=False))

    def _chord(self, bar: int, beat: float) -> Chord:
        chords = self.chords[bar]
        return chords[1] if len(chords) == 2 and beat >= 2 else chords[0]
