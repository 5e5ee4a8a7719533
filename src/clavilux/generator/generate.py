"""Images of seeds: what a model draws without a song.

Latents and noise are functions of (seed, index); every image has its own of both. Images are drawn one by
one in torch, float32: the exact reference of every engine.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from clavilux import seeds
from clavilux.arrays import F32
from clavilux.generator.inputs import FrameInputs
from clavilux.generator.model import Model
from clavilux.generator.program import Program

__all__ = ["Seeds", "generate", "own_program", "preview_images", "seed_inputs", "seed_latents"]

Seeds = int | Sequence[int]
"""One seed, or several."""


def generate(
    model: Model,
    seed: Seeds = 0,
    *,
    psi: float = 0.8,
    size: tuple[int, int] | None = None,
    cells: tuple[int, int] | None = None,
) -> NDArray[np.uint8]:
    """Draw the image of a seed, (H, W, 3), or those of several, (N, H, W, 3); see `Model.generate`."""
    if size is None:
        program = own_program(model, model.resolution, cells)
    else:
        program = Program(model, size=size, cells=cells, pixels="rgb24")
    several = [seed] if isinstance(seed, int) else list(seed)
    images = [_draw(program, seed_inputs(model, program, one, psi=psi)) for one in several]
    if isinstance(seed, int):
        return images[0]
    shape, dtype = program.frame_format
    return np.stack(images) if images else np.empty((0, *shape), dtype)


def preview_images(model: Model, seeds: Sequence[int], side: int) -> Iterator[NDArray[np.uint8]]:
    """Draw small square images of some seeds, (side, side, 3) each; see `Program.preview`."""
    program = own_program(model, max(side, model.resolution)).preview(side)
    for seed in seeds:
        yield _draw(program, seed_inputs(model, program, seed, psi=0.8))


def own_program(model: Model, side: int, cells: tuple[int, int] | None = None) -> Program:
    """Return the program of square RGB images of a model, by default from its constant as it was learned."""
    return Program(model, size=(side, side), cells=cells or model.sizes.cells, pixels="rgb24")


def seed_latents(model: Model, seed: int, *, index: int = 0, count: int = 1) -> F32:
    """Return the latents of `count` images of a seed, row `index` of a sheet, untruncated; (count, D)."""
    return model.map(seeds.normal(seed, "sheet/z", index, (count, model.z_dim)))


def seed_inputs(
    model: Model, program: Program, seed: int, *, psi: float, index: int = 0, count: int = 1
) -> FrameInputs:
    """Return latents and noise of `count` images of a seed, row `index` of a sheet.

    >>> from clavilux.generator.model import load_model
    >>> silk = load_model("silk")
    >>> seed_inputs(silk, own_program(silk, 64), 3, psi=0.8, count=2)["ws"].shape
    (2, 16, 128)
    """
    w = seed_latents(model, seed, index=index, count=count)
    inputs = {"ws": np.repeat(model.truncate(w, psi)[:, None], model.num_ws, axis=1).astype(np.float32)}
    prefix = "noise/"
    noise = {
        name: seeds.normal(seed, f"sheet/{name}", index, (count, *spec.shape))
        for name, spec in program.inputs.items()
        if name.startswith(prefix)
    }
    return inputs | noise | {"frame": np.arange(count, dtype=np.int64)}


def _draw(program: Program, inputs: FrameInputs) -> NDArray[np.uint8]:
    import torch  # here, as seeds and sizes are known without it

    device = program.module.const.device
    with torch.inference_mode():
        frames = program.module(*(torch.from_numpy(inputs[name]).to(device) for name in program.inputs))
    image: NDArray[np.uint8] = frames[0].cpu().numpy()
    return image
