"""The song as a patch names it, before there is a song.

`song.drums`, `song.kick` and the rest are symbols; they mean something once a patch is evaluated for a real
`Song`.
"""

from clavilux.catalogue import EVENTS, STEMS
from clavilux.errors import suggest
from clavilux.moments import Moment
from clavilux.signals.expr import Events, Signal, Stem, UnknownOpError, apply
from clavilux.signals.table import OPS

__all__ = ["SongSource", "song"]

PARTS = (*STEMS, "melody")


class SongSource:
    """The song a patch is written for.

    >>> print(song.kick.decay(beats=0.5))
    kick.decay(beats=0.5)
    """

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

    def __init__(self) -> None:
        for name in PARTS:
            setattr(self, name, apply(OPS["stem"], (), {"name": name}))
        for name in EVENTS:
            setattr(self, name, apply(OPS["events"], (), {"name": name}))

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        known = (*PARTS, *EVENTS)
        hint = suggest(name, known, otherwise="it has {}")
        raise UnknownOpError(f"The song has no part '{name}'", where="song", value=name, hint=hint)

    def stem(self, name: str) -> Stem:
        """Name one of the user's own stems, such as vocals.

        >>> print(song.stem("vocals").rms())
        stem(name='vocals').rms(low_hz=0, high_hz=11025)
        """
        named: Stem = apply(OPS["stem"], (), {"name": name})
        return named

    def gate(self, start: str | Moment, end: str | Moment = "end") -> Signal:
        """Hold 1 between two moments and 0 elsewhere: a time, a bar, a beat, a section or the end.

        >>> print(song.gate("bar 9", "B.2"))
        gate(start='bar 9', end='B.2')
        """
        made: Signal = apply(OPS["gate"], (), {"start": start, "end": end})
        return made


song = SongSource()
"""The one symbolic song; patches start from it."""
