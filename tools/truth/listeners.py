"""Systems under test: Clavilux, its fallback without the event network, and librosa.

Each answers in the truth's own units; what it has no notion of it answers with None. Lines and chroma are
told at 100 moments a second.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["Beats", "Clavilux", "Librosa", "Line", "Parts", "WithoutEar"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Beats:
    """Beats and, where they are heard, bars."""

    beats: Array
    tempo: float
    downbeats: Array | None = None
    beats_per_bar: int | None = None


@dataclass(frozen=True, eq=False)
class Line:
    """A voice at 100 moments a second: its frequency, Hz, and how likely it sounds at all."""

    hz: Array
    voiced: Array


@dataclass(frozen=True, eq=False)
class Parts:
    """Sections: (S + 1,) s, S labels."""

    bounds: Array
    labels: tuple[str, ...]


class Clavilux:
    """What we hear."""

    def __init__(self, path: Path) -> None:
        from clavilux.audio.sound import open_audio
        from clavilux.features.song import Song

        self.song = Song(open_audio(path))

    def beats(self) -> Beats | None:
        """Tell beats and bars."""
        grid = self.song.grid
        return Beats(grid.beats, grid.tempo, grid.downbeats, grid.beats_per_bar)

    def hits(self) -> dict[str, Array] | None:
        """Tell when kick, snare and hat are hit."""
        return {name: getattr(self.song, name).times for name in ("kick", "snare", "hat")}

    def chroma(self) -> dict[str, Array] | None:
        """Tell the pitch classes, in every way we know."""
        kinds = ("plain", "repeated", "cens")
        return {kind: np.asarray(self.song.chroma(kind=kind).values, float) for kind in kinds}

    def bass(self) -> Array | None:
        """Tell the bass's pitch as a MIDI number."""
        return np.asarray(self.song.bass_line.pitch.values[:, 0], float)

    def melody(self) -> Line | None:
        """Tell the melody."""
        line = self.song.melody
        pitch = np.asarray(line.pitch.values[:, 0], float)
        return Line(440 * 2 ** ((pitch - 69) / 12), np.asarray(line.confidence.values[:, 0], float))

    def key(self) -> str | None:
        """Tell the key."""
        return self.song.key.name

    def sections(self) -> dict[str, Parts] | None:
        """Tell the sections: the flat choice, and each level of detail."""
        found = {"flat": self.song.sections} | {
            f"level {len(set(level.labels))}": level for level in self.song.levels
        }
        return {name: Parts(each.bounds, each.labels) for name, each in found.items()}


class WithoutEar(Clavilux):
    """What we hear of beats and drums without the event network; of the rest nothing."""

    def __init__(self, heard: Clavilux) -> None:
        self.song = heard.song

    def beats(self) -> Beats | None:
        """Tell beats and bars as the pulse alone tells them."""
        grid = self.song.pulse_grid
        return Beats(grid.beats, grid.tempo, grid.downbeats, grid.beats_per_bar)

    def hits(self) -> dict[str, Array] | None:
        """Tell the hits that stand out in the bands of the percussive part."""
        from clavilux.features.rhythm.drums import find_drums

        drums = find_drums(self.song.analysis)
        return {name: getattr(drums, name).times for name in ("kick", "snare", "hat")}


class Librosa:
    """What librosa hears with its own defaults; kept below `kept`, as it never changes."""

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
        """Moments at which lines are asked for, s."""
        import soundfile

        return np.arange(int(np.ceil(soundfile.info(self.path).duration * 100 - 1e-6))) / 100

    def beats(self) -> Beats | None:
        """`beat_track`."""
        import librosa

        def track() -> Array:
            samples, rate = self._samples
            tempo, beats = librosa.beat.beat_track(y=samples, sr=rate, units="time")
            return np.concatenate([np.atleast_1d(tempo), beats])

        tempo, *beats = self._known("beats", track)
        return Beats(np.array(beats), float(tempo))

    def hits(self) -> dict[str, Array] | None:
        """It knows onsets, but not of which drum."""
        return None

    def chroma(self) -> dict[str, Array] | None:
        """`chroma_cqt` of the harmonic part, `chroma_cens` of the mix."""
        import librosa

        def plain() -> Array:
            samples, rate = self._samples
            return librosa.feature.chroma_cqt(y=librosa.effects.harmonic(samples), sr=rate).T

        def cens() -> Array:
            samples, rate = self._samples
            return librosa.feature.chroma_cens(y=samples, sr=rate).T

        made = {"plain": plain, "cens": cens}
        return {name: self._on_times(self._known(f"chroma {name}", make)) for name, make in made.items()}

    def bass(self) -> Array | None:
        """Chroma of the lowest octaves."""
        import librosa

        def lowest() -> Array:
            samples, rate = self._samples
            harmonic = librosa.effects.harmonic(samples)
            return librosa.feature.chroma_cqt(y=harmonic, sr=rate, n_octaves=3, fmin=32.703).T

        return self._on_times(self._known("bass", lowest)).argmax(axis=1).astype(float)

    def melody(self) -> Line | None:
        """`pyin` of the harmonic part would take half a minute a song; `yin` is asked."""
        import librosa

        def follow() -> Array:
            samples, rate = self._samples
            harmonic = librosa.effects.harmonic(samples)
            return librosa.yin(harmonic, fmin=131, fmax=2093, sr=rate, hop_length=self.hop)[:, None]

        hz = self._on_times(self._known("melody", follow))[:, 0]
        return Line(hz, np.ones(len(hz)))

    def key(self) -> str | None:
        """It has no notion of keys."""
        return None

    def sections(self) -> dict[str, Parts] | None:
        """`segment.agglomerative` of beat-synchronous chroma would need their number; not asked."""
        return None

    def _on_times(self, frames: Array) -> Array:
        """Take the frame nearest to each moment."""
        nearest = np.round(self._times * 22050 / self.hop).astype(int)
        return frames[np.clip(nearest, 0, len(frames) - 1)]

    def _known(self, name: str, make: Callable[[], Array]) -> Array:
        file = self.kept / f"{name}.npy"
        if not file.is_file():
            self.kept.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part.npy")
            np.save(part, make())
            part.rename(file)
        return np.load(file)
