"""Chooses the engine: the fastest one for a device and a precision.

Every engine has one pass size, measured, and never another: a frame's pixels may depend on it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from clavilux.engine.devices import choose_device, devices
from clavilux.engine.openvino import OpenVinoRunner, capabilities, has_compiled, load_openvino
from clavilux.engine.runner import Runner
from clavilux.errors import EngineError
from clavilux.generator.program import Program

__all__ = ["Engine", "Precision", "engines", "needs_torch", "open_runner"]

Precision = Literal["auto", "exact"]

PASS_FRAMES = {"openvino": 1, "cpu": 2, "cuda": 8, "mps": 4}
"""Frames in one pass. In OpenVINO the same frames come out of passes of 2, no faster, which take 70 MB more
at 1280x720 and 220 MB more at 3840x2160. On a CUDA card 8 frames of a 1024 px network take 3.3 GB, and a
frame 7 % longer than in passes of 32; for mps it is an estimate."""


@dataclass(frozen=True)
class Engine:
    """One engine on one device.

    Attributes:
        name: 'openvino' or 'torch'.
        device: 'cpu', 'cuda' or 'mps'.
        precision: of the features where precision is 'auto'.
        missing: why it cannot be used here; None where it can.
    """

    name: str
    device: str
    precision: str
    missing: str | None = None


def engines() -> list[Engine]:
    """List every engine, the preferred first, and why those that cannot be used here cannot.

    >>> [engine.name for engine in engines() if engine.missing is None][-1]
    'torch'
    """
    there = devices()
    cards = [
        Engine("torch", name, "fp16", None if name in there else f"torch sees no {name} device")
        for name in ("cuda", "mps")
    ]
    try:
        precision = "bf16" if "BF16" in capabilities() else "f32"
        openvino = Engine("openvino", "cpu", precision)
    except EngineError as error:
        openvino = Engine("openvino", "cpu", "f32", str(error))
    return [*cards, openvino, Engine("torch", "cpu", "f32")]


def open_runner(
    program: Program, *, device: str = "auto", precision: str = "auto", cache: Path | None = None
) -> Runner:
    """Prepare to draw a program: on an accelerator in torch, on a processor in OpenVINO, else in torch.

    Args:
        program: what to draw.
        device: 'auto', 'cpu', 'cuda', 'cuda:1' or 'mps'.
        precision: 'auto' draws features in half precision where the device is made for it, 'exact' in
            float32.
        cache: folder where compiled programs are kept.

    Raises:
        EngineError: there is no such device or precision.
        RenderError: too little memory.

    >>> from clavilux.generator.model import load_model
    >>> program = Program(load_model("silk"), size=(64, 64), cells=(4, 4))
    >>> open_runner(program, device="cpu", precision="exact").label
    'openvino f32 on cpu'
    """
    if precision not in get_args(Precision):
        what, hint = f"There is no precision '{precision}'", f"it is {' or '.join(get_args(Precision))}"
        raise EngineError(what, where="precision", value=precision, hint=hint, remedy="precision")
    chosen = choose_device(device)
    kind = chosen.partition(":")[0]
    if kind != "cpu":
        half: Literal["fp16", "f32"] = "fp16" if precision == "auto" else "f32"
        return _in_torch(program, chosen, half)
    try:
        load_openvino()
    except EngineError:
        return _in_torch(program, "cpu", "f32")
    batch = PASS_FRAMES["openvino"]
    return OpenVinoRunner(program, batch=batch, precision=_openvino_precision(precision), cache=cache)


def needs_torch(
    program: Program, *, device: str = "auto", precision: str = "auto", cache: Path | None = None
) -> bool:
    """Return whether `open_runner` is likely to import PyTorch, to draw or to compile, whatever the changes.

    What it has compiled for a model and a size with some bends and rewrites, it is often asked for again.

    Args:
        program: the model's program, whose bends and rewrites need not be known yet.
        device: as of `open_runner`.
        precision: likewise.
        cache: likewise.

    Raises:
        EngineError: there is no such device.
    """
    if choose_device(device) != "cpu":
        return True
    wanted = _openvino_precision(precision)
    try:
        return not has_compiled(program, batch=PASS_FRAMES["openvino"], precision=wanted, cache=cache)
    except EngineError:
        return True


def _openvino_precision(precision: str) -> Literal["f32"] | None:
    return "f32" if precision == "exact" else None


def _in_torch(program: Program, device: str, precision: Literal["fp16", "f32"]) -> Runner:
    from clavilux.engine.torch import TorchRunner  # here, as drawing a compiled program needs no PyTorch

    batch = PASS_FRAMES[device.partition(":")[0]]
    return TorchRunner(program, batch=batch, device=device, precision=precision)
