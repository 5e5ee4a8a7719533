"""The rhythm of one song: beats and bars, hits of the drum kit and onset strength, each found once.

Times are seconds, curves on the 100 Hz control clock. Activations of the event network are stored under the
hash of its weights.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clavilux.arrays import F16, F32
from clavilux.curves import Curve, Events, Grid
from clavilux.features.rhythm.activations import NetInputs, event_net, net_inputs
from clavilux.features.rhythm.downbeats import with_bars
from clavilux.features.rhythm.drums import Drums, drums_from_activations, find_drums, find_onsets
from clavilux.features.rhythm.grid import grid_from_activations
from clavilux.features.rhythm.tempo import backbeat_strength, beat_strength, find_pulse
from clavilux.features.spectrum.onsets import ONSET_DELAY, onset_strength
from clavilux.features.spectrum.recording import Recording
from clavilux.features.spectrum.sources import Sources, check_band, versioned
from clavilux.features.spectrum.spectra import on_clock
from clavilux.store import Arrays

__all__ = ["VERSION", "SongRhythm"]

VERSION = 0
"""Of the stored activations; raise it when they change although the weights do not."""
GRID_VERSION = 0
"""Of the stored beats and bars; raise it when they change although the weights do not."""
DRUMS_VERSION = 0
"""Of the stored hits; raise it when they change although the weights do not."""
DRUMS, PARTS = ("kick", "snare", "hat"), ("times", "strengths")
MIN_NET_CONFIDENCE = 0.3
"""Confidence of the network's grid below which onset strength alone may give a better one."""


@dataclass(frozen=True, eq=False)
class SongRhythm:
    """The rhythm of a song.

    Attributes:
        sources: its recordings.
        chroma: computes the chroma (T, 12) per frame of a stem separated from a recording.
        duration: s.
    """

    sources: Sources
    chroma: Callable[[Recording, str], F32]
    duration: float

    @cached_property
    def grid(self) -> Grid:
        """Beats and bars as detected; a clock of 120 bpm with confidence 0 where there is no beat."""
        mix = self.sources.mix
        key = mix.key(versioned(f"grid/{event_net().digest}", GRID_VERSION))
        kept = mix.store.fetch(key, lambda: _arrays_of(self._find_grid()))
        metre, confidence = kept["numbers"].tolist()
        return Grid(kept["beats"], beats_per_bar=int(metre), confidence=confidence, bars=kept["bars"])

    def _find_grid(self) -> Grid:
        grid = grid_from_activations(self._mix_activations, self.duration)
        if grid.confidence >= MIN_NET_CONFIDENCE:
            return grid
        return max(grid, self.pulse_grid, key=lambda found: found.confidence)

    @cached_property
    def pulse_grid(self) -> Grid:
        """Beats and bars found by onset strength alone, without the network."""
        analysis, duration = self.sources.mix.analysis, self.duration
        pulse = find_pulse(beat_strength(analysis, duration), backbeat_strength(analysis, duration), duration)
        bass, chords = (self.chroma(self.sources.mix, stem) for stem in ("bass", "chords"))
        return with_bars(pulse, find_drums(analysis), chords=chords, bass=bass)

    @cached_property
    def drums(self) -> Drums:
        """Hits of kick, snare and hats, from the user's own drums stem where there is one."""
        own = self.sources.own("drums")
        recording = own or self.sources.mix
        key = recording.key(versioned(f"drums/{event_net().digest}", DRUMS_VERSION))

        def found() -> Arrays:
            events = self._activations(own) if own else self._mix_activations
            drums = drums_from_activations(events, recording.analysis)
            return {f"{drum} {part}": getattr(getattr(drums, drum), part) for drum in DRUMS for part in PARTS}

        kept = recording.store.fetch(key, found)
        return Drums(*(Events(*(kept[f"{drum} {part}"] for part in PARTS)) for drum in DRUMS))

    @property
    def net_inputs(self) -> NetInputs:
        """The inputs of the event network for the mix."""
        return self._inputs(self.sources.mix)

    def flux(self, stem: str, low_hz: float, high_hz: float) -> Curve:
        """Compute the onset strength of a band of a stem, (T, 1), >= 0, about 1 for a clear hit.

        Raises:
            SongError: unknown stem, or an empty band.
        """
        source = self.sources.find(stem)
        check_band(low_hz, high_hz)
        frames = onset_strength(source.recording.analysis, source.stem, low_hz, high_hz)
        return Curve(on_clock(frames[:, None], self.duration, delay=ONSET_DELAY))

    def onsets(self, stem: str, low_hz: float, high_hz: float) -> Events:
        """Find the onsets in a band of a stem, the song's clear ones with strength 1.

        Raises:
            SongError: unknown stem, or an empty band.
        """
        source = self.sources.find(stem)
        check_band(low_hz, high_hz)
        found = find_onsets(source.recording.analysis, source.stem, low_hz, high_hz)
        inside = found.times < self.duration
        return Events(found.times[inside], found.strengths[inside])

    @cached_property
    def _mix_activations(self) -> F16:
        return self._activations(self.sources.mix)

    def _activations(self, recording: Recording) -> F16:
        """Likelihood of each of the network's events, (T, 5) per frame."""
        net = event_net()

        def predict() -> Arrays:
            return {"events": net.predict(self._inputs(recording)).astype(np.float16)}

        stored = recording.store.fetch(recording.key(versioned(net.digest, VERSION)), predict)
        return np.asarray(stored["events"], np.float16)

    def _inputs(self, recording: Recording) -> NetInputs:
        return net_inputs(recording.analysis, *(self.chroma(recording, stem) for stem in ("bass", "chords")))


def _arrays_of(grid: Grid) -> Arrays:
    return {
        "beats": grid.beats,
        "bars": grid.bars,
        "numbers": np.array([grid.beats_per_bar, grid.confidence]),
    }
