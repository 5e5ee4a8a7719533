"""A song as everything that may drive a picture knows it.

Nothing is computed before it is asked for, and nothing twice: what was heard is kept in memory and, under the
hash of the samples, in the store. Times are seconds; curves are on the 100 Hz control clock; every answer is
finite and exists for any sound, silence included.
"""

from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clavilux.audio.sound import Audio
from clavilux.curves import Curve, Events, Grid
from clavilux.errors import PatchError
from clavilux.features.bars import with_bars
from clavilux.features.beats import backbeat_strength, beat_strength, find_pulse
from clavilux.features.harmony import KEY_BAND, PITCH_CLASSES, Key, find_chroma, find_key, find_tuning
from clavilux.features.hearing import STEMS, Hearing, Stem, hear
from clavilux.features.level import loud_level
from clavilux.features.pitches import pitch_strengths
from clavilux.features.rhythm import ONSET_DELAY, Drums, find_drums, onset_strength
from clavilux.features.spectra import RATE, Half, on_clock
from clavilux.features.tape import Tape
from clavilux.store import Store

__all__ = ["Song"]

VERSION = 2
"""Raised whenever what is heard, or how, changes: entries of older versions are never met again."""


@dataclass(frozen=True, eq=False)
class Song:
    """What the music of ``audio`` does.

    Stems are named by strings: ``mix``, ``harmonic``, ``percussive`` or ``drums``, ``bass`` (harmonic, 32 to
    250 Hz) and ``chords`` (harmonic, above 220 Hz).

    >>> song = Song(Audio.from_samples(np.zeros(8000), 8000))
    >>> song.grid.tempo, song.grid.confidence, len(song.kick)
    (120.0, 0.0, 0)
    """

    audio: Audio
    store: Store = field(default_factory=Store)

    @property
    def digest(self) -> str:
        """Hash of the samples."""
        return self.audio.digest

    @cached_property
    def duration(self) -> float:
        """Length in seconds."""
        return float(self.audio.duration)

    @cached_property
    def tuning(self) -> float:
        """How far the song is from A4 = 440 Hz, in semitones, -0.5 to 0.5."""
        return find_tuning(self._hearing.pitches)

    @cached_property
    def key(self) -> Key:
        """The key most of the song is in."""
        return find_key(self._fold(self._hearing.pitches, *KEY_BAND))

    def chroma(self, stem: str = "harmonic") -> Curve:
        """Follow the twelve pitch classes of a stem: (T, 12), labels C to B, not negative.

        One scale holds for the whole song: in its loud parts the twelve sum to about 1, in silence to 0.

        Raises:
            PatchError: unknown stem, or drums, which have no pitch.
        """
        source = _stem(stem)
        if source.part == "percussive":
            raise PatchError(f"The stem '{stem}' has no chroma, as drums have no pitch; ask for 'harmonic'.")
        pitches = self._mix_pitches if source.part == "mix" else self._hearing.pitches
        frames = self._fold(pitches, source.low_hz, source.high_hz)
        return Curve(on_clock(frames, self.duration), PITCH_CLASSES)

    def flux(self, stem: str = "mix", low_hz: float = 0.0, high_hz: float = RATE / 2) -> Curve:
        """Follow how strongly something begins in a band of a stem: (T, 1), >= 0, about 1 for a clear hit.

        Raises:
            PatchError: unknown stem, or a band that is empty or above 11 025 Hz.
        """
        _stem(stem)
        if not 0 <= low_hz < min(high_hz, RATE / 2):
            raise PatchError(
                f"The band from {low_hz:g} to {high_hz:g} Hz is empty; bands go upwards within 0 to 11025 Hz."
            )
        frames = onset_strength(self._hearing, stem, low_hz, high_hz)
        return Curve(on_clock(frames[:, None], self.duration, delay=ONSET_DELAY))

    def rms(self, stem: str = "mix") -> Curve:
        """Follow the level of a stem: (T, 1), linear amplitude.

        Raises:
            PatchError: unknown stem.
        """
        _stem(stem)
        frames = self._hearing.rms[stem][:, None] * np.float32(1 / self._gain)
        return Curve(on_clock(frames, self.duration))

    @property
    def kick(self) -> Events:
        """Hits of the kick drum."""
        return self._drums.kick

    @property
    def snare(self) -> Events:
        """Hits of the snare drum."""
        return self._drums.snare

    @property
    def hat(self) -> Events:
        """Hits of the hats."""
        return self._drums.hat

    @cached_property
    def grid(self) -> Grid:
        """Beats and bars over the whole song; a clock of 120 bpm with confidence 0 where there is no beat."""
        strength = beat_strength(self._hearing, self.duration)
        backbeat = backbeat_strength(self._hearing, self.duration)
        pulse = find_pulse(strength, backbeat, self.duration)
        bass, chords = (
            self._fold(self._hearing.pitches, STEMS[stem].low_hz, STEMS[stem].high_hz)
            for stem in ("bass", "chords")
        )
        return with_bars(pulse, self._drums, chords=chords, bass=bass)

    @cached_property
    def _drums(self) -> Drums:
        return find_drums(self._hearing)

    def forget(self) -> None:
        """Let go of what was heard where the store keeps it; asked again, it is read from there."""
        if self.store.folder is not None:
            for name in ("_hearing", "_mix_pitches"):
                self.__dict__.pop(name, None)

    @cached_property
    def _hearing(self) -> Hearing:
        return Hearing.of(self.store.fetch(self._key("hearing"), lambda: hear(self._sound()).arrays()))

    @cached_property
    def _mix_pitches(self) -> Half:
        kept = self.store.fetch(self._key("mix"), lambda: {"pitches": pitch_strengths(self._sound())})
        return np.asarray(kept["pitches"], np.float16)

    def _key(self, name: str) -> str:
        return f"{self.digest}/{name}/{VERSION}"

    @property
    def _gain(self) -> float:
        """The power of two that lifts the song's peak to full scale: few bits keep a quiet song as well."""
        return float(2.0 ** -np.frexp(self.audio.peak)[1])

    def _sound(self) -> Tape:
        """What is heard of the song: mono, loud, without its constant offset; of a silent one, nothing."""
        offset, gain = np.float32(self.audio.mean), np.float32(self._gain)
        blocks = ((block - offset) * gain for block in self.audio.mono_blocks(RATE))
        return Tape(() if self.audio.silent else blocks, self.audio.mono_samples(RATE))

    def _fold(self, pitches: Half, low_hz: float, high_hz: float) -> NDArray[np.float32]:
        loud = loud_level(self._hearing.rms["mix"])
        return find_chroma(pitches, self.tuning, low_hz, high_hz, loud=loud)


def _stem(name: str) -> Stem:
    if name not in STEMS:
        near = get_close_matches(name, STEMS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(STEMS)}."
        raise PatchError(f"There is no stem '{name}'; {hint}")
    return STEMS[name]
