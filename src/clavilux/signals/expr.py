"""Expressions over a song: immutable nodes, equal by value, readable as a sentence.

A `Stem` is a part of the sound, `Hits` are moments detected in it, a `Signal` is a curve. Their methods come
from the op table (`clavilux.signals.ops`); hits become a signal by an envelope. Nothing is computed here.

>>> from clavilux.signals.sources import song
>>> print(song.harmonic.chroma().smooth(seconds=0.2))
harmonic.chroma().smooth(seconds=0.2)
>>> song.kick.decay(beats=0.25) == song.kick.decay(beats=0.25)
True
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from clavilux.errors import PatchError
from clavilux.signals.table import OPS, Kind, Op, Parameter

__all__ = ["Hits", "Node", "Signal", "Stem", "as_signal"]

Number = int | float


class UnknownOpError(PatchError, AttributeError):
    """An op that does not exist, or not for this kind of node."""


@dataclass(frozen=True)
class Node:
    """One op applied to its inputs.

    Attributes:
        op: name in the op table, or the name of a source.
        inputs: the nodes it works on.
        params: name and value of every parameter, defaults included, in the table's order.
    """

    op: str
    inputs: tuple[Node, ...] = ()
    params: tuple[tuple[str, Parameter], ...] = ()

    methods: ClassVar[frozenset[Kind]] = frozenset()
    noun: ClassVar[str] = "node"

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        known = [op.name for op in OPS.values() if op.kind in self.methods]
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(sorted(known))}."
            raise UnknownOpError(f"There is no operation '{name}' on {self.noun} '{self}'; {hint}")
        return lambda *inputs, **params: _apply(OPS[name], (self, *inputs), params)

    def __str__(self) -> str:
        if not self.inputs:
            return self.op if not self.params else f"{self.params[0][1]:g}"
        symbol = OPS[self.op].symbol
        if symbol:
            return f"({symbol.join(str(node) for node in self.inputs)})"
        arguments = [str(node) for node in self.inputs[1:]]
        arguments += [f"{name}={value:g}" for name, value in self.params if value is not None]
        return f"{self.inputs[0]}.{self.op}({', '.join(arguments)})"


@dataclass(frozen=True)
class Stem(Node):
    """A part of the sound, such as the drums."""

    methods: ClassVar[frozenset[Kind]] = frozenset({"measure", "detect"})
    noun: ClassVar[str] = "the stem"


@dataclass(frozen=True)
class Hits(Node):
    """Detected moments; a signal only once they are given an envelope."""

    methods: ClassVar[frozenset[Kind]] = frozenset({"envelope"})
    noun: ClassVar[str] = "the hits"


@dataclass(frozen=True)
class Signal(Node):
    """A curve through the song; takes part in arithmetic with numbers and other signals."""

    methods: ClassVar[frozenset[Kind]] = frozenset({"shape", "combine"})
    noun: ClassVar[str] = "the signal"

    def __add__(self, other: Signal | Number) -> Signal:
        return _combine("add", self, other)

    def __radd__(self, other: Number) -> Signal:
        return _combine("add", other, self)

    def __sub__(self, other: Signal | Number) -> Signal:
        return _combine("subtract", self, other)

    def __rsub__(self, other: Number) -> Signal:
        return _combine("subtract", other, self)

    def __mul__(self, other: Signal | Number) -> Signal:
        return _combine("multiply", self, other)

    def __rmul__(self, other: Number) -> Signal:
        return _combine("multiply", other, self)


def as_signal(value: Signal | Number) -> Signal:
    """Turn a number into a constant signal; a signal stays itself.

    Raises:
        PatchError: neither, for example hits without an envelope.
    """
    if isinstance(value, Signal):
        return value
    if isinstance(value, Hits):
        raise PatchError(
            f"'{value}' are hits, not a curve; give them an envelope, as in {value}.decay(beats=0.25)."
        )
    if isinstance(value, bool) or not isinstance(value, Number) or not math.isfinite(value):
        raise PatchError(f"{value!r} is neither a number nor a signal.")
    return Signal("constant", (), (("value", float(value)),))


def _combine(name: str, first: Signal | Number, second: Signal | Number) -> Signal:
    return Signal(name, (as_signal(first), as_signal(second)))


def _apply(op: Op, inputs: tuple[Node | Number, ...], params: dict[str, Parameter]) -> Signal | Hits:
    nodes = tuple(node if isinstance(node, Node) else as_signal(node) for node in inputs)
    if len(nodes) != op.arity:
        raise PatchError(f"'{op.name}' on '{nodes[0]}' works on {op.arity} signal(s), not {len(nodes)}.")
    unknown = sorted(set(params) - set(op.params))
    if unknown:
        known = ", ".join(op.params) or "none"
        raise PatchError(f"'{op.name}' on '{nodes[0]}' has no parameter '{unknown[0]}'; it knows {known}.")
    values = []
    for name, limits in op.params.items():
        value = params.get(name, limits.default)
        if value is not None and not limits.low <= value <= limits.high:
            raise PatchError(
                f"{name}={value:g} of '{op.name}' on '{nodes[0]}' is out of range; "
                f"it goes from {limits.low:g} to {limits.high:g}{limits.unit and ' ' + limits.unit}."
            )
        values.append((name, None if value is None else float(value)))
    if op.times and sum(value is not None for name, value in values if name in op.times) != 1:
        raise PatchError(f"'{op.name}' on '{nodes[0]}' needs exactly one of {', '.join(op.times)}.")
    kind = Hits if op.kind == "detect" else Signal
    return kind(op.name, nodes, tuple(values))
