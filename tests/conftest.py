"""A short composed song of known truth, heard once for all tests."""

import pytest

from clavilux.audio.composer import Composition, compose
from clavilux.features.song import Song


@pytest.fixture(scope="session")
def piece() -> Composition:
    """Intro, A, B, A, outro; 120 bpm, about 27 s."""
    return compose(0, bars=4, bpm=120, rate=22050)


@pytest.fixture(scope="session")
def heard(piece: Composition) -> Song:
    return Song(piece.audio)
