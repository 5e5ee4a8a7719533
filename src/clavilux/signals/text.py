"""Expressions as text, exactly: what is written can be read back as the same nodes.

Every parameter is written, also where it is None, numbers with all their digits; of a length, its one unit.
A part that occurs more than once is named first and then called by its name, so text is never longer than
what it means:

    s1 = kick.decay(beats=0.5)
    (s1 * s1)

Reading never executes anything: text is parsed by Python's own `ast` and only names, numbers, strings,
arithmetic, attributes and calls of ops in the table are understood. Length and depth are bounded.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import operator
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from clavilux.catalogue import EVENTS, PARTS
from clavilux.errors import PatchError, suggest
from clavilux.signals.expr import Node, apply, as_signal, nodes_of, operator_hint
from clavilux.signals.plugins import is_namespace
from clavilux.signals.table import OPS, Op, Value, find_op

__all__ = ["hint_for", "parse", "parse_lines", "to_line", "to_lines", "to_sentences", "to_text"]

MAX_CHARACTERS = 200_000
MAX_NESTING = 24
"""Ops written inside one another before the inner ones are named."""
MAX_DIGITS = 300
"""Of a number: those that 64 bits hold have fewer."""
LONG_NUMBER = re.compile(rf"(?<!\w)\d\w{{{MAX_DIGITS},}}")
LITERALS = ("stem", "detected", "constant", "everywhere")
SHOWN_DEPTH = 6
PLACE = re.compile(r"line \d+, column \d+")

PYTHON: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
BINARY = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide"}


def to_text(node: Node) -> str:
    """Write one expression: the lines that name shared parts, then the expression itself.

    >>> from clavilux.signals.sources import song
    >>> kick = song.kick.decay(beats=0.5)
    >>> print(to_text(kick * kick))
    s1 = kick.decay(beats=0.5)
    (s1 * s1)
    """
    *shared, last = to_lines({"": node})
    return "\n".join([*shared, last.removeprefix(" = ")])


def to_line(node: Node) -> str:
    """Write one expression on one line for a message, its deepest parts left out."""
    return _shortened(node, SHOWN_DEPTH)


def to_lines(roots: Mapping[str, Node]) -> list[str]:
    """Write named expressions, a line each, after the lines that name the parts they share."""
    shared, texts = to_sentences(roots)
    return [
        f"{name} = {text}" for name, text in [*((name, text) for name, _, text in shared), *texts.items()]
    ]


def to_sentences(roots: Mapping[str, Node]) -> tuple[list[tuple[str, Node, str]], dict[str, str]]:
    """Write named expressions as sentences.

    Returns:
        the parts they share, in order: name, node and sentence; and the sentence of every root by its name.
    """
    order = list(nodes_of(*roots.values()))
    uses = Counter(each.digest for node in order for each in node.inputs)
    uses.update(root.digest for root in roots.values())
    names: dict[str, str] = {}
    texts: dict[str, str] = {}
    nesting: dict[str, int] = {}
    shared = []
    for node in order:
        inputs = [names.get(each.digest, texts[each.digest]) for each in node.inputs]
        written = _written(node, inputs)
        level = 1 + max((nesting[each.digest] for each in node.inputs), default=0)
        if node.op not in LITERALS and (uses[node.digest] > 1 or level >= MAX_NESTING):
            names[node.digest] = f"s{len(names) + 1}"
            shared.append((names[node.digest], node, written))
            level = 0
        texts[node.digest], nesting[node.digest] = written, level
    return shared, {name: names.get(root.digest, texts[root.digest]) for name, root in roots.items()}


def parse(
    text: str, names: Mapping[str, Any] | None = None, *, columns: dict[Node, int] | None = None
) -> Any:
    """Read one expression as `to_text` writes it.

    Args:
        text: the expression, after lines that name its parts.
        names: nodes and numbers that it may call by name.
        columns: is given the column, from 1, at which each operation is written.

    Raises:
        PatchError: it cannot be read; the message has line and column.

    >>> from clavilux.signals.sources import song
    >>> parse("kick.decay(beats=0.5) * 2") == song.kick.decay(beats=0.5) * 2
    True
    """
    last = _read(text, names or {}, columns)[1]
    if last is None:
        raise PatchError(f"'{_cut(text)}' names parts but has no expression", value=text)
    return as_signal(last) if isinstance(last, int | float) else last


def parse_lines(text: str) -> dict[str, Any]:
    """Read named expressions as `to_lines` writes them: every node, or number, by its name.

    Raises:
        PatchError: it cannot be read; the message has line and column.
    """
    return _read(text, {}, None)[0]


def hint_for(name: str, known: Iterable[str]) -> str:
    """Return a hint for a name that means no part of the song: the nearest, or a stem of the user's own.

    >>> hint_for("vox", PARTS), hint_for("drms", PARTS)
    ("it is one of your own stems: stem(name='vocals')", "did you mean 'drums'?")
    """
    from clavilux.audio.stem_files import KINDS, WORDS

    known = list(known)
    near = difflib.get_close_matches(name, [*known, *KINDS], n=1)
    stem = WORDS.get(name.lower()) or (near[0] if near and near[0] not in known else "")
    if stem and stem not in known:
        return f"it is one of your own stems: stem(name='{stem}')"
    return suggest(name, known, otherwise="there are {}")


def _read(text: str, names: Mapping[str, Any], columns: dict[Node, int] | None) -> tuple[dict[str, Any], Any]:
    if len(text) > MAX_CHARACTERS:
        raise PatchError(
            f"A patch of {len(text)} characters cannot be read", hint=f"{MAX_CHARACTERS} are the most"
        )
    text = text.strip()
    if long := LONG_NUMBER.search(text):
        line = text.count("\n", 0, long.start()) + 1
        place = f"line {line}, column {long.start() - text.rfind(chr(10), 0, long.start())}"
        what = f"{place}: a number of {len(long[0])} digits"
        raise PatchError(what, where=place, hint=f"{MAX_DIGITS} are the most")
    try:
        body = ast.parse(text).body
        reader = _Reader(dict(names), {} if columns is None else columns)
        last = None
        for statement in body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    reader.names[name] = reader.read(value)
                case ast.Expr(value=value):
                    last = reader.read(value)
                case _:
                    raise _error(statement, "this is not an expression")
    except SyntaxError as error:
        place = f"line {error.lineno or 1}, column {error.offset or 1}"
        what = f"{place}: '{_cut(text)}' cannot be read ({error.msg})"
        raise PatchError(what, where=place, value=text, hint=_syntax_hint(text)) from None
    except ValueError as error:
        raise PatchError(f"'{_cut(text)}' cannot be read ({error})", value=text) from None
    except (RecursionError, MemoryError):
        raise PatchError(f"'{_cut(text)}' is nested too deeply to be read", value=text) from None
    return reader.names, last


class _Reader:
    """Turns syntax into nodes; knows the names given so far."""

    def __init__(self, names: dict[str, Any], columns: dict[Node, int]) -> None:
        self.names, self.columns = names, columns

    def read(self, syntax: ast.expr) -> Any:  # one case for each form of the language
        match syntax:
            case ast.Constant(value=value) if value is None or type(value) in {int, float, str}:
                return value
            case ast.UnaryOp() | ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
                return self._arithmetic(syntax)
            case ast.Name(id=name):
                return self._named(name, syntax)
            case ast.Attribute(value=value, attr=name):
                node = self._node(value)
                return self._applied(self._found(name, node, syntax), (node,), {}, syntax)
            case ast.List(elts=items):
                return [self.read(item) for item in items]
            case ast.Call(func=function, args=arguments, keywords=keywords):
                return self._call(function, arguments, keywords, syntax)
        raise _error(syntax, _refused(syntax))

    def _call(
        self, function: ast.expr, arguments: list[ast.expr], keywords: list[ast.keyword], syntax: ast.expr
    ) -> Any:
        values = [self.read(argument) for argument in arguments]
        names = [keyword.arg or "**" for keyword in keywords]
        if len({*names}) < len(names):
            raise _error(syntax, "a parameter is given twice")
        params = {keyword.arg or "**": self._param(keyword.value) for keyword in keywords}
        match function:
            case ast.Attribute(value=ast.Attribute(value=value, attr=space), attr=name) if self._is_space(
                space
            ):
                node = self._node(value)
                values = [node, *values]
                op = self._found(f"{space}.{name}", node, syntax)
            case ast.Attribute(value=ast.Name(id=space), attr=name) if self._begins_space(space):
                first = values[0] if values and isinstance(values[0], Node) else None
                op = self._found(f"{space}.{name}", first, syntax)
            case ast.Attribute(value=value, attr=name):
                node = self._node(value)
                values = [node, *values]
                op = self._found(name, node, syntax)
            case ast.Name(id=name):
                if values and isinstance(values[0], int | float) and not self._begins(name):
                    values[0] = as_signal(values[0])
                op = self._found(name, values[0] if values and isinstance(values[0], Node) else None, syntax)
            case _:
                raise _error(syntax, "only operations can be called")
        return self._applied(op, tuple(values), params, syntax)

    def _param(self, syntax: ast.expr) -> Any:
        """Read the value of a parameter: arithmetic on numbers alone, such as 1/4, is a number."""
        number = self._number(syntax)
        return self.read(syntax) if number is None else number

    def _number(self, syntax: ast.expr) -> float | None:
        """Compute arithmetic on numbers and knobs; nothing where there is anything else in it."""
        match syntax:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return value
            case ast.Name(id=name) if isinstance(self.names.get(name), int | float):
                return float(self.names[name])
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                number = self._number(operand)
                return None if number is None else -number or -0.0
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in BINARY:
                first = self._number(left)
                second = None if first is None else self._number(right)
                if first is None or second is None:
                    return None
                with contextlib.suppress(ArithmeticError):  # else it is an operation, which has an answer
                    return float(PYTHON[type(sign)](first, second))
        return None

    def _arithmetic(self, syntax: ast.expr) -> Any:
        number = self._number(syntax)
        if number is not None and any(isinstance(each, ast.Name) for each in ast.walk(syntax)):
            return number  # of a knob, as Python computes it
        match syntax:
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return -value if value else -0.0
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._applied(
                    OPS["signal.subtract"], (as_signal(0.0), self._node(operand)), {}, syntax
                )
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in BINARY:
                sides = self._node(left), self._node(right)
                op = OPS.get(f"{sides[0].kind}.{BINARY[type(sign)]}")
                if op is None:
                    hint = operator_hint("", sides[0].kind)
                    what = f"there is no arithmetic with {sides[0].place}"
                    raise _located(PatchError(what, hint=hint), syntax)
                return self._applied(op, sides, {}, syntax)
        raise _error(syntax, "this is not part of the patch language")

    def _begins_space(self, name: str) -> bool:
        return name not in {*self.names, *PARTS, *EVENTS} and self._is_space(name)

    @staticmethod
    def _is_space(name: str) -> bool:
        """Whether a name is that of a plugin; none is loaded for a name that is built in."""
        return not any(op.name == name for op in OPS.values()) and is_namespace(name)

    def _begins(self, name: str) -> bool:
        """Whether an operation begins an expression, so that a number is one of its parameters."""
        try:
            return find_op(name, None, "a patch").begins
        except PatchError:
            return False

    def _found(self, name: str, first: Node | None, syntax: ast.expr) -> Op:
        """Look up an op on a node, or one that begins an expression."""
        try:
            if first is None:
                return find_op(name, None, "a patch")
            return find_op(name, first.kind, first.place)
        except PatchError as error:
            raise _located(error, syntax) from None

    def _applied(
        self, op: Op, arguments: tuple[Any, ...], params: Mapping[str, Any], syntax: ast.expr
    ) -> Any:
        try:
            made = apply(op, arguments, params)
        except PatchError as error:
            raise _located(error, syntax) from None
        self.columns.setdefault(made, _column(syntax))
        return made

    def _node(self, syntax: ast.expr) -> Node:
        value = self.read(syntax)
        if isinstance(value, int | float):
            return as_signal(value)
        if not isinstance(value, Node):
            raise _error(syntax, f"{value!r} has no operations")
        return value

    def _named(self, name: str, syntax: ast.expr) -> Any:
        if name in self.names:
            return self.names[name]
        if name in EVENTS:
            return apply(OPS["detected"], (), {"name": name})
        if name in PARTS:
            return apply(OPS["stem"], (), {"name": name})
        known = [*self.names, *PARTS, *EVENTS]
        raise _located(
            PatchError(f"There is no '{name}' here", value=name, hint=hint_for(name, known)), syntax
        )


def _written(node: Node, inputs: list[str]) -> str:
    """Write a node whose inputs are written already."""
    op = OPS[node.op]
    params = dict(node.params)
    if op.style == "literal":
        return _literal(op, params)
    if op.style == "infix":
        return f"({inputs[0]} {op.symbol} {inputs[1]})"
    rest = iter(inputs)
    arguments = [_value(params.pop(name)) if name in params else next(rest) for name in op.positional]
    if op.begins:
        arguments = [
            text if name in op.params else f"{name}={text}"
            for name, text in zip(op.positional, arguments, strict=True)
        ]
    arguments += [
        f"{name}={_value(value)}"
        for name, value in params.items()
        if value is not None or name not in op.alternatives  # a length has one unit
    ]
    if op.style == "function" or op.begins:
        return f"{op.name}({', '.join(arguments)})"
    first = f"({arguments[0]})" if node.inputs[0].op == "constant" else arguments[0]
    return f"{first}.{op.name}" + ("" if op.style == "attribute" else f"({', '.join(arguments[1:])})")


def _literal(op: Op, params: dict[str, Value]) -> str:
    if op.name == "constant":
        return _value(params["value"])
    name = params["name"]
    bare = PARTS if op.name == "stem" else EVENTS  # a stem of one's own may be called kick
    return str(name) if name in bare else f"{op.name}(name={name!r})"


def _value(value: Value) -> str:
    """Write a number with all the digits that distinguish it; text in quotes."""
    return repr(value).removesuffix(".0") if isinstance(value, float) else repr(value)


def _shortened(node: Node, depth: int) -> str:
    if depth == 0 and node.inputs:
        return "..."
    return _written(node, [_shortened(each, depth - 1) for each in node.inputs])


def _error(syntax: ast.AST, what: str) -> PatchError:
    return _located(PatchError(what), syntax)


def _located(error: PatchError, syntax: ast.AST) -> PatchError:
    """Add line and column to an error, unless it has them."""
    if PLACE.match(error.where):
        return error
    place = f"line {getattr(syntax, 'lineno', 1)}, column {_column(syntax)}"
    return PatchError(f"{place}: {error.what}", where=place, value=error.value, hint=error.hint)


def _column(syntax: ast.AST) -> int:
    """Return where a name is written: of an attribute, its last word; from 1."""
    match syntax:
        case ast.Attribute(attr=name, end_col_offset=int(end)):
            return end - len(name) + 1
        case ast.Call(func=ast.Attribute() as function):
            return _column(function)
    return int(getattr(syntax, "col_offset", 0)) + 1


def _syntax_hint(text: str) -> str:
    if text.count("(") != text.count(")"):
        return "count its brackets"
    return "it is one expression, such as kick.decay(beats=0.5)"


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _refused(syntax: ast.expr) -> str:
    """Say that a form of Python is not part of the language, and how what it means is written."""
    written = ""
    match syntax:
        case ast.BinOp(op=ast.Pow()):
            written = f"; {operator_hint('**', 'signal')}"
        case ast.BinOp(op=ast.Mod()):
            written = f"; {operator_hint('%', 'signal')}"
        case ast.Subscript():
            written = "; a palette's latents are written .entry('C')"
        case ast.Compare():
            written = f"; {operator_hint('>', 'signal')}"
        case ast.IfExp() | ast.BoolOp():
            written = "; a choice is written switch(first, second, amount)"
    return f"this is not part of the patch language{written}"
