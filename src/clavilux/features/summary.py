"""What was heard, in one line and in numbers."""

from dataclasses import asdict, dataclass

from clavilux.features.level import loud_level
from clavilux.features.song import Song
from clavilux.timeline import format_time

__all__ = ["Summary", "summary"]

CLEAR_BEAT = 0.1
CLEAR_KEY = 0.1
STRONG_DRUMS, SOFT_DRUMS = 0.05, 0.03
"""Loud level of the percussive part against the mix: the strict separation leaves little of dense drums."""


@dataclass(frozen=True)
class Summary:
    """What a song is like.

    Attributes:
        name: of the song.
        duration: s.
        rate, channels: of the file; Hz.
        silent: whether there is nothing to hear.
        tempo: beats per minute; 120 where there is no beat.
        beat_confidence: 0 (no beat; the grid is a clock) to 1.
        beats_per_bar: the metre.
        key, key_confidence: such as 'A minor'; 0 to 1.
        tuning: semitones from A4 = 440 Hz.
        drums: 'strong', 'soft' or 'none'.
        kicks, snares, hats: how many hits of each.
        beats, downbeats: s, over the whole song.
    """

    name: str
    duration: float
    rate: int
    channels: int
    silent: bool
    tempo: float
    beat_confidence: float
    beats_per_bar: int
    key: str
    key_confidence: float
    tuning: float
    drums: str
    kicks: int
    snares: int
    hats: int
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]

    def __str__(self) -> str:
        """Say it in one line: '3:24, 128 bpm, A minor, drums strong'."""
        if self.silent:
            return f"{format_time(self.duration)}, silence"
        beat = f"{self.tempo:.0f} bpm" if self.beat_confidence >= CLEAR_BEAT else "no steady beat"
        key = self.key if self.key_confidence >= CLEAR_KEY else f"perhaps {self.key}"
        key = key if self.key_confidence > 0 else "no key"
        drums = "no drums" if self.drums == "none" else f"drums {self.drums}"
        return f"{format_time(self.duration)}, {beat}, {key}, {drums}"

    def to_dict(self) -> dict[str, object]:
        """Return the fields by name, made of nothing but what JSON knows."""
        return asdict(self) | {"beats": list(self.beats), "downbeats": list(self.downbeats)}


def summary(song: Song) -> Summary:
    """Sum up a song.

    >>> from clavilux.audio.sound import Audio
    >>> str(summary(Song(Audio.from_samples([0.0] * 16000, 8000))))
    '0:02, silence'
    """
    grid = song.grid
    return Summary(
        name=song.audio.name,
        duration=song.duration,
        rate=song.audio.rate,
        channels=song.audio.channels,
        silent=song.audio.silent,
        tempo=round(grid.tempo, 2),
        beat_confidence=round(grid.confidence, 3),
        beats_per_bar=grid.beats_per_bar,
        key=song.key.name,
        key_confidence=round(song.key.confidence, 3),
        tuning=round(song.tuning, 3),
        drums=_drums(song),
        kicks=len(song.kick),
        snares=len(song.snare),
        hats=len(song.hat),
        beats=tuple(grid.beats.round(4).tolist()),
        downbeats=tuple(grid.downbeats.round(4).tolist()),
    )


def _drums(song: Song) -> str:
    """Tell strong drums from soft ones by level, and none by how seldom they hit."""
    mix, drums = (loud_level(song.rms(stem).values) for stem in ("mix", "drums"))
    if len(song.kick) + len(song.snare) < song.duration / 4 or drums < SOFT_DRUMS * mix:
        return "none"
    return "strong" if drums >= STRONG_DRUMS * mix else "soft"
