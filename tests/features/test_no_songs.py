"""Audio that is not a song has the results that docs/analysis.md promises."""

import numpy as np
import pytest

from clavilux.audio.sound import Audio
from clavilux.features.song import Song
from clavilux.report.summary import summary

RATE = 22050


def _speech(dice):
    sound, place = np.zeros(20 * RATE), 0.3
    while place < 19:
        count = int(dice.uniform(0.08, 0.3) * RATE)
        time, pitch, vowel = np.arange(count) / RATE, dice.uniform(90, 220), dice.uniform(400, 2500)
        tones = [np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 25)]
        weights = [np.exp(-(((pitch * k - vowel) / 900) ** 2)) for k in range(1, 25)]
        sound[int(place * RATE) :][:count] += np.hanning(count) * np.tensordot(weights, tones, 1)
        place += count / RATE + dice.choice([0.02, 0.05, 0.3, 0.8], p=[0.5, 0.3, 0.15, 0.05])
    return sound / np.abs(sound).max()


def _rubato(dice):
    sound, place = np.zeros(30 * RATE), 0.5
    for k in range(60):
        time, pitch = np.arange(2 * RATE) / RATE, 220 * 2 ** (dice.choice([0, 2, 3, 5, 7, 8, 10]) / 12)
        tones = sum(np.sin(2 * np.pi * pitch * h * time) / h**1.5 for h in range(1, 8)) * np.exp(-2 * time)
        sound[int(place * RATE) :][: len(tones)] += tones
        place += 0.42 * np.exp(0.4 * np.sin(k / 5) + 0.1 * dice.standard_normal())
    return 0.7 * sound / np.abs(sound).max()


def _ambient(dice):
    time = np.arange(30 * RATE) / RATE
    swells = [(f, 1 + np.sin(2 * np.pi * time / dice.uniform(7, 15))) for f in (110, 165, 220, 277, 330)]
    return 0.1 * sum(np.sin(2 * np.pi * f * time) * swell for f, swell in swells)


SOUNDS = {
    "silence": lambda dice: np.zeros(8 * RATE),
    "noise": lambda dice: 0.2 * dice.standard_normal(15 * RATE),
    "speech": _speech,
    "one note": lambda dice: 0.4 * np.sin(2 * np.pi * 440 * np.arange(5 * RATE) / RATE),
    "rubato piano": _rubato,
    "ambient": _ambient,
    "0.3 s": lambda dice: 0.3 * np.sin(2 * np.pi * 220 * np.arange(int(0.3 * RATE)) / RATE),
}


@pytest.fixture(scope="module", params=SOUNDS)
def named(request):
    sound = SOUNDS[request.param](np.random.default_rng(0))
    return request.param, summary(Song(Audio.from_samples(sound, RATE)))


def test_there_is_no_steady_beat(named):
    name, found = named
    assert found.beat_confidence < 0.1, name
    assert found.first_downbeat is None


def test_sections_melody_and_hits_are_as_promised(named):
    name, found = named
    assert found.sections[0].start == 0
    assert found.sections[-1].end == pytest.approx(found.duration, abs=1e-3)
    if name in {"silence", "noise", "one note", "0.3 s"}:
        assert len(found.sections) == 1
    if name in {"silence", "noise"}:
        assert found.melody.notes == 0
    if name in {"silence", "noise", "speech", "one note", "ambient", "0.3 s"}:
        assert found.drums == "none"
    if name == "silence":
        assert (found.lufs, found.key, found.key_confidence) == (-70.0, "C major", 0.0)
    if name == "one note":
        assert (found.melody.lowest, found.melody.highest, found.key[0]) == ("A4", "A4", "A")


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (192_000, 6)])
def test_any_rate_and_number_of_channels_is_analysed(rate, channels):
    count = 4 * rate
    sound = 0.05 * np.random.default_rng(0).standard_normal((channels, count))
    sound *= np.arange(count) % (rate // 2) < rate // 20
    found = summary(Song(Audio.from_samples(sound, rate)))
    assert found.tempo == pytest.approx(120, rel=0.02)
    assert found.beat_confidence > 0.3
    assert -60 < found.lufs < -10
