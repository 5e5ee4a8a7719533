"""Expressions over a song: immutable nodes, equal by value, that read as a sentence.

A node is an op applied to nodes, with every parameter written out. Nothing is computed here; methods come
from the op table. Two nodes are equal where their digests are, so comparing and hashing take no time however
often parts are shared, and a digest names the same expression in every process.

>>> from clavilux.signals.sources import song
>>> print(song.harmonic.chroma().smooth(seconds=0.2))
harmonic.chroma(kind='plain').smooth(seconds=0.2)
>>> song.kick.decay(beats=0.25) == song.kick.decay(beats=0.25)
True
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, ClassVar, TypeVar

from clavilux.errors import ClaviluxError, PatchError, suggest
from clavilux.signals import ops as _ops  # fills the op table
from clavilux.signals.methods import EventsMethods, SignalMethods, StemMethods
from clavilux.signals.plugins import is_namespace
from clavilux.signals.table import KINDS, OPS, Kind, Op, Param, Value, find_op, shown_number

__all__ = [
    "Events",
    "Namespace",
    "Node",
    "Signal",
    "Stem",
    "apply",
    "as_signal",
    "maker",
    "naming",
    "nodes_of",
    "operator_hint",
]

assert _ops

Number = int | float
LARGEST_NUMBER = sys.float_info.max
MAX_DEPTH = 256
"""Longest chain of ops: beyond it no one can read a patch, and recursion would fail."""

N = TypeVar("N", bound="Node")


class UnknownOpError(PatchError, AttributeError):
    """An op that does not exist, or not for this kind of node."""


class UnknownOperatorError(PatchError, TypeError):
    """An operator of Python that means nothing here."""


def _refusing(sign: str) -> Callable[..., Any]:
    def refuse(self: Node, *_: object) -> Any:
        raise UnknownOperatorError(
            f"There is no '{sign}' with {self.place}",
            where=sign,
            value=sign,
            hint=operator_hint(sign, self.kind),
        )

    return refuse


class Node:
    """One op applied to nodes.

    Attributes:
        op: its key in the op table.
        inputs: the nodes it works on.
        params: name and value of every parameter, defaults included, in the table's order.
        digest: hash of all of these.
        depth: number of ops on the longest chain down to a source.
    """

    __slots__ = ("depth", "digest", "inputs", "op", "params")

    kind: ClassVar[Kind]
    of_kind: ClassVar[dict[Kind, type[Node]]] = {}
    op: str
    inputs: tuple[Node, ...]
    params: tuple[tuple[str, Value], ...]
    digest: str
    depth: int

    def __init_subclass__(cls) -> None:
        Node.of_kind[cls.kind] = cls

    @classmethod
    def make(cls, op: Op, inputs: tuple[Node, ...], params: tuple[tuple[str, Value], ...]) -> Node:
        """Make the node of an op whose arguments are checked."""
        node = object.__new__(Node.of_kind[op.gives])
        depth = 1 + max((each.depth for each in inputs), default=0)
        if depth > MAX_DEPTH:
            raise PatchError(
                f"More than {MAX_DEPTH} operations in a row cannot be followed",
                where="patch",
                value=depth,
                hint="write fewer operations after one another",
            )
        text = repr((op.key, params, [each.digest for each in inputs]))
        digest = blake2b(text.encode(), digest_size=16).hexdigest()
        for name, value in zip(
            ("op", "inputs", "params", "digest", "depth"),
            (op.key, inputs, params, digest, depth),
            strict=True,
        ):
            object.__setattr__(node, name, value)
        return node

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} does not change; make another one")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.op, self.inputs, self.params)

    def __str__(self) -> str:
        from clavilux.signals.text import to_text

        return to_text(self)

    __repr__ = __str__

    __add__ = __radd__ = _refusing("+")
    __sub__ = __rsub__ = __neg__ = _refusing("-")
    __mul__ = __rmul__ = _refusing("*")
    __truediv__ = __rtruediv__ = _refusing("/")
    __pow__ = __rpow__ = _refusing("**")
    __mod__ = __rmod__ = _refusing("%")
    __floordiv__ = __rfloordiv__ = _refusing("//")
    __lt__ = __gt__ = __le__ = __ge__ = _refusing(">")
    __and__ = __rand__ = __or__ = __ror__ = _refusing("&")
    __abs__ = _refusing("abs")
    __bool__ = _refusing("and, or, not, if")
    __getitem__ = _refusing("[]")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if is_namespace(name):
            return Namespace(name, self)
        try:
            find_op(name, self.kind, self.place)
        except PatchError as error:
            raise UnknownOpError(error.what, where=error.where, value=name, hint=error.hint) from None
        raise AttributeError(name)

    @property
    def place(self) -> str:
        """What messages call this node.

        >>> from clavilux.signals.sources import song
        >>> song.kick.place
        "the events 'kick'"
        """
        from clavilux.signals.text import to_line

        return f"the {KINDS[self.kind]} '{to_line(self)}'"

    def _apply(self, op: Op, arguments: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        return apply(op, (self, *arguments), params)


class Namespace:
    """The operations of a plugin, on a node or to begin an expression: `kick.acme.stutter()`."""

    def __init__(self, name: str, node: Node | None = None) -> None:
        self._name, self._node = name, node

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        first = None if self._node is None else self._node.kind
        place = f"the plugin '{self._name}'" if self._node is None else self._node.place
        try:
            op = find_op(f"{self._name}.{name}", first, place)
        except PatchError as error:
            raise UnknownOpError(error.what, where=error.where, value=name, hint=error.hint) from None
        if self._node is None:
            return maker(op)
        return functools.partial(_applied, op, self._node)


class Stem(Node, StemMethods):
    """A part of the sound, such as the drums."""

    __slots__ = ()
    kind = "stem"


class Events(Node, EventsMethods):
    """Moments of the song, joined by `+`; a signal only once they are given an envelope."""

    __slots__ = ()
    kind = "events"

    def __add__(self, other: Events) -> Events:
        added: Events = apply(OPS["events.add"], (self, other), {})
        return added


class Signal(Node, SignalMethods):
    """A curve through the song; takes part in arithmetic with numbers and other signals."""

    __slots__ = ()
    kind = "signal"

    def __add__(self, other: Signal | Number) -> Signal:
        return _arithmetic("add", self, other)

    def __radd__(self, other: Number) -> Signal:
        return _arithmetic("add", other, self)

    def __sub__(self, other: Signal | Number) -> Signal:
        return _arithmetic("subtract", self, other)

    def __rsub__(self, other: Number) -> Signal:
        return _arithmetic("subtract", other, self)

    def __mul__(self, other: Signal | Number) -> Signal:
        return _arithmetic("multiply", self, other)

    def __rmul__(self, other: Number) -> Signal:
        return _arithmetic("multiply", other, self)

    def __truediv__(self, other: Signal | Number) -> Signal:
        return _arithmetic("divide", self, other)

    def __rtruediv__(self, other: Number) -> Signal:
        return _arithmetic("divide", other, self)

    def __neg__(self) -> Signal:
        if self.op == "constant":
            return as_signal(-float(self.params[0][1] or 0))
        return _arithmetic("subtract", 0.0, self)


def operator_hint(sign: str, kind: Kind) -> str:
    """Return how what an operator means is written for a kind of node.

    >>> operator_hint("**", "signal")
    'a power is written .sharpen(by=2)'
    """
    return SIGNAL_OPERATORS.get(sign, "") if kind == "signal" else INSTEAD_OF_OPERATORS.get(kind, "")


SIGNAL_OPERATORS: Mapping[str, str] = {
    "**": "a power is written .sharpen(by=2)",
    "%": "what starts again at every whole number is written phase(bars=1), what turns back .fold()",
    "//": "steps are written .quantize(4)",
    ">": "where it is above a level is written .threshold(level=0.5), the higher of two .max(other)",
    "&": "both at once are written .min(other), either .max(other)",
    "abs": "write .max(0), or 0 - it where it is below",
    "and, or, not, if": "it is a curve through the song; a choice is mix(first, second, amount)",
    "[]": "its value at another time is written .delay(beats=1)",
}
INSTEAD_OF_OPERATORS: Mapping[Kind, str] = {
    "events": "give them an envelope, such as .decay(beats=0.25)",
    "stem": "measure it, such as .rms()",
    "palette": "mix what is made of palettes: mix(one.loop(bars=8), other.loop(bars=8), amount)",
    "entry": "move towards it: .toward(entry, amount)",
    "latent": "write mix(first, second, amount), or .toward(entry, amount)",
    "noise": "its strength is written .scale(amount), a blend mix(first, second, amount)",
    "mask": "what it removes is written .invert()",
    "bend": "its strength is written amount=signal",
    "rewrite": "its strength is written amount=signal",
}


def as_signal(value: Signal | Number) -> Signal:
    """Turn a number into a constant signal; a signal stays itself.

    Raises:
        PatchError: neither, for example events without an envelope.
    """
    if isinstance(value, Signal):
        return value
    if isinstance(value, Events):
        raise PatchError(
            f"'{value}' are events, not a curve",
            value=str(value),
            hint=f"give them an envelope, as in {value}.decay(beats=0.25)",
        )
    if (
        isinstance(value, bool)
        or not isinstance(value, Number)
        or not -LARGEST_NUMBER <= value <= LARGEST_NUMBER
    ):
        shown = f"'{value}'" if isinstance(value, Node) else shown_number(value)
        raise PatchError(f"{shown} is neither a number nor a signal", value=shown)
    made: Signal = apply(OPS["constant"], (), {"value": float(value)})
    return made


def apply(op: Op, arguments: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
    """Apply an op: check every argument and write out every parameter.

    Args:
        op: from the table.
        arguments: positional ones, nodes and parameters, in the op's order.
        params: the rest, by name; defaults where they are not given.

    Raises:
        PatchError: an argument is missing, unknown, of another kind or out of range.
    """
    place = f"'{op.name}'"
    if op.takes and arguments and isinstance(arguments[0], Node) and op.style != "infix":
        place = f"'{op.name}' on {arguments[0].place}"
    given = dict(zip(op.positional, arguments, strict=False))
    absent = _check_names(op, place, arguments, params)
    given |= {**{name: _stand_in(op.optional[name]) for name in absent if name in op.optional}, **params}
    inputs = tuple(_as(kind, given[name], place) for name, kind in zip(op.inputs, op.takes, strict=True))
    for name, node in zip(op.inputs, inputs, strict=True):
        limits = op.optional.get(name)
        if isinstance(limits, Param) and node.op == "constant":
            limits.check(name, node.params[0][1], place)
    other_unit = any(given.get(name) is not None for name in op.alternatives)
    values: list[tuple[str, Value]] = []
    for name, param in op.params.items():
        if name not in given and param.default is ...:
            hint = f"it is {param.range}"
            raise PatchError(f"{place} needs {name}", where=place, hint=hint)
        if name in op.alternatives and given.get(name) is None:  # its default holds where no unit is given
            usual = None if other_unit or param.default is None else param.default
            values.append((name, None if usual is None else param.check(name, usual, place)))
        else:
            values.append((name, param.check(name, given.get(name, param.default), place)))
    if op.alternatives and sum(v is not None for name, v in values if name in op.alternatives) != 1:
        raise PatchError(f"{place} needs exactly one of {', '.join(op.alternatives)}", where=place)
    return Node.make(op, inputs, tuple(values))


def _check_names(op: Op, place: str, arguments: tuple[Any, ...], params: Mapping[str, Any]) -> list[str]:
    """Check that an op has these arguments, and all the nodes it needs; return the nodes not given."""
    unknown = [name for name in params if name not in op.params and name not in op.inputs]
    if unknown:
        hint = suggest(unknown[0], op.params, otherwise="it has {}" if op.params else "it has none")
        raise PatchError(f"{place} has no parameter '{unknown[0]}'", where=place, value=unknown[0], hint=hint)
    twice = sorted(set(op.positional[: len(arguments)]) & params.keys())
    absent = [
        name for name in op.inputs if name not in op.positional[: len(arguments)] and name not in params
    ]
    missing = [name for name in absent if name not in op.optional]
    if len(arguments) > len(op.positional) or twice or missing:
        hint = f"it takes {', '.join(op.positional[1 if op.takes else 0 :]) or 'nothing'}"
        by_name = next((name for name in op.params if name not in op.positional), None)
        if len(arguments) > len(op.positional) and by_name and not isinstance(arguments[-1], Node):
            hint = f"name the number: {op.name}({by_name}={arguments[-1]!r})"
        raise PatchError(f"{place} cannot take these arguments", where=place, hint=hint)
    return absent


def _applied(op: Op, node: Node, *arguments: Any, **params: Any) -> Any:
    return apply(op, (node, *arguments), params)


def maker(op: Op) -> Callable[..., Any]:
    """Return the function by which Python writes an op that begins an expression, such as `drift`."""

    def make(*arguments: Any, **params: Any) -> Any:
        return apply(op, arguments, params)

    make.__name__ = make.__qualname__ = op.name
    make.__doc__ = inspect.getdoc(op.function)
    make.__signature__ = op.signature  # type: ignore[attr-defined]
    return make


@contextlib.contextmanager
def naming(node: Node) -> Iterator[None]:
    """Note in errors that are raised within that they are about a node, unless they are about another."""
    try:
        yield
    except ClaviluxError as error:
        error.part = error.part or node.digest
        raise


def nodes_of(*roots: Node) -> Iterator[Node]:
    """Yield every node of some expressions once, inputs before what is made of them."""
    seen: set[str] = set()
    waiting: list[tuple[Node, bool]] = [(root, False) for root in reversed(roots)]
    while waiting:
        node, ready = waiting.pop()
        if ready:
            yield node
        elif node.digest not in seen:
            seen.add(node.digest)
            waiting.append((node, True))
            waiting.extend((each, False) for each in reversed(node.inputs))


def _as(kind: Kind, value: Any, place: str) -> Node:
    if kind == "signal":
        return as_signal(value)
    if isinstance(value, Node) and value.kind == kind:
        return value
    shown = value.place if isinstance(value, Node) else repr(value)
    raise PatchError(f"{place} takes {KINDS[kind]}, not {shown}", where=place, value=value)


def _stand_in(declared: Param | str) -> Any:
    return declared.default if isinstance(declared, Param) else apply(OPS[declared], (), {})


def _arithmetic(name: str, first: Signal | Number, second: Signal | Number) -> Signal:
    made: Signal = apply(OPS[f"signal.{name}"], (as_signal(first), as_signal(second)), {})
    return made


def _rebuilt(key: str, inputs: tuple[Node, ...], params: tuple[tuple[str, Value], ...]) -> Node:
    return Node.make(OPS[key], inputs, params)
