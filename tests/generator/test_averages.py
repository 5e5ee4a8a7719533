"""Files without a mean latent get the mean of random codes, whatever their format, and say so."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
sys.path.insert(0, str(Path(__file__).parent))

from references import stylegan1_variables

from clavilux import seeds
from clavilux.generator.checkpoints import read_checkpoint
from clavilux.generator.model import load_model
from foreign import rosinality, stylegan2_ada, stylegan2_tensorflow, stylegan3, tensorflow

FILES = Path(__file__).parent / "data" / "checkpoints"


def arrays_of(name):
    """A network's sizes and its arrays but for the mean latent."""
    known = read_checkpoint(FILES / name)
    arrays = dict(known.tensors)
    del arrays["mapping.w_avg"]
    return known.config, arrays


def stylegan_xl():
    config, arrays = arrays_of("sg3t64.pkl")
    arrays["mapping.fc0.weight"] = np.hstack([arrays["mapping.fc0.weight"]] * 2)
    embed = {
        "embed.weight": (5, 7),
        "embed_proj.weight": (config.z_dim, 7),
        "embed_proj.bias": (config.z_dim,),
    }
    arrays |= {f"mapping.{name}": seeds.normal(0, name, 0, shape) for name, shape in embed.items()}
    return stylegan3(config, arrays, c_dim=5)


def tensorflow1():
    top, parts = stylegan1_variables(16, classes=3)
    del top["dlatent_avg"]
    return tensorflow("Gs", top, parts, label_size=3)


WRITERS = {
    "stylegan2": lambda: stylegan2_ada(*arrays_of("ada32_resnet.pkl")),
    "classes": lambda: stylegan2_ada(*arrays_of("ada64_cond.pkl")),
    "stylegan3": lambda: stylegan3(*arrays_of("sg3r64_cond.pkl")),
    "stylegan-xl": stylegan_xl,
    "tensorflow": lambda: stylegan2_tensorflow(arrays_of("tf32.pkl")[1]),
    "stylegan1": tensorflow1,
}


@pytest.fixture(params=[*WRITERS, "rosinality"])
def model(request, tmp_path):
    file = tmp_path / "net.pkl"
    if request.param == "rosinality":
        rosinality(file, arrays_of("rosinality32.pt")[1], average=False)
    else:
        file.write_bytes(WRITERS[request.param]())
    return load_model(file)


def test_the_mean_is_that_of_many_codes(model):
    assert "estimated from 10000" in model.card.extra["w_avg"]
    w = model.map(seeds.normal(1, "codes", 0, (20_000, model.z_dim)))
    deviation = w.std(axis=0) / 10_000**0.5
    assert np.abs(model.w_avg - w.mean(axis=0)).max() < 6 * deviation.max()
    assert w.std(axis=0).max() > 0
