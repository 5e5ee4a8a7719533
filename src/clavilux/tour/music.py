"""The music of the tour: a composed song, and a mix of three. Times are seconds, levels full scale."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from clavilux.arrays import F32, F64
from clavilux.audio.sound import Audio
from clavilux.demo.composer import PEAK, Composition, compose

__all__ = ["MUSIC", "Music"]

BPM = 120.0
"""Four bars take eight seconds."""
TRACK_BARS = 14
"""Of each track of the mix: an intro, three parts of four, an outro."""
FIRST_PARTS = ("chords", "melody")
"""The stems of the mix's first, calm track."""


@dataclass(frozen=True, eq=False)
class Music:
    """A song, and where its bars begin, s, (N,)."""

    audio: Audio
    bars: F64


def compose_song(seed: int) -> Music:
    """Compose a song of 28 bars: intro, A, B, A, outro.

    >>> music = compose_song(0)
    >>> music.bars[[2, 10]].tolist()
    [4.0, 20.0]
    """
    piece = compose(seed, bars=8, bpm=BPM)
    return Music(piece.audio, piece.downbeats)


def compose_mix(seed: int) -> Music:
    """Compose three songs of 14 bars, the first without drums and bass, each on the end of the last one.

    >>> float(compose_mix(0).bars[14])
    28.0
    """
    pieces = [compose(seed + k, bars=4, bpm=BPM) for k in range(3)]
    tracks = [_sum(pieces[0], FIRST_PARTS), *(_sum(piece, tuple(piece.stems)) for piece in pieces[1:])]
    rate = pieces[0].audio.rate
    step = round(TRACK_BARS * 4 * 60 / BPM * rate)
    mix = np.zeros((2, step * (len(tracks) - 1) + tracks[-1].shape[1]), np.float32)
    for k, track in enumerate(tracks):
        mix[:, k * step : k * step + track.shape[1]] += track
    mix *= PEAK / np.abs(mix).max()
    bars = np.concatenate([piece.downbeats + k * step / rate for k, piece in enumerate(pieces)])
    return Music(Audio.from_samples(mix, rate, name=f"Clavilux mix {seed}"), bars)


def _sum(piece: Composition, names: tuple[str, ...]) -> F32:
    return np.asarray(sum(piece.stems[name] for name in names), np.float32)


MUSIC: Mapping[str, Callable[[int], Music]] = {"song": compose_song, "mix": compose_mix}
"""By name; each is composed from a seed."""
