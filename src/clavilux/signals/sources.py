"""Where signals come from: the song as a patch sees it before there is a song.

`song.drums`, `song.kick` and the rest are names; they mean something once a patch is bound to a real `Song`.
"""

import difflib

from clavilux.errors import PatchError
from clavilux.signals import ops  # fills the op table that the methods of nodes come from
from clavilux.signals.expr import Hits, Stem

__all__ = ["HITS", "STEMS", "SongSource", "song"]

STEMS = ("mix", "harmonic", "percussive", "bass", "chords", "melody", "drums")
HITS = ("kick", "snare", "hat", "beats", "downbeats")

assert ops


class SongSource:
    """The song a patch is written for, before it is known.

    >>> print(song.kick.decay(beats=0.5))
    kick.decay(beats=0.5)
    """

    def __getattr__(self, name: str) -> Stem | Hits:
        if name in STEMS:
            return Stem(name)
        if name in HITS:
            return Hits(name)
        if name.startswith("_"):
            raise AttributeError(name)
        near = difflib.get_close_matches(name, STEMS + HITS, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"it has {', '.join(STEMS + HITS)}."
        raise PatchError(f"The song has no part '{name}'; {hint}")

    def stem(self, name: str) -> Stem:
        """Name one of a person's own stems, such as vocals.

        >>> print(song.stem("vocals").rms())
        vocals.rms(low_hz=0, high_hz=11025)
        """
        return Stem(name)


song = SongSource()
"""The one symbolic song; patches start from it."""
