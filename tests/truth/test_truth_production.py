"""Production never moves a hit."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "truth"))

from production import RATE, compress, draw_production, drive, equalise, limit, pump, reverberate

HIT = 30_000
SIZE = 60_000


@pytest.fixture(scope="module")
def click():
    """One hit: a decaying tone that begins at its loudest, in silence."""
    after = np.arange(SIZE - HIT) / RATE
    sound = np.zeros((SIZE, 2), np.float32)
    sound[HIT:] = (0.8 * np.exp(-after / 0.02) * np.cos(2 * np.pi * 180 * after))[:, None]
    return sound


def effects():
    rng = np.random.default_rng(5)
    return {
        "drive": lambda sound: drive(sound, 20.0),
        "equalise": lambda sound: equalise(sound, (("low", 150, 6), ("peak", 1500, -5), ("high", 6000, 5))),
        "reverberate": lambda sound: reverberate(sound, 1.0, 0.2, rng),
        "compress": lambda sound: compress(sound, 4.0),
        "limit": lambda sound: limit(sound * 3),
    }


def onset(sound: np.ndarray) -> int:
    """The first sample that is louder than a tenth of the peak."""
    level = np.abs(sound).max(axis=1)
    return int(np.argmax(level > 0.1 * level.max()))


@pytest.mark.parametrize("name", effects())
def test_an_effect_keeps_silence_before_the_hit_and_begins_with_it(name, click):
    treated = effects()[name](click)
    assert treated.shape == click.shape
    assert np.abs(treated[:HIT]).max() < 1e-6
    assert onset(treated) - HIT <= 4
    assert not np.array_equal(treated, click)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["metal", "dance", "jazz"])
def test_a_whole_production_begins_with_the_hit(kind, seed, click):
    production = draw_production(np.random.default_rng(seed), kind)
    mixed = production.mix({"drums": click, "chords": click}, np.zeros(0), np.random.default_rng(seed))
    assert abs(onset(mixed) - HIT) <= 8
    assert np.abs(mixed).max() == pytest.approx(production.peak, rel=1e-5)


def test_pumping_ducks_at_the_kick_and_recovers():
    gain = pump(SIZE, np.array([HIT / RATE]), 0.6)
    assert (gain[:HIT] == 1).all()
    assert gain[HIT] == pytest.approx(0.4)
    assert (np.diff(gain[HIT : HIT + 8000]) >= 0).all()
    assert gain[-1] > 0.9


def test_an_equaliser_changes_its_band():
    tone = np.sin(2 * np.pi * 60 * np.arange(RATE) / RATE)[:, None].repeat(2, axis=1).astype(np.float32)
    raised = equalise(tone, (("low", 400.0, 6.0),))
    assert 20 * np.log10(raised[RATE // 2 :].std() / tone[RATE // 2 :].std()) == pytest.approx(6, abs=0.5)
