"""What presets listen to: drums as envelopes, harmony as chroma, and how much sounds at all.

Each envelope is scaled to the peaks of its own track, so that a sparse piano and dense metal both reach 1;
what is below the clear hits is pushed down, so that single hits stand out of dense drums.
"""

from clavilux.catalogue import MOODS
from clavilux.patches.functions import palette, saved
from clavilux.patches.palette import Palette
from clavilux.signals.expr import Signal
from clavilux.signals.sources import SongSource

__all__ = [
    "bass_notes",
    "chord_notes",
    "drum_hits",
    "drum_swing",
    "hat_hits",
    "kick_hits",
    "palette_of",
    "snare_hits",
    "sounding",
    "travel",
]


def drum_hits(song: SongSource, beats: float = 0.25) -> Signal:
    """Follow every hit of the drums, and fall within some beats; 0 to 1."""
    return _hits(song.drums.flux(low_hz=30, high_hz=11000), beats)


def drum_swing(song: SongSource, seconds: float = 0.1) -> Signal:
    """Follow every hit of the drums, snares the other way than kicks and hats; -1 to 1.

    A snare that is heard turns the sign while its hit falls, so the eye tells the two drums apart. The sign
    turns 60 ms early, as onset strength rises before a hit: a snare never begins the other way.

    Hits fall within seconds, not beats: of a song whose tempo is heard at half they would fall half as fast,
    and dense hits would run into each other.
    """
    snare = (8 * song.snare.pulse(seconds=seconds / 2).smooth(seconds=0.12)).clip()
    hits = _clear(song.drums.flux(low_hz=30, high_hz=11000)).release(seconds=seconds)
    swing: Signal = hits * (1 - 2 * snare)
    return swing


def kick_hits(song: SongSource, beats: float = 0.25) -> Signal:
    """Follow the kick drum, and fall within some beats; 0 to 1."""
    return _hits(song.drums.flux(low_hz=30, high_hz=150), beats)


def snare_hits(song: SongSource, beats: float = 0.25) -> Signal:
    """Follow the snare drum, and fall within some beats; 0 to 1."""
    return _hits(song.drums.flux(low_hz=200, high_hz=5000), beats)


def hat_hits(song: SongSource, beats: float = 0.25) -> Signal:
    """Follow the hi-hats, and fall within some beats; 0 to 1."""
    return _hits(song.drums.flux(low_hz=6000, high_hz=11000), beats)


def chord_notes(song: SongSource, seconds: float = 0.2) -> Signal:
    """Follow the chords as weights of the twelve pitch classes, two or three at once."""
    return song.chords.chroma().smooth(seconds=seconds).focus(notes=2.5, per="track")


def bass_notes(song: SongSource, seconds: float = 0.4) -> Signal:
    """Follow the bass as weights of the twelve pitch classes, one or two at once."""
    return song.bass.chroma().smooth(seconds=seconds).focus(notes=2, per="track")


def travel(hits: Signal, by: float) -> Signal:
    """Go on with every hit and rest between hits, to 1 and back; `by` is the speed at a hit, 1 in a second.

    What moves by it moves as much as the drums strike, and nothing has to come back before the next hit.
    """
    way: Signal = (by * hits).accumulate().fold()
    return way


def sounding(song: SongSource) -> Signal:
    """Follow whether anything sounds: 0 in silence, 1 where the song is usually loud."""
    return song.mix.rms().smooth(seconds=1).clip_peaks(percentile=10, per="track")


def palette_of(colours: str, seed: int) -> Palette:
    """Return the palette that a preset's knob `colours` names: a mood's, a saved one, or any."""
    if colours and colours not in MOODS:
        return saved(colours)
    return palette(mood=colours or None, seed=seed)


def _hits(strength: Signal, beats: float) -> Signal:
    """Scale an onset strength to its clear hits, and let them fall within some beats."""
    level: Signal = _clear(strength).release(beats=beats)
    return level


def _clear(strength: Signal) -> Signal:
    """Scale an onset strength to its clear hits, and push down the rest."""
    level: Signal = strength.clip_peaks(percentile=97, per="track").sharpen(by=1.5)
    return level
