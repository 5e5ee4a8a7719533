"""Checkpoints of every format draw what the code that wrote them draws, on both engines."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from clavilux.engine.openvino import load_openvino
from clavilux.generator.model import load_model

FILES = Path(__file__).parent / "data" / "checkpoints"
NAMES = sorted(path.name for path in FILES.iterdir() if path.suffix != ".npz")
TOLERANCE = 1e-4
"""Of the reference's standard deviation."""

ARCHITECTURES = {
    "ada32": "stylegan2-skip",
    "ada32_resnet": "stylegan2-resnet",
    "ada64_cond": "stylegan2-skip",
    "rosinality32": "stylegan2-skip",
    "sg3r64_cond": "stylegan3-r",
    "sg3t64": "stylegan3-t",
    "tf32": "stylegan2-skip",
}


@pytest.fixture(scope="module", params=NAMES)
def pair(request):
    """A model and what its own code computes."""
    with np.load((FILES / request.param).with_suffix(".npz")) as file:
        reference = {name: file[name] for name in file.files}
    return load_model(FILES / request.param), reference


def error(found, wanted) -> float:
    return float(np.abs(found - wanted).max() / wanted.std())


def repeated(model, w):
    return torch.from_numpy(w)[:, None].expand(-1, model.num_ws, -1)


def constant_noise(model, amount=1.0):
    blocks = getattr(model.network, "blocks", [])
    return {
        name: conv.noise_const[None, None] * amount
        for block in blocks
        for name, conv in zip(block.names, block.convs, strict=True)
    }


def images(model, reference):
    """Latents, noise and a transform, and the images that they make."""
    transform = torch.from_numpy(reference.get("transform", np.eye(3, dtype=np.float32)))
    still = torch.eye(3)
    cases = [
        (repeated(model, reference["w"]), 1.0, still, "image"),
        (repeated(model, reference["w_psi07"]), 1.0, still, "image_psi07"),
        (repeated(model, reference["w"]), 0.0, still, "image_no_noise"),
        (torch.from_numpy(reference.get("ws_mixed", np.zeros(1))), 1.0, still, "image_mixed"),
        (repeated(model, reference["w"]), 1.0, transform, "image_transform"),
    ]
    return [case for case in cases if case[3] in reference]


def test_every_architecture_is_recognised(pair):
    model, _ = pair
    assert model.network.architecture == ARCHITECTURES[model.name]
    assert model.resolution == int("".join(c for c in model.name if c.isdigit())[-2:])


def test_latents_are_exact(pair):
    model, reference = pair
    w = model.map(reference["z"], reference.get("c"))
    assert error(w, reference["w"]) <= TOLERANCE
    assert error(model.truncate(w, 0.7), reference["w_psi07"]) <= TOLERANCE
    if "latent_avg" in reference:
        assert error(model.w_avg, reference["latent_avg"]) <= TOLERANCE


def test_images_are_exact_in_torch(pair):
    model, reference = pair
    for ws, amount, transform, name in images(model, reference):
        more = {"transform": transform.expand(len(ws), -1, -1)} if model.network.moves else {}
        with torch.inference_mode():
            found = model.network(ws, constant_noise(model, amount), **more)
        assert error(found.numpy(), reference[name]) <= TOLERANCE, name


class Drawn(torch.nn.Module):
    """A network as a function of latents, and of a transform or else of its constant noise's amount."""

    def __init__(self, model):
        super().__init__()
        self.network, self.noise = model.network, constant_noise(model)

    def forward(self, ws, other):
        if self.network.moves:
            return self.network(ws, self.noise, transform=other)
        return self.network(ws, {name: each * other for name, each in self.noise.items()})


def test_images_are_exact_in_openvino(pair):
    model, reference = pair
    ov = load_openvino()
    other = torch.eye(3).expand(4, -1, -1).contiguous() if model.network.moves else torch.ones(1)
    example = (repeated(model, reference["w"]).contiguous(), other)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        traced = torch.jit.trace(Drawn(model), example, check_trace=False)
        converted = ov.convert_model(traced, example_input=example)
    compiled = ov.Core().compile_model(converted, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for ws, amount, transform, name in images(model, reference):
        moved = transform.expand(4, -1, -1).numpy()
        given = [ws.numpy(), moved if model.network.moves else np.float32([amount])]
        assert error(compiled(given)[0], reference[name]) <= TOLERANCE, name


def test_every_reference_is_compared(pair):
    model, reference = pair
    inputs = {"z", "c", "ws_mixed", "transform"}
    compared = {"w", "w_psi07", "latent_avg", *(name for *_, name in images(model, reference))}
    assert set(reference) <= inputs | compared
