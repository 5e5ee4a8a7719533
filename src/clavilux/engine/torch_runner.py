"""Runs a program eagerly in torch, on a processor or an accelerator.

Every pass has the same shape, whatever the number of frames asked for, so a frame's pixels do not depend on
how many are drawn with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from clavilux.errors import RenderError, SettingError
from clavilux.generator.program import FrameInputs, Program

__all__ = ["TorchRunner", "choose_device"]

OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


class TorchRunner:
    """Draws frames with torch.

    Args:
        program: what to draw; moved to the device.
        batch: frames in one pass.
        device: a name `choose_device` knows.
    """

    def __init__(self, program: Program, *, batch: int, device: str = "cpu") -> None:
        if batch < 1:
            raise SettingError(f"A pass of {batch} frames cannot be drawn; give at least 1.")
        self._device = torch.device(choose_device(device))
        self._batch = batch
        self._shapes = program.noise_shapes
        self._size = program.size
        with self._memory():
            self._program = program.eval().to(self._device)

    def run(self, inputs: FrameInputs) -> NDArray[np.uint8]:
        """Draw frames.

        Returns:
            uint8, one frame after the other along the first axis, in the program's pixel format.

        Raises:
            RenderError: inputs of a shape the program does not take, or too little memory.

        >>> from clavilux.generator.model import load_model
        >>> program = Program(load_model("silk"), size=(64, 64), cells=(4, 4), pixels="rgb24")
        >>> shapes = program.noise_shapes.items()
        >>> noise = {name: np.zeros((3, 1, *shape), np.float32) for name, shape in shapes}
        >>> inputs = FrameInputs(np.zeros((3, 12, 128), np.float32), noise, np.arange(3))
        >>> TorchRunner(program, batch=2).run(inputs).shape
        (3, 64, 64, 3)
        """
        self._check(inputs)
        count = len(inputs.ws)
        with torch.inference_mode(), self._memory():
            passes = [self._pass(inputs, start) for start in range(0, count, self._batch)]
        return np.concatenate(passes)[:count]

    def _pass(self, inputs: FrameInputs, start: int) -> NDArray[np.uint8]:
        """Draw one batch; frames missing at the end are the last one again."""
        rows = np.minimum(np.arange(start, start + self._batch), len(inputs.ws) - 1)

        def there(array: NDArray[np.generic]) -> torch.Tensor:
            return torch.from_numpy(array[rows]).to(self._device)

        noise = [there(inputs.noise[layer]) for layer in self._shapes]
        pixels = self._program(there(inputs.ws), noise, there(inputs.frame_index))
        return np.asarray(pixels.cpu().numpy())

    def _check(self, inputs: FrameInputs) -> None:
        count = len(inputs.ws)
        wanted = {layer: (count, 1, *shape) for layer, shape in self._shapes.items()}
        given = {layer: noise.shape for layer, noise in inputs.noise.items()}
        if not count or given != wanted or len(inputs.frame_index) != count:
            raise RenderError(
                f"A program whose noise is {wanted} was given {count} frames with noise {given}."
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
                f"Too little memory to draw {self._batch} frames of {width}x{height} px at once on "
                f"{self._device}; choose a smaller --size or fewer --cells."
            ) from error


def choose_device(name: str = "auto") -> str:
    """Turn a device's name into one that is there: 'auto', 'cpu', 'cuda', 'cuda:1', 'mps'.

    Raises:
        SettingError: there is no such device here.

    >>> choose_device("cpu")
    'cpu'
    """
    there = _devices()
    if name == "auto":
        return there[0]
    if name not in there:
        raise SettingError(f"There is no device '{name}' here; there is {', '.join(there)}.")
    return name


def _devices() -> list[str]:
    """List the devices here, the fastest first."""
    cards = [f"cuda:{k}" for k in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return [
        *(["cuda", *cards] if cards else []),
        *(["mps"] if torch.backends.mps.is_available() else []),
        "cpu",
    ]
