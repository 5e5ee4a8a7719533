"""The picture: of the right size, dark, with something on it, for any song."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from clavilux.audio.sound import Audio
from clavilux.errors import OutputError
from clavilux.features.plot import plot
from clavilux.features.song import Song


def test_a_song_is_drawn(song, tmp_path):
    path = plot(song, tmp_path / "heard.png")
    with Image.open(path) as picture:
        assert picture.size == (1080, 1920)
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert np.median(pixels.max(axis=2)) < 40
    colourful = pixels.max(axis=2) - pixels.min(axis=2) > 80
    for third in np.array_split(colourful[150:], 3):
        assert third.mean() > 0.004


@pytest.mark.parametrize("samples", [1, 8000])
def test_silence_is_drawn(samples, tmp_path):
    silence = Song(Audio.from_samples(np.zeros(samples), 8000))
    assert plot(silence, tmp_path / "silence.png").stat().st_size > 1000


@pytest.mark.parametrize("name", ["no/such/folder.png", "picture.nonsense"])
def test_a_picture_that_cannot_be_written_is_named(name, tmp_path):
    silence = Song(Audio.from_samples(np.zeros(100), 8000))
    with pytest.raises(OutputError, match="cannot be written"):
        plot(silence, tmp_path / name)


def test_listening_needs_no_matplotlib():
    code = "import sys, clavilux.features.plot; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
