"""Songs made of known beats, sections and hits, without sound."""

from types import SimpleNamespace

import numpy as np
import pytest

from clavilux.audio.sound import Audio
from clavilux.curves import Events, Grid, Sections
from clavilux.features.song import Song
from clavilux.signals.evaluate import evaluate


def made(duration, beats, *, first_downbeat=0, sections=None, tracks=None, kick=(), strengths=None):
    return SimpleNamespace(
        duration=duration,
        grid=Grid(beats, first_downbeat=first_downbeat),
        sections=sections or Sections([0, duration], ("A",)),
        tracks=tracks or Sections([0, duration], ("1",)),
        kick=Events(np.array(kick, float), strengths),
        snare=Events(np.array([0.75, 2.0]), [0.5, 0.25]),
    )


@pytest.fixture(scope="session")
def make_song():
    return made


@pytest.fixture(scope="session")
def steady():
    """120 bpm, 8 s, a pickup of one beat: bar 1 begins at 0.5 s; sections A B A C of known energy."""
    sections = Sections([0, 2, 4, 6, 8], ("A", "B", "A", "C"), [0.6, 1, 0.5, 0.2])
    tracks = Sections([0, 4, 8], ("1", "2"))
    kick = [0.5, 1.0, 1.5, 2.0, 2.25, 4.0]
    return made(
        8.0,
        np.arange(20) / 2,
        first_downbeat=1,
        sections=sections,
        tracks=tracks,
        kick=kick,
        strengths=[1, 0.2, 0.8, 0.4, 0.6, 1],
    )


@pytest.fixture(scope="session")
def rubato():
    """Four beats of 0.5 s, then of 1 s: 12 s, bars at 0, 2, 6 and 10 s."""
    return made(12.0, np.concatenate([np.arange(4) / 2, np.arange(2, 16)]), kick=[0, 1, 3])


@pytest.fixture(scope="session")
def silence():
    return Song(Audio.from_samples(np.zeros((2, 44100)), 44100))


@pytest.fixture(scope="session")
def instant():
    """The shortest song there is."""
    return Song(Audio.from_samples(np.zeros(8), 8000))


@pytest.fixture(scope="session")
def values_of():
    """Values of a signal in a song, (T,), or (T, C) where it has several channels."""

    def values(signal, song):
        whole = signal.smooth(seconds=0)  # itself, and a curve even where the signal is pointwise
        curve = evaluate(whole, song)[whole].values
        return curve[:, 0] if curve.shape[1] == 1 else curve

    return values
