"""The summary: one line a musician reads, and numbers that JSON knows."""

import json
import re

import numpy as np

from clavilux.audio.sound import Audio
from clavilux.features.song import Song
from clavilux.features.summary import summary


def test_a_song_in_one_line(song):
    assert str(summary(song)) == "0:30, 122 bpm, E major, drums strong"


def test_numbers_are_those_of_the_song(composed, song):
    found = json.loads(json.dumps(summary(song).to_dict()))
    assert found["name"] == composed.audio.name
    assert found["kicks"] == len(song.kick)
    assert found["beats"] == song.grid.beats.round(4).tolist()
    assert found["rate"] == 44100
    assert found["channels"] == 2
    assert found["silent"] is False


def test_silence_and_noise_are_said():
    assert str(summary(Song(Audio.from_samples(np.zeros(8000 * 65), 8000)))) == "1:05, silence"
    noise = np.random.default_rng(0).standard_normal(22050 * 8) * 0.1
    assert re.match(
        "0:08, no steady beat, .*, no drums", str(summary(Song(Audio.from_samples(noise, 22050))))
    )


def test_a_pad_has_no_drums(composed):
    pad = Song(Audio.from_samples(composed.stems["chords"], 44100))
    assert summary(pad).drums == "none"
