"""Runs a program in torch: eagerly on a processor, as one CUDA graph on an NVIDIA card.

On a processor this is the exact reference; on an accelerator features are float16 unless exactness is asked
for, while styles, colours and pixels stay float32. Inputs go to the device and pixels come back through two
page-locked buffers in turn, so that one pass is copied while the next is drawn. A model's network is shared
by its programs: a runner that needs it elsewhere or in another precision works on a copy.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from clavilux.arrays import AnyArray
from clavilux.engine.devices import choose_device
from clavilux.engine.runner import Runner
from clavilux.generator.program import FrameInputs, Program
from clavilux.generator.program_module import ProgramModule

__all__ = ["TorchRunner"]

LANES = 2
LOWER = {"fp16": torch.float16, "bf16": torch.bfloat16}
WARM_UPS = 3
"""Passes before a graph is recorded, in which libraries choose their kernels and allocate their memory."""


class TorchRunner(Runner):
    """Draws frames with torch.

    Args:
        program: what to draw; never changed.
        batch: frames in one pass.
        device: a name `choose_device` knows.
        precision: of the features; f32, or what the device is fast in.

    Raises:
        EngineError: there is no such device here.

    >>> from clavilux.generator.model import load_model
    >>> program = Program(load_model("silk"), size=(64, 64), cells=(4, 4), pixels="rgb24")
    >>> inputs = {name: np.zeros((3, *spec.shape), spec.dtype) for name, spec in program.inputs.items()}
    >>> TorchRunner(program, batch=2).run(inputs).shape
    (3, 64, 64, 3)
    """

    def __init__(
        self,
        program: Program,
        *,
        batch: int,
        device: str = "cpu",
        precision: Literal["f32", "fp16", "bf16"] = "f32",
    ) -> None:
        self._device = torch.device(choose_device(device))
        super().__init__(program, batch, precision=precision, label=_label(self._device, precision))
        with self._memory(), self._mode():
            self._module = _own_copy(program.module, self._device, precision)
            self._inputs = [tensor.to(self._device) for tensor in self._zeros()]
            self._replay = recorded(self._forward, self._device)
            self._lanes = [self._lane() for _ in range(LANES)]
            self._copying = _stream(self._device)

    def _draw(self, inputs: FrameInputs, pixels: AnyArray) -> None:
        """Draw pass after pass, collecting each while the next is drawn."""
        with self._mode():
            waiting: tuple[slice, Lane] | None = None
            for number, (place, arrays) in enumerate(self._passes(inputs, len(pixels))):
                lane = self._lanes[number % LANES]
                self._start(lane, arrays)
                if waiting:
                    _collect(pixels, *waiting)
                waiting = place, lane
            if waiting:
                _collect(pixels, *waiting)

    def _start(self, lane: "Lane", arrays: list[AnyArray]) -> None:
        """Send one pass's inputs, draw it, and queue the copy of its pixels back."""
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
        drawn: Tensor = self._module(*self._inputs)
        return drawn

    def _zeros(self) -> list[Tensor]:
        specs = self._specs.values()
        return [torch.zeros((self.batch, *spec.shape), dtype=getattr(torch, spec.dtype)) for spec in specs]

    def _lane(self) -> "Lane":
        frames = torch.from_numpy(np.empty((self.batch, *self._frame), self._dtype))
        inputs = [_locked(tensor, self._device) for tensor in self._zeros()]
        return Lane(inputs, _locked(frames, self._device))

    @contextmanager
    def _mode(self) -> Iterator[None]:
        """Draw without gradients, deterministically, and in float32 without TF32."""
        flags = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
        chosen = torch.cuda.device(self._device) if self._device.type == "cuda" else nullcontext()
        with torch.inference_mode(), flags, chosen:
            yield


@dataclass
class Lane:
    """Host memory of one pass in flight, page-locked where the device profits."""

    inputs: Sequence[Tensor]
    pixels: Tensor
    done: Any = None


def recorded(draw: Callable[[], Tensor], device: torch.device) -> Callable[[], Tensor]:
    """Record drawing as one CUDA graph, which repeats it without Python; elsewhere return it as it is.

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


def _own_copy(module: ProgramModule, device: torch.device, precision: str) -> ProgramModule:
    """Return a program's module on a device in a precision: itself where it is so already, else a copy."""
    there = {tensor.device for tensor in (*module.buffers(), *module.parameters())}
    if precision == "f32" and there <= {device}:
        return module
    module = copy.deepcopy(module)
    if precision != "f32":
        module.to_precision(LOWER[precision])
    return module.to(device)


def _label(device: torch.device, precision: str) -> str:
    """Name the engine; see `Runner.label`. All cards of one name are the same device."""
    if precision == "f32":
        return f"torch f32 on {device.type}"
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return f"torch {torch.__version__} {precision} on {name}"


def _collect(pixels: AnyArray, place: slice, lane: Lane) -> None:
    if lane.done is not None:
        lane.done.synchronize()
    pixels[place] = lane.pixels.numpy()[: place.stop - place.start]


def _locked(tensor: Tensor, device: torch.device) -> Tensor:
    return tensor.pin_memory() if device.type == "cuda" else tensor


def _stream(device: torch.device) -> Any:
    return torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]


def _after_drawing(stream: Any) -> AbstractContextManager[Any]:
    """Queue what follows on its own stream, after everything drawn so far."""
    if stream is None:
        return nullcontext()
    stream.wait_stream(torch.cuda.current_stream(stream.device))
    return torch.cuda.stream(stream)
