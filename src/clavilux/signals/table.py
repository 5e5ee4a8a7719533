"""The op table: what every operation is called, works on and accepts, said once.

An op is one function on NumPy arrays, declared by `op`. Its keyword parameters, each an annotated `Limits`,
give the names, units, ranges and defaults that methods, checks and documents are made from.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec, TypeVar

__all__ = ["OPS", "Kind", "Limits", "Op", "Parameter", "op"]

Kind = Literal["measure", "detect", "envelope", "shape", "combine"]
Parameter = float | None


@dataclass(frozen=True)
class Limits:
    """What a parameter accepts: a default (or none) within [low, high], in a unit."""

    default: Parameter
    low: float
    high: float
    unit: str = ""


@dataclass(frozen=True)
class Op:
    """One operation.

    Attributes:
        name: what a patch calls it.
        kind: measure (stem to curve), detect (stem to hits), envelope (hits to curve), shape (curve to curve)
            or combine.
        function: does it, on arrays; see `clavilux.signals.ops`.
        params: limits of every keyword parameter.
        arity: how many nodes it works on.
        pointwise: the value at a time depends on the inputs at that time alone, so it may be applied to
            values already sampled per frame.
        symbol: how arithmetic is written between two inputs; empty for methods.
    """

    name: str
    kind: Kind
    function: Callable[..., Any]
    params: Mapping[str, Limits]
    arity: int
    pointwise: bool
    symbol: str

    @property
    def times(self) -> tuple[str, ...]:
        """The parameters that say one time in different units; one of them must be given."""
        alternatives = tuple(name for name in ("seconds", "beats") if name in self.params)
        return alternatives if len(alternatives) > 1 else ()


OPS: dict[str, Op] = {}
"""Every op by name; filled by `clavilux.signals.ops` alone."""


P = ParamSpec("P")
R = TypeVar("R")


def op(
    kind: Kind, *, pointwise: bool = False, symbol: str = "", **params: Limits
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare the decorated function as an op of this kind, under its own name."""

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        positional = [
            parameter
            for parameter in inspect.signature(function).parameters.values()
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and parameter.name != "song"
        ]
        name = function.__name__
        OPS[name] = Op(name, kind, function, params, len(positional), pointwise, symbol)
        return function

    return declare
