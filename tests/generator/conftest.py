from collections.abc import Callable

import pytest
import torch

from clavilux import seeds


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
