"""The harmony of one song: tuning, key, chroma of its stems, chord changes and single voices.

Curves are on the 100 Hz control clock. Everything here is quick to compute from the stored analysis, so
nothing has a store key of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from clavilux.arrays import F16, F32
from clavilux.curves import Curve
from clavilux.errors import SongError, suggest
from clavilux.features.harmony.chroma import cens, chord_change, find_chroma, repeated
from clavilux.features.harmony.key import KEY, PITCH_CLASSES, Key, find_key, find_tuning
from clavilux.features.harmony.melody import BASS, MELODY, PitchTrack, find_pitch_track
from clavilux.features.spectrum.analysis import STEMS
from clavilux.features.spectrum.peaks import loud_level
from clavilux.features.spectrum.recording import Recording
from clavilux.features.spectrum.sources import Sources
from clavilux.features.spectrum.spectra import on_clock

__all__ = ["SongHarmony"]

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
        mix = self.sources.mix
        return find_key(self._fold(mix, mix.analysis.pitches, (KEY.low_hz, KEY.high_hz)))

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
        return self._fold(recording, recording.analysis.pitches, (source.low_hz, source.high_hz))

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
        pitches = recording.mix_pitches if whole_mix else recording.analysis.pitches
        return self._fold(recording, pitches, (separated.low_hz, separated.high_hz))

    def _fold(self, recording: Recording, pitches: F16, band: tuple[float, float]) -> F32:
        loud = loud_level(recording.analysis.rms["mix"])
        return find_chroma(pitches, self.tuning, *band, loud=loud)
