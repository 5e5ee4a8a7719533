"""The event network: the same in blocks as whole, at any level, with a fallback where it finds no beat."""

import numpy as np
import pytest

from clavilux.audio.sound import Audio
from clavilux.features.rhythm import activations, song_rhythm
from clavilux.features.rhythm.activations import OUTPUTS, EventNet, event_net
from clavilux.features.song import Song


def _predict_nothing(monkeypatch):
    """Replace the event network by one of the same size whose activations are all near 0."""
    weights = {name: np.zeros_like(values) for name, values in event_net()._weights.items()}
    weights["last.bias"][:] = -8
    monkeypatch.setattr(song_rhythm, "event_net", lambda: EventNet(weights))


def test_blocks_give_the_same_activations_as_the_whole(song, monkeypatch):
    whole = event_net().predict(song.net_inputs)
    monkeypatch.setattr(activations, "PIECE", 333)
    blocks = event_net().predict(song.net_inputs)
    assert whole.shape == (len(song.net_inputs), len(OUTPUTS))
    assert np.abs(whole - blocks).max() < 1e-4


def test_activations_hardly_depend_on_level(composed, song):
    samples = composed.audio.read(0, composed.audio.samples)
    quiet = Song(Audio.from_samples(samples * 0.03, 44100))
    loud, soft = (event_net().predict(each.net_inputs) for each in (song, quiet))
    assert np.abs(loud - soft).max() < 0.05


def test_the_network_runs_once_per_song(composed, monkeypatch):
    calls = []
    predict = EventNet.predict
    monkeypatch.setattr(EventNet, "predict", lambda self, inputs: calls.append(1) or predict(self, inputs))
    song = Song(composed.audio)
    assert song.grid.confidence > 0
    assert len(song.kick) > 0
    assert len(calls) == 1


def test_without_activations_the_pulse_gives_the_grid(composed, monkeypatch):
    _predict_nothing(monkeypatch)
    song = Song(composed.audio)
    assert np.array_equal(song.grid.beats, song.pulse_grid.beats)
    assert song.grid.tempo == pytest.approx(composed.bpm, rel=0.01)
    assert len(song.kick) == 0


def test_confident_activations_need_no_pulse(song):
    fresh = Song(song.audio)
    assert fresh.grid.confidence >= song_rhythm.MIN_NET_CONFIDENCE
    assert "pulse_grid" not in vars(fresh._rhythm)


def test_other_weights_have_another_digest():
    weights = dict(event_net()._weights)
    assert EventNet(weights).digest == event_net().digest
    weights["last.bias"] = weights["last.bias"] + 1
    assert EventNet(weights).digest != event_net().digest
