"""Train the event network on songs whose truth is known.

    python tools/truth/make.py --split train --count 150 --folder TRUTH
    python tools/truth/make.py --split heavy --count 66 --folder TRUTH
    python tools/event_net/train_event_net.py --songs TRUTH/train TRUTH/heavy --folder RUN
    python tools/event_net/train_event_net.py --folder RUN --ship

The inputs of each song are computed once and kept beside the run. Every tenth song is held back for
validation, which chooses the best average of the weights. Stopped at any time, a run resumes from its last
checkpoint, written every minute.
"""

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from clavilux.audio.sound import Audio, open_audio
from clavilux.demo.composer import compose
from clavilux.features.rhythm.activations import OUTPUTS
from clavilux.features.song import Song
from clavilux.features.spectrum.spectra import BANDS, HOP, RATE
from net import Net

sys.path.append(str(Path(__file__).parents[1] / "truth"))
from truth import load_truth

__all__ = ["Example", "excerpt", "load_example", "targets", "train"]

EXCERPT_FRAMES = 1024
"""Frames per excerpt, 24 s; the network sees 12 s to either side."""
BATCH_SIZE = 8
TARGET_FRAMES = 1.5
"""Frames over which the target of an event falls to 0."""
LOSS_WEIGHTS = torch.tensor([1.0, 1.0, 0.5, 0.5, 0.5])
"""Of each output."""
COMPOSED_SEEDS = range(1000, 1030)
NOISES = 8
VALIDATION_EVERY = 10
"""Songs, of which one is held back."""
AVERAGE_DECAY = 0.998
CHECKPOINT_SECONDS = 60
PACKAGE = Path(__file__).parents[2] / "src" / "clavilux"
WEIGHTS_FILE = PACKAGE / "features" / "rhythm" / "activations.safetensors"


@dataclass(frozen=True, eq=False)
class Example:
    """A song to train on: inputs float16 (T, 198), and the times of each of the 5 events in frames."""

    inputs: NDArray[np.float16]
    events: list[NDArray[np.float64]]


def load_example(source: Path | Audio, times: dict[str, NDArray[np.float64]], kept: Path) -> Example:
    """Compute the inputs of a song, or read them where they are kept."""
    if not kept.exists():
        song = Song(source if isinstance(source, Audio) else open_audio(source))
        inputs = song.net_inputs
        kept.parent.mkdir(parents=True, exist_ok=True)
        arrays = {f"at_{name}": times[name] for name in OUTPUTS}
        np.savez(
            kept.with_suffix(".part.npz"), inputs=inputs.between(0, len(inputs)).astype(np.float16), **arrays
        )
        kept.with_suffix(".part.npz").rename(kept)
    with np.load(kept) as arrays:
        return Example(arrays["inputs"], [arrays[f"at_{name}"] * RATE / HOP for name in OUTPUTS])


def targets(events: list[NDArray[np.float64]], frames: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the target of each event at frames (T,): 1 on it, falling to 0 over 1.5 frames; (T, 5)."""
    rows = []
    for times in events:
        padded = np.concatenate(([-1e9], times, [1e9]))
        after = np.searchsorted(padded, frames)
        nearest = np.minimum(padded[after] - frames, frames - padded[after - 1])
        rows.append(np.maximum(0, 1 - nearest / TARGET_FRAMES))
    return np.array(rows, np.float32).T


def excerpt(example: Example, dice: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Cut a random excerpt and augment it: inputs (T, 198), targets (T, 5)."""
    speed = float(np.exp(dice.uniform(-0.2, 0.2)))
    start = dice.uniform(-100, max(len(example.inputs) - EXCERPT_FRAMES * speed, 0) + 100)
    frames = start + np.arange(EXCERPT_FRAMES) * speed
    low = np.clip(np.floor(frames).astype(int), 0, len(example.inputs) - 2)
    part = np.clip(frames - low, 0, 1)[:, None].astype(np.float32)
    values = example.inputs[low].astype(np.float32) * (1 - part) + example.inputs[low + 1] * part
    values[(frames < 0) | (frames > len(example.inputs) - 1)] = values.min(axis=0)
    truth = targets([times / speed for times in example.events], frames / speed)
    return torch.from_numpy(_augmented(values, dice)), torch.from_numpy(truth)


def _augmented(values: NDArray[np.float32], dice: np.random.Generator) -> NDArray[np.float32]:
    """Equalise and shift the bands, drop some of them, add noise: (T, 198)."""
    bands, knots = BANDS, np.linspace(0, BANDS, 6)
    for part in (values[:, :bands], values[:, bands : 2 * bands]):
        gain = np.exp(np.interp(np.arange(bands), knots, dice.normal(0, 0.15, 6)))
        offset = np.interp(np.arange(bands), knots, dice.normal(0, 0.3, 6))
        part[:] = np.roll(part, dice.integers(-2, 3), axis=1) * gain + offset
        if dice.random() < 0.3:
            first, width = dice.integers(0, bands), dice.integers(4, 30)
            part[:, first : first + width] = 0
    if dice.random() < 0.15:
        values[:, bands : 2 * bands] = 0
    values[:, 2 * bands :] *= np.exp(dice.normal(0, 0.2)) * (dice.random() > 0.1)
    return values + dice.uniform(0, 0.3) * dice.standard_normal(values.shape, np.float32)


def loss_of(logits: Tensor, truth: Tensor) -> Tensor:
    errors = torch.nn.functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return (errors * LOSS_WEIGHTS).mean()


def train(songs: list[Example], folder: Path, *, minutes: float, steps: int, channels: int) -> None:
    """Resume the run in ``folder`` and train until it has had ``steps``, or this call its ``minutes``."""
    torch.manual_seed(0)
    net = Net(channels)
    average = Net(channels)
    average.load_state_dict(net.state_dict())
    optimiser = torch.optim.AdamW(net.parameters(), lr=1, weight_decay=1e-3)
    state = {"step": 0, "best": float("inf")}
    latest = folder / "latest.pt"
    if latest.exists():
        kept = torch.load(latest, weights_only=True)
        net.load_state_dict(kept["net"])
        average.load_state_dict(kept["average"])
        optimiser.load_state_dict(kept["optimiser"])
        state = kept["state"]
    held_back, shown = songs[::VALIDATION_EVERY], [s for i, s in enumerate(songs) if i % VALIDATION_EVERY]
    begun = saved = time.monotonic()
    recent: list[float] = []
    while state["step"] < steps and time.monotonic() - begun < 60 * minutes:
        dice = np.random.default_rng(state["step"])
        rate = 2e-3 * min(1, state["step"] / 200) * (0.5 + 0.5 * np.cos(np.pi * state["step"] / steps)) + 1e-6
        for group in optimiser.param_groups:
            group["lr"] = float(rate)
        picked = [excerpt(shown[k], dice) for k in dice.integers(0, len(shown), BATCH_SIZE)]
        inputs, truth = (torch.stack(parts) for parts in zip(*picked, strict=True))
        loss = loss_of(net(inputs), truth)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        with torch.no_grad():
            keep = min(AVERAGE_DECAY, state["step"] / (state["step"] + 20))
            for mean, value in zip(average.parameters(), net.parameters(), strict=True):
                mean.lerp_(value, 1 - keep)
        state["step"] += 1
        recent.append(float(loss.detach()))
        if time.monotonic() - saved > CHECKPOINT_SECONDS or state["step"] == steps:
            saved = time.monotonic()
            error = validate(average, held_back)
            if error < state["best"]:
                state["best"] = error
                save(average, folder / "best.safetensors")
            print(f"step {state['step']}: {np.mean(recent):.4f}, held back {error:.4f}", flush=True)
            recent = []
            kept = {"net": net.state_dict(), "average": average.state_dict()}
            kept |= {"optimiser": optimiser.state_dict(), "state": state}
            torch.save(kept, latest.with_suffix(".part"))
            latest.with_suffix(".part").replace(latest)


def validate(net: Net, songs: list[Example]) -> float:
    """Return the mean loss over whole songs, not augmented."""
    net.eval()
    errors = []
    with torch.no_grad():
        for example in songs:
            frames = np.arange(len(example.inputs), dtype=np.float64)
            truth = torch.from_numpy(targets(example.events, frames))
            inputs = torch.from_numpy(example.inputs.astype(np.float32))
            errors.append(float(loss_of(net(inputs[None])[0], truth)))
    net.train()
    return float(np.mean(errors))


def save(net: Net, path: Path) -> None:
    """Write the weights in half precision, as the package reads them."""
    save_file({name: values.half() for name, values in net.state_dict().items()}, path)


def songs_in(folder: Path, kept: Path) -> list[Example]:
    """Load every finished song of a truth folder."""
    examples = []
    for path in sorted(folder.glob("*.npz")):
        truth = load_truth(path)
        times = {"beat": truth.beats, "downbeat": truth.downbeats}
        times |= {"kick": truth.kick, "snare": truth.snare, "hat": truth.hat}
        examples.append(load_example(path.with_suffix(".flac"), times, kept / f"{folder.name}-{path.name}"))
    return examples


def composed_songs(kept: Path) -> list[Example]:
    """Compose songs that no test and no demo uses."""
    examples = []
    for seed in COMPOSED_SEEDS:
        piece = compose(seed, bars=6)
        times = {"beat": piece.beats, "downbeat": piece.downbeats}
        times |= {"kick": piece.kick, "snare": piece.snare, "hat": piece.hat}
        examples.append(load_example(piece.audio, times, kept / f"composed-{seed}.npz"))
    return examples


def noises(kept: Path) -> list[Example]:
    """Make noise of several colours, steady and in gusts, without any event."""
    examples = []
    for seed in range(NOISES):
        dice = np.random.default_rng(seed)
        count = 40 * RATE
        spectrum = np.fft.rfft(dice.standard_normal(count))
        spectrum *= np.maximum(np.fft.rfftfreq(count, 1 / RATE), 20) ** -dice.uniform(0, 1)
        gusts = np.interp(np.arange(count), np.linspace(0, count, 60), dice.uniform(seed % 2, 1, 60))
        sound = np.fft.irfft(spectrum, count) * gusts
        audio = Audio.from_samples(0.5 * sound / np.abs(sound).max(), RATE)
        nothing = dict.fromkeys(OUTPUTS, np.zeros(0))
        examples.append(load_example(audio, nothing, kept / f"noise-{seed}.npz"))
    return examples


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--songs", type=Path, nargs="*", default=[], help="folders of songs with their truth")
    parser.add_argument("--folder", type=Path, required=True, help="checkpoints and inputs of the run")
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--channels", type=int, default=48)
    parser.add_argument("--ship", action="store_true", help="copy the best weights into the package")
    options = parser.parse_args()
    if options.ship:
        WEIGHTS_FILE.write_bytes((options.folder / "best.safetensors").read_bytes())
        return
    os.nice(10)
    torch.set_num_threads(1)  # on a busy machine threads wait for each other: ten times slower with two
    kept = options.folder / "inputs"
    songs = [example for folder in options.songs for example in songs_in(folder, kept)]
    songs += composed_songs(kept) + noises(kept)
    print(f"{len(songs)} songs", flush=True)
    train(songs, options.folder, minutes=options.minutes, steps=options.steps, channels=options.channels)


if __name__ == "__main__":
    main()
