"""The ear: the same in pieces as whole, at any level, and never alone in deciding where it hears nothing."""

import numpy as np
import pytest

from clavilux.audio.sound import Audio
from clavilux.features import song as song_module
from clavilux.features.rhythm import activations as ear_module
from clavilux.features.rhythm.activations import OUTPUTS, EventNet, event_net
from clavilux.features.song import Song


def _deaf(monkeypatch):
    """Replace the ear by one of the same size to which every event is unlikely."""
    weights = {name: np.zeros_like(values) for name, values in event_net()._weights.items()}
    weights["last.bias"][:] = -8
    monkeypatch.setattr(song_module, "event_net", lambda: EventNet(weights))


def test_a_song_is_heard_in_pieces_as_if_whole(song, monkeypatch):
    whole = event_net().predict(song.net_inputs)
    monkeypatch.setattr(ear_module, "PIECE", 333)
    pieces = event_net().predict(song.net_inputs)
    assert whole.shape == (len(song.net_inputs), len(OUTPUTS))
    assert np.abs(whole - pieces).max() < 1e-4


def test_level_hardly_matters(composed, song):
    samples = composed.audio.read(0, composed.audio.samples)
    quiet = Song(Audio.from_samples(samples * 0.03, 44100))
    loud, soft = (event_net().predict(each.net_inputs) for each in (song, quiet))
    assert np.abs(loud - soft).max() < 0.05


def test_the_ear_listens_once(composed, monkeypatch):
    calls = []
    listen = EventNet.listen
    monkeypatch.setattr(EventNet, "listen", lambda self, inputs: calls.append(1) or listen(self, inputs))
    song = Song(composed.audio)
    assert song.grid.confidence > 0
    assert len(song.kick) > 0
    assert len(calls) == 1


def test_where_the_ear_hears_no_beat_the_pulse_is_found_without_it(composed, monkeypatch):
    _deaf(monkeypatch)
    song = Song(composed.audio)
    assert np.array_equal(song.grid.beats, song.pulse_grid.beats)
    assert song.grid.tempo == pytest.approx(composed.bpm, rel=0.01)
    assert len(song.kick) == 0


def test_a_sure_ear_is_not_questioned(song):
    fresh = Song(song.audio)
    assert fresh.grid.confidence >= song_module.SURE_OF_BEATS
    assert "pulse_grid" not in vars(fresh)


def test_other_weights_have_another_name():
    weights = dict(event_net()._weights)
    assert EventNet(weights).digest == event_net().digest
    weights["last.bias"] = weights["last.bias"] + 1
    assert EventNet(weights).digest != event_net().digest
