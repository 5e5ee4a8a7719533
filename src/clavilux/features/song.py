"""A song and everything that can be measured in it, the input of every patch.

Nothing is computed before it is asked for, and nothing twice: results are kept in memory and, under the hash
of the audio, in the store. Times are seconds; curves are on the 100 Hz control clock; every result is
finite and defined for any audio, silence included. Corrections by the user override what was detected.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from clavilux.arrays import F64
from clavilux.audio.sound import Audio, open_audio
from clavilux.audio.stem_files import open_stems
from clavilux.curves import Curve, Events, Grid, Sections
from clavilux.features.corrections import Corrections
from clavilux.features.harmony.key import Key
from clavilux.features.harmony.melody import PitchTrack
from clavilux.features.harmony.song_harmony import SongHarmony
from clavilux.features.level.energy import energies_of
from clavilux.features.level.song_level import SongLevel
from clavilux.features.rhythm.activations import NetInputs
from clavilux.features.rhythm.song_rhythm import SongRhythm
from clavilux.features.spectrum.analysis import Analysis
from clavilux.features.spectrum.sources import Sources, check_band
from clavilux.features.spectrum.spectra import RATE
from clavilux.features.structure.song_structure import SongStructure
from clavilux.store import Store

__all__ = ["Song"]


@dataclass(frozen=True, eq=False)
class Song:
    """The musical features of ``audio``.

    Stems are named by strings: ``mix``, ``harmonic``, ``percussive`` or ``drums``, ``bass`` (harmonic, 32 to
    250 Hz) and ``chords`` (harmonic, above 220 Hz), and every one of ``stems`` by its name. The user's own
    stems called drums, bass, chords (or other) and melody (or vocals) replace those separated from the mix.
    A stem, band, kind or detail that the song does not have is a SongError.

    Attributes:
        audio: the song.
        store: keeps results.
        stems: the user's own stems of the song, by name.
        corrections: what the user corrected.

    >>> import numpy as np
    >>> song = Song(Audio.from_samples(np.zeros(8000), 8000))
    >>> song.grid.tempo, song.grid.confidence, len(song.kick)
    (120.0, 0.0, 0)
    """

    audio: Audio
    store: Store = field(default_factory=Store)
    stems: Mapping[str, Audio] = field(default_factory=lambda: MappingProxyType({}))
    corrections: Corrections = field(default_factory=Corrections)

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        stems: str | Path | None = None,
        corrections: Corrections | None = None,
        store: Store | None = None,
    ) -> "Song":
        """Open a song from a file, and its own stems from a folder.

        Args:
            path: an audio file, or a video with sound.
            stems: folder with one audio file per stem.
            corrections: what to override; a corrections file beside the song is not read here, see
                ``annotations.sidecar.corrections_of``.
            store: keeps results for the next time; nothing is kept without one.

        Raises:
            AudioError: a file cannot be read, or a stem does not belong to the song.

        >>> Song.open("no such song.mp3")
        Traceback (most recent call last):
        clavilux.errors.AudioError: There is no file 'no such song.mp3'; check the name and the folder.
        """
        audio = open_audio(path)
        own = {} if stems is None else open_stems(stems, audio)
        return cls(audio, store or Store(), own, corrections or Corrections())

    @property
    def digest(self) -> str:
        """Hash that identifies the song's audio: of a lossy file's coded packets, or else of the samples."""
        return self.audio.digest

    @cached_property
    def duration(self) -> float:
        """Length in seconds."""
        return float(self.audio.duration)

    @property
    def stem_names(self) -> tuple[str, ...]:
        """All stems there are."""
        return self._sources.names

    @property
    def analysis(self) -> Analysis:
        """Mel bands, levels and pitches of every frame of the mix."""
        return self._sources.mix.analysis

    def release(self) -> None:
        """Free the memory of analyses that the store keeps; they are read again when needed."""
        self._sources.release()

    # Each room of features computes from the recordings, and the rooms above from those below.

    @cached_property
    def _sources(self) -> Sources:
        return Sources.of(self.audio, self.stems, self.store)

    @cached_property
    def _harmony(self) -> SongHarmony:
        return SongHarmony(self._sources, self.duration)

    @cached_property
    def _rhythm(self) -> SongRhythm:
        return SongRhythm(self._sources, self._harmony.separated_chroma, self.duration)

    @cached_property
    def _level(self) -> SongLevel:
        return SongLevel(self._sources, self.duration)

    @cached_property
    def _structure(self) -> SongStructure:
        return SongStructure(self._sources.mix, self.grid, self.tuning, self.duration)

    # --- harmony

    @property
    def tuning(self) -> float:
        """Deviation from A4 = 440 Hz in semitones, -0.5 to 0.5."""
        return self._harmony.tuning

    @property
    def key(self) -> Key:
        """The key of most of the song."""
        return self._harmony.key

    def chroma(
        self, stem: str = "harmonic", *, kind: Literal["plain", "repeated", "cens"] = "plain"
    ) -> Curve:
        """Compute the twelve pitch classes of a stem: (T, 12), labels C to B, not negative.

        One scale holds for the whole song: in its loud parts the twelve sum to about 1, in silence to 0.

        Args:
            stem: any but drums.
            kind: ``plain``; ``repeated`` without what happens only once (Rafii and Pardo 2012); ``cens``
                smoothed over a second, every frame of length 1 (Müller and Ewert 2011).
        """
        return self._harmony.chroma(stem, kind)

    def chord_change(self, stem: str = "harmonic") -> Curve:
        """Measure how much the harmony of a stem changes: (T, 1) in [0, 1], clear changes near 1."""
        return self._harmony.chord_change(stem)

    @property
    def melody(self) -> PitchTrack:
        """The top voice."""
        return self.pitch_track("melody")

    @property
    def bass_line(self) -> PitchTrack:
        """The bottom voice."""
        return self.pitch_track("bass")

    def pitch_track(self, stem: str) -> PitchTrack:
        """Estimate the pitch of a monophonic stem: the melody, the bass, or one of the user's own stems."""
        return self._harmony.pitch_track(stem)

    # --- rhythm

    def flux(self, stem: str = "mix", low_hz: float = 0.0, high_hz: float = RATE / 2) -> Curve:
        """Compute the onset strength of a band of a stem: (T, 1), >= 0, about 1 for a clear hit."""
        return self._rhythm.flux(stem, low_hz, high_hz)

    def onsets(self, stem: str = "mix", low_hz: float = 0.0, high_hz: float = RATE / 2) -> Events:
        """Find the onsets in a band of a stem, the song's clear ones with strength 1."""
        return self._rhythm.onsets(stem, low_hz, high_hz)

    @property
    def kick(self) -> Events:
        """Hits of the kick drum."""
        return self._rhythm.drums.kick

    @property
    def snare(self) -> Events:
        """Hits of the snare drum."""
        return self._rhythm.drums.snare

    @property
    def hat(self) -> Events:
        """Hits of the hi-hats."""
        return self._rhythm.drums.hat

    @cached_property
    def grid(self) -> Grid:
        """Beats and bars over the whole song; a clock of 120 bpm with confidence 0 where there is no beat."""
        return self.corrections.apply_to_grid(self._rhythm.grid, self.duration)

    @property
    def beats(self) -> Events:
        """The beats within the song."""
        return self._within(self.grid.beats)

    @property
    def downbeats(self) -> Events:
        """The first beat of each bar, within the song."""
        return self._within(self.grid.downbeats)

    @property
    def pulse_grid(self) -> Grid:
        """Beats and bars found by onset strength alone, without the network."""
        return self._rhythm.pulse_grid

    @property
    def net_inputs(self) -> NetInputs:
        """The inputs of the event network for the mix."""
        return self._rhythm.net_inputs

    def _within(self, times: F64) -> Events:
        return Events(times[(times >= 0) & (times < self.duration)])

    # --- level

    def rms(self, stem: str = "mix", low_hz: float = 0.0, high_hz: float = RATE / 2) -> Curve:
        """Measure the RMS level of a band of a stem: (T, 1), linear amplitude."""
        check_band(low_hz, high_hz)
        if stem == "melody" and self._sources.own(stem) is None:
            return self.melody.rms
        return self._level.rms(stem, low_hz, high_hz)

    def brightness(self, stem: str = "mix") -> Curve:
        """Measure the spectral centroid of a stem on the mel scale: (T, 1), 20 Hz = 0, 11 kHz = 1."""
        return self._level.brightness(stem)

    @property
    def lufs(self) -> float:
        """Integrated loudness of the song (ITU-R BS.1770), LUFS; -70 in silence."""
        return self._level.lufs

    def loudness(self, stem: str = "mix") -> Curve:
        """Measure the momentary loudness of a stem, over 0.4 s: (T, 1) LUFS, at least -70."""
        return self._level.loudness(stem)

    # --- structure

    @cached_property
    def sections(self) -> Sections:
        """The sections of the song; similar ones share a label."""
        sections = self.corrections.apply_to_sections(self._structure.found.flat, self.duration)
        if self.corrections.sections is None:
            return sections
        energies = energies_of(self.analysis.rms["mix"], sections.bounds)
        return Sections(sections.bounds, sections.labels, energies)

    def structure(self, detail: int | None = None) -> Sections:
        """Return the sections at a level of detail: at most so many different labels, 2 to 10.

        Without a detail they are `sections`.
        """
        return self.sections if detail is None else self._structure.at_detail(detail)

    @property
    def levels(self) -> tuple[Sections, ...]:
        """The sections with at most 2, 3 ... 10 different labels."""
        return self._structure.found.levels

    @property
    def tracks(self) -> Sections:
        """The tracks of a mix, '1', '2' and so on; a song is one."""
        tracks = self.corrections.apply_to_tracks(self._structure.found.tracks, self.duration)
        if self.corrections.tracks is None:
            return tracks
        return Sections(tracks.bounds, tracks.labels, energies_of(self.analysis.rms["mix"], tracks.bounds))

    @property
    def loop_bars(self) -> int:
        """After how many bars the music tends to repeat: 1, 2, 4, 8 or 16."""
        return self._structure.found.loop_bars

    @property
    def rms_sections(self) -> Sections:
        """Sections by level alone, labelled 'calm' and 'full'."""
        return self._level.rms_sections
