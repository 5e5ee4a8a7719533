"""The op table: name, kinds and parameters of every operation, each defined once.

An op is one function on NumPy arrays, declared by `op`. What patches may write, the methods of nodes and
their type stubs, the checks, the parser and the reference pages are made from this table. The kinds are the
grammar: an op takes nodes of some kinds and gives one of another.

    stem      a part of the sound, such as the drums
    events    moments detected in it, such as the hits of the kick
    signal    a curve through the song
    palette   twelve latents that belong together
    entry     one of a palette's latents
    latent    a latent for every layer at every moment
    mask      a weight for every place of the image
    noise     noise for every layer at every moment
    bend      a transform of a layer's features
    rewrite   a change of a layer's weights

Moments, such as 'bar 17' or 'B.2', are parameters and no kind: an op that takes one takes it written out, so
that a patch can be read, and sorted by time, without a song.
"""

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, ParamSpec, TypeVar

from clavilux.errors import PatchError, SettingError, suggest
from clavilux.moments import Moment

__all__ = [
    "KINDS",
    "OPS",
    "Kind",
    "Need",
    "Op",
    "Param",
    "Sampling",
    "Value",
    "choice",
    "file",
    "find_op",
    "methods_of",
    "moment",
    "number",
    "op",
    "shown_number",
    "text",
    "whole",
]

Kind = Literal["stem", "events", "signal", "palette", "entry", "latent", "mask", "noise", "bend", "rewrite"]
KINDS: Mapping[Kind, str] = {
    "stem": "stem",
    "events": "events",
    "signal": "signal",
    "palette": "palette",
    "entry": "palette entry",
    "latent": "latents",
    "mask": "mask",
    "noise": "noise",
    "bend": "bend",
    "rewrite": "rewrite",
}
"""Every kind, and what messages call it."""

Sampling = Literal["mean", "max", "pointwise"]
Need = Literal["", "song", "moments", "source"]
Style = Literal["method", "function", "attribute", "infix", "literal"]
Value = float | int | str | None
MAX_WHOLE = 10**19
"""From here on messages show whole numbers as powers of ten."""


@dataclass(frozen=True)
class Param:
    """What a parameter accepts.

    Attributes:
        type: float, int, str, or Moment, which is written as text.
        default: its value where it is not given; `...` where it must be given.
        low: smallest number.
        high: largest number.
        unit: of the number; empty for ratios.
        choices: the words it may be; empty where any text is fine.
        is_file: whether the text names a file that the op reads.
        pattern: of other text that it may be besides the words, such as numbers of layers.
    """

    type: type[float] | type[int] | type[str] | type[Moment]
    default: Any = ...
    low: float = float("-inf")
    high: float = float("inf")
    unit: str = ""
    choices: tuple[str, ...] = ()
    is_file: bool = False
    pattern: str = ""

    @property
    def range(self) -> str:
        """What it accepts, in words.

        >>> number(None, 0, 600, "seconds").range, choice("warm", "cool").range
        ('0 to 600 seconds', "'warm' or 'cool'")
        """
        if self.type is Moment:
            return "a time, 'bar 17', 'beat 3', a section such as 'B.2', or 'end'"
        if self.type is str:
            return " or ".join(f"'{word}'" for word in self.choices) or ("a file" if self.is_file else "text")
        return f"{self.low:g} to {self.high:g}{self.unit and ' ' + self.unit}"

    def check(self, name: str, value: Any, place: str) -> Value:
        """Return a value as the parameter's own type.

        Raises:
            PatchError: it is of another type or out of range; `place` is where.
        """
        if value is None and self.default is None:
            return None
        if self.type is Moment:
            return _moment(name, value, place)
        if self.type is str:
            if not isinstance(value, str):
                hint = f"it is {', '.join(self.choices)}" if self.choices else ""
                raise PatchError(
                    f"{name} of {place} is text, not {value!r}", where=name, value=value, hint=hint
                )
            other = self.pattern and re.fullmatch(self.pattern, value)
            if self.choices and value not in self.choices and not other:
                hint = suggest(value, self.choices, otherwise="it is {}")
                raise PatchError(f"{name} of {place} cannot be '{value}'", where=name, value=value, hint=hint)
            return value
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not self.low <= value <= self.high
        ):
            shown = shown_number(value)
            raise PatchError(
                f"{name}={shown} of {place} is out of range",
                where=name,
                value=shown,
                hint=f"it goes from {self.range}",
            )
        if self.type is int and value != int(value):
            raise PatchError(f"{name} of {place} is a whole number, not {value!r}", where=name, value=value)
        return int(value) if self.type is int else float(value)


def shown_number(value: object) -> str:
    """Return how a message shows what should be a number.

    >>> shown_number(0.5), shown_number(10**20), shown_number(10**5000), shown_number("a")
    ('0.5', '1e+20', 'a number that is too large', "'a'")
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return repr(value)[:80]
    if isinstance(value, int) and abs(value) < MAX_WHOLE:
        return str(value)
    try:
        return f"{value:g}"
    except OverflowError:
        return "a number that is too large"


def number(default: Any, low: float, high: float, unit: str = "") -> Param:
    """Declare a parameter that is a number."""
    return Param(float, default, low, high, unit)


def whole(default: Any, low: int, high: int, unit: str = "") -> Param:
    """Declare a parameter that is a whole number."""
    return Param(int, default, low, high, unit)


def choice(*words: str, default: Any = ..., pattern: str = "") -> Param:
    """Declare a parameter that is one of some words, or other text of a pattern."""
    return Param(str, default, choices=words, pattern=pattern)


def moment(default: Any = ...) -> Param:
    """Declare a parameter that is a moment of the song."""
    return Param(Moment, default)


def text(default: Any = ...) -> Param:
    """Declare a parameter that is any text."""
    return Param(str, default)


def file() -> Param:
    """Declare a parameter that names a file."""
    return Param(str, is_file=True)


@dataclass(frozen=True)
class Op:
    """One operation.

    Attributes:
        name: what a patch calls it.
        takes: kinds of the nodes it works on, the first of which it is a method of.
        gives: kind of the node it makes.
        function: computes it; gets what it needs, then its positional arguments, then its parameters by name.
        positional: names of the arguments in order, nodes and parameters.
        params: every parameter by name, in order.
        sampling: how its values become values per frame: their mean over the frame, their maximum, or, for
            a pointwise op, the op applied to inputs that are values per frame already.
        needs: what else the function gets, first: the song, the moments for which values are computed, or
            the source of palettes.
        style: how it is written.
        symbol: of an infix op.
        version: raised whenever the same text would give other values.
        lazy: whether the function gets its nodes as functions that compute them, and so decides which are.
        optional: the arguments that are nodes but need not be given: range and default of a signal; for
            another kind, the key of the op that stands in for it.
    """

    name: str
    takes: tuple[Kind, ...]
    gives: Kind
    function: Callable[..., Any]
    positional: tuple[str, ...]
    params: Mapping[str, Param]
    sampling: Sampling = "mean"
    needs: Need = ""
    style: Style = "method"
    symbol: str = ""
    version: int = 1
    lazy: bool = False
    optional: Mapping[str, "Param | str"] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Its name in the table: two kinds may each have an op of one name."""
        return self.name if self.begins or not self.takes else f"{self.takes[0]}.{self.name}"

    @property
    def begins(self) -> bool:
        """Whether it begins an expression by its name; the song's own parts begin one by theirs.

        So do bends and rewrites, whose signals are given by name: `zoom(at='b16.conv0', by=1.2)`.
        """
        return self.style == "method" and (not self.takes or self.gives in {"bend", "rewrite"})

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the arguments that are nodes."""
        return tuple(name for name in self.positional if name not in self.params)

    @property
    def alternatives(self) -> tuple[str, ...]:
        """The parameters that give one length of time in different units; exactly one of them holds."""
        names = tuple(name for name in ("seconds", "beats", "bars") if name in self.params)
        return names if len(names) > 1 else ()

    def compute(self, needed: Any, inputs: Iterable[Any], params: Iterable[tuple[str, Value]]) -> Any:
        """Call the function: with what it needs, if it needs anything, and a node's inputs and parameters."""
        values, waiting = dict(params), iter(inputs)
        arguments = [values.pop(name) if name in values else next(waiting) for name in self.positional]
        return self.function(*([needed] if self.needs else []), *arguments, **values)

    @property
    def signature(self) -> inspect.Signature:
        """How it is called from Python, its own node included."""
        kinds = inspect.Parameter
        listed = []
        for name in self.positional:
            declared = self.params.get(name, self.optional.get(name))
            default = declared.default if isinstance(declared, Param) else None if declared else ...
            given = kinds.empty if default is ... else default
            listed.append(kinds(name, kinds.POSITIONAL_OR_KEYWORD, default=given))
        for name, param in self.params.items():
            if name not in self.positional:
                given = kinds.empty if param.default is ... else param.default
                listed.append(kinds(name, kinds.KEYWORD_ONLY, default=given))
        return inspect.Signature(listed)


OPS: dict[str, Op] = {}
"""Every op by key; filled by the modules that declare ops alone."""

_METHODS: dict[Kind, type] = {}

P = ParamSpec("P")
R = TypeVar("R")


def op(  # noqa: PLR0913  # the columns of the table
    gives: Kind,
    *takes: Kind,
    sampling: Sampling = "mean",
    needs: Need = "",
    style: Style = "method",
    symbol: str = "",
    version: int = 1,
    lazy: bool = False,
    namespace: str = "",
    params: Mapping[str, Param] | None = None,
    optional: Mapping[str, Param | str] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare the decorated function as an op, under its own name without underscores at its end.

    Args:
        gives: kind of node it makes.
        takes: kinds of the nodes it works on, in order.
        sampling: see `Op`.
        needs: see `Op`.
        style: see `Op`; ops with a symbol are infix.
        symbol: of an infix op.
        version: see `Op`.
        lazy: see `Op`.
        namespace: of a plugin, whose name precedes that of the op.
        params: its parameters.
        optional: see `Op`.
    """

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        name = function.__name__.rstrip("_")
        given = list(inspect.signature(function).parameters.values())[1 if needs else 0 :]
        positional = tuple(each.name for each in given if each.kind is each.POSITIONAL_OR_KEYWORD)
        declared = Op(
            name=f"{namespace}.{name}" if namespace else name,
            takes=takes,
            gives=gives,
            function=function,
            positional=positional,
            params=dict(params or {}),
            sampling=sampling,
            needs=needs,
            style="infix" if symbol else style,
            symbol=symbol,
            version=version,
            lazy=lazy,
            optional=dict(optional or {}),
        )
        if len(declared.inputs) != len(takes) or {each.name for each in given} - {*declared.inputs} != {
            *declared.params
        }:
            raise TypeError(f"the arguments of '{declared.key}' do not match what it takes")
        if declared.key in OPS:
            raise TypeError(f"there is an operation '{declared.key}' already")
        OPS[declared.key] = declared
        called = declared.style in {"method", "function", "attribute"}
        if takes and called and not (namespace or declared.begins):
            setattr(methods_of(takes[0]), declared.name, _method(declared))
        return function

    return declare


def methods_of(kind: Kind) -> type:
    """Return the class that carries the ops of a kind as methods; nodes of that kind derive from it."""
    return _METHODS.setdefault(
        kind, type(f"{kind.title()}Methods", (), {"__doc__": f"Ops on {KINDS[kind]}."})
    )


def find_op(name: str, first: Kind | None, place: str) -> Op:
    """Look up an op by name and by the kind of its first node.

    Raises:
        PatchError: there is none; names the nearest.
    """
    known = OPS.get(name if first is None else f"{first}.{name}")
    if known is not None:
        return known
    names = sorted(
        each.name
        for each in OPS.values()
        if (each.begins if first is None else each.takes[:1] == (first,) and not each.begins)
        and each.style not in {"infix", "literal"}
    )
    hint = suggest(name, names, otherwise="")
    if not hint and first == "events":
        on_signals = [op.name for op in OPS.values() if op.takes[:1] == ("signal",) and op.style == "method"]
        near = difflib.get_close_matches(name, on_signals, n=1)
        hint = f"an envelope of them has it: .decay(beats=0.5).{near[0]}(...)" if near else ""
    if first == "palette" and not hint:
        hint = f"a latent of that name is .entry('{name}')"
    hint = hint or suggest(name, names, otherwise="there are {}" if names else "there is none")
    raise PatchError(f"There is no operation '{name}' on {place}", where=place, value=name, hint=hint)


def _moment(name: str, value: Any, place: str) -> str:
    """Return a moment's exact text."""
    try:
        return str(value if isinstance(value, Moment) else Moment.parse(str(value)))
    except SettingError as error:
        raise PatchError(
            f"{name} of {place}: {error.what}", where=name, value=value, hint=error.hint
        ) from None


def _method(declared: Op) -> Any:
    """Make the method that applies an op to the node it is called on."""
    if declared.style == "attribute":
        return property(lambda self: self._apply(declared, (), {}), doc=inspect.getdoc(declared.function))

    def method(self: Any, *arguments: Any, **params: Any) -> Any:
        return self._apply(declared, arguments, params)

    method.__name__ = declared.name
    method.__qualname__ = f"{methods_of(declared.takes[0]).__name__}.{declared.name}"
    method.__doc__ = inspect.getdoc(declared.function)
    method.__signature__ = declared.signature  # type: ignore[attr-defined]
    return method
