"""A song as everything that may drive a picture knows it.

Nothing is computed before it is asked for, and nothing twice: what was heard is kept in memory and, under the
hash of the samples, in the store. Times are seconds; curves are on the 100 Hz control clock; every answer is
finite and exists for any sound, silence included. What a person said about the song wins over what was heard.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from hashlib import blake2b
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clavilux.audio.sound import Audio
from clavilux.curves import Curve, Events, Grid, Sections
from clavilux.errors import PatchError
from clavilux.features.corrections import Corrections
from clavilux.features.harmony.chroma import cens, chord_change, find_chroma, repeated
from clavilux.features.harmony.key import KEY_BAND, PITCH_CLASSES, Key, find_key, find_tuning
from clavilux.features.harmony.melody import BASS, MELODY, PitchTrack, find_pitch_track
from clavilux.features.level.bands import band_level
from clavilux.features.level.energy import energies_of, rms_sections
from clavilux.features.level.loudness import Loudness, measure_loudness, stem_loudness
from clavilux.features.rhythm.activations import NetInputs, event_net, net_inputs
from clavilux.features.rhythm.downbeats import with_bars
from clavilux.features.rhythm.drums import Drums, drums_from_activations, find_drums
from clavilux.features.rhythm.grid import grid_from_activations
from clavilux.features.rhythm.tempo import backbeat_strength, beat_strength, find_pulse
from clavilux.features.spectrum.analysis import STEMS, Analysis
from clavilux.features.spectrum.onsets import ONSET_DELAY, onset_strength
from clavilux.features.spectrum.peaks import loud_level
from clavilux.features.spectrum.recording import Recording
from clavilux.features.spectrum.spectra import RATE, Half, on_clock
from clavilux.features.structure.find import Structure, find_structure
from clavilux.store import Arrays, Store

__all__ = ["Song"]

STANDS_FOR: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "drums": ("drums",),
        "percussive": ("drums",),
        "bass": ("bass",),
        "chords": ("chords", "other"),
        "melody": ("melody", "vocals"),
    }
)
"""Which of a person's own stems takes the place of each that is found in the mix; the first there is."""
SURE_OF_BEATS = 0.3
"""Confidence of the trained ear below which the beat is also looked for without it."""
VOICES = MappingProxyType({"melody": MELODY, "bass": BASS})


@dataclass(frozen=True, eq=False)
class Song:
    """What the music of ``audio`` does.

    Stems are named by strings: ``mix``, ``harmonic``, ``percussive`` or ``drums``, ``bass`` (harmonic, 32 to
    250 Hz) and ``chords`` (harmonic, above 220 Hz), and every one of ``stems`` by its name. Own stems called
    drums, bass, chords (or other) and melody (or vocals) take the place of what is found in the mix.

    Attributes:
        audio: the song.
        store: keeps what was heard.
        stems: a person's own stems of the song, by name.
        corrections: what a person said about it.

    >>> song = Song(Audio.from_samples(np.zeros(8000), 8000))
    >>> song.grid.tempo, song.grid.confidence, len(song.kick)
    (120.0, 0.0, 0)
    """

    audio: Audio
    store: Store = field(default_factory=Store)
    stems: Mapping[str, Audio] = field(default_factory=lambda: MappingProxyType({}))
    corrections: Corrections = field(default_factory=Corrections)

    @property
    def digest(self) -> str:
        """Hash of the samples."""
        return self.audio.digest

    @cached_property
    def duration(self) -> float:
        """Length in seconds."""
        return float(self.audio.duration)

    @property
    def stem_names(self) -> tuple[str, ...]:
        """The stems that can be asked for."""
        return tuple(dict.fromkeys((*STEMS, *self.stems)))

    # --- harmony

    @cached_property
    def tuning(self) -> float:
        """How far the song is from A4 = 440 Hz, in semitones, -0.5 to 0.5."""
        return find_tuning(self._mix.analysis.pitches)

    @cached_property
    def key(self) -> Key:
        """The key most of the song is in."""
        return find_key(self._fold(self._mix, self._mix.analysis.pitches, KEY_BAND))

    def chroma(
        self, stem: str = "harmonic", *, kind: Literal["plain", "repeated", "cens"] = "plain"
    ) -> Curve:
        """Follow the twelve pitch classes of a stem: (T, 12), labels C to B, not negative.

        One scale holds for the whole song: in its loud parts the twelve sum to about 1, in silence to 0.

        Args:
            stem: any but drums.
            kind: ``plain`` as it sounds; ``repeated`` without what happens only once (Rafii and Pardo 2012);
                ``cens`` which notes matter over a second, every frame of length 1 (Müller and Ewert 2011).

        Raises:
            PatchError: unknown stem or kind, or drums, which have no pitch.
        """
        frames = self._chroma_frames(stem)
        match kind:
            case "repeated":
                frames = repeated(frames)
            case "cens":
                frames = cens(frames)
            case "plain":
                pass
            case _:
                raise PatchError(f"There is no chroma '{kind}'; there are plain, repeated and cens.")
        return Curve(on_clock(frames, self.duration), PITCH_CLASSES)

    def chord_change(self, stem: str = "harmonic") -> Curve:
        """Follow how much the harmony of a stem changes: (T, 1) in [0, 1], clear changes near 1.

        Raises:
            PatchError: unknown stem, or drums, which have no pitch.
        """
        return Curve(on_clock(chord_change(self._chroma_frames(stem))[:, None], self.duration))

    @property
    def melody(self) -> PitchTrack:
        """The voice on top."""
        return self.pitch_track("melody")

    @property
    def bass_line(self) -> PitchTrack:
        """The voice at the bottom."""
        return self.pitch_track("bass")

    def pitch_track(self, stem: str) -> PitchTrack:
        """Follow the one voice of a stem: the melody, the bass, or one of the song's own stems.

        Raises:
            PatchError: a stem in which there is no one voice to follow.
        """
        own = self._own(stem)
        if own is None and stem not in VOICES:
            there = ", ".join((*VOICES, *self.stems))
            raise PatchError(f"There is no one voice to follow in '{stem}'; there is in {there}.")
        if stem not in self._lines:
            recording, voice = own or self._mix, VOICES.get(stem, MELODY)
            self._lines[stem] = find_pitch_track(
                recording.analysis, voice, self.tuning, self.duration, gain=recording.gain
            )
        return self._lines[stem]

    # --- rhythm

    def flux(self, stem: str = "mix", low_hz: float = 0.0, high_hz: float = RATE / 2) -> Curve:
        """Follow how strongly something begins in a band of a stem: (T, 1), >= 0, about 1 for a clear hit.

        Raises:
            PatchError: unknown stem, or a band that is empty or above 11 025 Hz.
        """
        recording, part = self._source(stem)
        _check_band(low_hz, high_hz)
        frames = onset_strength(recording.analysis, part, low_hz, high_hz)
        return Curve(on_clock(frames[:, None], self.duration, delay=ONSET_DELAY))

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

    @property
    def beats(self) -> Events:
        """The beats inside the song."""
        return self._inside(self.grid.beats)

    @property
    def downbeats(self) -> Events:
        """The beats that begin a bar, inside the song."""
        return self._inside(self.grid.downbeats)

    @cached_property
    def grid(self) -> Grid:
        """Beats and bars over the whole song; a clock of 120 bpm with confidence 0 where there is no beat."""
        return self.corrections.apply_to_grid(self._heard_grid, self.duration)

    # --- level

    def rms(self, stem: str = "mix", low_hz: float = 0.0, high_hz: float = RATE / 2) -> Curve:
        """Follow the level of a band of a stem: (T, 1), linear amplitude.

        Raises:
            PatchError: unknown stem, or a band that is empty or above 11 025 Hz.
        """
        _check_band(low_hz, high_hz)
        if stem == "melody" and self._own(stem) is None:
            return self.melody.rms
        recording, part = self._source(stem)
        whole = low_hz == 0 and high_hz >= RATE / 2
        analysis = recording.analysis
        frames = analysis.rms[part] if whole else band_level(analysis, part, low_hz, high_hz)
        return Curve(on_clock(frames[:, None] * np.float32(1 / recording.gain), self.duration))

    @property
    def lufs(self) -> float:
        """Loudness of the whole song (ITU-R BS.1770), LUFS; -70 in silence."""
        return self._loudness.lufs

    def loudness(self, stem: str = "mix") -> Curve:
        """Follow the momentary loudness of a stem, over 0.4 s: (T, 1) LUFS, at least -70.

        Raises:
            PatchError: unknown stem.
        """
        recording, part = self._source(stem)
        measured = self._loudness if recording is self._mix else measure_loudness(recording.audio)
        frames = stem_loudness(recording.analysis, part, measured.momentary)
        return Curve(on_clock(frames[:, None], self.duration))

    # --- structure

    @cached_property
    def sections(self) -> Sections:
        """The parts of the song; those that sound alike share a label."""
        said = self.corrections.apply_to_sections(self._structure.flat, self.duration)
        if self.corrections.sections is None:
            return said
        return Sections(said.bounds, said.labels, energies_of(self._mix.analysis.rms["mix"], said.bounds))

    def structure(self, detail: int | None = None) -> Sections:
        """Part the song more or less finely.

        Args:
            detail: at most how many different parts, 2 to 10; none is `sections`.

        Raises:
            PatchError: there is no such detail.
        """
        levels = self._structure.levels
        if detail is None:
            return self.sections
        if not 2 <= detail <= len(levels) + 1:
            raise PatchError(f"The detail of sections goes from 2 to {len(levels) + 1}, and is not {detail}.")
        return levels[detail - 2]

    @property
    def levels(self) -> tuple[Sections, ...]:
        """The song in up to 2, 3 ... 10 different parts."""
        return self._structure.levels

    @property
    def tracks(self) -> Sections:
        """The tracks of a mix, '1', '2' and so on; a song is one."""
        return self._structure.tracks

    @property
    def loop_bars(self) -> int:
        """After how many bars the music tends to repeat: 1, 2, 4, 8 or 16."""
        return self._structure.loop_bars

    @cached_property
    def rms_sections(self) -> Sections:
        """The song by how full it sounds alone: parts labelled 'calm' and 'full'."""
        return rms_sections(self._mix.analysis, self.duration)

    # --- what it is made from

    @cached_property
    def pulse_grid(self) -> Grid:
        """Beats and bars as found without the trained ear, by onset strength alone."""
        analysis, duration = self._mix.analysis, self.duration
        pulse = find_pulse(beat_strength(analysis, duration), backbeat_strength(analysis, duration), duration)
        bass, chords = (self._parted(self._mix, stem) for stem in ("bass", "chords"))
        return with_bars(pulse, find_drums(analysis), chords=chords, bass=bass)

    @property
    def analysis(self) -> Analysis:
        """What was measured in every frame of the whole song."""
        return self._mix.analysis

    @property
    def net_inputs(self) -> NetInputs:
        """What the trained ear hears of the song."""
        return self._net_inputs(self._mix)

    def forget(self) -> None:
        """Let go of what was heard where the store keeps it; asked again, it is read from there."""
        for recording in (self._mix, *self._stems.values()):
            recording.forget()

    @cached_property
    def _mix(self) -> Recording:
        return Recording(self.audio, self.store)

    @cached_property
    def _lines(self) -> dict[str, PitchTrack]:
        return {}

    @cached_property
    def _stems(self) -> dict[str, Recording]:
        return {name: Recording(audio, self.store) for name, audio in self.stems.items()}

    def _events(self, recording: Recording) -> NDArray[np.float16]:
        """Likelihood of each event the ear knows, (T, 5) per frame."""
        ear = event_net()

        def listen() -> Arrays:
            return {"events": ear.listen(self._net_inputs(recording)).astype(np.float16)}

        return np.asarray(self.store.fetch(recording.key(ear.digest), listen)["events"], np.float16)

    def _net_inputs(self, recording: Recording) -> NetInputs:
        return net_inputs(recording.analysis, *(self._parted(recording, stem) for stem in ("bass", "chords")))

    @cached_property
    def _mix_events(self) -> NDArray[np.float16]:
        return self._events(self._mix)

    @cached_property
    def _heard_grid(self) -> Grid:
        grid = grid_from_activations(self._mix_events, self.duration)
        if grid.confidence >= SURE_OF_BEATS:
            return grid
        return max(grid, self.pulse_grid, key=lambda heard: heard.confidence)

    @cached_property
    def _drums(self) -> Drums:
        own = self._own("drums")
        return (
            drums_from_activations(self._events(own), own.analysis)
            if own
            else drums_from_activations(self._mix_events, self._mix.analysis)
        )

    @cached_property
    def _loudness(self) -> Loudness:
        key = self._mix.key("loudness")
        return Loudness.of(self.store.fetch(key, lambda: measure_loudness(self.audio).arrays()))

    @cached_property
    def _structure(self) -> Structure:
        grid = self.grid
        beats = blake2b(grid.beats.tobytes() + grid.bars.tobytes(), digest_size=8).hexdigest()

        def find() -> Arrays:
            return find_structure(self._mix.analysis, grid, self.tuning, self.duration).arrays()

        return Structure.of(self.store.fetch(self._mix.key(f"structure/{beats}"), find))

    def _inside(self, times: NDArray[np.float64]) -> Events:
        return Events(times[(times >= 0) & (times < self.duration)])

    def _own(self, stem: str) -> Recording | None:
        """The person's own stem that takes the place of one, if there is."""
        return next(
            (self._stems[name] for name in STANDS_FOR.get(stem, (stem,)) if name in self._stems), None
        )

    def _source(self, stem: str) -> tuple[Recording, str]:
        """Where a stem is heard, and what it is called there."""
        own = self._own(stem)
        if own is not None:
            return own, "mix"
        if stem in STEMS:
            return self._mix, stem
        if stem == "melody":
            raise PatchError("The melody is followed, not parted from the mix; it has rms, pitch and notes.")
        near = get_close_matches(stem, self.stem_names, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(self.stem_names)}."
        raise PatchError(f"There is no stem '{stem}'; {hint}")

    def _chroma_frames(self, stem: str) -> NDArray[np.float32]:
        recording, part = self._source(stem)
        if STEMS[part].part == "percussive" or stem in {"drums", "percussive"}:
            raise PatchError(f"The stem '{stem}' has no chroma, as drums have no pitch; ask for 'harmonic'.")
        whole_mix = STEMS[part].part == "mix" and recording is self._mix
        pitches = recording.mix_pitches if whole_mix else recording.analysis.pitches
        return self._fold(recording, pitches, (STEMS[part].low_hz, STEMS[part].high_hz))

    def _parted(self, recording: Recording, stem: str) -> NDArray[np.float32]:
        """Chroma of a stem as it is parted from a recording, per frame."""
        source = STEMS[stem]
        return self._fold(recording, recording.analysis.pitches, (source.low_hz, source.high_hz))

    def _fold(self, recording: Recording, pitches: Half, band: tuple[float, float]) -> NDArray[np.float32]:
        loud = loud_level(recording.analysis.rms["mix"])
        return find_chroma(pitches, self.tuning, *band, loud=loud)


def _check_band(low_hz: float, high_hz: float) -> None:
    if not 0 <= low_hz < min(high_hz, RATE / 2):
        raise PatchError(
            f"The band from {low_hz:g} to {high_hz:g} Hz is empty; bands go upwards within 0 to 11025 Hz."
        )
