"""The song as a patch names it, before there is a song.

`song.drums`, `song.kick` and the rest are symbols; they mean something once a patch is evaluated for a real
`Song`.
"""

from clavilux.catalogue import EVENTS, PARTS
from clavilux.signals.expr import Stem, UnknownOpError, apply
from clavilux.signals.table import OPS
from clavilux.signals.text import hint_for

__all__ = ["SongSource", "song"]


class SongSource:
    """The song a patch is written for.

    >>> print(song.kick.decay(beats=0.5))
    kick.decay(beats=0.5)
    """

    def __init__(self) -> None:
        for name in PARTS:
            setattr(self, name, apply(OPS["stem"], (), {"name": name}))
        for name in EVENTS:
            setattr(self, name, apply(OPS["detected"], (), {"name": name}))

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        hint = hint_for(name, (*PARTS, *EVENTS))
        raise UnknownOpError(f"The song has no part '{name}'", where="song", value=name, hint=hint)

    def stem(self, name: str) -> Stem:
        """Name one of the user's own stems, such as vocals.

        >>> print(song.stem("vocals").rms())
        stem(name='vocals').rms(low_hz=0, high_hz=11025)
        """
        named: Stem = apply(OPS["stem"], (), {"name": name})
        return named


song = SongSource()
"""The one symbolic song; patches start from it."""
