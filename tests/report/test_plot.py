"""The plot: of the right size, dark, with something on it, for any song."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from clavilux.audio.sound import Audio
from clavilux.curves import Sections
from clavilux.errors import OutputError
from clavilux.features.corrections import Corrections
from clavilux.features.song import Song
from clavilux.report.plot import plot
from clavilux.report.plot_style import section_colours, time_ticks


def pixels_of(path):
    with Image.open(path) as image:
        assert image.size == (1080, 1920)
        return np.asarray(image.convert("RGB")).astype(int)


def test_a_song_is_drawn(song, tmp_path):
    pixels = pixels_of(plot(song, tmp_path / "heard.png"))
    assert np.median(pixels[:, :140].max(axis=2)) < 40
    colourful = pixels.max(axis=2) - pixels.min(axis=2) > 80
    for third in np.array_split(colourful[150:], 3):
        assert third.mean() > 0.004


def test_similar_sections_are_drawn_in_one_colour(tmp_path):
    noise = np.random.default_rng(0).standard_normal(8000 * 12) * 0.1
    parts = Sections(np.array([0, 4, 8, 12.0]), ("verse", "chorus", "verse"))
    song = Song(Audio.from_samples(noise, 8000), corrections=Corrections(sections=parts))
    pixels = pixels_of(plot(song, tmp_path / "heard.png"))
    colours = [
        tuple(int(code[i : i + 2], 16) for i in (1, 3, 5)) for code in section_colours(parts.labels).values()
    ]
    header = pixels[225:300, 150:1050]
    places = [np.flatnonzero((np.abs(header - colour).max(axis=2) < 3).any(axis=0)) for colour in colours]
    assert places[0].min() < 10
    assert places[0].max() > 890
    assert 290 < places[1].min() < places[1].max() < 610


def test_corrections_are_written_on_the_plot(tmp_path):
    song = Song(Audio.from_samples(np.zeros(800), 8000), corrections=Corrections(bpm=99))
    title = pixels_of(plot(song, tmp_path / "a.png"))[80:150]
    assert (np.abs(title - (0xFF, 0xC8, 0x57)).max(axis=2) < 9).sum() > 50


def test_any_name_is_drawn_as_it_is(tmp_path):
    parts = Sections(np.array([0, 1.0, 2]), ("$\\frac$", "$x^"))
    audio = Audio.from_samples(np.zeros(16000), 8000, name="夜 $\\sqrt$ " + "long " * 40)
    assert plot(Song(audio, corrections=Corrections(sections=parts)), tmp_path / "a.png").exists()


@pytest.mark.parametrize("samples", [np.zeros(1), np.zeros(8000), np.sin(np.arange(2400) * 0.3)])
def test_a_moment_and_silence_are_drawn(samples, tmp_path):
    path = plot(Song(Audio.from_samples(samples, 8000)), tmp_path / "moment.png")
    assert path.stat().st_size > 1000


@pytest.mark.parametrize(
    ("name", "message"),
    [("no/such/folder.png", "There is no folder"), ("plot.nonsense", "cannot be written"), ("plot", ".png")],
)
def test_a_plot_that_cannot_be_written_is_an_error(name, message, tmp_path):
    silence = Song(Audio.from_samples(np.zeros(100), 8000))
    with pytest.raises(OutputError, match=message):
        plot(silence, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("length", [1e-4, 0.3, 7, 61, 200, 1800, 5400, 86400])
def test_times_are_few_and_inside(length):
    times, names = time_ticks(0, length)
    assert 0 <= len(times) - 1 <= 7
    assert len(set(names)) == len(times)
    assert all(0 <= time <= length for time in times)


def test_importing_the_plot_imports_no_matplotlib():
    code = "import sys, clavilux.report.plot; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
