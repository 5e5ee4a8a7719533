"""Write the reference pages in docs/ from the command line and the op table themselves.

python tools/reference.py            writes docs/*.md and docs/operations/*.svg
python tools/reference.py --check    changes nothing; exit code 1 if a page or a picture is out of date

The pictures show what was detected in a song, which differs in the last digits from machine to machine, so
the check compares them to 2 pixels, as `svg.same` says.
"""

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import typer

from clavilux.cli import app
from clavilux.signals.table import OPS, Op, Param
from op_pictures import Picture, pictures
from svg import same
from tour_page import tour_page

DOCS = Path(__file__).parents[1] / "docs"
NOTE = "<!-- Written by scripts/docs from the code; change it there. -->\n"
INTRODUCTION = """# The operations of a patch

A patch is written with these operations, in Python as methods and functions, and as text in exactly the
same words. Each takes nodes of some kinds and gives one of another; where a signal is taken, a number will
do. Lengths of time are seconds, beats or bars, and where an operation knows several, exactly one is given.

Every song has the stems `mix`, `harmonic`, `percussive`, `drums`, `bass`, `chords` and `melody`, the user's
own stems by name, and the events `kick`, `snare`, `hat`, `beats` and `downbeats`.

The pictures show a bar of the demo song, or several where one is too short, each beginning just before its
first beat. Grey is what the operation written below takes (a second signal is dashed, a third dotted; of a
stem, its level), orange what it gives. The numbers are the range of both, and the marks below are the hits
of hat, snare and kick. A chroma has a row for each pitch class. Masks are white where they keep.
"""
WIDE = "&nbsp;" * 75
"""Beside long text, GitHub would shrink a picture to nothing; this is as wide as one, and never wraps."""
SECTIONS: dict[str, tuple[str, ...]] = {
    "From the song": ("stem",),
    "From events": ("events",),
    "Signals": ("signal",),
    "Palettes": ("palette",),
    "Latents": ("latent",),
    "Noise": ("noise",),
    "Masks": ("mask",),
    "Bends": ("bend",),
    "Rewrites": ("rewrite",),
}


def main() -> int:
    drawn = pictures()
    pages = {
        "cli.md": command_line(),
        "operations.md": operations(drawn),
        "seed.md": f"{NOTE}\n{tour_page()}",
    }
    pages |= {f"operations/{key}.svg": shown.svg for key, shown in drawn.items()}
    left = [path for path in sorted(DOCS.glob("operations/*")) if f"operations/{path.name}" not in pages]
    if "--check" not in sys.argv[1:]:
        (DOCS / "operations").mkdir(parents=True, exist_ok=True)
        for name, text in pages.items():
            (DOCS / name).write_text(text, encoding="utf-8")
        for path in left:
            path.unlink()
        return 0
    stale = [name for name, text in pages.items() if not current(DOCS / name, text)]
    for name in [*stale, *(f"operations/{path.name}" for path in left)]:
        print(f"docs/{name} is out of date; run scripts/docs and commit what it writes.")
    return int(bool(stale or left))


def current(path: Path, text: str) -> bool:
    """Return whether a page says, or a picture shows, what it should."""
    if not path.is_file():
        return False
    before = path.read_text(encoding="utf-8")
    return same(before, text) if path.suffix == ".svg" else before == text


def command_line() -> str:
    group = typer.main.get_command(app)
    return "\n".join([NOTE, f"# The command line\n\n{group.help}\n", *commands(group)])


def commands(group: typer.core.TyperGroup, before: str = "") -> Iterator[str]:
    """A section for every command, those of a command right after it."""
    for name, command in group.commands.items():
        if not command.hidden:
            whole = f"{before}{name}"
            yield f"## clavilux {whole}\n\n{inspect.cleandoc(command.help)}\n\n{usage(whole, command)}"
            if hasattr(command, "commands"):
                yield from commands(command, f"{whole} ")


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


def operations(drawn: Mapping[str, Picture]) -> str:
    parts = [NOTE, INTRODUCTION]
    for title, kinds in SECTIONS.items():
        ops = [op for op in OPS.values() if op.style != "literal" and belongs(op, kinds)]
        head, columns = ["operation", "gives", "range"], [row(op) for op in ops]
        if any(op.key in drawn for op in ops):
            head.insert(1, "picture" if kinds == ("mask",) else f"picture {WIDE}")
            for op, cells in zip(ops, columns, strict=True):
                cells.insert(1, image(op.key, drawn[op.key]) if op.key in drawn else "")
        parts.append(f"## {title}\n\n{table(tuple(head), [tuple(cells) for cells in columns])}")
    return "\n".join(parts)


def row(op: Op) -> list[str]:
    return [call(op), f"{op.gives}: {summary(op)}", limits(op)]


def image(key: str, shown: Picture) -> str:
    return f"![{shown.text}](operations/{key}.svg)<br>`{shown.text}`"


def belongs(op: Op, kinds: tuple[str, ...]) -> bool:
    if op.gives in {"bend", "rewrite"}:
        return op.gives in kinds
    return (op.takes[0] if op.takes else "stem" if op.needs == "song" else op.gives) in kinds


def call(op: Op) -> str:
    """How it is written; where a time can be given in several units, each way."""
    if op.style == "infix":
        return f"`a {op.symbol} b`"
    if op.style == "attribute":
        return f"`.{op.name}`"
    if op.takes and op.begins:  # bends and rewrites: their signals are given by name
        shown = {
            name: value(given.default) for name, given in op.optional.items() if isinstance(given, Param)
        }
        shown |= {name: "mask" for name, given in op.optional.items() if isinstance(given, str)}
        shown |= {name: value(param.default) for name, param in op.params.items()}
        return f"`{op.name}({', '.join(f'{name}={text}' for name, text in shown.items())})`"
    first = op.positional if op.style == "function" or not op.takes else op.positional[1:]
    named = {name: param for name, param in op.params.items() if name not in op.positional}
    ways = [{unit: value(op.params[unit].default or ...)} for unit in op.alternatives] or [{}]
    shared = {name: value(param.default) for name, param in named.items() if name not in op.alternatives}
    dot = "" if op.style == "function" or not op.takes else "."
    calls = (
        ", ".join([*first, *(f"{name}={text}" for name, text in (way | shared).items())]) for way in ways
    )
    return ", ".join(f"`{dot}{op.name}({arguments})`" for arguments in calls)


def value(default: object) -> str:
    return "X" if default is ... else f"{default:g}" if isinstance(default, float) else repr(default)


def summary(op: Op) -> str:
    """The first paragraph of the docstring, without the shapes that only matter inside."""
    paragraph = " ".join(inspect.cleandoc(op.function.__doc__ or "").split("\n\n")[0].split())
    return re.sub(r"; \((?:T, \w+|D,)\),? ?", "; ", paragraph).replace("; .", ".").rstrip("; ")


def limits(op: Op) -> str:
    signals = {name: given for name, given in op.optional.items() if isinstance(given, Param)}
    shown = (signals | dict(op.params)).items()
    return "; ".join(f"{name} {param.range}" for name, param in shown if param.range != "text")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return (
        "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        + "\n"
    )


if __name__ == "__main__":
    sys.exit(main())
