"""One composed song, heard once for the whole room."""

import numpy as np
import pytest

from clavilux.audio.composer import compose
from clavilux.features.song import Song


@pytest.fixture(scope="session")
def composed():
    """A song of known truth, half a minute long."""
    return compose(1, bars=4)


@pytest.fixture(scope="session")
def song(composed):
    """The composed song, as heard; every feature is found at most once."""
    return Song(composed.audio)


@pytest.fixture(scope="session")
def mono(composed):
    """The composed song's samples, mono, 22 050 Hz."""
    return composed.audio.mono(22050)


@pytest.fixture(scope="session")
def tone():
    """Make a sine: Hz, seconds, amplitude -> float32 (n,) at 22 050 Hz."""

    def make(hz, seconds=2.0, amplitude=1.0):
        time = np.arange(round(seconds * 22050)) / 22050
        return (amplitude * np.sin(2 * np.pi * hz * time)).astype(np.float32)

    return make
