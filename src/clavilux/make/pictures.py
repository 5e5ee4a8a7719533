"""Pictures of latents with words beside them, on one dark page: sheets to choose from, palettes to look at.

Places are pixels from the left and the top. Images are drawn as `Model.generate` draws them, but for the
engine's precision.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from clavilux.arrays import F32, AnyArray
from clavilux.engine.choose import open_runner
from clavilux.files import atomic, write_error
from clavilux.generator.generate import own_program, seed_inputs
from clavilux.generator.model import Model
from clavilux.report.plot_style import INK, PAPER

__all__ = ["Page", "images_of_latents", "images_of_seeds"]

BATCH = 8
PSI = 0.8

RGB = NDArray[np.uint8]


def images_of_seeds(model: Model, seeds: Sequence[int], side: int) -> Iterator[RGB]:
    """Draw the image of every seed, (side, side, 3)."""
    program = own_program(model, side)
    runner = open_runner(program)
    for k in range(0, len(seeds), BATCH):
        each = [seed_inputs(model, program, seed, psi=PSI) for seed in seeds[k : k + BATCH]]
        yield from runner.run({name: np.concatenate([one[name] for one in each]) for name in each[0]})


def images_of_latents(model: Model, ws: F32, side: int) -> Iterator[RGB]:
    """Draw latents (N, D) or (N, L, D), all with the same noise; (side, side, 3) each."""
    program = own_program(model, side)
    runner = open_runner(program)
    noise: Mapping[str, AnyArray] = seed_inputs(model, program, 0, psi=PSI)
    for k in range(0, len(ws), BATCH):
        w = model.truncate(ws[k : k + BATCH], PSI)
        inputs = {name: np.repeat(one, len(w), axis=0) for name, one in noise.items()}
        layers = w.reshape(len(w), -1, model.w_dim)
        inputs["ws"] = np.broadcast_to(layers, (len(w), model.num_ws, model.w_dim)).astype(np.float32)
        yield from runner.run(inputs)


class Page:
    """A dark page of pictures and words."""

    def __init__(self, width: int, height: int) -> None:
        self._image = Image.new("RGB", (width, height), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def place(self, image: RGB, x: int, y: int, side: int) -> None:
        """Put an image, `side` pixels wide and high, with its top left corner at a place."""
        shown = Image.fromarray(image)
        if shown.width != side:
            shown = shown.resize((side, side), Image.Resampling.LANCZOS)
        self._image.paste(shown, (x, y))

    def write(self, text: str, x: int, y: int, *, size: int = 30) -> None:
        """Write a line whose middle is at a place."""
        self._draw.text((x, y), text, fill=INK, font=ImageFont.load_default(size), anchor="mm")

    def save(self, target: Path) -> None:
        """Write the page as a PNG.

        Raises:
            OutputError: it cannot be written.
        """
        try:
            with atomic(target) as part:
                self._image.save(part, format="PNG")
        except OSError as error:
            raise write_error(target, error) from error
