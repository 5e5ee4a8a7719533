"""The level of one song: RMS of bands and stems, loudness of the whole and over time.

Levels are linear amplitudes, loudness is LUFS; curves are on the 100 Hz control clock.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clavilux.curves import Curve, Sections
from clavilux.features.level.bands import band_level, spectral_centroid
from clavilux.features.level.energy import rms_sections
from clavilux.features.level.loudness import Loudness, measure_loudness, stem_loudness
from clavilux.features.spectrum.sources import Sources, versioned
from clavilux.features.spectrum.spectra import RATE, on_clock

__all__ = ["VERSION", "SongLevel"]

VERSION = 0
"""Of the stored loudness; raise it when the measurement changes."""


@dataclass(frozen=True, eq=False)
class SongLevel:
    """The level of a song.

    Attributes:
        sources: its recordings.
        duration: s.
    """

    sources: Sources
    duration: float

    def rms(self, stem: str, low_hz: float, high_hz: float) -> Curve:
        """Measure the RMS level of a band of a stem, (T, 1), linear amplitude.

        Raises:
            SongError: unknown stem.
        """
        source = self.sources.find(stem)
        analysis = source.recording.analysis
        whole = low_hz == 0 and high_hz >= RATE / 2  # up to the Nyquist frequency
        frames = analysis.rms[source.stem] if whole else band_level(analysis, source.stem, low_hz, high_hz)
        # Recordings are analysed at full scale: dividing by the gain restores their own level.
        return Curve(on_clock(frames[:, None] * np.float32(1 / source.recording.gain), self.duration))

    def brightness(self, stem: str) -> Curve:
        """Measure the spectral centroid of a stem on the mel scale, (T, 1) in [0, 1].

        Raises:
            SongError: unknown stem.
        """
        source = self.sources.find(stem)
        return Curve(
            on_clock(spectral_centroid(source.recording.analysis, source.stem)[:, None], self.duration)
        )

    @property
    def lufs(self) -> float:
        """Integrated loudness of the song (ITU-R BS.1770), LUFS; -70 in silence."""
        return self._loudness.lufs

    def loudness(self, stem: str) -> Curve:
        """Measure the momentary loudness of a stem, over 0.4 s, (T, 1) LUFS, at least -70.

        Raises:
            SongError: unknown stem.
        """
        source = self.sources.find(stem)
        recording = source.recording
        measured = self._loudness if recording is self.sources.mix else measure_loudness(recording.audio)
        frames = stem_loudness(recording.analysis, source.stem, measured.momentary)
        return Curve(on_clock(frames[:, None], self.duration))

    @cached_property
    def rms_sections(self) -> Sections:
        """Sections by level alone, labelled 'calm' and 'full'."""
        return rms_sections(self.sources.mix.analysis, self.duration)

    @cached_property
    def _loudness(self) -> Loudness:
        mix = self.sources.mix
        key = mix.key(versioned("loudness", VERSION))
        return Loudness.of(mix.store.fetch(key, lambda: measure_loudness(mix.audio).arrays()))
