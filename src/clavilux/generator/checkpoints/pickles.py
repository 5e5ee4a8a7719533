"""Reads pickles without running them: a machine for the opcodes that can only build plain values.

Python's own unpickler imports whatever a file names and calls it. This one imports and calls nothing: a name
is looked up in a table of stand-ins, and what a file would have called becomes a plain value or an inert
`Record`. Opcodes, text, numbers and keys are bounded, so that neither time nor memory can exceed a small
multiple of the file. Opcodes are those of protocols 0 to 5 (Python's `pickletools` documents each).
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clavilux.generator.checkpoints.refusal import FETCH_AGAIN, Refusal

__all__ = ["LIMITS", "Global", "PickleLimits", "Record", "StandIns", "key_of", "read_pickle"]


@dataclass(frozen=True)
class PickleLimits:
    """The most that a pickle may ask for; checkpoints of 1024 px have a hundredth of it.

    Attributes:
        opcodes: instructions.
        marks: values begun and not ended, one inside the other.
        text_bytes: of all text together.
        line_bytes: of one line of text, in protocols 0 and 1.
        number_bytes: of one whole number.
        key_items: in a tuple that is a key.
        key_letters: of text that is a key or a name.
        key_number: largest whole number that is a key; larger ones can all have one hash.
        copies: how often all of the pickle may be copied by what it calls: a value is copied once as a rule.
    """

    opcodes: int = 400_000
    marks: int = 200
    text_bytes: int = 64 * 2**20
    line_bytes: int = 4096
    number_bytes: int = 64
    key_items: int = 8
    key_letters: int = 1000
    key_number: int = 2**60
    copies: int = 4


LIMITS = PickleLimits()

COPIED = (list, tuple, dict, set, frozenset, str)
"""Kinds of values that a maker may copy."""


@dataclass(frozen=True)
class Global:
    """A name that a pickle refers to, such as 'torch.FloatStorage'; nothing more than the name."""

    name: str


@dataclass(eq=False)
class Record:
    """What a pickle would have made by calling something.

    Attributes:
        name: what it would have called.
        arguments: with what.
        state: what it would have set afterwards.
        items: what it would have put in: by key, or by place.
    """

    name: str
    arguments: tuple[Any, ...] = ()
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict)


Maker = Callable[..., Any]


@dataclass(frozen=True)
class StandIns:
    """What names stand for, and what else a file may refer to.

    Attributes:
        makers: functions of our own that make plain values, by the name they replace.
        is_inert: whether a name may become a `Record`.
        persistent: returns what a file refers to outside the pickle.
        opcodes: the most instructions.
    """

    makers: Mapping[str, Maker]
    is_inert: Callable[[str], bool]
    persistent: Callable[[Any], Any] | None = None
    opcodes: int = LIMITS.opcodes


def read_pickle(content: memoryview, stand_ins: StandIns, start: int = 0) -> tuple[Any, int]:
    """Read one pickle.

    Args:
        content: the file; bytes are returned as views of it.
        stand_ins: what names stand for.
        start: where the pickle begins.

    Returns:
        its value, and where it ends.

    Raises:
        Refusal: it is damaged, too large, or refers to something that has no stand-in.

    >>> import pickle
    >>> value, _ = read_pickle(memoryview(pickle.dumps({"a": [1, 2.5]})), StandIns({}, lambda name: False))
    >>> value
    {'a': [1, 2.5]}
    """
    machine = _Machine(content, stand_ins, start)
    try:
        return machine.run(), machine.position
    except Refusal:
        raise
    except (IndexError, KeyError, struct.error) as error:
        raise Refusal("is damaged or cut short", FETCH_AGAIN) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise Refusal("is damaged: it is no pickle that could be read", FETCH_AGAIN) from error


class _Machine:
    """A stack, marks in it, and a memory of values by number."""

    def __init__(self, content: memoryview, stand_ins: StandIns, start: int) -> None:
        self.content, self.position, self.stand_ins = content, start, stand_ins
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.text = 0
        self.copied = 0

    def run(self) -> Any:
        for _ in range(self.stand_ins.opcodes):
            code = self.content[self.position]
            self.position += 1
            if code == STOP:
                return self.stack.pop()
            action = ACTIONS.get(code)
            if action is None:
                raise Refusal(f"is damaged or hostile: its pickle has an instruction {code:#04x}")
            action(self)
        raise Refusal(f"is too large a pickle: it has more than {self.stand_ins.opcodes:,} instructions")

    # What is read

    def take(self, count: int) -> memoryview:
        end = self.position + count
        if count < 0 or end > len(self.content):
            raise Refusal(f"is damaged or cut short: it claims {count:,} more bytes than it has", FETCH_AGAIN)
        view = self.content[self.position : end]
        self.position = end
        return view

    def number(self, form: str) -> Any:
        (value,) = struct.unpack(form, self.take(struct.calcsize(form)))
        return value

    def line(self) -> str:
        window = bytes(self.content[self.position : self.position + LIMITS.line_bytes])
        length = window.find(b"\n")
        if length < 0:
            raise Refusal("is damaged: a line of its pickle has no end", FETCH_AGAIN)
        self.position += length + 1
        return window[:length].decode("utf-8")

    def string(self, count: int, encoding: str = "utf-8") -> str:
        self.text += count
        if self.text > LIMITS.text_bytes:
            limit = LIMITS.text_bytes >> 20
            raise Refusal(f"is hostile: its pickle claims more than {limit} MB of text")
        return str(self.take(count), encoding, "surrogatepass" if encoding == "utf-8" else "strict")

    def whole(self, count: int) -> int:
        if count > LIMITS.number_bytes:
            raise Refusal(f"is hostile: its pickle has a number of {count:,} bytes")
        return int.from_bytes(self.take(count), "little", signed=True)

    # What is done with the stack

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def mark(self) -> None:
        if len(self.marks) >= LIMITS.marks:
            raise Refusal(f"is hostile: its pickle is nested more than {LIMITS.marks} deep")
        self.marks.append(len(self.stack))

    def since_mark(self) -> list[Any]:
        place = self.marks.pop()
        values = self.stack[place:]
        del self.stack[place:]
        return values

    def pop(self) -> Any:
        if self.marks and self.marks[-1] == len(self.stack):
            raise IndexError("nothing since the mark")
        return self.stack.pop()

    def remember(self, index: int) -> None:
        self.memo[index] = self.stack[-1]

    def extend(self, values: list[Any]) -> None:
        into = self.stack[-1]
        if isinstance(into, list):
            into.extend(values)
        elif isinstance(into, set):
            into.update(key_of(value) for value in values)
        elif isinstance(into, Record):
            for value in values:
                into.items[len(into.items)] = value
        else:
            raise TypeError("nothing can be appended to it")

    def set_items(self, values: list[Any]) -> None:
        into = self.stack[-1]
        into = into.items if isinstance(into, Record) else into
        if not isinstance(into, dict) or len(values) % 2:
            raise TypeError("it has no items")
        for key, value in zip(values[::2], values[1::2], strict=True):
            into[key_of(key)] = value

    def refer(self, name: str) -> None:
        if name not in self.stand_ins.makers and not self.stand_ins.is_inert(name):
            shown = ascii(name)[1:-1][:120]
            raise Refusal(
                f"refers to '{shown}', which could run code and is no part of a known checkpoint",
                "only weights are read, nothing is ever run",
            )
        self.push(Global(name))

    def call(self, called: Any, arguments: Any, keywords: Any = None) -> None:
        if not isinstance(called, Global) or not isinstance(arguments, tuple):
            raise Refusal("is hostile: its pickle calls something that it has made")
        self.note_copies(arguments)
        maker = self.stand_ins.makers.get(called.name)
        if maker is None:
            self.push(Record(called.name, (*arguments, keywords) if keywords else arguments))
        else:
            self.push(maker(*arguments))

    def note_copies(self, values: tuple[Any, ...]) -> None:
        """Count what may be copied of some values."""
        self.copied += len(values)
        self.copied += sum(len(each) for each in values if isinstance(each, COPIED))
        if self.copied > LIMITS.copies * len(self.content) + 10_000:
            raise Refusal("is hostile: its pickle copies the same values again and again")

    def build(self) -> None:
        state = self.pop()
        made = self.stack[-1]
        if isinstance(made, Record):
            made.state = state
        elif hasattr(type(made), "set_state") and isinstance(state, tuple):
            self.note_copies(state)
            made.set_state(state)
        elif isinstance(made, dict) and isinstance(state, dict):
            pass  # attributes of a dictionary, which is read for its items alone
        else:
            raise TypeError("it has no state")

    def persist(self) -> None:
        if self.stand_ins.persistent is None:
            raise Refusal("is damaged: it refers to something outside its pickle", FETCH_AGAIN)
        self.push(self.stand_ins.persistent(self.pop()))


def key_of(value: Any) -> Any:
    """Return a key of a dictionary or set: a number, text, a name, or a tuple of a few texts and names.

    Raises:
        Refusal: it is something else, whose hash might take for ever or be that of all others.
    """
    if isinstance(value, tuple) and len(value) <= LIMITS.key_items:
        return tuple(_plain_key(item) for item in value)
    if isinstance(value, float) or (isinstance(value, int) and abs(value) <= LIMITS.key_number):
        return value
    return _plain_key(value)


def _plain_key(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LIMITS.key_letters:
        raise Refusal(f"is hostile: its pickle has a key of {len(value):,} letters")
    if value is None or isinstance(value, str | Global):
        return value
    raise Refusal("is damaged or hostile: its pickle has keys that are no names")


def _text_number(machine: _Machine) -> None:
    line = machine.line()
    if line in {"00", "01"}:  # how protocol 1 writes False and True
        machine.push(line == "01")
        return
    if len(line) > 2 * LIMITS.number_bytes:
        raise Refusal(f"is hostile: its pickle has a number of {len(line):,} digits")
    machine.push(int(line.removesuffix("L")))


def _quoted(machine: _Machine) -> None:
    line = machine.line()
    if len(line) < 2 or line[0] != line[-1] or line[0] not in "'\"" or "\\" in line:
        raise Refusal("is damaged: its pickle has text that is not quoted", FETCH_AGAIN)
    machine.push(line[1:-1])


def _pairs(values: list[Any]) -> dict[Any, Any]:
    return {key_of(key): value for key, value in zip(values[::2], values[1::2], strict=True)}


def _tuple(count: int) -> Callable[[_Machine], None]:
    def make(machine: _Machine) -> None:
        values = [machine.pop() for _ in range(count)]
        machine.push(tuple(reversed(values)))

    return make


def _three(machine: _Machine) -> None:
    keywords, arguments, called = machine.pop(), machine.pop(), machine.pop()
    machine.call(called, arguments, keywords)


def _two(machine: _Machine) -> None:
    arguments, called = machine.pop(), machine.pop()
    machine.call(called, arguments)


def _stack_name(machine: _Machine) -> None:
    name, module = machine.pop(), machine.pop()
    if not isinstance(name, str) or not isinstance(module, str):
        raise TypeError("a name that is no text")
    if len(name) + len(module) > LIMITS.key_letters:
        raise Refusal(f"is hostile: its pickle has a name of {len(name) + len(module):,} letters")
    machine.refer(f"{module}.{name}")


def _instance(machine: _Machine) -> None:
    """Make an instance the way of Python 2: of the values since the mark."""
    machine.refer(f"{machine.line()}.{machine.line()}")
    called = machine.pop()
    machine.call(called, tuple(machine.since_mark()))


def _pop(machine: _Machine) -> None:
    if machine.marks and machine.marks[-1] == len(machine.stack):
        machine.marks.pop()
    else:
        machine.stack.pop()


def _pair(machine: _Machine) -> None:
    value, key = machine.pop(), machine.pop()
    machine.set_items([key, value])


Action = Callable[[_Machine], Any]
STOP = ord(".")
ACTIONS: dict[int, Action] = {
    0x80: lambda m: m.number("<B"),  # PROTO
    0x95: lambda m: m.number("<Q"),  # FRAME: only a hint for reading ahead
    ord("("): _Machine.mark,
    ord("0"): _pop,
    ord("1"): _Machine.since_mark,
    ord("2"): lambda m: m.push(m.stack[-1]),
    ord("N"): lambda m: m.push(None),
    0x88: lambda m: m.push(True),
    0x89: lambda m: m.push(False),
    # numbers
    ord("I"): _text_number,
    ord("L"): _text_number,
    ord("J"): lambda m: m.push(m.number("<i")),
    ord("K"): lambda m: m.push(m.number("<B")),
    ord("M"): lambda m: m.push(m.number("<H")),
    0x8A: lambda m: m.push(m.whole(m.number("<B"))),
    0x8B: lambda m: m.push(m.whole(m.number("<I"))),
    ord("F"): lambda m: m.push(float(m.line())),
    ord("G"): lambda m: m.push(m.number(">d")),
    # text and bytes
    ord("S"): _quoted,
    ord("T"): lambda m: m.push(m.string(m.number("<I"), "latin-1")),
    ord("U"): lambda m: m.push(m.string(m.number("<B"), "latin-1")),
    ord("V"): lambda m: m.push(m.line()),
    ord("X"): lambda m: m.push(m.string(m.number("<I"))),
    0x8C: lambda m: m.push(m.string(m.number("<B"))),
    0x8D: lambda m: m.push(m.string(m.number("<Q"))),
    ord("B"): lambda m: m.push(m.take(m.number("<I"))),
    ord("C"): lambda m: m.push(m.take(m.number("<B"))),
    0x8E: lambda m: m.push(m.take(m.number("<Q"))),
    0x96: lambda m: m.push(m.take(m.number("<Q"))),
    # containers
    ord("]"): lambda m: m.push([]),
    ord("}"): lambda m: m.push({}),
    ord(")"): lambda m: m.push(()),
    0x8F: lambda m: m.push(set()),
    ord("l"): lambda m: m.push(m.since_mark()),
    ord("d"): lambda m: m.push(_pairs(m.since_mark())),
    ord("t"): lambda m: m.push(tuple(m.since_mark())),
    0x91: lambda m: m.push(frozenset(map(key_of, m.since_mark()))),
    0x85: _tuple(1),
    0x86: _tuple(2),
    0x87: _tuple(3),
    ord("a"): lambda m: m.extend([m.pop()]),
    ord("e"): lambda m: m.extend(m.since_mark()),
    0x90: lambda m: m.extend(m.since_mark()),
    ord("s"): _pair,
    ord("u"): lambda m: m.set_items(m.since_mark()),
    # memory
    ord("p"): lambda m: m.remember(int(m.line())),
    ord("q"): lambda m: m.remember(m.number("<B")),
    ord("r"): lambda m: m.remember(m.number("<I")),
    0x94: lambda m: m.remember(len(m.memo)),
    ord("g"): lambda m: m.push(m.memo[int(m.line())]),
    ord("h"): lambda m: m.push(m.memo[m.number("<B")]),
    ord("j"): lambda m: m.push(m.memo[m.number("<I")]),
    # names, and what would be called
    ord("c"): lambda m: m.refer(f"{m.line()}.{m.line()}"),
    ord("i"): _instance,
    0x93: _stack_name,
    ord("R"): _two,
    0x81: _two,
    0x92: _three,
    ord("b"): _Machine.build,
    ord("Q"): _Machine.persist,
}
"""What each instruction does; those that are not here (extensions, instances, buffers) no checkpoint has."""
