"""A sheet of images that shows what a model draws."""

from pathlib import Path

from PIL import Image

from clavilux.engine.choose import open_runner
from clavilux.files import atomic, write_error
from clavilux.generator.generate import own_program, seed_inputs
from clavilux.generator.model import Model

__all__ = ["draw_sheet"]

GAP_PIXELS = 4
"""Between images, and around them."""

MAX_SIDE = 256
"""Largest side of one image, px."""


def draw_sheet(
    model: Model,
    target: Path,
    *,
    rows: int = 4,
    columns: int = 8,
    psi: float = 0.8,
    seed: int = 0,
) -> Path:
    """Draw `rows` x `columns` images of a model, each at the model's own size up to 256 px, into one PNG.

    The first one is that of `model.generate(seed)`, but for the engine's precision.

    Raises:
        OutputError: the file cannot be written.
    """
    side = min(model.resolution, MAX_SIDE)
    program = own_program(model, side)
    runner = open_runner(program)
    step = side + GAP_PIXELS
    sheet = Image.new("RGB", (columns * step + GAP_PIXELS, rows * step + GAP_PIXELS), "black")
    for row in range(rows):
        images = runner.run(seed_inputs(model, program, seed, psi=psi, index=row, count=columns))
        for column, image in enumerate(images):
            sheet.paste(Image.fromarray(image), (GAP_PIXELS + column * step, GAP_PIXELS + row * step))
    try:
        with atomic(target) as part:
            sheet.save(part, format="PNG")
    except OSError as error:
        raise write_error(target, error) from error
    return target
