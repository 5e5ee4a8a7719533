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
        network = program.module.network
        w = [0.5 * seeds.normal(0, "w", n, (1, 1, network.w_dim)) for n in indices]
        noise = {
            name: np.concatenate(
                [seeds.normal(0, name.removeprefix("noise/"), n, (1, *spec.shape)) for n in indices]
            )
            for name, spec in program.inputs.items()
            if name not in {"ws", "frame"}
        }
        ws = np.repeat(np.concatenate(w), network.num_ws, axis=1)
        return {"ws": ws, **noise, "frame": np.array(indices, np.int64)}

    return make
