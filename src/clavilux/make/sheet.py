"""A sheet of pictures that shows what a model paints."""

from pathlib import Path

import numpy as np
from PIL import Image

from clavilux.engine.choose import open_runner
from clavilux.files import write_error
from clavilux.generator.model import Model
from clavilux.generator.program import FrameInputs, Program
from clavilux.seeds import normal

__all__ = ["draw_sheet"]

GAP = 4
"""Pixels between pictures."""


def draw_sheet(
    model: Model,
    target: Path,
    *,
    rows: int = 4,
    columns: int = 8,
    psi: float = 0.8,
    seed: int = 0,
) -> Path:
    """Draw `rows` x `columns` seeds of a model, each at the model's own size up to 256 px, into one PNG.

    Raises:
        OutputError: the file cannot be written.
    """
    side = min(model.resolution, 256)
    program = Program(model, size=(side, side), cells=(4, 4), pixels="rgb24")
    runner = open_runner(program)
    sheet = Image.new("RGB", (columns * (side + GAP) + GAP, rows * (side + GAP) + GAP), "black")
    for row in range(rows):
        for column, picture in enumerate(runner.run(_inputs(model, program, psi, (seed, row, columns)))):
            place = (GAP + column * (side + GAP), GAP + row * (side + GAP))
            sheet.paste(Image.fromarray(picture.astype(np.uint8, copy=False)), place)
    try:
        sheet.save(target, format="PNG")
    except OSError as error:
        raise write_error(target, error) from error
    return target


def _inputs(model: Model, program: Program, psi: float, place: tuple[int, int, int]) -> FrameInputs:
    """Give one row of the sheet its latents and noise; every picture has its own of both."""
    seed, row, columns = place
    latents = model.map(normal(seed, "sheet/z", row, (columns, model.z_dim)))
    ws = np.repeat((model.w_avg + psi * (latents - model.w_avg))[:, None], model.num_ws, axis=1)
    noise = {
        layer: normal(seed, f"sheet/noise/{layer}", row, (columns, 1, *shape))
        for layer, shape in program.noise_shapes.items()
    }
    return FrameInputs(ws.astype(np.float32), noise, np.arange(columns, dtype=np.int64))
