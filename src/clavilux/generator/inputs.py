"""What varies from frame to frame: the named inputs of a program.

Names are `ws`, `noise/LAYER`, `frame`, `bend/K/PARAM` and `rewrite/K/PARAM`; arrays are (B, ...), one row a
frame. A program declares what it takes; everyone else only iterates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from clavilux.arrays import AnyArray
from clavilux.errors import RenderError, suggest

__all__ = ["FrameInputs", "InputSpec", "check_inputs"]

FrameInputs = Mapping[str, AnyArray]
"""Everything that varies between B frames, by name: `ws` (B, L, D) float32, `frame` (B,) int64, ..."""


@dataclass(frozen=True)
class InputSpec:
    """One input of a program.

    Attributes:
        shape: of one frame, without the leading B.
        dtype: its NumPy name, such as 'float32'.
        blend: how two values cross over, in loops and scene fades: 'linear' a + t (b - a), 'power' at
            constant variance cos(t pi/2) a + sin(t pi/2) b, 'step' not at all.
    """

    shape: tuple[int, ...]
    dtype: str
    blend: Literal["linear", "power", "step"]


def check_inputs(inputs: FrameInputs, specs: Mapping[str, InputSpec]) -> int:
    """Check inputs against what a program takes, and return how many frames they are.

    Raises:
        RenderError: an input is missing, unknown, or of another shape or type.

    >>> import numpy as np
    >>> check_inputs({"frame": np.arange(3)}, {"frame": InputSpec((), "int64", "step")})
    3
    """
    for name in specs.keys() - inputs.keys():
        raise RenderError(f"The input '{name}' is missing", where=name, hint="give one row for each frame")
    for name in inputs.keys() - specs.keys():
        hint = suggest(name, specs, otherwise="it takes {}")
        raise RenderError(f"The program takes no input '{name}'", where=name, hint=hint)
    frames = {len(array) if array.ndim else 0 for array in inputs.values()}
    if len(frames) != 1 or 0 in frames:
        given = ", ".join(f"{name} {array.shape}" for name, array in inputs.items())
        raise RenderError(f"The inputs are not of one number of frames: {given}", hint="give at least one")
    (count,) = frames
    for name, spec in specs.items():
        array = inputs[name]
        if array.shape != (count, *spec.shape) or array.dtype != spec.dtype:
            raise RenderError(
                f"The input '{name}' has shape {array.shape} and type {array.dtype}",
                where=name,
                value=array.shape,
                hint=f"the program takes {(count, *spec.shape)} {spec.dtype}",
            )
    return count
