"""Write type stubs from the op table, so that editors and type checkers know every method of a node.

python tools/stubs.py            writes src/clavilux/{signals,patch}/methods.pyi, patches/functions.pyi and
                                 signals/sources.pyi
python tools/stubs.py --check    changes nothing; exit code 1 if a stub is out of date
"""

import importlib
import inspect
import re
import sys
import textwrap
from pathlib import Path

from clavilux.catalogue import EVENTS, PARTS
from clavilux.moments import Moment
from clavilux.signals.table import KINDS, OPS, Kind, Op, Param, methods_of

SOURCE = Path(__file__).parents[1] / "src" / "clavilux"
ROOMS: dict[str, tuple[Kind, ...]] = {
    "signals": ("stem", "events", "signal"),
    "patches": ("palette", "entry", "latent", "mask", "noise"),
}
CLASSES: dict[Kind, tuple[str, str]] = {
    "stem": ("Stem", "clavilux.signals.expr"),
    "events": ("Events", "clavilux.signals.expr"),
    "signal": ("Signal", "clavilux.signals.expr"),
    "palette": ("Palette", "clavilux.patches.palette"),
    "entry": ("Entry", "clavilux.patches.palette"),
    "latent": ("Latent", "clavilux.patches.latent"),
    "mask": ("Mask", "clavilux.patches.noise"),
    "noise": ("Noise", "clavilux.patches.noise"),
    "bend": ("Bend", "clavilux.patches.bend"),
    "rewrite": ("Rewrite", "clavilux.patches.rewrite"),
}
MOMENT = ("Moment", "clavilux.moments")
NAMES: dict[type, str] = {Moment: "str | Moment"}
WIDTH = 110


def main() -> int:
    importlib.import_module("clavilux.patches.patch")
    importlib.import_module("clavilux.signals.ops")
    stubs = {
        SOURCE / room / "methods.pyi": stub("\n".join(class_of(kind) for kind in kinds))
        for room, kinds in ROOMS.items()
    }
    stubs[SOURCE / "patches" / "functions.pyi"] = stub("\n".join(functions()))
    stubs[SOURCE / "signals" / "sources.pyi"] = stub("\n".join(sources()))
    if "--check" not in sys.argv[1:]:
        for path, text in stubs.items():
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [
        path for path, text in stubs.items() if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        print(f"{path.relative_to(SOURCE.parents[1])} is out of date; run scripts/docs and commit it.")
    return int(bool(stale))


def stub(body: str) -> str:
    used = sorted(
        {(name, module) for name, module in (*CLASSES.values(), MOMENT) if re.search(rf" {name}\b", body)},
        key=lambda pair: pair[1],
    )
    modules = dict.fromkeys(module for _, module in used)
    imports = [
        f"from {module} import {', '.join(sorted(name for name, place in used if place == module))}"
        for module in modules
    ]
    typing = ["from typing import Literal", ""] if "Literal[" in body else []
    return "\n".join(
        ["# Written by scripts/docs from the op table; change it there.", *typing, *imports, "", body]
    )


def class_of(kind: Kind) -> str:
    ops = [
        op
        for op in OPS.values()
        if op.takes[:1] == (kind,) and op.style in {"method", "function", "attribute"} and not op.begins
    ]
    lines = [f"class {methods_of(kind).__name__}:", f'    """Ops on {KINDS[kind]}."""', ""]
    for op in ops:
        lines += method(op)
    return "\n".join(lines)


def functions() -> list[str]:
    """The functions that begin an expression."""
    lines: list[str] = []
    spaces: set[str] = set()
    for op in sorted(OPS.values(), key=lambda op: ("." in op.name, op.name)):
        if op.begins:
            space, _, name = op.name.rpartition(".")
            if space and space not in spaces:
                lines += [f"class {space}:", f'    """The operations called {space}.NAME."""', ""]
                spaces.add(space)
            lines += ["    @staticmethod"] if space else []
            end = f") -> {CLASSES[op.gives][0]}:"
            lines += written(f"def {name}(", arguments_of(op), end, op, " " * 4 if space else "")
    return lines


def arguments_of(op: Op) -> str:
    """The arguments of an op that begins an expression, nodes first."""
    kinds = dict(zip(op.inputs, op.takes, strict=True))
    nodes, arguments = [], []
    for name in op.positional:
        if name in op.params:
            arguments.append(argument(name, op.params[name]))
        else:
            taken = CLASSES[kinds[name]][0]
            given = op.optional.get(name)
            standard = f" = {given.default!r}" if isinstance(given, Param) else " = ..." if given else ""
            nodes.append(f"{name}: {taken}" + (" | float" if taken == "Signal" else "") + standard)
    named = [argument(name, param) for name, param in op.params.items() if name not in op.positional]
    every = [*arguments, *(["*"] if nodes or named else []), *nodes, *named]
    return ", ".join(every)


def sources() -> list[str]:
    """The song as a patch names it: its parts and events."""
    lines = ["class SongSource:", '    """The song a patch is written for."""', ""]
    lines += [f"    {name}: Stem" for name in PARTS]
    lines += [f"    {name}: Events" for name in EVENTS]
    lines += ["    def stem(self, name: str) -> Stem:", '        """Name one of the user\'s own stems."""']
    return [*lines, "", "song: SongSource", ""]


def method(op: Op) -> list[str]:
    gives = CLASSES[op.gives][0]
    if op.style == "attribute":
        return ["    @property", *written(f"def {op.name}(", "self", f") -> {gives}:", op, " " * 4)]
    arguments, kinds = ["self"], iter(op.takes[1:])
    for name in op.positional[1:]:
        if name in op.params:
            arguments.append(argument(name, op.params[name]))
        else:
            taken = CLASSES[next(kinds)][0]
            arguments.append(f"{name}: {taken}" + (" | float" if taken == "Signal" else ""))
    named = [argument(name, param) for name, param in op.params.items() if name not in op.positional]
    arguments += ["*", *named] if named else []
    return written(f"def {op.name}(", ", ".join(arguments), f") -> {gives}:", op, " " * 4)


def written(start: str, arguments: str, end: str, op: Op, indent: str) -> list[str]:
    """One function of a stub, with the op's documentation."""
    line = f"{indent}{start}{arguments}{end}"
    if len(line) > WIDTH:
        line = f"{indent}{start}\n{indent}    {arguments}\n{indent}{end}"
    inside = indent + " " * 4
    document = textwrap.indent(f'"""{inspect.cleandoc(op.function.__doc__ or "")}"""', inside)
    if "\n" in document:
        document = f'{document[:-3]}\n{inside}"""'
    return [line, document, ""]


def argument(name: str, param: Param) -> str:
    words = ", ".join(f'"{word}"' for word in param.choices) if not param.pattern else ""
    kind = f"Literal[{words}]" if words else NAMES.get(param.type, param.type.__name__)
    kind += " | None" if param.default is None else ""
    return f"{name}: {kind}" + ("" if param.default is ... else f" = {default(param)}")


def default(param: Param) -> str:
    return f'"{param.default}"' if isinstance(param.default, str) else repr(param.default)


if __name__ == "__main__":
    sys.exit(main())
