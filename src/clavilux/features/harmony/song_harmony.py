"""The harmony of one song: tuning, key, chroma of its stems, chord changes and single voices.

Curves are on the 100 Hz control clock. Chroma is stored, as it is what most patches ask of a song that is
heard again; everything else here is quick to compute from the stored analysis.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from clavilux.arrays import F32
from clavilux.curves import Curve
from clavilux.errors import SongError, suggest
from clavilux.features.harmony.chroma import cens, chord_change, find_chroma, repeated
from clavilux.features.harmony.key import KEY, PITCH_CLASSES, Key, find_key, find_tuning
from clavilux.features.harmony.melody import BASS, MELODY, PitchTrack, find_pitch_track
from clavilux.features.spectrum.analysis import STEMS
from clavilux.features.spectrum.peaks import loud_level
from clavilux.features.spectrum.recording import Recording
from clavilux.features.spectrum.sources import Sources, versioned
from clavilux.features.spectrum.spectra import on_clock
from clavilux.store import Arrays

__all__ = ["SongHarmony"]

CHROMA_VERSION = 0
"""Raised whenever chroma changes: stored chroma of older versions is never used again."""

VOICES = MappingProxyType({"melody": MELODY, "bass": BASS})
KINDS: Mapping[str, Callable[[F32], F32]] = MappingProxyType(
    {"plain": lambda frames: frames, "repeated": repeated, "cens": cens}
)


@dataclass(frozen=True, eq=False)
class SongHarmony:
    """The harmony of a song.

    Attributes:
        sources: its recordings.
        duration: s.
    """

    sources: Sources
    duration: float

    @cached_property
    def tuning(self) -> float:
        """Deviation from A4 = 440 Hz in semitones, -0.5 to 0.5."""
        return find_tuning(self.sources.mix.analysis.pitches)

    @cached_property
    def key(self) -> Key:
        """The key of most of the song."""
        return find_key(self._fold(self.sources.mix, (KEY.low_hz, KEY.high_hz)))

    def chroma(self, stem: str, kind: str) -> Curve:
        """Compute the chroma of a stem, (T, 12), in one of the ``KINDS``.

        Raises:
            SongError: unknown stem or kind, or drums, which have no pitch.
        """
        frames = self._frames(stem)
        if kind not in KINDS:
            hint = suggest(kind, KINDS, otherwise="there are {}")
            raise SongError(f"There is no chroma '{kind}'", value=kind, hint=hint)
        return Curve(on_clock(KINDS[kind](frames), self.duration), PITCH_CLASSES)

    def chord_change(self, stem: str) -> Curve:
        """Measure how much the harmony of a stem changes, (T, 1) in [0, 1].

        Raises:
            SongError: unknown stem, or drums, which have no pitch.
        """
        return Curve(on_clock(chord_change(self._frames(stem))[:, None], self.duration))

    def pitch_track(self, stem: str) -> PitchTrack:
        """Estimate the pitch of a monophonic stem: the melody, the bass, or one of the user's own stems.

        Raises:
            SongError: the stem is not a single voice.
        """
        own = self.sources.own(stem)
        if own is None and stem not in VOICES:
            hint = suggest(stem, (*VOICES, *self.sources.stems), otherwise="there is one in {}")
            raise SongError(f"There is no single voice to follow in '{stem}'", value=stem, hint=hint)
        if stem not in self._tracks:
            recording, voice = own or self.sources.mix, VOICES.get(stem, MELODY)
            self._tracks[stem] = find_pitch_track(
                recording.analysis, voice, self.tuning, self.duration, gain=recording.gain
            )
        return self._tracks[stem]

    def separated_chroma(self, recording: Recording, stem: str) -> F32:
        """Compute the chroma of a stem as separated from this recording, per frame, (T, 12)."""
        source = STEMS[stem]
        return self._fold(recording, (source.low_hz, source.high_hz))

    @cached_property
    def _tracks(self) -> dict[str, PitchTrack]:
        return {}

    def _frames(self, stem: str) -> F32:
        source = self.sources.find(stem)
        recording, separated = source.recording, STEMS[source.stem]
        if separated.part == "percussive" or stem in {"drums", "percussive"}:
            raise SongError(
                f"The stem '{stem}' has no chroma, as drums have no pitch", value=stem, hint="use 'harmonic'"
            )
        whole_mix = separated.part == "mix" and recording is self.sources.mix
        return self._fold(recording, (separated.low_hz, separated.high_hz), whole_mix=whole_mix)

    def _fold(self, recording: Recording, band: tuple[float, float], *, whole_mix: bool = False) -> F32:
        """Compute the chroma of a band per frame, (T, 12), of what is not percussive or of the whole mix."""

        def fold() -> Arrays:
            pitches = recording.mix_pitches if whole_mix else recording.analysis.pitches
            loud = loud_level(recording.analysis.rms["mix"])
            return {"chroma": find_chroma(pitches, self.tuning, *band, loud=loud)}

        mix, (low, high) = self.sources.mix, band
        of = "mix" if whole_mix else "harmonic"
        tuned_by = "" if recording is mix else f"/tuned by {mix.audio.digest}"
        key = recording.key(versioned(f"chroma/{of}/{low:g} to {high:g} Hz{tuned_by}", CHROMA_VERSION))
        return np.asarray(recording.store.fetch(key, fold)["chroma"], np.float32)
