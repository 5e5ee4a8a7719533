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
        ("no_vocals.wav", "no_vocals"),
        ("song_(No Drums).wav", "no_drums"),
        ("1_song_(Instrumental).wav", "no_vocals"),
        ("1_Drums of War_(Vocals).wav", "vocals"),
        ("1_song_(Instrumental)_Kim_Vocal_2.wav", "no_vocals"),
        ("Song (feat. The Voice) - Drums.wav", "drums"),
        ("Bass Drum.wav", "kick"),
        ("song_instrum.wav", "no_vocals"),
        ("Kick In.wav", "kick"),
        ("HiHat.wav", "hat"),
        ("Bass DI.wav", "bass"),
        ("Bass Guitar.wav", "bass"),
        ("Bass Clarinet.wav", "bass_clarinet"),
        ("LeadVox 2.wav", "vocals"),
        ("Keys.wav", "piano"),
        ("vocals (No Reverb).wav", "vocals"),
    ],
)
def test_a_stem_is_named_after_its_file(file, name):
    assert stem_name(Path(file)) == name


def test_every_audio_file_in_the_folder_is_a_stem(tmp_path, song):
    put(tmp_path, "drums.wav", 4.4)
    put(tmp_path, "Vocals.flac", 3.5, rate=44100)
    (tmp_path / "notes.txt").write_text("mix it louder")
    (tmp_path / "old").mkdir()
    put(tmp_path, "mixture.wav")
    put(tmp_path, "samples.wav")  # which is the song's name
    (tmp_path / "._drums.wav").write_bytes(b"\0\5\x16\7Mac OS X")
    stems = open_stems(tmp_path, song)
    assert sorted(stems) == ["drums", "vocals"]
    assert stems["vocals"].rate == 44100


def test_several_of_one_kind_are_summed_and_pieces_make_up_the_drums(tmp_path, song):
    files = ("Kick.wav", "Snare Top.wav", "Snare Bottom.wav", "Guitar 1.wav", "Guitar 2.wav", "Bass DI.wav")
    for file in files:
        put(tmp_path, file)
    stems = open_stems(tmp_path, song)
    assert {name: round(stem.peak, 3) for name, stem in stems.items()} == {
        "kick": 0.1, "snare": 0.2, "guitar": 0.2, "bass": 0.1, "drums": 0.3
    }  # fmt: skip
    assert open_stems(tmp_path, song)["drums"].digest == stems["drums"].digest
    (tmp_path / "Snare Top.wav").unlink()
    assert open_stems(tmp_path, song)["drums"].digest != stems["drums"].digest


def test_percussion_alone_is_the_drums(tmp_path, song):
    put(tmp_path, "Song - Percussion.wav")
    put(tmp_path, "Song - Voice.wav")
    assert sorted(open_stems(tmp_path, song)) == ["drums", "percussion", "vocals"]


def test_a_kick_alone_is_no_drums_and_what_lacks_a_voice_is_no_voice(tmp_path, song):
    put(tmp_path, "Bass Drum.wav")
    put(tmp_path, "no_vocals.wav")
    put(tmp_path, "vocals.wav")
    assert sorted(open_stems(tmp_path, song)) == ["kick", "no_vocals", "vocals"]


def test_a_stem_that_ends_with_its_instrument_is_silent_from_there(tmp_path, song):
    put(tmp_path, "drums.wav", 1.5)
    drums = open_stems(tmp_path, song)["drums"]
    assert drums.duration == song.duration
    heard = np.abs(drums.mono(RATE))
    assert heard[: round(1.4 * RATE)].min() > 0.09
    assert heard[round(1.6 * RATE) :].max() < 1e-3


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "holds no stems"),
        ({"mix.wav": 4}, "holds no stems"),
        ({"bass.wav": 15}, "11.0 s longer than the song"),
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
