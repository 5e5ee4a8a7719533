"""Project files: written for a song or out of a video, checked, and changed in place."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clavilux.errors import ClaviluxError, FileError, SettingError
from clavilux.files import is_file, read_small, write_atomic, write_error
from clavilux.make.targets import check_target
from clavilux.project.output import Output
from clavilux.project.project import Project
from clavilux.project.recipe import read_recipe
from clavilux.project.show import MAX_BYTES, Show, check_show, edited, parse_show, show_text

__all__ = ["change_project", "check_project", "new_project"]


def new_project(
    song: Path,
    target: Path,
    project: Project,
    output: Output,
    *,
    written_out: bool = False,
    overwrite: bool = False,
) -> None:
    """Write the project file of a song, or of the recipe in a video that Clavilux made.

    Args:
        song: an audio file, or such a video.
        target: the file to write.
        project: what is shown of a song.
        output: how it is sized and encoded.
        written_out: write a preset as the sentences it consists of.
        overwrite: replace the target where it exists.

    Raises:
        FileError: there is no such song.
        OutputError: the file is there already, or cannot be written.
    """
    if not is_file(song):
        raise FileError(f"There is no file '{song}'", where=str(song), hint="check the name and the folder")
    check_target(target, ".toml", overwrite=overwrite, reads=[song])
    show = Show(_as_seen_from(song, target.parent), project, output)
    with contextlib.suppress(ClaviluxError):  # a song like any other
        recipe = read_recipe(song)
        show = Show(None, recipe.project, recipe.output)
    try:
        write_atomic(target, show_text(show, written_out=written_out))
    except OSError as error:
        raise write_error(target, error) from error


def check_project(path: Path) -> list[ClaviluxError]:
    """Find all that is wrong with a project file, in the file's order, and whether its files are there.

    Raises:
        FileError: it is no file that can be read.
    """
    errors = check_show(path)
    if errors:
        return errors
    show = parse_show(read_small(path, "project", MAX_BYTES).decode("utf-8-sig"), path.parent)[0]
    assert show is not None
    named = [("song", show.song), *(("look", file) for file in show.project.shown.files)]
    return [
        FileError(f"{place}: there is no file '{file}'", where=place, value=str(file), hint="check its name")
        for place, file in named
        if file is not None and not is_file(file)
    ]


def change_project(path: Path, changes: Sequence[str]) -> None:
    """Change settings of a project file, written `output.size=1920x1080`; nothing else in it changes.

    Raises:
        SettingError: a change is not written so.
        FileError: something would be wrong after it; the file stays as it was.
    """
    text = read_small(path, "project", MAX_BYTES).decode("utf-8-sig")
    wanted = {}
    for change in changes:
        place, equals, value = change.partition("=")
        if not equals or not place.strip():
            raise SettingError(f"'{change}' is no change", value=change, hint="write output.fps=24")
        wanted[place.strip()] = _value(value.strip())
    after = edited(text, wanted)
    errors = parse_show(after, path.parent)[1]
    before = {error.what for error in parse_show(text, path.parent)[1]}
    for error in errors:
        if error.what not in before:
            raise FileError(f"{path.name} stays as it is: {error.what}", where=error.where, hint=error.hint)
    try:
        write_atomic(path, after)
    except OSError as error:
        raise write_error(path, error) from error


def _value(text: str) -> Any:
    """Read a value as TOML would: a number, true or false, else text."""
    if text in {"true", "false"}:
        return text == "true"
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text.strip("\"'")


def _as_seen_from(song: Path, folder: Path) -> Path:
    try:
        return Path(os.path.relpath(song, folder))
    except ValueError:  # another drive
        return song.absolute()
