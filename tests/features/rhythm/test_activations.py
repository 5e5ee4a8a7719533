"""The event network: the same in pieces as whole, at any level, and never alone where it detects nothing."""

import numpy as np
import pytest

from clavilux.audio.sound import Audio
from clavilux.features.rhythm import activations as activations_module
from clavilux.features.rhythm import song_rhythm
from clavilux.features.rhythm.activations import OUTPUTS, EventNet, event_net
from clavilux.features.song import Song


def detect_nothing(monkeypatch):
    """Replace the event network by one of the same size to which every event is unlikely."""
    weights = {name: np.zeros_like(values) for name, values in event_net()._weights.items()}
    weights["last.bias"][:] = -8
    monkeypatch.setattr(song_rhythm, "event_net", lambda: EventNet(weights))


def test_a_song_in_pieces_gives_the_same_as_whole(song, monkeypatch):
    whole = event_net().predict(song.net_inputs)
    monkeypatch.setattr(activations_module, "PIECE", 333)
    pieces = event_net().predict(song.net_inputs)
    assert whole.shape == (len(song.net_inputs), len(OUTPUTS))
    assert np.abs(whole - pieces).max() < 1e-4


def test_level_hardly_matters(composed, song):
    samples = composed.audio.read(0, composed.audio.samples)
    quiet = Song(Audio.from_samples(samples * 0.03, 44100))
    loud, soft = (event_net().predict(each.net_inputs) for each in (song, quiet))
    assert np.abs(loud - soft).max() < 0.05


def test_the_network_runs_once(composed, monkeypatch):
    calls = []
    predict = EventNet.predict
    monkeypatch.setattr(EventNet, "predict", lambda self, inputs: calls.append(1) or predict(self, inputs))
    song = Song(composed.audio)
    assert song.grid.confidence > 0
    assert len(song.kick) > 0
    assert len(calls) == 1


def test_where_the_network_detects_no_beat_the_tempo_is_estimated_without_it(composed, monkeypatch):
    detect_nothing(monkeypatch)
    song = Song(composed.audio)
    assert np.array_equal(song.grid.beats, song.pulse_grid.beats)
    assert song.grid.tempo == pytest.approx(composed.bpm, rel=0.01)
    assert len(song.kick) == 0


def test_a_confident_network_needs_no_second_estimate(song):
    fresh = Song(song.audio)
    assert fresh.grid.confidence >= song_rhythm.MIN_NET_CONFIDENCE
    assert "pulse_grid" not in vars(fresh._rhythm)


def test_other_weights_have_another_name():
    weights = dict(event_net()._weights)
    assert EventNet(weights).digest == event_net().digest
    weights["last.bias"] = weights["last.bias"] + 1
    assert EventNet(weights).digest != event_net().digest
