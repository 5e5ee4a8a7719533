"""Runs a program in torch: eagerly on a processor, as one recorded graph on an accelerator.

On a processor this is the exact reference; on an accelerator features are float16 unless exactness is asked
for, while styles, colours and pixels stay float32. Numbers go to the device and pixels come back through two
page-locked buffers in turn, so that one pass is copied while the next is drawn.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from clavilux.engine.runner import Array, Runner
from clavilux.errors import SettingError
from clavilux.generator.program import FrameInputs, Program

__all__ = ["TorchRunner", "choose_device", "devices"]

LANES = 2
LOWER = {"fp16": torch.float16, "bf16": torch.bfloat16}
WARM_UPS = 3
"""Passes before a graph is recorded, in which libraries choose their kernels and take their memory."""


class TorchRunner(Runner):
    """Draws frames with torch.

    Args:
        program: what to draw; moved to the device, or copied there where precision is lowered.
        batch: frames in one pass.
        device: a name `choose_device` knows.
        precision: of the features; fp32, or what the device is fast in.

    >>> from clavilux.generator.model import load_model
    >>> program = Program(load_model("silk"), size=(64, 64), cells=(4, 4), pixels="rgb24")
    >>> shapes = program.noise_shapes.items()
    >>> noise = {name: np.zeros((3, 1, *shape), np.float32) for name, shape in shapes}
    >>> inputs = FrameInputs(np.zeros((3, 16, 128), np.float32), noise, np.arange(3))
    >>> TorchRunner(program, batch=2).run(inputs).shape
    (3, 64, 64, 3)
    """

    def __init__(
        self,
        program: Program,
        *,
        batch: int,
        device: str = "cpu",
        precision: Literal["fp32", "fp16", "bf16"] = "fp32",
    ) -> None:
        super().__init__(program, batch)
        self._device = torch.device(choose_device(device))
        self.label = f"torch {precision} on {self._device}"
        with self._memory(), self._mode():
            if precision != "fp32":
                program = copy.deepcopy(program)
                program.network.lower(LOWER[precision])
            self._program = program.eval().to(self._device)
            self._inputs = self._static_inputs()
            self._replay = recorded(self._forward, self._device)
            self._lanes = [self._lane() for _ in range(LANES)]
            self._copying = _stream(self._device)

    def _draw(self, inputs: FrameInputs, pixels: Array) -> None:
        """Draw pass after pass, collecting each while the next is drawn."""
        with self._mode():
            waiting: tuple[slice, Lane] | None = None
            for number, (place, arrays) in enumerate(self._passes(inputs)):
                lane = self._lanes[number % LANES]
                self._start(lane, arrays)
                if waiting:
                    _collect(pixels, *waiting)
                waiting = place, lane
            if waiting:
                _collect(pixels, *waiting)

    def _start(self, lane: "Lane", arrays: list[Array]) -> None:
        """Send one pass's numbers, draw it, and have its pixels sent back."""
        for here, array, there in zip(lane.inputs, arrays, self._inputs, strict=True):
            here.copy_(torch.from_numpy(array))
            there.copy_(here, non_blocking=True)
        drawn = self._replay().clone()  # the next pass draws into the same memory
        with _after_drawing(self._copying):
            lane.pixels.copy_(drawn, non_blocking=self._copying is not None)
            if self._copying is not None:
                drawn.record_stream(self._copying)
        lane.done = self._copying.record_event() if self._copying is not None else None

    def _forward(self) -> Tensor:
        drawn: Tensor = self._program(self._inputs[0], self._inputs[1:-1], self._inputs[-1])
        return drawn

    def _shapes(self) -> list[tuple[tuple[int, ...], torch.dtype]]:
        noise = [((self.batch, 1, *shape), torch.float32) for shape in self._layers.values()]
        return [((self.batch, *self._latents), torch.float32), *noise, ((self.batch,), torch.int64)]

    def _static_inputs(self) -> list[Tensor]:
        return [torch.zeros(shape, dtype=dtype, device=self._device) for shape, dtype in self._shapes()]

    def _lane(self) -> "Lane":
        frames = torch.from_numpy(np.empty((self.batch, *self._frame), self._dtype))
        return Lane(
            [_locked(torch.empty(shape, dtype=dtype), self._device) for shape, dtype in self._shapes()],
            _locked(frames, self._device),
        )

    @contextmanager
    def _mode(self) -> Iterator[None]:
        """Draw without gradients, the same each time, and where numbers are float32 without TF32."""
        flags = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
        chosen = torch.cuda.device(self._device) if self._device.type == "cuda" else nullcontext()
        with torch.inference_mode(), flags, chosen:
            yield


@dataclass
class Lane:
    """Memory on this side for one pass on its way, page-locked where the device profits."""

    inputs: Sequence[Tensor]
    pixels: Tensor
    done: Any = None


def recorded(draw: Callable[[], Tensor], device: torch.device) -> Callable[[], Tensor]:
    """Record drawing as one CUDA graph, which repeats it without a word from Python; elsewhere draw as it is.

    The graph reads and writes the same memory each time.
    """
    if device.type != "cuda":
        return draw
    aside = _stream(device)
    aside.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(aside):
        for _ in range(WARM_UPS):
            draw()
    torch.cuda.current_stream(device).wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.device(device), torch.cuda.graph(graph):
        drawn = draw()

    def replay() -> Tensor:
        graph.replay()
        return drawn

    return replay


def _collect(pixels: Array, place: slice, lane: Lane) -> None:
    if lane.done is not None:
        lane.done.synchronize()
    pixels[place] = lane.pixels.numpy()[: place.stop - place.start]


def _locked(tensor: Tensor, device: torch.device) -> Tensor:
    return tensor.pin_memory() if device.type == "cuda" else tensor


def _stream(device: torch.device) -> Any:
    return torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]


def _after_drawing(stream: Any) -> AbstractContextManager[Any]:
    """Queue on a stream of its own what must wait for everything drawn so far."""
    if stream is None:
        return nullcontext()
    stream.wait_stream(torch.cuda.current_stream(stream.device))
    return torch.cuda.stream(stream)


def choose_device(name: str = "auto") -> str:
    """Turn a device's name into one that is there: 'auto', 'cpu', 'cuda', 'cuda:1', 'mps'.

    Raises:
        SettingError: there is no such device here.

    >>> choose_device("cpu")
    'cpu'
    """
    there = devices()
    if name == "auto":
        return there[0]
    if name not in there:
        raise SettingError(f"There is no device '{name}' here; there is {', '.join(there)}.")
    return name


def devices() -> list[str]:
    """List the devices here, the fastest first.

    >>> devices()[-1]
    'cpu'
    """
    cards = [f"cuda:{k}" for k in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return [
        *(["cuda", *cards] if cards else []),
        *(["mps"] if torch.backends.mps.is_available() else []),
        "cpu",
    ]
