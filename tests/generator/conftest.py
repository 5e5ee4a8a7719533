from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from clavilux import seeds
from clavilux.generator.checkpoints.native import write_native
from clavilux.generator.model import Model, load_model
from clavilux.generator.sizes import Sizes

Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="session")
def silk() -> Model:
    return load_model("silk")


@pytest.fixture(scope="session")
def random_arrays() -> Callable[[Sizes, int], Arrays]:
    """Weights of a network that has never been trained, yet paints something of normal contrast."""

    def make(sizes: Sizes, seed: int = 0) -> Arrays:
        arrays = {name: seeds.normal(seed, name, 0, shape) for name, shape in sizes.shapes().items()}
        for name, array in arrays.items():
            if name.endswith("affine.bias"):
                array[...] += 1
            if name.endswith("torgb.weight"):
                array[...] *= 0.3
            if ".fc" in name:
                array[...] *= 100
        return arrays

    return make


@pytest.fixture(scope="session")
def small_model(
    tmp_path_factory: pytest.TempPathFactory, random_arrays: Callable[[Sizes, int], Arrays]
) -> Model:
    path: Path = tmp_path_factory.mktemp("models") / "small.safetensors"
    write_native(path, random_arrays(Sizes(6, 8, 2, (12, 8, 6)), 0), {"licence": "CC0-1.0"})
    return load_model(path)


@pytest.fixture(scope="session")
def noise() -> Callable[..., list[torch.Tensor]]:
    """Seeded noise for every layer of a network whose constant has these cells."""

    def make(
        network: torch.nn.Module, cells: tuple[int, int], batch: int, seed: int = 0
    ) -> list[torch.Tensor]:
        return [
            torch.from_numpy(seeds.normal(seed, name, 0, (batch, 1, cells[0] * r // 4, cells[1] * r // 4)))
            for name, r in network.layers.items()
        ]

    return make
