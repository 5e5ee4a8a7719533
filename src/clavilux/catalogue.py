"""What exists, by name: the vocabulary that patches, songs and generators share, each word defined once.

Nothing here computes. A patch names a stem, a mood or a group of layers; the analysis and the generator know
what it stands for.
"""

from typing import Literal

__all__ = [
    "EVENTS",
    "FIFTHS",
    "GROUPS",
    "MOODS",
    "PARTS",
    "PITCH_CLASSES",
    "REACHES",
    "STEMS",
    "Group",
    "Mood",
]

Group = Literal["coarse", "middle", "fine"]
GROUPS: tuple[Group, ...] = ("coarse", "middle", "fine")
"""Groups of a generator's layers by feature size: coarse steers shapes, fine colour and texture."""

Mood = Literal["warm", "cool", "calm", "wild"]
MOODS: tuple[Mood, ...] = ("warm", "cool", "calm", "wild")
"""What a palette can be chosen by."""

REACHES = {"subtle": 6.0, "medium": 12.0, "strong": 24.0}
"""How far a calibrated bend goes, in words, and the mean CIELAB distance that each means."""

STEMS = ("mix", "harmonic", "percussive", "drums", "bass", "chords")
"""The parts every song is separated into."""

PARTS = (*STEMS, "melody")
"""The parts of a song that a patch names: the stems, and the melody that is followed in the mix."""

EVENTS = ("kick", "snare", "hat", "beats", "downbeats")
"""The events detected in every song."""

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

FIFTHS = tuple(7 * k % 12 for k in range(12))
"""Pitch classes in the order of the circle of fifths, from C."""
