"""Project files: written for a song or out of a video, checked, and changed in place."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from clavilux.catalogue import GROUPS
from clavilux.director.decide import decide
from clavilux.errors import ClaviluxError, FileError, SettingError
from clavilux.files import is_file, is_folder, write_atomic
from clavilux.generator.canvas import default_cells
from clavilux.make.changes import changes_of
from clavilux.make.prepare import open_song
from clavilux.make.targets import check_target, files_read
from clavilux.make.workspace import Workspace
from clavilux.patches.broad import read_broad
from clavilux.patches.ops.latents import layer_range
from clavilux.patches.ops.noise import noise_layers
from clavilux.patches.patch import Patch
from clavilux.profile.model_palettes import ModelPalettes
from clavilux.project.cues import errors_of_cues
from clavilux.project.output import Output
from clavilux.project.project import AUTO, Project
from clavilux.project.recipe import read_recipe
from clavilux.project.show import Show, check_show, edited, parse_show, read_show, read_text, show_text
from clavilux.schemas import toml_tables
from clavilux.signals.table import OPS

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
    show = Show(Path(_as_seen_from(song, target.parent)), project, output)
    with contextlib.suppress(ClaviluxError):  # a song like any other
        recipe = read_recipe(song)
        corrected = recipe.project.corrections
        kept = None if corrected is None or corrected.none else corrected
        shown = replace(recipe.project, corrections=kept)
        show = Show(show.song, shown, recipe.output)  # the video carries the song
    looks: dict[str, Any] | None = None
    reasons: tuple[str, ...] = ()
    if show.project.patch == AUTO:
        keeping = workspace or Workspace.of_user()
        decided = decide(show.project, lambda: open_song(song, show.project, keeping))
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


def check_project(path: Path) -> list[ClaviluxError]:
    """Find all that is wrong with a project file, in the file's order, and whether its files are there.

    Raises:
        FileError: it is no file that can be read.
    """
    text = read_text(path)
    errors = check_show(path)
    if errors:
        return [*errors, *_missing_files(text, path.parent)]
    show = read_show(path)
    cues = show.project.cues
    named = [("song", show.song), ("cues", None if cues is None else Path(cues))]
    patch = None
    if cues is None:
        patch = None if show.project.patch == AUTO else show.project.shown
    elif show.project.patch != AUTO and is_file(cues):
        try:
            patch = show.project.shown
        except ClaviluxError as error:
            errors += [
                FileError(f"cues: {each.what}", where="cues", value=each.value, hint=each.hint)
                for each in _refused_in_cues(Path(cues), show.project) or [error]
            ]
    named += [(_line_of(text, file.name), file) for file in (patch.files if patch is not None else ())]
    errors += [
        FileError(f"{place}: there is no file '{file}'", where=place, value=str(file), hint="check its name")
        for place, file in named
        if file is not None and not is_file(file)
    ]
    errors += _refused_by_model(show, patch, text)
    if show.project.stems is not None and not is_folder(show.project.stems):
        what = f"stems: there is no folder '{show.project.stems}'"
        errors.append(FileError(what, where="stems", value=show.project.stems, hint="check its name"))
    return errors


def _missing_files(text: str, folder: Path) -> list[ClaviluxError]:
    """Find which files are missing of those that a project names, where the rest of it cannot be read yet."""
    try:
        tables = toml_tables(text)
    except ClaviluxError:
        return []
    named = {key: tables.get(key) for key in ("song", "cues", "stems")}
    return [
        FileError(f"{key}: there is no file '{name}'", where=key, value=name, hint="check its name")
        for key, name in named.items()
        if isinstance(name, str) and not (is_folder if key == "stems" else is_file)(folder / name)
    ]


def _refused_in_cues(sheet: Path, project: Project) -> list[ClaviluxError]:
    """Find all that is wrong with a cue sheet, as long as what its tracks are like by default is known."""
    if not isinstance(project.patch, str):
        return []
    return errors_of_cues(sheet, preset=project.patch, seed=project.seed, knobs=project.knobs)


def _line_of(text: str, words: str) -> str:
    """Return the first line that holds some words, as a place in the file."""
    lines = [number for number, line in enumerate(text.splitlines(), 1) if words in line]
    return f"line {lines[0]}" if lines else "look"


def _refused_by_model(show: Show, patch: Patch | None, text: str) -> list[ClaviluxError]:
    """Find what the model or the user's palettes would refuse: layers, classes, directions, names."""
    try:
        workspace = Workspace.of_user()
        model = workspace.model(show.project.model)
    except ClaviluxError as error:
        return [FileError(f"model: {error.what}", where="model", value=error.value, hint=error.hint)]
    source = ModelPalettes(model, workspace.store, workspace.palettes)
    cells = show.output.cells or default_cells(model.network, show.output.size)
    groups: dict[str, range] = {name: model.group(name) for name in GROUPS}
    layers = {name: layer for name, layer in model.network.layers.items() if layer.takes_noise}
    noisy = {
        name: frozenset(layer for layer, each in layers.items() if each.w_index in group)
        for name, group in groups.items()
    }
    errors: list[ClaviluxError] = []
    for node in patch.nodes if patch is not None else ():
        params = dict(node.params)
        try:
            if node.op == "latent.on":
                layer_range(str(params["layers"]), groups, model.num_ws)
            elif node.op in {"saved", "from_seeds", "from_classes", "from_latents", "from_image"}:
                OPS[node.op].compute(source, [], node.params)
            elif node.op == "noise.on":
                noise_layers(str(params["layers"]), noisy, frozenset().union(*noisy.values()))
            elif node.kind in {"bend", "rewrite"}:
                changes_of([node], model, cells, workspace.store, workspace.model)
        except ClaviluxError as error:
            place = _line_of(text, str(error.value)) if error.value else "look"
            errors.append(
                type(error)(f"{place}: {error.what}", where=place, value=error.value, hint=error.hint)
            )
    return errors


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
