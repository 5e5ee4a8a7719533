"""Project files: written for a song or out of a video, checked, and changed in place."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clavilux.director.decide import MIX_PRESET, decide
from clavilux.errors import ClaviluxError, FileError, SettingError
from clavilux.files import is_file, is_folder, write_atomic
from clavilux.make.prepare import open_song
from clavilux.make.refused import refused_parts
from clavilux.make.targets import check_target, files_read
from clavilux.make.workspace import Workspace
from clavilux.patches.broad import read_broad
from clavilux.patches.patch import with_files
from clavilux.project.cues import errors_of_cues
from clavilux.project.migrate import changed_ops
from clavilux.project.output import Output
from clavilux.project.project import AUTO, Project
from clavilux.project.recipe import read_recipe
from clavilux.project.sentences import TABLES, read_looks
from clavilux.project.show import Show, edited, in_lines, parse_show, read_text, show_text
from clavilux.schemas import toml_tables
from clavilux.signals.expr import Node, nodes_of

if TYPE_CHECKING:
    from clavilux.profile.survey import Survey

__all__ = ["change_project", "check_project", "new_project"]


def new_project(  # noqa: PLR0913  # what, where to, and how
    song: Path,
    target: Path,
    project: Project,
    output: Output,
    *,
    written_out: bool = False,
    overwrite: bool = False,
    reads: Sequence[Path] = (),
    bends: Path | None = None,
    workspace: Workspace | None = None,
) -> None:
    """Write the project file of a song, or of the recipe in a video that Clavilux made.

    Args:
        song: an audio file, or such a video.
        target: the file to write.
        project: what is shown of a song.
        output: how it is sized and encoded.
        written_out: write a preset as the sentences it consists of.
        overwrite: replace the target where it exists.
        reads: further files that are read, such as labels, and so never replaced.
        bends: a configuration of network bending as Broad et al. publish them, whose bends are added.
        workspace: where the song is analysed, if the director has to choose what it is shown with; this
            user's cache folder unless given.

    Raises:
        FileError: there is no such song or configuration, or it has a name that is no text.
        OutputError: the file is there already, or cannot be written.
    """
    if not is_file(song):
        raise FileError(f"There is no file '{song}'", where=str(song), hint="check the name and the folder")
    sheets = [] if project.cues is None else [Path(project.cues)]
    read = files_read(song, stems=project.stems, model=project.model, others=[*reads, *sheets])
    check_target(target, ".toml", overwrite=overwrite, reads=read)
    reasons: tuple[str, ...] = ()
    show = Show(Path(_as_seen_from(song, target.parent)), project, output)
    with contextlib.suppress(ClaviluxError):  # a song like any other
        recipe = read_recipe(song)
        corrected = recipe.project.corrections
        kept = None if corrected is None or corrected.none else corrected
        shown = replace(recipe.project, corrections=kept)
        show = Show(show.song, shown, recipe.output)  # the video carries the song
        reasons = tuple(
            f"In Clavilux {recipe.version}, which made the video, {each} gave other values"
            for each in changed_ops(recipe.identity.get("ops"))
        )
    looks: dict[str, Any] | None = None
    if show.project.patch == AUTO:
        keeping = workspace or Workspace.of_user()
        decided = decide(
            show.project,
            lambda: open_song(song, show.project, keeping),
            lambda: _survey(show.project.model, keeping),
            tame=show.output.flash_safety == "limit",
        )
        looks, reasons = decided.tables, decided.reasons
        if written_out or bends is not None:
            show, looks = replace(show, project=decided.project), None
    if bends is not None:
        patch = show.project.shown
        added = replace(patch, bends=(*patch.bends, *read_broad(bends, seed=show.project.seed)))
        show = replace(show, project=replace(show.project, patch=added, knobs=None, psi=None))
    seen = _seen_from(show, target.parent)
    text = show_text(seen, written_out=written_out, looks=looks, remarks=reasons)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise FileError(
            f"A project cannot name '{song}'", where=str(song), hint="give the file a name in Unicode"
        ) from None
    write_atomic(target, text)


def _survey(model: str, workspace: Workspace) -> "Survey | None":
    """Return a model's survey; none where it cannot be used, of which whoever draws with it is told."""
    from clavilux.profile.survey import untold

    try:
        return workspace.survey(workspace.model(model), untold)
    except ClaviluxError:
        return None


def check_project(path: Path) -> list[ClaviluxError]:
    """Find all that is wrong with a project file, in the file's order: text, files, and what the model lacks.

    Raises:
        FileError: it is no file that can be read.
    """
    text, folder = read_text(path), path.parent
    show, errors = parse_show(text, folder)
    try:
        tables = toml_tables(text)
    except ClaviluxError:
        return errors
    errors += _missing_files(tables, folder)
    try:
        workspace = Workspace.of_user()
        model = workspace.model(_model_of(tables, folder))
    except ClaviluxError as error:
        return in_lines([*errors, error.placed("model")], text)
    nodes, wrong = _shown_nodes(show, tables, folder)
    output = Output() if show is None else show.output
    return in_lines([*errors, *wrong, *refused_parts(nodes, model, output, workspace)], text)


def _missing_files(tables: Mapping[str, Any], folder: Path) -> list[ClaviluxError]:
    """Find which files are missing of those that a project names at its top."""
    named = {key: tables.get(key) for key in ("song", "cues", "stems")}
    return [
        FileError(
            f"{key}: there is no {'folder' if key == 'stems' else 'file'} '{name}'",
            where=key,
            value=name,
            hint="check its name",
        )
        for key, name in named.items()
        if isinstance(name, str) and not (is_folder if key == "stems" else is_file)(folder / name)
    ]


def _model_of(tables: Mapping[str, Any], folder: Path) -> str:
    name = str(tables.get("model", Project.model))
    return str(folder / name) if is_file(folder / name) else name


def _shown_nodes(
    show: Show | None, tables: Mapping[str, Any], folder: Path
) -> tuple[dict[Node, str], list[ClaviluxError]]:
    """Return what is shown: its operations, where each is written, and what is wrong with its cue sheet."""
    if show is None or not isinstance(show.project.patch, str):
        return _written_nodes(tables, folder), []
    project = show.project
    if project.cues is None:
        return {} if project.patch == AUTO else dict.fromkeys(project.shown.nodes, "look"), []
    if not is_file(project.cues):
        return {}, []
    preset = MIX_PRESET if project.patch == AUTO else str(project.patch)
    wrong = errors_of_cues(Path(project.cues), preset=preset, seed=project.seed, knobs=project.knobs)
    if wrong:
        return {}, [error.placed("cues") for error in wrong]
    patch = replace(project, patch=preset).shown
    return {node: f"cues: {patch.places.get(node.digest, 'the mix')}" for node in patch.nodes}, []


def _written_nodes(tables: Mapping[str, Any], folder: Path) -> dict[Node, str]:
    """Return every operation of a project's sentences that can be read, and where it is written."""
    seed = tables.get("seed", 0)
    plain = isinstance(seed, int) and not isinstance(seed, bool)
    look = read_looks({key: tables[key] for key in TABLES if key in tables}, seed=seed if plain else 0)
    moved = with_files(nodes_of(*look.places), lambda name: str(folder / name))
    return {moved[node]: place for node, place in look.places.items()}


def change_project(path: Path, changes: Sequence[str]) -> None:
    """Change settings of a project file, written `output.size=1920x1080`; nothing else in it changes.

    Raises:
        SettingError: a change is not written so.
        FileError: something would be wrong after it; the file stays as it was.
    """
    text = read_text(path)
    wanted = {}
    for change in changes:
        place, equals, value = change.partition("=")
        if not equals or not place.strip():
            raise SettingError(f"'{change}' is no change", value=change, hint="write output.fps=24")
        wanted[place.strip()] = _value(value.strip())
    before = {error.what for error in parse_show(text, path.parent)[1]}
    after = edited(text, wanted)
    errors = parse_show(after, path.parent)[1]
    for error in errors:
        if error.what not in before:
            raise FileError(f"{path.name} stays as it is: {error.what}", where=error.where, hint=error.hint)
    write_atomic(path, after)


def _value(text: str) -> Any:
    """Read a value as TOML would: a number, true or false, else text."""
    if text in {"true", "false"}:
        return text == "true"
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text.strip("\"'")


def _seen_from(show: Show, folder: Path) -> Show:
    """Return a show whose model, stems and cue sheet are named from the project file's folder."""
    named = {name: getattr(show.project, name) for name in ("model", "stems", "cues")}
    there: dict[str, Any] = {
        name: _as_seen_from(Path(file), folder)
        for name, file in named.items()
        if file is not None and (is_folder if name == "stems" else is_file)(file)
    }
    return replace(show, project=replace(show.project, **there))


def _as_seen_from(file: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # another drive
        return file.absolute().as_posix()
