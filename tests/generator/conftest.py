from collections.abc import Callable

import pytest
import torch

from clavilux import seeds
from clavilux.generator.network import Network


@pytest.fixture(scope="session")
def noise() -> Callable[..., dict[str, torch.Tensor]]:
    """Seeded noise for every layer of a network whose constant has these cells."""

    def make(network: Network, cells: tuple[int, int], batch: int) -> dict[str, torch.Tensor]:
        canvas = network.canvas(cells)
        shapes = {
            name: [side * layer.resolution // network.resolution for side in canvas]
            for name, layer in network.layers.items()
            if layer.takes_noise
        }
        return {
            name: torch.from_numpy(seeds.normal(0, name, 0, (batch, 1, *shape)))
            for name, shape in shapes.items()
        }

    return make
