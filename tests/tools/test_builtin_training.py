"""Every step from teacher to card, once, at 16 px."""

import argparse
import csv
import json
import signal
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import distributed
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "builtin"))

import losses
import teachers
from clavilux.generator.model import load_model
from network import Sizes
from sheets import sample, seeds_to_z


@pytest.fixture(scope="module")
def handlers():
    """Give signals back their handlers, which a trainer takes."""
    before = [(name, signal.getsignal(name)) for name in (signal.SIGTERM, signal.SIGINT)]
    yield
    for name, handler in before:
        signal.signal(name, handler)


@pytest.fixture(scope="module")
def run(tmp_path_factory, handlers):
    """Train 16 px to 32 px, stop, and resume: the folder of the run."""
    from train import parse
    from trainer import Trainer

    home = tmp_path_factory.mktemp("training")
    for part in ("sheets", "ema"):
        (home / part).mkdir()
    small = (
        "silk --resolution 16 --batch 4 --workers 1 --warmup-kimg 0 --sheet-kimg 0.008 --grow 0.008:32 --kimg"
    )
    outcomes = []
    for kimg in ("0.016", "0.016"):
        worker = Trainer(parse([*small.split(), kimg]), home, 0)
        outcomes.append(worker.run())
    worker = Trainer(parse([*small.split(), "1"]), home, 0)
    worker.stop(signal.SIGTERM, None)
    outcomes.append(worker.run())
    return argparse.Namespace(folder=home, outcomes=outcomes)


def test_training_grows_resumes_and_stops_on_request(run):
    assert run.outcomes == ["grow", "done", "stopped"]
    state = torch.load(run.folder / "latest.pt", weights_only=True)
    assert state["images"] == 20
    assert state["resolution"] == 32
    with (run.folder / "log.csv").open() as file:
        kimg = [float(row["kimg"]) for row in csv.DictReader(file)]
    assert kimg == [0.008, 0.016, 0.02]
    assert list((run.folder / "sheets").glob("*.png"))


def test_training_moves_the_generator_and_keeps_its_noise(run):
    from weights import load_generator

    state = torch.load(run.folder / "latest.pt", weights_only=True)
    first = torch.load(run.folder / "ema" / "000000.pt", weights_only=True)
    moved = {name for name, value in first.items() if not torch.equal(state["generator"][name], value)}
    assert "synthesis.b32.conv1.weight" in moved
    assert "synthesis.b4.const" not in moved
    trained = load_generator(run.folder / "latest.pt")
    assert trained.sizes == Sizes(32)
    assert state["generator"]["mapping.fc0.bias"].abs().max() > 0
    strengths = [state["generator"][f"synthesis.b{r}.conv1.noise_strength"].item() for r in (4, 8, 16, 32)]
    assert strengths[:3] == [0, 0, 0]
    assert strengths[3] >= 0.05 - 1e-6


def test_exported_weights_are_what_the_package_draws(run, tmp_path, monkeypatch):
    import export
    from weights import load_generator

    target = tmp_path / "silk.safetensors"
    monkeypatch.setattr(
        sys, "argv", ["export.py", str(run.folder / "latest.pt"), "silk", "--target", str(target)]
    )
    export.main()
    model = load_model(target)
    assert model.card.licence == "CC0-1.0"
    trained = load_generator(run.folder / "latest.pt")
    z = seeds_to_z(range(4), 128)
    w = model.map(z.numpy())
    assert np.allclose(w, trained.mapping(z).numpy(), atol=0.01)
    assert np.allclose(model.w_avg, export.centre(trained).numpy(), atol=0.01)
    ws = torch.from_numpy(w)[:, None].expand(-1, model.num_ws, -1)
    layers = [name for name, layer in model.network.layers.items() if layer.takes_noise]
    noise = dict(zip(layers, trained.synthesis.noises(4, mode="const"), strict=True))
    with torch.inference_mode():
        drawn_by_package = model.network(ws, noise)
    assert (drawn_by_package.clamp(-1, 1) - sample(trained, z)).abs().mean() < 0.01
    with Image.open(target.with_suffix(".webp")) as preview:
        assert preview.size == (6 * 128, 128)


def test_training_goes_on_from_shipped_weights(run, tmp_path, monkeypatch):
    import export
    from train import parse
    from trainer import Trainer

    shipped, home = tmp_path / "shipped.safetensors", tmp_path / "run"
    told = ["export.py", str(run.folder / "latest.pt"), "silk", "--kimg", "7", "--target", str(shipped)]
    monkeypatch.setattr(sys, "argv", told)
    export.main()
    home.mkdir()
    worker = Trainer(
        parse(f"silk --resolution 16 --workers 1 --start {shipped} --grow 8:32".split()), home, 0
    )
    assert (worker.images, worker.sizes.resolution) == (7000, 16)
    worker.images = 8000
    worker.save({}, 1.0)
    grown = Trainer(parse(f"silk --resolution 16 --workers 1 --start {shipped} --grow 8:32".split()), home, 0)
    kept = load_file(shipped)["synthesis.b32.conv0.weight"].float()
    assert torch.equal(grown.generator.synthesis.b32.conv0.weight, kept)


def test_a_higher_noise_floor_lifts_what_rests_and_the_average_too(run):
    from train import parse
    from trainer import Trainer

    told = "silk --resolution 16 --workers 1 --grow 0.008:32 --noise-floor 0.3"
    worker = Trainer(parse(told.split()), run.folder, 0)
    for net in (worker.generator, worker.average):
        strengths = [conv.noise_strength.item() for conv in net.synthesis.convolutions()]
        assert strengths[:5] == [0] * 5
        assert min(strengths[5:]) >= 0.3 - 1e-6


def test_a_run_goes_on_with_octaves_at_rest(handlers, tmp_path):
    from train import parse
    from trainer import Trainer

    told = "silk --resolution 16 --workers 1"
    begun = Trainer(parse(told.split()), tmp_path, 0)
    for parameter in begun.generator.parameters():
        parameter.grad = torch.ones_like(parameter)
    begun.generator_steps.step()
    begun.bound_noise(begun.generator)
    begun.save({}, 1.0)
    rested = Trainer(parse(f"{told} --rest 8".split()), tmp_path, 0)
    held = rested.generator.state_dict()
    assert all(torch.equal(value, held[name]) for name, value in begun.generator.state_dict().items())


def test_new_images_join_the_crowd_and_the_oldest_leave(handlers, tmp_path):
    from train import parse
    from trainer import CROWD, Trainer

    worker = Trainer(parse(["silk", "--resolution", "16", "--workers", "1"]), tmp_path, 0)
    before = worker.others["generator"].clone()
    assert len(before) == len(worker.others["teacher"]) == CROWD
    portraits = losses.portrait(teachers.draw("silk", 8, 16, torch.Generator().manual_seed(1)))
    found = worker.crowding(portraits)
    assert torch.equal(found, losses.crowding(portraits, before))
    assert torch.equal(worker.others["generator"], torch.cat((before[8:], portraits)))
    assert worker.crowding(portraits) > 0.9


@pytest.mark.parametrize(("told", "resting"), [("", set()), ("--rest 8", {"mapping", "b4", "b8"})])
def test_octaves_told_to_rest_do_not_learn(told, resting, handlers, tmp_path):
    from train import parse
    from trainer import Trainer

    worker = Trainer(parse(f"silk --resolution 16 --workers 1 {told}".split()), tmp_path, 0)
    parts = {"mapping": set(), "b4": set(), "b8": set(), "b16": set()}
    for name, parameter in worker.generator.named_parameters():
        parts[name.split(".")[name.startswith("synthesis")]].add(parameter.requires_grad)
    assert parts == {part: {part not in resting} for part in parts}


def test_the_card_measures_and_draws(run, tmp_path, monkeypatch):
    import card

    arguments = ["card.py", "silk", str(run.folder / "latest.pt"), "--count", "8", "--target", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", [*arguments, "--snapshots", str(run.folder / "ema")])
    card.main()
    told = json.loads((tmp_path / "figures.json").read_text())
    assert all(np.isfinite(value) for part in told.values() for value in part.values())
    assert {"teacher", "000000", "these"} <= told["kernel_distance"].keys()
    assert "## " not in (tmp_path / "README.md").read_text()
    assert {path.stem for path in tmp_path.glob("*.webp")} == card.CAPTIONS.keys()


class Waits(TorchDispatchMode):
    """List operations for which one device would wait for the other: those with tensors of both."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        tensors = [x for x in tree_leaves((args, kwargs, made)) if isinstance(x, torch.Tensor)]
        if {x.device.type for x in tensors} == {"cpu", "meta"}:
            self.found.append(str(function))
        return made


@pytest.mark.parametrize("grow", ["", "--grow 0:32"])
def test_a_step_never_waits_for_the_device(grow, handlers, tmp_path, monkeypatch):
    from train import parse
    from trainer import Trainer

    worker = Trainer(parse(f"ink --resolution 16 --batch 8 --workers 1 {grow}".split()), tmp_path, 0)
    worker.step()
    for net in (worker.generator, worker.average, worker.critic, worker.features):
        net.to("meta")
    for name in ("norms", "tally", "others"):
        setattr(worker, name, {key: value.to("meta") for key, value in getattr(worker, name).items()})
    worker.device, worker.half = torch.device("meta"), nullcontext()
    worker.chance = argparse.Namespace(device=worker.device)
    no_steps = argparse.Namespace(zero_grad=lambda: None, step=lambda: None)
    worker.generator_steps = worker.critic_steps = no_steps
    for name in ("rand", "randn"):
        plain = getattr(torch, name)
        monkeypatch.setattr(torch, name, lambda *size, plain=plain, generator=None, **kw: plain(*size, **kw))
    worker.step()  # constants are copied once
    with Waits() as waits:
        worker.step()
    assert waits.found == []


def test_workers_average_what_they_learned(handlers, tmp_path, monkeypatch):
    from train import parse
    from trainer import Trainer

    worker = Trainer(parse(["silk", "--resolution", "16", "--batch", "8", "--workers", "2"]), tmp_path, 0)
    for parameter in worker.generator.parameters():
        parameter.grad = torch.ones_like(parameter)
    monkeypatch.setattr(distributed, "all_reduce", lambda message: message.add_(3))
    worker.average_gradients(worker.generator)
    assert all((parameter.grad == 2).all() for parameter in worker.generator.parameters())


def test_training_cools_and_ends_in_time(handlers, tmp_path):
    from train import parse
    from trainer import Trainer

    (tmp_path / "sheets").mkdir()
    (tmp_path / "ema").mkdir()
    told = "silk --resolution 16 --batch 4 --workers 1 --seconds 1000 --cool 0.2"
    worker = Trainer(parse(told.split()), tmp_path, 0)
    assert worker.cooling() == 1
    worker.begun -= 900
    assert worker.cooling() == pytest.approx(0.5, abs=0.05)
    worker.begun -= 200
    assert worker.cooling() == 0
    assert worker.run() == "done"
    assert worker.images == 4
