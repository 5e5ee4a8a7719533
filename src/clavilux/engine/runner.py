"""What every engine has in common: passes of one fixed size, checked inputs, plain errors.

Every pass has the same number of frames, B, whatever is asked for, so a frame's pixels do not depend on how
many are drawn with it. Frames missing at the end of the last pass repeat the last one. A runner knows a
program's inputs only as a mapping; it never asks what they mean.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from clavilux.arrays import AnyArray
from clavilux.errors import RenderError, SettingError
from clavilux.generator.inputs import FrameInputs, check_inputs

if TYPE_CHECKING:
    from clavilux.generator.program import Program

__all__ = ["Runner"]

OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc", "bad allocation")
"""What torch and OpenVINO write when memory runs out."""


class Runner(ABC):
    """Draws frames of a program.

    Attributes:
        precision: of the features: 'f32', 'bf16' or 'fp16'.
        label: engine, precision and device, such as 'openvino f32 on cpu'. Full precision agrees to rounding
            wherever it is computed; half precision does not, so its label also has the engine's version and
            the name of the processor or card: frames of two labels never stand side by side.
        batch: frames in one pass.
    """

    def __init__(self, program: Program, batch: int, *, precision: str, label: str) -> None:
        if batch < 1:
            what = f"A pass of {batch} frames cannot be drawn"
            raise SettingError(what, where="batch", value=batch, hint="give at least 1")
        self.precision, self.label = precision, label
        self.batch = batch
        self._specs = program.inputs
        self._size = program.size
        self._frame, self._dtype = program.frame_format

    def run(self, inputs: FrameInputs) -> AnyArray:
        """Draw frames.

        Args:
            inputs: for every input of the program, (frames, ...).

        Returns:
            one frame after the other along the first axis, in the program's pixel format.

        Raises:
            RenderError: inputs that the program does not take, or too little memory.
        """
        pixels = np.empty((check_inputs(inputs, self._specs), *self._frame), self._dtype)
        with self._memory():
            self._draw(inputs, pixels)
        return pixels

    @abstractmethod
    def _draw(self, inputs: FrameInputs, pixels: AnyArray) -> None:
        """Draw all frames into `pixels`."""

    def _passes(self, inputs: FrameInputs, count: int) -> Iterator[tuple[slice, list[AnyArray]]]:
        """Cut `count` frames into passes: where each goes, and the inputs in order, `batch` frames each."""
        arrays = [inputs[name] for name in self._specs]
        for start in range(0, count, self.batch):
            place = slice(start, min(start + self.batch, count))
            if place.stop - start == self.batch:
                yield place, [np.ascontiguousarray(array[place]) for array in arrays]
            else:
                rows = np.minimum(np.arange(start, start + self.batch), count - 1)
                yield place, [array[rows] for array in arrays]

    @contextmanager
    def _memory(self) -> Iterator[None]:
        """Turn an engine's error that memory ran out into ours."""
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if not isinstance(error, MemoryError) and not any(sign in str(error) for sign in OUT_OF_MEMORY):
                raise
            width, height = self._size
            raise RenderError(
                f"Too little memory to draw {self.batch} frames of {width}x{height} px at once"
                f" with {self.label}",
                where="size",
                value=self._size,
                hint="choose a smaller size or fewer cells",
                remedy="size",
            ) from error
