from collections.abc import Callable

import numpy as np
import pytest

from clavilux import seeds
from clavilux.generator.model import load_model
from clavilux.generator.program import FrameInputs, Program


@pytest.fixture(scope="session")
def program() -> Program:
    return Program(load_model("silk"), size=(160, 128), cells=(4, 5))


@pytest.fixture(scope="session")
def inputs() -> Callable[[Program, list[int]], FrameInputs]:
    """Frames that are functions of their index alone."""

    def make(program: Program, indices: list[int]) -> FrameInputs:
        sizes = program.network.sizes
        one = [0.5 * seeds.normal(0, "w", n, (1, 1, sizes.w_dim)) for n in indices]
        noise = {
            name: np.concatenate([seeds.normal(0, name, n, (1, 1, *shape)) for n in indices])
            for name, shape in program.noise_shapes.items()
        }
        ws = np.repeat(np.concatenate(one), sizes.num_ws, axis=1)
        return FrameInputs(ws, noise, np.array(indices, np.int64))

    return make
