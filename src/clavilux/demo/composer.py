"""A short song generated from a seed, together with its exact ground truth.

It is the song of the demo and of the tests: every hit begins exactly on the sample its time denotes. Times
are seconds from the first sample. The song ends with a tail of three seconds in which the last chord fades.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from clavilux import seeds
from clavilux.arrays import F32, F64
from clavilux.audio.sound import Audio
from clavilux.demo import instruments
from clavilux.demo.composition import BAR, Note, Score, write_score
from clavilux.errors import SettingError

__all__ = ["PEAK", "Composition", "TimedChord", "compose"]

TAIL_SECONDS = 3.0
PEAK = 10 ** (-1 / 20)
"""-1 dBFS."""
STEP_SECONDS_AT_1_BPM = 15.0
"""A sixteenth note: a quarter of 60 s."""


@dataclass(frozen=True)
class TimedChord:
    """A chord from ``start`` to ``end`` s: its name ('Am') and its pitch classes (C = 0), root first."""

    start: float
    end: float
    name: str
    pitches: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Composition:
    """A song and its ground truth.

    Attributes:
        audio: the song, stereo, peak -1 dBFS.
        bpm: beats per minute, constant; the metre is 4/4 and the first beat is at 0 s.
        key: such as 'C major'.
        tonic: its pitch class, C = 0.
        beats, downbeats: (N,), (M,) s, up to the end of the outro.
        kick, snare, hat: start of every hit, (K,) s, increasing.
        chords: one per bar.
        bounds, labels: the sections, (6,) s from 0 to the end of the audio, and their five names.
        melody_enters: when the melody begins, s.
        stems: 'drums', 'bass', 'chords', 'melody', float32 (2, n); they sum to the song.
    """

    audio: Audio
    bpm: float
    key: str
    tonic: int
    beats: F64
    downbeats: F64
    kick: F64
    snare: F64
    hat: F64
    chords: tuple[TimedChord, ...]
    bounds: F64
    labels: tuple[str, ...]
    melody_enters: float
    stems: Mapping[str, F32]


def compose(seed: int = 0, *, bars: int = 8, bpm: float | None = None, rate: int = 44100) -> Composition:
    """Compose and synthesise a song: intro, A, B, A, outro.

    Args:
        seed: chooses key, tempo, chords, patterns, melody and timbres.
        bars: length of A and of B in bars, 1 to 32; intro and outro last a quarter of that.
        bpm: tempo, 60 to 200; by default the seed chooses one from 108 to 126.
        rate: sample rate, 16000 to 96000 Hz.

    Raises:
        SettingError: a value out of range.

    >>> song = compose(1, bars=1, bpm=120, rate=16000)
    >>> song.labels, song.beats[:3].tolist()
    (('intro', 'A', 'B', 'A', 'outro'), [0.0, 0.5, 1.0])
    """
    _check("number of bars", bars, 1, 32)
    _check("sample rate", rate, 16000, 96000)
    if bpm is not None:
        _check("tempo", bpm, 60, 200)
    score = write_score(seed, bars, bpm)
    clock = _Clock(score.bpm, rate)
    stems = _render(score, clock)
    mix = np.sum(list(stems.values()), axis=0)
    return Composition(
        audio=Audio.from_samples(mix, rate, name=f"Clavilux {seed}"),
        bpm=score.bpm,
        key=score.key,
        tonic=score.tonic,
        beats=clock.seconds(range(0, score.steps, BAR // 4)),
        downbeats=clock.seconds(range(0, score.steps, BAR)),
        kick=clock.seconds([hit.step for hit in score.kick]),
        snare=clock.seconds([hit.step for hit in score.snare]),
        hat=clock.seconds([hit.step for hit in score.hat]),
        chords=_timed_chords(score, clock),
        bounds=np.append(clock.seconds([part.first * BAR for part in score.parts]), mix.shape[1] / rate),
        labels=tuple(part.label for part in score.parts),
        melody_enters=float(clock.seconds([score.melody[0].step])[0]),
        stems=MappingProxyType(stems),
    )


def _check(name: str, value: float, low: int, high: int) -> None:
    if not low <= value <= high:
        raise SettingError(
            f"The {name} of a composition cannot be {value}",
            where=name,
            value=value,
            hint=f"it is {low} to {high}",
        )


@dataclass(frozen=True)
class _Clock:
    """Converts steps, sixteenths of a bar, to samples and seconds."""

    bpm: float
    rate: int

    def sample(self, step: float) -> int:
        return round(step * STEP_SECONDS_AT_1_BPM / self.bpm * self.rate)

    def seconds(self, steps: Sequence[int]) -> F64:
        return np.array([self.sample(step) for step in steps], np.float64) / self.rate


def _timed_chords(score: Score, clock: _Clock) -> tuple[TimedChord, ...]:
    edges = clock.seconds([chord.bar * BAR for chord in score.chords] + [score.steps])
    return tuple(
        TimedChord(float(edges[i]), float(edges[i + 1]), chord.name, chord.pitches)
        for i, chord in enumerate(score.chords)
    )


def _render(score: Score, clock: _Clock) -> dict[str, F32]:
    """Synthesise all stems, duck bass and chords under the kick, and master; stems (2, n) sum to the song."""
    count = clock.sample(score.steps) + round(TAIL_SECONDS * clock.rate)
    kicks = np.array([clock.sample(hit.step) for hit in score.kick])
    stems = {
        "drums": _render_drums(score, clock, count),
        "bass": _render_bass(score, clock, count) * instruments.duck(kicks, count, clock.rate, depth=0.7),
        "chords": _render_chords(score, clock, count) * instruments.duck(kicks, count, clock.rate, depth=0.5),
        "melody": _render_melody(score, clock, count),
    }
    mix = np.sum(list(stems.values()), axis=0)
    gain = instruments.soft_limit(mix)
    fade = clock.sample(score.steps - BAR // 2)
    gain[:, fade:] *= np.cos(np.linspace(0, np.pi / 2, count - fade, dtype=np.float32)) ** 2
    gain *= PEAK / np.abs(mix * gain).max()
    return {name: stem * gain for name, stem in stems.items()}


def _render_drums(score: Score, clock: _Clock, count: int) -> F32:
    rng, rate = seeds.generator(score.seed, "composer/drums"), clock.rate
    kick = instruments.kick(rate, low_hz=rng.uniform(45, 53), decay=rng.uniform(0.13, 0.2))
    snare = instruments.snare(rate, tone_hz=rng.uniform(175, 205), decay=rng.uniform(0.08, 0.13))
    closed = instruments.hat(rate, decay=rng.uniform(0.02, 0.035))
    opened = instruments.hat(rate, seconds=0.8, decay=0.22)
    kicks, snares, hats = (np.zeros(count, np.float32) for _ in range(3))
    for hit in score.kick:
        _add(kicks, clock.sample(hit.step), kick, 0.85 * hit.strength)
    for hit in score.snare:
        _add(snares, clock.sample(hit.step), snare, 0.5 * hit.strength)
    for hit in score.hat:
        _add(hats, clock.sample(hit.step), opened if hit.steps > 1 else closed, 0.28 * hit.strength)
    dry: F32 = np.stack([kicks + snares + 0.85 * hats, kicks + snares + hats])
    dry += 0.16 * instruments.reverb(np.stack([snares, snares]), rate)
    return dry


def _render_bass(score: Score, clock: _Clock, count: int) -> F32:
    overtones = seeds.generator(score.seed, "composer/growl").uniform(0.2, 0.45)
    line = np.zeros(count, np.float32)
    for note in score.bass:
        start, seconds = _span(note, clock)
        _add(
            line,
            start,
            instruments.bass(note.pitch, seconds, clock.rate, overtones=overtones),
            0.3 * note.strength,
        )
    return np.stack([line, line])


def _render_chords(score: Score, clock: _Clock, count: int) -> F32:
    """Overlap every chord with the next; B is brighter than A, and the last chord fades over the tail."""
    dark = seeds.generator(score.seed, "composer/cutoff").uniform(900, 1600)
    track, sounds = np.zeros((2, count), np.float32), {}
    for chord in score.chords:
        step = chord.bar * BAR
        last = step + BAR == score.steps
        seconds = STEP_SECONDS_AT_1_BPM / score.bpm * BAR + (TAIL_SECONDS if last else 0.3)
        cutoff = 1.9 * dark if score.part_at(step).label == "B" else dark
        key = (chord.pitches, cutoff, last)
        if key not in sounds:
            voices = tuple(54 + (pitch - 54) % 12 for pitch in chord.pitches)
            sounds[key] = instruments.pad(
                (*voices, voices[0] + 12), seconds, clock.rate, cutoff_hz=cutoff, seed=score.seed
            )
        _add(track, clock.sample(step), sounds[key], 0.1)
    return track + 0.4 * instruments.reverb(track, clock.rate, seconds=2.4)


def _render_melody(score: Score, clock: _Clock, count: int) -> F32:
    brightness = seeds.generator(score.seed, "composer/pluck").uniform(0.3, 0.55)
    line = np.zeros(count, np.float32)
    for note in score.melody:
        start, seconds = _span(note, clock)
        sound = instruments.pluck(note.pitch, seconds + 0.4, clock.rate, brightness=brightness)
        _add(line, start, sound, 0.2 * note.strength)
    track = instruments.echo(np.stack([line, line]), clock.sample(3))
    return track + 0.3 * instruments.reverb(track, clock.rate)


def _span(note: Note, clock: _Clock) -> tuple[int, float]:
    start, end = clock.sample(note.step), clock.sample(note.step + note.steps)
    return start, (end - start) / clock.rate


def _add(track: F32, start: int, samples: F32, gain: float) -> None:
    here = track[..., start : start + samples.shape[-1]]
    here += gain * samples[..., : here.shape[-1]]
