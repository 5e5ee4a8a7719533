"""A folder of stems: named by their files, as long as the song, or refused in one sentence."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from clavilux.audio.sound import Audio
from clavilux.audio.stem_files import open_stems, stem_name
from clavilux.errors import AudioError

RATE = 8000


@pytest.fixture
def song():
    return Audio.from_samples(np.full(4 * RATE, 0.1), RATE)


def put(folder: Path, name: str, seconds: float = 4.0, rate: int = RATE) -> None:
    soundfile.write(folder / name, np.full((round(seconds * rate), 2), 0.1), rate)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("drums.wav", "drums"),
        ("01 Song_(Bass).flac", "bass"),
        ("my-song-vocals-final.ogg", "vocals"),
        ("Lead Synth.wav", "lead_synth"),
        ("808.wav", "stem_808"),
    ],
)
def test_a_stem_is_named_after_its_file(file, name):
    assert stem_name(Path(file)) == name


def test_every_audio_file_in_the_folder_is_a_stem(tmp_path, song):
    put(tmp_path, "drums.wav", 4.4)
    put(tmp_path, "Vocals.flac", 3.5, rate=44100)
    (tmp_path / "notes.txt").write_text("mix it louder")
    (tmp_path / "old").mkdir()
    stems = open_stems(tmp_path, song)
    assert sorted(stems) == ["drums", "vocals"]
    assert stems["vocals"].rate == 44100


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "holds no audio files"),
        ({"drums.wav": 4, "Drums.flac": 4}, "is called 'drums', as is"),
        ({"mix.wav": 4}, "is called 'mix', as is the song itself"),
        ({"bass.wav": 6}, "2.0 s longer than the song"),
        ({"bass.wav": 1}, "3.0 s shorter than the song"),
    ],
)
def test_what_cannot_be_a_folder_of_stems_is_refused(tmp_path, song, files, says):
    for name, seconds in files.items():
        put(tmp_path, name, seconds)
    with pytest.raises(AudioError, match=says):
        open_stems(tmp_path, song)


def test_a_missing_folder_is_named(tmp_path, song):
    with pytest.raises(AudioError, match="There is no folder"):
        open_stems(tmp_path / "nowhere", song)
