"""The stems of a song by name: separated from the mix, or the user's own recordings in their place.

A stem is one of ``STEMS``, separated from the mix by harmonic-percussive separation and band limits, or any
recording the user supplied under a name of its own. Frequencies are Hz.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from clavilux.audio.sound import Audio
from clavilux.errors import SongError, suggest
from clavilux.features.spectrum.analysis import STEMS
from clavilux.features.spectrum.recording import Recording
from clavilux.features.spectrum.spectra import RATE
from clavilux.store import Store

__all__ = ["Source", "Sources", "check_band", "versioned"]

REPLACED_BY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "drums": ("drums",),
        "percussive": ("drums",),
        "bass": ("bass",),
        "chords": ("chords", "other"),
        "melody": ("melody", "vocals"),
    }
)
"""Separated stem -> the user's own stems that replace it; the first one supplied is used."""


@dataclass(frozen=True, eq=False)
class Source:
    """Where a stem is measured.

    Attributes:
        recording: the mix, or a stem the user supplied.
        stem: its name there, one of ``STEMS``; ``mix`` in a recording of the stem alone.
    """

    recording: Recording
    stem: str


@dataclass(frozen=True, eq=False)
class Sources:
    """The recordings of one song.

    Attributes:
        mix: the song.
        stems: the user's own stems, by name.
    """

    mix: Recording
    stems: Mapping[str, Recording]

    @classmethod
    def of(cls, audio: Audio, stems: Mapping[str, Audio], store: Store) -> "Sources":
        """Make the recordings of a song and its stems; nothing is analysed yet."""
        return cls(Recording(audio, store), {name: Recording(stem, store) for name, stem in stems.items()})

    @property
    def names(self) -> tuple[str, ...]:
        """All stems there are."""
        return tuple(dict.fromkeys((*STEMS, *self.stems)))

    def own(self, stem: str) -> Recording | None:
        """Return the user's own recording of a stem, if there is one."""
        names = REPLACED_BY.get(stem, (stem,))
        return next((self.stems[name] for name in names if name in self.stems), None)

    def find(self, stem: str) -> Source:
        """Find where a stem is measured: in the user's own recording first, else in the mix.

        Raises:
            SongError: there is no such stem.
        """
        own = self.own(stem)
        if own is not None:
            return Source(own, "mix")
        if stem in STEMS:
            return Source(self.mix, stem)
        if stem == "melody":
            raise SongError(
                "The melody is followed as a pitch, not separated from the mix",
                value=stem,
                hint="it has a level, a pitch and notes, or supply a melody or vocals stem",
            )
        hint = suggest(stem, self.names, otherwise="there are {}")
        raise SongError(f"There is no stem '{stem}'", value=stem, hint=hint)

    def release(self) -> None:
        """Free the memory of every analysis that the store keeps."""
        for recording in (self.mix, *self.stems.values()):
            recording.forget()


def check_band(low_hz: float, high_hz: float) -> None:
    """Check that a band of frequencies holds anything.

    Raises:
        SongError: it is empty, or outside 0 to 11 025 Hz.
    """
    if not 0 <= low_hz < min(high_hz, RATE / 2):
        raise SongError(
            f"The band from {low_hz:g} to {high_hz:g} Hz is empty",
            value=(low_hz, high_hz),
            hint=f"the lower edge comes first, and is at least 0 and below {RATE / 2:g} Hz",
        )


def versioned(name: str, version: int) -> str:
    """Return the name under which a version of a result is stored; version 0, the first, adds nothing.

    The store key also holds the version of the analysis below, so raising that one renews everything.

    >>> versioned("loudness", 0), versioned("loudness", 2)
    ('loudness', 'loudness.2')
    """
    return f"{name}.{version}" if version else name
