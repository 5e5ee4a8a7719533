"""Write the reference pages in docs/ from the command line and the op table themselves.

python tools/reference.py            writes docs/*.md
python tools/reference.py --check    changes nothing; exit code 1 if a page is out of date
"""

import importlib
import inspect
import re
import sys
from pathlib import Path

import typer

from clavilux.cli import app
from clavilux.signals.table import OPS, Op

DOCS = Path(__file__).parents[1] / "docs"
NOTE = "<!-- Written by scripts/docs from the code; change it there. -->\n"
KINDS = {
    "measure": "From a stem of the song to a curve.",
    "envelope": "From hits to a curve.",
    "shape": "From a curve to a curve.",
    "combine": "From two curves to one.",
}


def main() -> int:
    pages = {"cli.md": command_line(), "signals.md": signals()}
    if "--check" not in sys.argv[1:]:
        DOCS.mkdir(exist_ok=True)
        for name, text in pages.items():
            (DOCS / name).write_text(text, encoding="utf-8")
        return 0
    stale = [name for name, text in pages.items() if not current(DOCS / name, text)]
    for name in stale:
        print(f"docs/{name} is out of date; run scripts/docs and commit what it writes.")
    return int(bool(stale))


def current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def command_line() -> str:
    group = typer.main.get_command(app)
    parts = [NOTE, f"# The command line\n\n{group.help}\n"]
    for name, command in group.commands.items():
        if not command.hidden:
            parts.append(f"## clavilux {name}\n\n{inspect.cleandoc(command.help)}\n\n{usage(name, command)}")
    return "\n".join(parts)


def usage(name: str, command: typer.core.TyperCommand) -> str:
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [param for param in command.params if param.param_type_name == "option"]
    words = " ".join(["clavilux", name, *(argument.metavar for argument in arguments), "[OPTIONS]"])
    rows = [(argument.metavar, argument.help, "") for argument in arguments]
    rows += [(spelling(option), option.help, default(option)) for option in options]
    return f"```\n{words}\n```\n\n{table(('', 'what it does', 'default'), rows)}"


def spelling(option: typer.core.TyperOption) -> str:
    names = ", ".join(option.opts)
    return f"`{names}`" if option.is_flag else f"`{names} {option.metavar}`"


def default(option: typer.core.TyperOption) -> str:
    if isinstance(option.show_default, str):
        return option.show_default
    return "" if option.is_flag or option.default is None else f"`{option.default}`"


def signals() -> str:
    importlib.import_module("clavilux.signals.ops")
    parts = [
        NOTE,
        "# Signals\n\nThe operations that turn what is heard into curves that drive the picture.\n",
    ]
    for kind, meaning in KINDS.items():
        ops = [op for op in OPS.values() if op.kind == kind]
        rows = [(call(op), summary(op), limits(op)) for op in ops]
        parts.append(f"## {kind}\n\n{meaning}\n\n{table(('operation', 'what it does', 'range'), rows)}")
    return "\n".join(parts)


def call(op: Op) -> str:
    """How it is written in a patch; where there are two ways to say a time, both."""
    if op.symbol:
        return f"`a {op.symbol.strip()} b`"
    if op.kind == "combine":
        return f"`{op.name}({', '.join(list(inspect.signature(op.function).parameters)[: op.arity])})`"
    ways = [{time: "X"} for time in op.times] or [
        {name: "X" if limit.default is None else f"{limit.default:g}" for name, limit in op.params.items()}
    ]
    calls = (", ".join(f"{name}={value}" for name, value in way.items()) for way in ways)
    return ", ".join(f"`.{op.name}({arguments})`" for arguments in calls)


def summary(op: Op) -> str:
    """The first paragraph of the docstring, without the shapes that only matter inside."""
    paragraph = " ".join(inspect.cleandoc(op.function.__doc__ or "").split("\n\n")[0].split())
    return re.sub(r"; \(T, \w+\),? ", "; ", paragraph)


def limits(op: Op) -> str:
    return "; ".join(
        f"{name} {limit.low:g} to {limit.high:g}{' ' * bool(limit.unit)}{limit.unit}"
        for name, limit in op.params.items()
    )


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return (
        "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        + "\n"
    )


if __name__ == "__main__":
    sys.exit(main())
