"""Beats and bars: against composed songs of known truth and librosa, with a grid for any audio at all."""

import librosa
import mir_eval
import numpy as np
import pytest

from clavilux.audio.sound import Audio
from clavilux.demo.composer import compose
from clavilux.features.rhythm.tempo import find_pulse
from clavilux.features.song import Song


def _score(truth, beats):
    return mir_eval.beat.f_measure(truth, beats[(beats > -0.05) & (beats < truth[-1] + 0.2)])


@pytest.mark.filterwarnings("ignore")
def test_beats_are_found_at_least_as_well_as_librosas(composed, song, mono):
    ours = _score(composed.beats, song.grid.beats)
    theirs = _score(composed.beats, librosa.beat.beat_track(y=mono, sr=22050, units="time")[1])
    assert ours >= max(theirs, 0.95)
    assert song.grid.confidence > 0.5


@pytest.mark.parametrize("bpm", [72, 96, 174])
def test_tempo_and_bars_of_other_songs(bpm):
    composed = compose(bpm, bars=2, bpm=bpm, rate=22050)
    grid = Song(composed.audio).grid
    assert grid.tempo == pytest.approx(bpm, rel=0.01)
    assert _score(composed.beats, grid.beats) > 0.95
    assert _score(composed.downbeats, grid.downbeats) > 0.9


def test_beats_do_not_jitter(composed, song):
    pairs = mir_eval.util.match_events(composed.beats, song.grid.beats, 0.07)
    errors = np.array([song.grid.beats[j] - composed.beats[i] for i, j in pairs])
    assert abs(errors.mean()) < 0.006
    assert errors.std() < 0.01


def test_the_grid_covers_the_song_and_shifts_with_it(composed, song):
    samples = composed.audio.read(0, composed.audio.samples)
    later = Song(Audio.from_samples(np.pad(samples, ((0, 0), (441 * 330, 0))), 44100))
    for heard in (song, later):
        assert heard.grid.beats[0] <= 0
        assert heard.grid.beats[-1] >= heard.duration
        assert np.diff(heard.grid.beats).max() < 1.2 * 60 / composed.bpm
    assert _score(composed.beats + 3.3, later.grid.beats[later.grid.beats > 3.2]) > 0.95
    assert _score(composed.downbeats + 3.3, later.grid.downbeats[later.grid.downbeats > 3.2]) > 0.9


def test_a_change_of_tempo_is_followed():
    clicks = np.zeros(8000)
    clicks[np.arange(0, 4000, 60)] = 1  # 100 bpm
    clicks[np.arange(4000, 8000, 48)] = 1  # 125 bpm
    beats = find_pulse(clicks, np.zeros(8000), 80.0).beats
    assert 60 / np.median(np.diff(beats[beats < 36])) == pytest.approx(100, rel=0.01)
    assert 60 / np.median(np.diff(beats[beats > 44])) == pytest.approx(125, rel=0.01)
    assert np.all(np.diff(beats) > 0.2)


def test_audio_without_a_beat_has_the_default_grid():
    rng = np.random.default_rng(5)
    syllables = np.repeat(rng.uniform(0, 1, 400) ** 3, rng.integers(1500, 5000, 400))[: 22050 * 12]
    sounds = {
        "silence": np.zeros(22050 * 12),
        "noise": rng.standard_normal(22050 * 12) * 0.1,
        "speech": rng.standard_normal(len(syllables)) * syllables * 0.1,
        "one note": np.sin(np.arange(22050 * 12) * 0.1) * 0.3,
    }
    for name, sound in sounds.items():
        grid = Song(Audio.from_samples(sound, 22050)).grid
        assert grid.confidence == 0, name
        assert grid.tempo == pytest.approx(120), name
        assert grid.beats[0] == 0, name
        assert grid.beats[-1] >= 12, name


@pytest.mark.parametrize("rows", [1, 5, 150, 199, 200, 260])
def test_any_length_has_a_pulse(rows):
    rng = np.random.default_rng(rows)
    for strength in (np.zeros(rows), np.ones(rows), rng.uniform(size=rows), np.arange(rows) % 50 == 0):
        beats = find_pulse(strength.astype(np.float64), strength.astype(np.float64), rows / 100).beats
        assert len(beats) >= 2
        assert np.all(np.diff(beats) > 0)
        assert beats[0] <= 0
        assert beats[-1] >= rows / 100
