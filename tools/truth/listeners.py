"""The analysers that are scored: Clavilux, its fallback without the event network, and librosa.

Each returns its results in the truth's own units, and None for what it does not compute. Lines and chroma are
sampled at 100 Hz.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["Beats", "Clavilux", "Librosa", "Line", "Parts", "WithoutEventNet"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Beats:
    """Beats and, where they are found, bars."""

    beats: Array
    tempo: float
    downbeats: Array | None = None
    beats_per_bar: int | None = None


@dataclass(frozen=True, eq=False)
class Line:
    """A voice at 100 Hz: its frequency, Hz, and the likelihood that it is voiced."""

    hz: Array
    voiced: Array


@dataclass(frozen=True, eq=False)
class Parts:
    """Sections: (S + 1,) s, S labels."""

    bounds: Array
    labels: tuple[str, ...]


class Clavilux:
    """The features of Clavilux."""

    def __init__(self, path: Path) -> None:
        from clavilux.audio.sound import open_audio
        from clavilux.features.song import Song

        self.song = Song(open_audio(path))

    def beats(self) -> Beats | None:
        """Return beats and bars."""
        grid = self.song.grid
        return Beats(grid.beats, grid.tempo, grid.downbeats, grid.beats_per_bar)

    def hits(self) -> dict[str, Array] | None:
        """Return the times of kick, snare and hat."""
        return {name: getattr(self.song, name).times for name in ("kick", "snare", "hat")}

    def chroma(self) -> dict[str, Array] | None:
        """Return chroma of every kind."""
        kinds = ("plain", "repeated", "cens")
        return {kind: np.asarray(self.song.chroma(kind=kind).values, float) for kind in kinds}

    def bass(self) -> Array | None:
        """Return the bass's pitch as a MIDI number."""
        return np.asarray(self.song.bass_line.pitch.values[:, 0], float)

    def melody(self) -> Line | None:
        """Return the melody."""
        line = self.song.melody
        pitch = np.asarray(line.pitch.values[:, 0], float)
        return Line(440 * 2 ** ((pitch - 69) / 12), np.asarray(line.confidence.values[:, 0], float))

    def key(self) -> str | None:
        """Return the key."""
        return self.song.key.name

    def sections(self) -> dict[str, Parts] | None:
        """Return the flat sections, and those of each level of detail."""
        found = {"flat": self.song.sections} | {
            f"level {len(set(level.labels))}": level for level in self.song.levels
        }
        return {name: Parts(each.bounds, each.labels) for name, each in found.items()}


class WithoutEventNet(Clavilux):
    """Beats and drums of Clavilux without the event network; nothing else."""

    def __init__(self, heard: Clavilux) -> None:
        self.song = heard.song

    def beats(self) -> Beats | None:
        """Return the beats and bars of onset strength alone."""
        grid = self.song.pulse_grid
        return Beats(grid.beats, grid.tempo, grid.downbeats, grid.beats_per_bar)

    def hits(self) -> dict[str, Array] | None:
        """Return the hits found by onset strength in each drum's band."""
        from clavilux.features.rhythm.drums import find_drums

        drums = find_drums(self.song.analysis)
        return {name: getattr(drums, name).times for name in ("kick", "snare", "hat")}


class Librosa:
    """The features of librosa with its own defaults, cached below `kept`, as they never change."""

    hop = 512

    def __init__(self, path: Path, kept: Path) -> None:
        self.path = path
        digest = blake2b(path.read_bytes(), digest_size=16).hexdigest()
        self.kept = kept / "librosa" / digest

    @cached_property
    def _samples(self) -> tuple[NDArray[np.float32], float]:
        import librosa

        return librosa.load(self.path, sr=22050)

    @cached_property
    def _times(self) -> Array:
        """Times at which lines are sampled, s."""
        import soundfile

        return np.arange(int(np.ceil(soundfile.info(self.path).duration * 100 - 1e-6))) / 100

    def beats(self) -> Beats | None:
        """Return the beats of `beat_track`."""
        import librosa

        def track() -> Array:
            samples, rate = self._samples
            tempo, beats = librosa.beat.beat_track(y=samples, sr=rate, units="time")
            return np.concatenate([np.atleast_1d(tempo), beats])

        tempo, *beats = self._cached("beats", track)
        return Beats(np.array(beats), float(tempo))

    def hits(self) -> dict[str, Array] | None:
        """Return None: librosa finds onsets, but not of which drum."""
        return None

    def chroma(self) -> dict[str, Array] | None:
        """Return `chroma_cqt` of the harmonic part and `chroma_cens` of the mix."""
        import librosa

        def plain() -> Array:
            samples, rate = self._samples
            return librosa.feature.chroma_cqt(y=librosa.effects.harmonic(samples), sr=rate).T

        def cens() -> Array:
            samples, rate = self._samples
            return librosa.feature.chroma_cens(y=samples, sr=rate).T

        made = {"plain": plain, "cens": cens}
        return {name: self._on_times(self._cached(f"chroma {name}", make)) for name, make in made.items()}

    def bass(self) -> Array | None:
        """Return the strongest pitch class of the three lowest octaves."""
        import librosa

        def lowest() -> Array:
            samples, rate = self._samples
            harmonic = librosa.effects.harmonic(samples)
            return librosa.feature.chroma_cqt(y=harmonic, sr=rate, n_octaves=3, fmin=32.703).T

        return self._on_times(self._cached("bass", lowest)).argmax(axis=1).astype(float)

    def melody(self) -> Line | None:
        """Return `yin` of the harmonic part; `pyin` would take half a minute a song."""
        import librosa

        def follow() -> Array:
            samples, rate = self._samples
            harmonic = librosa.effects.harmonic(samples)
            return librosa.yin(harmonic, fmin=131, fmax=2093, sr=rate, hop_length=self.hop)[:, None]

        hz = self._on_times(self._cached("melody", follow))[:, 0]
        return Line(hz, np.ones(len(hz)))

    def key(self) -> str | None:
        """Return None: librosa finds no keys."""
        return None

    def sections(self) -> dict[str, Parts] | None:
        """Return None: `segment.agglomerative` would need the number of sections."""
        return None

    def _on_times(self, frames: Array) -> Array:
        """Return the frame nearest to each sampling time."""
        nearest = np.round(self._times * 22050 / self.hop).astype(int)
        return frames[np.clip(nearest, 0, len(frames) - 1)]

    def _cached(self, name: str, make: Callable[[], Array]) -> Array:
        file = self.kept / f"{name}.npy"
        if not file.is_file():
            self.kept.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part.npy")
            np.save(part, make())
            part.rename(file)
        return np.load(file)
