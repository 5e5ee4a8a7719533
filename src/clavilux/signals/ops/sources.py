"""What a song offers: its stems, the events detected in it, and the curves measured of a stem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from clavilux.arrays import F64
from clavilux.curves import Events, clock
from clavilux.moments import Moment
from clavilux.signals.table import choice, moment, number, op, text

if TYPE_CHECKING:
    from clavilux.features.song import Song

__all__: list[str] = []

LARGEST = 1e30
"""Largest constant: what float32 curves hold with room for arithmetic."""


@op("stem", style="literal", params={"name": text()})
def stem(*, name: str) -> str:
    """Name a part of the sound: one of every song's, or one of the user's own stems."""
    return name


@op("events", needs="song", style="literal", params={"name": text()})
def detected(song: Song, *, name: str) -> Events:
    """Name events that are detected in every song."""
    found: Events = getattr(song, name)
    return found


@op("signal", sampling="pointwise", style="literal", params={"value": number(..., -LARGEST, LARGEST)})
def constant(*, value: float) -> float:
    """Hold one number through the whole song."""
    return value


@op("signal", needs="song", params={"start": moment(), "end": moment("end")})
def gate(song: Song, start: str, end: str) -> F64:
    """Hold 1 between two moments of the song and 0 elsewhere; (T, 1)."""
    first, last = (
        Moment.parse(text).seconds(song.grid, song.sections, song.duration) for text in (start, end)
    )
    ticks = clock(song.duration)
    return ((ticks >= first) & (ticks < last)).astype("f8")[:, None]


@op(
    "signal",
    "stem",
    needs="song",
    params={"kind": choice("plain", "repeated", "cens", default="plain")},
)
def chroma(song: Song, stem: str, *, kind: Literal["plain", "repeated", "cens"]) -> F64:
    """Follow how strongly each of the 12 pitch classes sounds, C first; (T, 12), sum about 1 where loud.

    'repeated' leaves out what is played only once; 'cens' is smoothed over a second and ignores loudness.
    """
    return song.chroma(stem, kind=kind).values.astype("f8")


@op(
    "signal",
    "stem",
    needs="song",
    params={"low_hz": number(30, 0, 24000, "Hz"), "high_hz": number(11000, 1, 24000, "Hz")},
)
def flux(song: Song, stem: str, *, low_hz: float, high_hz: float) -> F64:
    """Follow the onset strength of a band: how much new energy arrives at every moment; (T, 1), from 0 up."""
    return song.flux(stem, low_hz, high_hz).values.astype("f8")


@op(
    "signal",
    "stem",
    needs="song",
    params={"low_hz": number(0, 0, 11025, "Hz"), "high_hz": number(11025, 1, 24000, "Hz")},
)
def rms(song: Song, stem: str, *, low_hz: float, high_hz: float) -> F64:
    """Follow the level of a band as root mean square amplitude; (T, 1), 0 to 1."""
    return song.rms(stem, low_hz, high_hz).values.astype("f8")


@op("signal", "stem", needs="song")
def brightness(song: Song, stem: str) -> F64:
    """Follow how bright the timbre is: the spectral centroid on the mel scale; (T, 1) in [0, 1].

    0 is 20 Hz, and also silence; 1 is 11 kHz.
    """
    return song.brightness(stem).values.astype("f8")


@op("signal", "stem", needs="song")
def loudness(song: Song, stem: str) -> F64:
    """Follow the momentary loudness over 0.4 s (ITU-R BS.1770); (T, 1) LUFS, -70 in silence."""
    return song.loudness(stem).values.astype("f8")


@op("signal", "stem", needs="song")
def pitch(song: Song, stem: str) -> F64:
    """Follow the pitch of the melody or the bass; (T, 1) MIDI number, 69 = A4, held through rests."""
    return song.pitch_track(stem).pitch.values.astype("f8")


@op("signal", "stem", needs="song")
def change(song: Song, stem: str) -> F64:
    """Follow how much the harmony changes; (T, 1) in [0, 1], clear changes of chord near 1."""
    return song.chord_change(stem).values.astype("f8")


@op(
    "events",
    "stem",
    needs="song",
    params={"low_hz": number(30, 0, 24000, "Hz"), "high_hz": number(11000, 1, 24000, "Hz")},
)
def onsets(song: Song, stem: str, *, low_hz: float, high_hz: float) -> Events:
    """Find the onsets in a band: the peaks of `flux` that stand out, clear ones with strength 1."""
    return song.onsets(stem, low_hz, high_hz)


@op("events", "stem", needs="song")
def notes(song: Song, stem: str) -> Events:
    """Find the onsets of the notes of the melody or the bass."""
    return song.pitch_track(stem).onsets
