"""A song in one line and in numbers.

The numbers are those that `clavilux analyse` prints as JSON; docs/analysis.md describes each. Times are
seconds.
"""

import json
from dataclasses import asdict, dataclass

import numpy as np

from clavilux.curves import Sections
from clavilux.features.harmony.melody import PitchTrack
from clavilux.features.harmony.notes import MIN_NOTE_CONFIDENCE, chord_changes, find_notes, note_name
from clavilux.features.rhythm.bar_numbers import bars_between, number_beats
from clavilux.features.song import Song
from clavilux.features.spectrum.peaks import loud_level
from clavilux.timeline import format_time

__all__ = ["SectionSummary", "Summary", "TrackSummary", "VoiceSummary", "drums_of", "headline", "summary"]

MIN_BEAT_CONFIDENCE = 0.1
"""Least confidence of the grid for a tempo in the headline."""
MIN_KEY_CONFIDENCE = 0.1
"""Least confidence of a key that is named without "perhaps"."""
STRONG_DRUMS_LEVEL, SOFT_DRUMS_LEVEL = 0.05, 0.03
"""Loud level of the percussive part relative to the mix: the separation keeps little of dense drums."""
MIN_HITS = 4
MIN_HITS_PER_SECOND = 0.25
TEMPO_PERCENTILES = (5, 95)
NOTE_PERCENTILES = (5, 95)


@dataclass(frozen=True)
class SectionSummary:
    """A section.

    Attributes:
        start, end: s.
        bars: its length, to half a beat.
        label: similar sections share it.
        energy: level relative to the others; the loudest has 1.
    """

    start: float
    end: float
    bars: float
    label: str
    energy: float


@dataclass(frozen=True)
class TrackSummary:
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
class VoiceSummary:
    """A single voice: the melody or the bass.

    Attributes:
        lowest, highest: range of nearly all of its notes, such as 'A4'; none without notes.
        notes: number of notes.
        share: share of the song in which it sounds, 0 to 1.
    """

    lowest: str | None
    highest: str | None
    notes: int
    share: float


@dataclass(frozen=True)
class Summary:
    """A song in numbers.

    Attributes:
        name: of the song.
        headline: the most important in one line.
        duration: s.
        rate, channels: of the file; Hz.
        silent: whether no sample is above -80 dB.
        lufs, loudest: integrated loudness, and the loudest 0.4 s; LUFS.
        tempo: beats per minute; 120 where there is no beat.
        tempo_low, tempo_high: range of nearly all beats.
        beat_confidence: 0 (no beat; the grid is a clock) to 1.
        beats_per_bar: the metre.
        first_downbeat: where bar 1 begins, s; none where there is no beat.
        bars: number of bars that begin in the song.
        loop_bars: after how many bars the music tends to repeat.
        key, key_confidence: such as 'A minor'; 0 to 1.
        tuning: semitones from A4 = 440 Hz.
        chord_changes: number of clear ones.
        drums: 'strong', 'soft' or 'none'.
        kicks, snares, hats: number of hits.
        melody, bass: the single voices.
        sections: without gaps.
        details: number of sections at each level of detail, from 2 to 10.
        tracks: of a mix; a song is one.
        corrections: what the user corrected, in words.
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
    melody: VoiceSummary
    bass: VoiceSummary
    sections: tuple[SectionSummary, ...]
    details: tuple[int, ...]
    tracks: tuple[TrackSummary, ...]
    corrections: tuple[str, ...]

    def __str__(self) -> str:
        return self.headline

    def to_dict(self) -> dict[str, object]:
        """Return the fields by name, as plain values that JSON can hold."""
        plain: dict[str, object] = json.loads(json.dumps(asdict(self)))
        return plain


def headline(song: Song) -> str:
    """Summarise a song in one line: '3:24, 128 bpm, A minor, 5 sections, drums strong'.

    >>> from clavilux.audio.sound import Audio
    >>> headline(Song(Audio.from_samples([0.0] * 16000, 8000)))
    '0:02, silence'
    """
    if song.audio.silent:
        return f"{format_time(song.duration)}, silence"
    grid, key, drums = song.grid, song.key, drums_of(song)
    words = [format_time(song.duration)]
    words.append(f"{grid.tempo:.0f} bpm" if grid.confidence >= MIN_BEAT_CONFIDENCE else "no steady beat")
    clear_key = key.confidence >= MIN_KEY_CONFIDENCE
    words.append(key.name if clear_key else f"perhaps {key.name}" if key.confidence else "no key")
    for count, what in ((len(song.tracks), "tracks"), (len(song.sections), "sections")):
        if count > 1:
            words.append(f"{count} {what}")
            break
    words.append("no drums" if drums == "none" else f"drums {drums}")
    if not song.corrections.none:
        words.append("corrected by hand")
    return ", ".join(words)


def summary(song: Song, *, detail: int | None = None) -> Summary:
    """Summarise a song in numbers, with sections at a level of detail, 2 to 10.

    >>> from clavilux.audio.sound import Audio
    >>> summary(Song(Audio.from_samples([0.0] * 16000, 8000))).lufs
    -70.0
    """
    grid = song.grid
    downbeats = number_beats(grid, song.duration).downbeats.times
    tempi = np.percentile(60 / np.diff(grid.beats), TEMPO_PERCENTILES)
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
        drums=drums_of(song),
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


def _sections(song: Song, sections: Sections) -> tuple[SectionSummary, ...]:
    bounds = sections.bounds.tolist()
    return tuple(
        SectionSummary(
            round(start, 4), round(end, 4), bars_between(song.grid, start, end), label, round(energy, 3)
        )
        for start, end, label, energy in zip(
            bounds, bounds[1:], sections.labels, sections.energies.tolist(), strict=False
        )
    )


def _tracks(song: Song) -> tuple[TrackSummary, ...]:
    tracks, bounds = [], song.tracks.bounds.tolist()
    for start, end, label in zip(bounds, bounds[1:], song.tracks.labels, strict=False):
        beats = song.grid.beats[(song.grid.beats >= start) & (song.grid.beats <= end)]
        tempo = 60 / float(np.median(np.diff(beats))) if len(beats) > 1 else song.grid.tempo
        tracks.append(TrackSummary(round(start, 4), round(end, 4), label, round(tempo, 2)))
    return tuple(tracks)


def _voice(track: PitchTrack) -> VoiceSummary:
    pitches = [note.pitch for note in find_notes(track)]
    share = float((track.confidence.values > MIN_NOTE_CONFIDENCE).mean())
    if not pitches:
        return VoiceSummary(None, None, 0, round(share, 3))
    lowest, highest = np.percentile(pitches, NOTE_PERCENTILES, method="nearest").tolist()
    return VoiceSummary(note_name(lowest), note_name(highest), len(pitches), round(share, 3))


def drums_of(song: Song) -> str:
    """Classify the drums as strong or soft by their level, and as none where there are few hits too."""
    mix, drums = (loud_level(song.rms(stem).values) for stem in ("mix", "drums"))
    few = len(song.kick) + len(song.snare) < max(MIN_HITS, song.duration * MIN_HITS_PER_SECOND)
    if few or drums < SOFT_DRUMS_LEVEL * mix:
        return "none"
    return "strong" if drums >= STRONG_DRUMS_LEVEL * mix else "soft"
