"""Training the event network: one network in torch and NumPy, targets on time, a run that resumes."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "truth"))
sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "event_net"))

import train_event_net as trainer
from clavilux.features.rhythm.activations import OUTPUTS, EventNet
from net import Net


@pytest.fixture(scope="module")
def example():
    """A song of noise in which every band jumps on the beat."""
    dice = np.random.default_rng(0)
    inputs = dice.normal(0, 0.3, (1500, 198))
    beats = np.arange(20.0, 1480, 21.5)
    inputs[np.round(beats).astype(int)] += 2
    return trainer.Example(inputs.astype(np.float16), [beats, beats[::4], beats[::2], beats[1::2], beats])


def test_torch_and_numpy_agree():
    net = Net(channels=8, blocks=4).eval()
    inputs = torch.randn(1, 300, 198)
    with torch.no_grad():
        expected = net(inputs)[0].numpy()
    event_net = EventNet({name: values.numpy() for name, values in net.state_dict().items()})
    assert event_net.reach == 16
    assert np.abs(event_net._logits(inputs[0].numpy()) - expected).max() < 1e-5


def test_targets_peak_on_the_events():
    truth = trainer.targets([np.array([3.0, 7.5])] * len(OUTPUTS), np.arange(10.0))
    assert truth.shape == (10, 5)
    assert truth[3, 0] == 1
    assert truth[7, 0] == truth[8, 0] == pytest.approx(2 / 3)
    assert truth[5, 0] == 0


def test_an_excerpt_keeps_its_events_whatever_its_speed(example):
    for seed in range(4):
        inputs, truth = trainer.excerpt(example, np.random.default_rng(seed))
        loud = inputs[:, :192].mean(dim=1)
        on, off = loud[truth[:, 0] > 0.9], loud[truth[:, 0] == 0]
        assert len(on) > 10
        assert on.mean() > off.mean() + 2 * off.std()


def test_a_run_learns_stops_and_resumes(example, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", 0)
    monkeypatch.setattr(trainer, "EXCERPT_FRAMES", 256)
    songs = [example] * 2
    trainer.train(songs, tmp_path, minutes=5, steps=6, channels=4)
    first = torch.load(tmp_path / "latest.pt", weights_only=True)["state"]
    trainer.train(songs, tmp_path, minutes=5, steps=12, channels=4)
    then = torch.load(tmp_path / "latest.pt", weights_only=True)["state"]
    assert (first["step"], then["step"]) == (6, 12)
    assert then["best"] < first["best"]
    shipped = EventNet(load_file(tmp_path / "best.safetensors"))
    assert shipped._logits(example.inputs[:50].astype(np.float32)).shape == (50, 5)
