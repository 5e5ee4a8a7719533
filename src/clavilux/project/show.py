"""The project file: a song, what is shown of it and how, as one TOML text that people read and change.

    schema = 3
    song = "song.mp3"
    seed = 7

    [look]
    preset = "pulse"
    punch = 1.2

    [output]
    size = "1920x1080"

The keys at the top are those of `Project`; `[output]` has those of `Output`, `[corrections]` what was
corrected of beats and sections. What is shown is a preset with its knobs or a patch in sentences, see
`project.sentences`. Files are named relative to the project file's folder. A video carries the same text,
with a table `[made]`.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import tomlkit
from tomlkit.exceptions import TOMLKitError

from clavilux.errors import ClaviluxError, FileError, ProjectError, suggest
from clavilux.features.corrections import Corrections
from clavilux.files import read_small
from clavilux.patches.patch import Patch
from clavilux.patches.presets import find_preset
from clavilux.project.cues import corrections_of_cues
from clavilux.project.migrate import SCHEMA
from clavilux.project.output import Output
from clavilux.project.project import AUTO, Project
from clavilux.project.schema import check_group, types_of
from clavilux.project.sentences import TABLES, read_looks, write_patch
from clavilux.project.setting import Setting, settings_of
from clavilux.schemas import toml_tables

__all__ = [
    "Show",
    "check_show",
    "edited",
    "in_lines",
    "parse_show",
    "parse_tables",
    "read_show",
    "read_text",
    "show_tables",
    "show_text",
]

MAX_BYTES = 4_000_000
MAX_UNKNOWN = 100
"""Settings that do not exist, of which each gets a message of its own."""
KEYS = tuple(each.name for each in fields(Project) if each.name not in {"patch", "knobs", "corrections"})
"""Settings that are written at the top."""


@dataclass(frozen=True)
class Show:
    """What a project file says.

    Attributes:
        song: the file of the song, as it is written.
        project: what is shown of it.
        output: how it is sized and encoded.
        made: how a video was made, where the text comes out of one.
    """

    song: Path | None
    project: Project
    output: Output
    made: Mapping[str, Any] = field(default_factory=dict)


def read_show(path: Path, *, knobs: Mapping[str, Any] | None = None, seed: int | None = None) -> Show:
    """Read a project file; files that it names are looked for from its own folder.

    Args:
        path: the file.
        knobs: values that replace those in the file.
        seed: replaces that in the file.

    Raises:
        FileError: it cannot be read, or something in it is wrong; the message names the first mistake, and
            how many more there are.
    """
    show, errors = parse_show(read_text(path), path.parent, knobs=knobs, seed=seed)
    if show is None or errors:
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise FileError(
            f"{path.name}, {first.what}{more}", where=str(path), value=first.value, hint=first.hint
        )
    return show


def check_show(path: Path) -> list[ClaviluxError]:
    """Find all that is wrong with a project file, in the file's order, each with its line.

    Raises:
        FileError: it is no file that can be read.
    """
    text = read_text(path)
    return in_lines(parse_show(text, path.parent)[1], text)


def in_lines(errors: Sequence[ClaviluxError], text: str) -> list[ClaviluxError]:
    """Return errors in the order of the lines of a text that they are about, each with its line."""
    lines = lines_of(text)
    found = [(_line_of(error.where, lines), error) for error in errors]
    found.sort(key=lambda each: each[0] or 0)
    return [error if line is None else _with_line(error, line) for line, error in found]


def parse_show(
    text: str, folder: Path, *, knobs: Mapping[str, Any] | None = None, seed: int | None = None
) -> tuple[Show | None, list[ClaviluxError]]:
    """Read the text of a project file; goes on after a mistake, to find them all.

    Args:
        text: TOML.
        folder: from which the names of files are read.
        knobs: values that replace those in the text.
        seed: replaces that in the text.

    Returns:
        what it says, none where it could not be read; and all that is wrong.
    """
    try:
        tables = toml_tables(text)
    except FileError as error:
        return None, [error]
    return parse_tables(tables if seed is None else tables | {"seed": seed}, folder, knobs=knobs)


def parse_tables(
    tables: Mapping[str, Any], folder: Path, *, knobs: Mapping[str, Any] | None = None
) -> tuple[Show | None, list[ClaviluxError]]:
    """Read the tables of a project file; see `parse_show`."""
    errors: list[ClaviluxError] = []
    schema = tables.get("schema", SCHEMA)
    if schema != SCHEMA:
        newer = isinstance(schema, int) and schema > SCHEMA
        why = "a newer one may have written it" if newer else "projects begin with it"
        hint = f"this version knows schema {SCHEMA}; {why}"
        return None, [
            FileError(f"schema: it is {str(schema)[:40]!r}", where="schema", value=schema, hint=hint)
        ]
    known = ("schema", "song", *KEYS, *TABLES, "output", "corrections", "made")
    unknown = [key for key in tables if key not in known]
    for key in unknown[:MAX_UNKNOWN]:
        hint = suggest(key, known, otherwise="there are {}")
        if key in settings_of(Output):
            hint = "it belongs below [output]"
        errors.append(ProjectError(f"{key}: there is no such setting", where=key, value=key, hint=hint))
    if len(unknown) > MAX_UNKNOWN:
        what = f"there are {len(unknown) - MAX_UNKNOWN} more settings that do not exist"
        errors.append(ProjectError(what, hint="is this a project of Clavilux?"))
    corrections = _corrections(tables.get("corrections"), errors)
    top = {key: tables[key] for key in KEYS if key in tables}
    project = _group(Project, top, "", errors)
    output = _group(Output, tables.get("output", {}), "output.", errors)
    seed = project.seed if project is not None else 0
    look = read_looks({key: tables[key] for key in TABLES if key in tables}, seed=seed, knobs=knobs)
    errors += look.errors
    song = tables.get("song")
    if song is not None and not isinstance(song, str):
        errors.append(ProjectError("song: it is the name of a file", where="song", value=song))
    made = tables.get("made", {})
    if not isinstance(made, Mapping):
        errors.append(ProjectError("made: it is no table", where="made", value=made))
    if errors or project is None or output is None or look.patch is None:
        return None, errors
    values: dict[str, Any] = {"patch": _moved(look.patch, folder), "knobs": dict(look.knobs)}
    for name in ("model", "stems", "cues"):
        named = getattr(project, name)
        if named is not None and os.path.exists(folder / named):  # noqa: PTH110  # where Path raises
            values[name] = str(folder / named)
    project = _replaced(project, corrections=corrections, **values)
    return Show(folder / song if song else None, project, output, made), []


def show_tables(show: Show, *, written_out: bool = False) -> dict[str, Any]:
    """Return a show as plain tables, every setting written out.

    Args:
        show: what is shown.
        written_out: write a preset as the sentences it consists of.
    """
    project = show.project
    tables: dict[str, Any] = {"schema": SCHEMA}
    if show.song is not None:
        tables["song"] = show.song.as_posix()
    for group, names in ((project, KEYS), (show.output, [each.name for each in fields(Output)])):
        into = tables if group is project else tables.setdefault("output", {})
        for name in names:
            value = getattr(group, name)
            if value is not None and not (written_out and name in {"psi", "cues"}):  # they are in the patch
                into[name] = _plain(value)
    patch = project.shown if written_out else project.patch
    if isinstance(patch, Patch):
        tables |= write_patch(patch)
    elif patch == AUTO:
        tables["look"] = {"preset": AUTO, **(project.knobs or {})}
    else:
        preset = find_preset(str(patch))
        tables["look"] = {"preset": patch, **preset.checked(project.knobs or {})}
    corrections = project.corrections
    if written_out and project.cues is not None:
        corrections = (corrections or Corrections()).merged(corrections_of_cues(Path(project.cues)))
    if corrections is not None:
        tables["corrections"] = corrections.to_dict()
    if show.made:
        tables["made"] = dict(show.made)
    return tables


def show_text(
    show: Show,
    *,
    written_out: bool = False,
    comments: bool = True,
    looks: Mapping[str, Any] | None = None,
    remarks: Sequence[str] = (),
) -> str:
    """Write a project file.

    Args:
        show: what is shown.
        written_out: write a preset as the sentences it consists of.
        comments: say in a line above each setting what it does.
        looks: tables of what is shown, instead of the project's own.
        remarks: lines for people, at the top.

    >>> show = Show(Path("song.mp3"), Project(seed=3, knobs={"punch": 1.5}), Output())
    >>> found, errors = parse_show(show_text(show), Path())
    >>> found.project.shown == show.project.shown, errors
    (True, [])
    """
    tables = show_tables(show, written_out=written_out)
    if looks and not written_out:
        tables = {name: table for name, table in tables.items() if name not in TABLES} | dict(looks)
    document = tomlkit.document()
    if comments:
        document.add(
            tomlkit.comment("A project of Clavilux: `clavilux render` draws it, `clavilux check` checks it.")
        )
    for remark in remarks:
        document.add(tomlkit.comment(f"{remark}."))
    about = {known.name: known.about for group in (Project, Output) for known in settings_of(group).values()}
    for key, value in tables.items():
        if not isinstance(value, dict):
            if comments and key in about:
                document.add(tomlkit.comment(about[key]))
            document.add(key, value)
    for key, value in tables.items():
        if isinstance(value, dict):
            document.add(tomlkit.nl())
            document.add(key, _table(key, value, about if comments else {}))
    return tomlkit.dumps(document)


def edited(text: str, changes: Mapping[str, Any]) -> str:
    r"""Change values in the text of a project file; comments, order and every other line stay.

    Args:
        text: the file's.
        changes: new values by their place: `seed`, `output.size`, `look.punch`.

    Raises:
        ProjectError: there is no such table, or the text cannot be edited as it is written.

    >>> edited('seed = 1  # mine\n[look]\npreset = "pulse"\n', {"seed": 2, "look.punch": 1.5})
    'seed = 2  # mine\n[look]\npreset = "pulse"\npunch = 1.5\n'
    """
    try:
        document = tomlkit.parse(text)
        for place, value in changes.items():
            *path, key = re.sub(r"\[(\d+)\]", r".\1", place).split(".")  # scenes[0].until
            table: Any = document
            for name in path:
                if isinstance(table, list):  # the scenes, from 0
                    table = table[int(name)]
                    continue
                if name not in table:
                    table[name] = tomlkit.table()
                table = table[name]
            if isinstance(table.get(key), Mapping) and not isinstance(value, Mapping):  # a knob's table
                table, key = table[key], "value"
            table[key] = value
        after = tomlkit.dumps(document)
    except (TOMLKitError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
        raise ProjectError(
            f"The project cannot be edited as it is written ({error})",
            where="project",
            hint="edit it by hand",
        ) from None
    if "\r\n" in text:  # lines that were added end as the others do
        after = re.sub(r"(?<!\r)\n", "\r\n", after)
    return after


def _table(key: str, value: Mapping[str, Any], about: Mapping[str, str]) -> Any:
    table = tomlkit.table()
    if not about:
        table.update(value)
        return table
    ranges = {}
    if key == "look" and "preset" in value:
        preset = find_preset(str(value["preset"]))
        table.add(tomlkit.comment(preset.about))
        ranges = {name: preset.about_knob(name) for name in preset.knobs}
    for name, each in value.items():
        words = about.get(name) if key == "output" else ranges.get(name)
        if words:
            table.add(tomlkit.comment(words))
        table.add(name, each)
    return table


def _corrections(table: Any, errors: list[ClaviluxError]) -> Corrections | None:
    if table is None:
        return None
    try:
        check_group(Project, {"corrections": table})
        return Corrections.from_dict(table)
    except ClaviluxError as error:
        hint = error.hint or "change it, or remove its line"
        errors.append(ProjectError(f"corrections: {error.what}", where="corrections", hint=hint))
        return None


def _group(kind: Any, values: Any, prefix: str, errors: list[ClaviluxError]) -> Any:
    """Make the dataclass of some settings, each checked beside those before it; note every mistake."""
    known = settings_of(kind)
    if not isinstance(values, Mapping):
        errors.append(ProjectError(f"{prefix[:-1]}: it is no table", where=prefix[:-1]))
        return None
    fine: dict[str, Any] = {}
    wrong = False
    if len(values) > MAX_UNKNOWN:
        errors.append(ProjectError(f"{prefix[:-1]}: it has {len(values)} settings", where=prefix[:-1]))
        return None
    for name in sorted(values, key=[*known, *values].index):
        place = f"{prefix}{name}"
        try:
            if name not in known:
                hint = suggest(name, known, otherwise="there are {}")
                raise ProjectError("there is no such setting", value=name, hint=hint)
            fine[name] = _setting(kind, known[name], values[name])
            kind(**fine)
        except ClaviluxError as error:
            wrong = True
            fine.pop(name, None)
            errors.append(
                ProjectError(
                    f"{place}: {error.what}",
                    where=place,
                    value=error.value,
                    hint=error.hint or known[name].about.rstrip("."),
                )
            )
    return None if wrong else kind(**fine)


def _setting(kind: Any, known: Setting, value: Any) -> Any:
    """Read a setting from its plain value, or from text as on the command line."""
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    of_setting = types_of(kind)[known.name]
    exact = Fraction in (get_args(of_setting) or (of_setting,))
    if exact and isinstance(value, str) and re.fullmatch(r"\d+/0*[1-9]\d*", value):
        return Fraction(check_group(kind, {known.name: value})[known.name])
    if known.parse is not None and (plain or isinstance(value, str)):
        return known.parse(value if isinstance(value, str) else repr(value))
    return check_group(kind, {known.name: value})[known.name]


def _moved(patch: Patch | str, folder: Path) -> Patch | str:
    """Return a patch whose files are named from here, not from the project file's folder."""
    return patch.with_files(lambda name: str(folder / name)) if isinstance(patch, Patch) else patch


def _replaced(project: Project, **values: Any) -> Project:
    return Project(
        **{each.name: values.get(each.name, getattr(project, each.name)) for each in fields(Project)}
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else str(value)
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return value


def read_text(path: Path) -> str:
    """Read the text of a project file.

    Raises:
        FileError: it is no file, too large, or not in UTF-8.
    """
    try:
        return read_small(path, "project", MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileError(
            f"The project '{path}' is not text in UTF-8", where=str(path), hint="save it again as UTF-8"
        ) from None


def _with_line(error: ClaviluxError, line: int) -> ClaviluxError:
    return type(error)(f"line {line}: {error.what}", where=error.where, value=error.value, hint=error.hint)


def lines_of(text: str) -> dict[str, int]:
    r"""Find the line, from 1, of every key such as `look.latents`, of every table, and of `scenes[0]`.

    >>> lines_of('seed = 1\n[look]\nnoise = "x"\n')
    {'seed': 1, 'look': 2, 'look.noise': 3}
    """
    found: dict[str, int] = {}
    table, tables = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if header := HEADER.match(line):
            table = _unquoted(header[2])
            if header[1] == "[[":
                table, tables = f"{table}[{tables}]", tables + 1
            found.setdefault(table, number)
        elif key := KEY.match(line):
            name = _unquoted(key[1])
            found.setdefault(f"{table}.{name}" if table else name, number)
    return found


HEADER = re.compile(r"""\s*(\[\[?)\s*((?:[\w.\- ]|"[^"]*"|'[^']*')+?)\s*\]+\s*(?:#|$)""")
KEY = re.compile(r"""\s*([\w.\-]+|"[^"]*"|'[^']*')\s*=""")


def _unquoted(key: str) -> str:
    return key.replace('"', "").replace("'", "")


def _line_of(place: str, lines: Mapping[str, int]) -> int | None:
    """Return the line of a place such as `look.bends[1]`, or of the table that it is in."""
    while place and place not in lines:
        place = place[: max(place.rfind("."), place.rfind("["), 0)]
    return lines.get(place)
