# Written by scripts/docs from the op table; change it there.
from clavilux.signals.expr import Events, Stem

class SongSource:
    """The song a patch is written for."""

    mix: Stem
    harmonic: Stem
    percussive: Stem
    drums: Stem
    bass: Stem
    chords: Stem
    melody: Stem
    kick: Events
    snare: Events
    hat: Events
    beats: Events
    downbeats: Events
    def stem(self, name: str) -> Stem:
        """Name one of the user's own stems."""

song: SongSource
