"""What every engine has in common: passes of one fixed shape, checked inputs, plain words for no memory.

Every pass has the same number of frames, whatever is asked for, so a frame's pixels do not depend on how many
are drawn with it. Frames missing at the end of the last pass are the last one again.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clavilux.errors import RenderError, SettingError
from clavilux.generator.program import FrameInputs, Program

__all__ = ["Array", "Runner"]

Array = NDArray[Any]

OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc", "bad allocation")


class Runner(ABC):
    """Draws frames of a program.

    Attributes:
        label: engine, precision and device, such as 'openvino f32 on cpu'.
        batch: frames in one pass.
    """

    label: str

    def __init__(self, program: Program, batch: int) -> None:
        if batch < 1:
            raise SettingError(f"A pass of {batch} frames cannot be drawn; give at least 1.")
        self.batch = batch
        self._layers = program.noise_shapes
        self._latents = (program.network.sizes.num_ws, program.network.sizes.w_dim)
        self._size = program.size
        layout = program.pixels.layout
        self._frame = layout.shape(program.size) if layout else (*program.size[::-1], 3)
        self._dtype: np.dtype[Any] = layout.dtype if layout else np.dtype(np.uint8)

    def run(self, inputs: FrameInputs) -> Array:
        """Draw frames.

        Returns:
            one frame after the other along the first axis, in the program's pixel format.

        Raises:
            RenderError: inputs of a shape the program does not take, or too little memory.
        """
        self._check(inputs)
        pixels = np.empty((len(inputs.ws), *self._frame), self._dtype)
        with self._memory():
            self._draw(inputs, pixels)
        return pixels

    @abstractmethod
    def _draw(self, inputs: FrameInputs, pixels: Array) -> None:
        """Draw all frames into `pixels`."""

    def _passes(self, inputs: FrameInputs) -> Iterator[tuple[slice, list[Array]]]:
        """Cut frames into passes: where each goes, and the program's inputs in order, `batch` frames each."""
        arrays: list[Array] = [
            inputs.ws,
            *(inputs.noise[layer] for layer in self._layers),
            inputs.frame_index,
        ]
        count = len(inputs.ws)
        for start in range(0, count, self.batch):
            place = slice(start, min(start + self.batch, count))
            if place.stop - start == self.batch:
                yield place, [np.ascontiguousarray(array[place]) for array in arrays]
            else:
                rows = np.minimum(np.arange(start, start + self.batch), count - 1)
                yield place, [array[rows] for array in arrays]

    def _check(self, inputs: FrameInputs) -> None:
        count = len(inputs.ws)
        wanted = {layer: (count, 1, *shape) for layer, shape in self._layers.items()}
        given = {layer: noise.shape for layer, noise in inputs.noise.items()}
        if not count or given != wanted or len(inputs.frame_index) != count:
            raise RenderError(
                f"A program whose noise is {wanted} was given {count} frames with noise {given}."
            )
        if inputs.ws.shape[1:] != self._latents:
            raise RenderError(
                f"A program that takes {self._latents[0]} latents of {self._latents[1]} numbers a frame was "
                f"given {inputs.ws.shape}."
            )

    @contextmanager
    def _memory(self) -> Iterator[None]:
        """Say in plain words that memory ran out."""
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if not isinstance(error, MemoryError) and not any(sign in str(error) for sign in OUT_OF_MEMORY):
                raise
            width, height = self._size
            raise RenderError(
                f"Too little memory to draw {self.batch} frames of {width}x{height} px at once with "
                f"{self.label}; choose a smaller --size or fewer --cells."
            ) from error
