"""What was heard, in one line and in numbers.

The numbers are those of `clavilux analyse --json`; docs/analysis.md describes each. Times are seconds.
"""

import json
from dataclasses import asdict, dataclass

import numpy as np

from clavilux.curves import Sections
from clavilux.features.harmony.melody import PitchTrack
from clavilux.features.harmony.notes import HEARD, chord_changes, find_notes, note_name
from clavilux.features.rhythm.bar_numbers import bars_between, count_beats
from clavilux.features.song import Song
from clavilux.features.spectrum.peaks import loud_level
from clavilux.timeline import format_time

__all__ = ["Part", "Summary", "Track", "Voice", "headline", "summary"]

CLEAR_BEAT = 0.1
CLEAR_KEY = 0.1
STRONG_DRUMS, SOFT_DRUMS = 0.05, 0.03
"""Loud level of the percussive part against the mix: the strict separation leaves little of dense drums."""
FEWEST_HITS = 4
USUAL_TEMPI = (5, 95)
"""Percentiles between which the tempo usually is."""
USUAL_NOTES = (5, 95)


@dataclass(frozen=True)
class Part:
    """A section.

    Attributes:
        start, end: s.
        bars: its length, to half a beat.
        label: parts that sound alike share it.
        energy: how loud it is among the others; the loudest has 1.
    """

    start: float
    end: float
    bars: float
    label: str
    energy: float


@dataclass(frozen=True)
class Track:
    """A track of a mix.

    Attributes:
        start, end: s.
        label: its number, from '1'.
        tempo: beats per minute.
    """

    start: float
    end: float
    label: str
    tempo: float


@dataclass(frozen=True)
class Voice:
    """A single voice: the melody, or the bass.

    Attributes:
        lowest, highest: between which nearly all of its notes are, such as 'A4'; none without notes.
        notes: how many.
        heard: share of the song in which it is heard, 0 to 1.
    """

    lowest: str | None
    highest: str | None
    notes: int
    heard: float


@dataclass(frozen=True)
class Summary:
    """What a song is like.

    Attributes:
        name: of the song.
        headline: all of it in one line.
        duration: s.
        rate, channels: of the file; Hz.
        silent: whether there is nothing to hear.
        lufs, loudest: integrated loudness, and the loudest 0.4 s; LUFS.
        tempo: beats per minute; 120 where there is no beat.
        tempo_low, tempo_high: between which it nearly always is.
        beat_confidence: 0 (no beat; the grid is a clock) to 1.
        beats_per_bar: the metre.
        first_downbeat: where bar 1 begins, s; none where there is no beat.
        bars: how many begin in the song.
        loop_bars: after how many bars the music tends to repeat.
        key, key_confidence: such as 'A minor'; 0 to 1.
        tuning: semitones from A4 = 440 Hz.
        chord_changes: how many clear ones.
        drums: 'strong', 'soft' or 'none'.
        kicks, snares, hats: how many hits of each.
        melody, bass: the single voices.
        sections: the parts of the song.
        details: how many parts there are at each level of detail, from 2 to 10.
        tracks: of a mix; a song is one.
        corrections: what a person said, in words.
    """

    name: str
    headline: str
    duration: float
    rate: int
    channels: int
    silent: bool
    lufs: float
    loudest: float
    tempo: float
    tempo_low: float
    tempo_high: float
    beat_confidence: float
    beats_per_bar: int
    first_downbeat: float | None
    bars: int
    loop_bars: int
    key: str
    key_confidence: float
    tuning: float
    chord_changes: int
    drums: str
    kicks: int
    snares: int
    hats: int
    melody: Voice
    bass: Voice
    sections: tuple[Part, ...]
    details: tuple[int, ...]
    tracks: tuple[Track, ...]
    corrections: tuple[str, ...]

    def __str__(self) -> str:
        return self.headline

    def to_dict(self) -> dict[str, object]:
        """Return the fields by name, made of nothing but what JSON knows."""
        plain: dict[str, object] = json.loads(json.dumps(asdict(self)))
        return plain


def headline(song: Song) -> str:
    """Say in one line what a song is like: '3:24, 128 bpm, A minor, 5 sections, drums strong'.

    >>> from clavilux.audio.sound import Audio
    >>> headline(Song(Audio.from_samples([0.0] * 16000, 8000)))
    '0:02, silence'
    """
    if song.audio.silent:
        return f"{format_time(song.duration)}, silence"
    grid, key, drums = song.grid, song.key, _drums(song)
    words = [format_time(song.duration)]
    words.append(f"{grid.tempo:.0f} bpm" if grid.confidence >= CLEAR_BEAT else "no steady beat")
    words.append(
        key.name if key.confidence >= CLEAR_KEY else f"perhaps {key.name}" if key.confidence else "no key"
    )
    for count, what in ((len(song.tracks), "tracks"), (len(song.sections), "sections")):
        if count > 1:
            words.append(f"{count} {what}")
            break
    words.append("no drums" if drums == "none" else f"drums {drums}")
    if not song.corrections.none:
        words.append("corrected by hand")
    return ", ".join(words)


def summary(song: Song, *, detail: int | None = None) -> Summary:
    """Sum up a song, parted as finely as ``detail`` says, 2 to 10.

    >>> from clavilux.audio.sound import Audio
    >>> summary(Song(Audio.from_samples([0.0] * 16000, 8000))).lufs
    -70.0
    """
    grid = song.grid
    downbeats = count_beats(grid, song.duration).downbeats.times
    tempi = np.percentile(60 / np.diff(grid.beats), USUAL_TEMPI)
    return Summary(
        name=song.audio.name,
        headline=headline(song),
        duration=song.duration,
        rate=song.audio.rate,
        channels=song.audio.channels,
        silent=song.audio.silent,
        lufs=round(song.lufs, 1),
        loudest=round(float(song.loudness().values.max()), 1),
        tempo=round(grid.tempo, 2),
        tempo_low=round(float(tempi[0]), 2),
        tempo_high=round(float(tempi[1]), 2),
        beat_confidence=round(grid.confidence, 3),
        beats_per_bar=grid.beats_per_bar,
        first_downbeat=round(float(downbeats[0]), 4) if len(downbeats) and grid.confidence else None,
        bars=len(downbeats),
        loop_bars=song.loop_bars,
        key=song.key.name,
        key_confidence=round(song.key.confidence, 3),
        tuning=round(song.tuning, 3),
        chord_changes=len(chord_changes(song.chord_change())),
        drums=_drums(song),
        kicks=len(song.kick),
        snares=len(song.snare),
        hats=len(song.hat),
        melody=_voice(song.melody),
        bass=_voice(song.bass_line),
        sections=_sections(song, song.structure(detail)),
        details=tuple(len(level) for level in song.levels),
        tracks=_tracks(song),
        corrections=song.corrections.words,
    )


def _sections(song: Song, sections: Sections) -> tuple[Part, ...]:
    bounds = sections.bounds.tolist()
    return tuple(
        Part(round(start, 4), round(end, 4), bars_between(song.grid, start, end), label, round(energy, 3))
        for start, end, label, energy in zip(
            bounds, bounds[1:], sections.labels, sections.energies.tolist(), strict=False
        )
    )


def _tracks(song: Song) -> tuple[Track, ...]:
    tracks, bounds = [], song.tracks.bounds.tolist()
    for start, end, label in zip(bounds, bounds[1:], song.tracks.labels, strict=False):
        beats = song.grid.beats[(song.grid.beats >= start) & (song.grid.beats <= end)]
        tempo = 60 / float(np.median(np.diff(beats))) if len(beats) > 1 else song.grid.tempo
        tracks.append(Track(round(start, 4), round(end, 4), label, round(tempo, 2)))
    return tuple(tracks)


def _voice(line: PitchTrack) -> Voice:
    pitches = [note.pitch for note in find_notes(line)]
    heard = float((line.confidence.values > HEARD).mean())
    if not pitches:
        return Voice(None, None, 0, round(heard, 3))
    lowest, highest = np.percentile(pitches, USUAL_NOTES, method="nearest").tolist()
    return Voice(note_name(lowest), note_name(highest), len(pitches), round(heard, 3))


def _drums(song: Song) -> str:
    """Tell strong drums from soft ones by level, and none by how seldom they hit."""
    mix, drums = (loud_level(song.rms(stem).values) for stem in ("mix", "drums"))
    if len(song.kick) + len(song.snare) < max(FEWEST_HITS, song.duration / 4) or drums < SOFT_DRUMS * mix:
        return "none"
    return "strong" if drums >= STRONG_DRUMS * mix else "soft"
