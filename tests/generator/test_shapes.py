"""Networks of sizes that no fixture has are read for what they are, from every format that can write them."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from clavilux.generator.checkpoints import read_checkpoint
from clavilux.generator.stylegan2_config import StyleGAN2Config
from foreign import rosinality, stylegan2_ada, stylegan2_tensorflow

BASE = StyleGAN2Config(16, 24, 2, (12, 10, 7))
SIZES = {
    "one dense layer": {"mapping_layers": 1},
    "eight dense layers": {"mapping_layers": 8},
    "wide dense layers": {"hidden_dim": 31, "mapping_layers": 4},
    "one block": {"channels": (5,)},
    "seven blocks": {"channels": (8, 8, 8, 8, 4, 4, 2)},
    "plain": {"colours": "orig"},
    "residual": {"colours": "resnet", "channels": (20, 17, 13, 11)},
    "two classes": {"c_dim": 2, "embed_dim": 24},
    "ten classes": {"c_dim": 10, "embed_dim": 24, "mapping_layers": 3},
}


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("clamp", [None, 256.0])
@pytest.mark.parametrize("noise", [True, False])
def test_pickles_of_torch(tmp_path, random_arrays, name, clamp, noise):
    config = replace(BASE, **SIZES[name], clamp=clamp, noise=noise)
    arrays, file = random_arrays(config, 0), tmp_path / "net.pkl"
    file.write_bytes(stylegan2_ada(config, arrays))
    same(read_checkpoint(file), config, arrays)


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("label", ["embed", "concat"])
def test_pickles_of_tensorflow(tmp_path, random_arrays, name, label):
    config = replace(BASE, **SIZES[name])
    if config.c_dim:
        config = replace(config, label=label)
    arrays, file = random_arrays(config, 0), tmp_path / "net.pkl"
    embed = {"embed": "LabelEmbed", "concat": "LabelConcat"}[label]
    file.write_bytes(stylegan2_tensorflow(arrays, embed=embed, label_size=config.c_dim))
    same(read_checkpoint(file), config, arrays)


@pytest.mark.parametrize("size", [64, 512])
@pytest.mark.parametrize(("layers", "channels"), [(2, (8, 8)), (5, (16, 12, 8, 4)), (8, (8,) * 6)])
def test_checkpoints_of_rosinality(tmp_path, random_arrays, size, layers, channels):
    config = StyleGAN2Config(size, size, layers, channels)
    arrays, file = random_arrays(config, 0), tmp_path / "net.pt"
    rosinality(file, arrays)
    same(read_checkpoint(file), config, arrays)


def same(found, config, arrays):
    assert found.config == config
    for name, array in arrays.items():
        np.testing.assert_allclose(found.tensors[name], array, rtol=1e-6, atol=1e-6, err_msg=name)
