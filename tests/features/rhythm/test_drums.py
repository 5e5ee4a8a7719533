"""Onsets and drums: at the right time, of the right kind, at any level."""

import mir_eval
import numpy as np
import pytest

from clavilux.audio.sound import Audio
from clavilux.demo.composer import compose
from clavilux.features.rhythm.drums import find_drums
from clavilux.features.song import Song
from clavilux.features.spectrum.analysis import analyse
from clavilux.features.spectrum.onsets import onset_strength


@pytest.fixture(scope="module")
def others():
    """Two more songs with other drums, (composition, song)."""
    return [
        (composed, Song(composed.audio))
        for composed in (compose(seed, bars=4, rate=22050) for seed in (3, 6))
    ]


@pytest.mark.parametrize(("drum", "least"), [("kick", 0.9), ("snare", 0.85), ("hat", 0.8)])
def test_hits_are_found(composed, song, others, drum, least):
    scores = []
    for truth, heard in [(composed, song), *others]:
        scores.append(mir_eval.onset.f_measure(getattr(truth, drum), getattr(heard, drum).times)[0])
    assert np.mean(scores) >= least, scores


@pytest.mark.parametrize("drum", ["kick", "snare", "hat"])
def test_hits_are_on_time(composed, song, drum):
    truth, heard = getattr(composed, drum), getattr(song, drum).times
    pairs = mir_eval.util.match_events(truth, heard, 0.05)
    errors = np.array([heard[j] - truth[i] for i, j in pairs])
    assert abs(np.median(errors)) < 0.006
    assert np.percentile(np.abs(errors), 90) < 0.016


def test_strengths_of_composed_hits_are_high(composed, song):
    strengths = song.kick.strengths
    assert ((strengths > 0) & (strengths <= 1)).all()
    assert np.median(strengths) > 0.6


def test_hits_do_not_depend_on_level(composed, song):
    quiet = Song(Audio.from_samples(composed.audio.read(0, composed.audio.samples) * 0.003, 44100))
    for drum in ("kick", "snare", "hat"):
        assert np.allclose(getattr(quiet, drum).times, getattr(song, drum).times, atol=1e-3)
    assert np.allclose(quiet.flux("mix").values, song.flux("mix").values, atol=1e-2)


def test_onset_strength_peaks_on_the_onset(tone):
    sound = np.zeros(22050 * 6, np.float32)
    starts = np.array([1.0, 2.203, 3.51, 4.777])
    for start in starts:
        first = round(start * 22050)
        sound[first : first + 8820] += tone(660, 0.4) * np.linspace(1, 0, 8820, dtype=np.float32)
    curve = Song(Audio.from_samples(sound, 22050)).flux("mix", 200, 5000).values[:, 0]
    for start in starts:
        around = slice(round(100 * start) - 20, round(100 * start) + 20)
        assert abs(around.start + curve[around].argmax() - 100 * start) <= 2.5
    assert np.median(curve) < 0.01 * curve.max()


def test_vibrato_has_no_onsets():
    time = np.arange(22050 * 5) / 22050
    phase = 2 * np.pi * 660 * time + 2.5 * np.sin(2 * np.pi * 5 * time)
    heard = analyse((np.sin(phase) * np.clip(time * 20, 0, 1)).astype(np.float32))
    strength = onset_strength(heard, "mix", 200, 5000)
    assert strength[20:-5].max() < 0.2 * strength[:10].max()


def test_onset_strength_is_that_of_its_band(tone):
    low, high = (analyse(np.concatenate([np.zeros(22050, np.float32), tone(hz, 1.0)])) for hz in (80, 3000))
    assert onset_strength(low, "mix", 30, 150).max() > 5 * onset_strength(high, "mix", 30, 150)[:60].max()
    assert onset_strength(high, "mix", 2500, 3500).max() > 1
    assert not onset_strength(high, "bass", 1000, 2000).any()
    assert onset_strength(low, "mix", 79, 80).shape == onset_strength(low, "mix", 30, 150).shape


def test_audio_without_drums_has_hardly_any_hits(tone):
    for sound in (np.zeros(22050 * 8, np.float32), tone(440, 8.0, 0.3), tone(60, 8.0, 0.3)):
        drums = find_drums(analyse(sound))
        assert max(len(drums.kick), len(drums.snare), len(drums.hat)) <= 2


def test_audio_below_four_kilohertz_has_no_hats():
    composed = compose(2, bars=1, rate=16000)
    dull = composed.audio.mono(8000)
    song = Song(Audio.from_samples(dull, 8000))
    assert len(song.hat) == 0
    assert len(song.kick) > 0
