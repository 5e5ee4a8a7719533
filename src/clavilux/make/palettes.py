"""Palettes of the user's own: numbered pictures to choose from, choices saved by name, and what one shows.

A picture's number is the seed of its image, so it means the same image on every machine, and
`from_seeds('3,7,12')` in a patch those of the pictures 3, 7 and 12.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clavilux.arrays import F32
from clavilux.catalogue import FIFTHS, MOODS, PITCH_CLASSES, Mood
from clavilux.errors import ClaviluxError, FileError, OutputError, SettingError, suggest
from clavilux.files import write_error
from clavilux.generator.model import Model
from clavilux.make.latents import project_files
from clavilux.make.pictures import Page, images_of_latents, images_of_seeds
from clavilux.make.workspace import Workspace
from clavilux.patches.palette_latents import PaletteLatents
from clavilux.profile.model_palettes import ModelPalettes
from clavilux.profile.palettes import in_mood, without_outliers
from clavilux.profile.saved import (
    SavedPalette,
    check_entry_name,
    palette_path,
    read_palette,
    saved_palettes,
)
from clavilux.profile.seed_lists import parse_seeds
from clavilux.profile.similarity import distances_of
from clavilux.profile.survey import describe

__all__ = [
    "FoundPalette",
    "check_palette",
    "draw_choices",
    "draw_palette",
    "find_palette",
    "list_palettes",
    "parse_names",
    "save_palette",
    "save_photographs",
]

TILE = 192
"""Side of a picture on a sheet or in a ring, px."""
GAP, WORDS = 14, 48
"""Between pictures, and the height of the words below one, px."""
COLUMNS = 8
RADIUS = 560
"""Of the ring, to the middles of its pictures, px; 0.37 of it is more than a picture's side."""
MARGIN = 24
CENTRE_TILE = 250
PER_SEED = 3
"""Images that are looked at for each one shown, where a mood is asked for."""
MIN_LOOKED_AT = 72


@dataclass(frozen=True)
class FoundPalette:
    """A palette by name, ready to be shown.

    Attributes:
        name: a saved palette's, or a mood.
        model: whose latents they are.
        latents: of the palette.
    """

    name: str
    model: Model
    latents: PaletteLatents


def draw_choices(
    model: Model,
    target: Path,
    *,
    workspace: Workspace,
    first: int = 1,
    count: int = 48,
    mood: str | None = None,
) -> list[int]:
    """Draw numbered pictures of a model into one PNG, and return their numbers.

    Args:
        model: whose images they are.
        target: the PNG.
        workspace: keeps what images look like; is informed.
        first: number of the first picture.
        count: how many are shown.
        mood: which images are shown; without one those of `count` numbers in a row.

    Raises:
        SettingError: there is no such mood.
        OutputError: the file cannot be written.
    """
    numbers = list(range(first, first + count))
    if mood is not None:
        known = _mood(mood)
        workspace.report.begin("Choosing pictures")
        looked_at = list(range(first, first + max(PER_SEED * count, MIN_LOOKED_AT)))
        pool = describe(model, ModelPalettes(model).of_seeds(looked_at), workspace.store)
        fitting = in_mood(pool, without_outliers(pool, distances_of(pool)), known)
        numbers = [looked_at[k] for k in fitting[:count]]
    workspace.report.begin("Drawing")
    columns = min(COLUMNS, len(numbers))
    rows = math.ceil(len(numbers) / columns)
    page = Page(columns * (TILE + GAP) + GAP, rows * (TILE + WORDS) + GAP)
    for k, image in enumerate(images_of_seeds(model, numbers, min(model.resolution, 256))):
        x, y = GAP + k % columns * (TILE + GAP), GAP + k // columns * (TILE + WORDS)
        page.place(image, x, y, TILE)
        page.write(str(numbers[k]), x + TILE // 2, y + TILE + (WORDS - GAP) // 2 + 5)
    page.save(target)
    return numbers


def save_palette(
    name: str,
    model: Model,
    numbers: Sequence[int],
    *,
    workspace: Workspace,
    names: Mapping[str, int] | None = None,
    overwrite: bool = False,
) -> Path:
    """Save the images of some numbers as a palette, and return its file.

    Args:
        name: of the palette.
        model: whose images they are.
        numbers: of the pictures, in the order in which they lie along the circle of fifths.
        workspace: has the folder of palettes.
        names: numbers of images by names of their own; 'rest' and 'accent' replace those found.
        overwrite: whether a palette of that name may be replaced.

    Raises:
        SettingError: a name that cannot be.
        OutputError: there is such a palette, or it cannot be written.
    """
    path = _free_path(name, workspace, overwrite=overwrite)
    given = {check_entry_name(each): number for each, number in (names or {}).items()}
    source = ModelPalettes(model, workspace.store)
    images = source.of_seeds(list(numbers))
    named = {each: source.of_seeds([number])[0] for each, number in given.items()}
    found = source.of_list(images)
    rest, accent = named.pop("rest", found.rest), named.pop("accent", found.accent)
    return _saved(path, SavedPalette(images, rest, accent, named, model.name, model.digest), name, overwrite)


def save_photographs(
    name: str, model: Model, files: Sequence[Path], *, workspace: Workspace, overwrite: bool = False
) -> Path:
    """Save the projections of some images as a palette, in their order, and return its file.

    Args:
        name: of the palette.
        model: what draws them from now on.
        files: images of the user's.
        workspace: has the folder of palettes, and keeps the model's survey; is informed.
        overwrite: whether a palette of that name may be replaced.

    Raises:
        SettingError: a name that cannot be.
        FileError: a file is no image that can be read.
        OutputError: there is such a palette, or it cannot be written.
    """
    path = _free_path(name, workspace, overwrite=overwrite)
    found = project_files(files, model, workspace=workspace, per_layer=False)
    images = np.stack([each.ws for each in found])
    latents = ModelPalettes(model, workspace.store).of_list(images)
    palette = SavedPalette(images, latents.rest, latents.accent, {}, model.name, model.digest)
    return _saved(path, palette, name, overwrite)


def _free_path(name: str, workspace: Workspace, *, overwrite: bool) -> Path:
    if workspace.palettes is None:
        raise OutputError("There is no folder in which palettes are saved", where="palette")
    path = palette_path(workspace.palettes, name)
    if path.exists() and not overwrite:
        raise _there_is(name)
    return path


def _saved(path: Path, palette: SavedPalette, name: str, overwrite: bool) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        palette.save_as(path, replace=overwrite)
    except FileExistsError as error:
        raise _there_is(name) from error
    except OSError as error:
        raise write_error(path, error) from error
    return path


def parse_names(text: str) -> dict[str, int]:
    """Read names and the numbers of their images.

    Raises:
        SettingError: they cannot be read.

    >>> parse_names("flash=7, rest=12")
    {'flash': 7, 'rest': 12}
    """
    found: dict[str, int] = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        seeds = parse_seeds(number) if number else []
        if len(seeds) != 1:
            hint = "write names and numbers like flash=7,rest=12"
            raise SettingError(f"'{part.strip()[:80]}' names no image", where="names", value=text, hint=hint)
        if check_entry_name(name) in found:
            raise SettingError(f"The name '{name}' is given twice", where="names", value=text)
        found[name] = seeds[0]
    return found


def check_palette(name: str, folder: Path | None) -> None:
    """Check that there is a palette of a name: a saved one, or a mood's.

    Raises:
        FileError: there is none; names the nearest.
    """
    known = [*saved_palettes(folder), *MOODS]
    if name not in known:
        hint = suggest(name, known, otherwise="there are {}")
        raise FileError(f"There is no palette '{name[:80]}'", where="palette", value=name, hint=hint)


def find_palette(
    name: str, *, workspace: Workspace, model: str | None = None, seed: int = 0, default_model: str
) -> FoundPalette:
    """Find a palette: a saved one, or the automatic one of a mood.

    Args:
        name: a saved palette's, or a mood.
        workspace: has the folder of palettes.
        model: a model's name or file; a saved palette's own unless given.
        seed: of a mood's palette.
        default_model: a mood's model, unless one is given.

    Raises:
        FileError: there is none, or it is another model's.
        ModelError: the model cannot be loaded.
    """
    check_palette(name, workspace.palettes)
    if name in MOODS:
        drawn = workspace.model(model or default_model)
        source = ModelPalettes(drawn, workspace.store)
        return FoundPalette(name, drawn, source.automatic(_mood(name), seed))
    saved = read_palette(workspace.palettes, name)
    drawn = workspace.model(model or saved.model)
    saved.check_model(name, drawn)
    return FoundPalette(name, drawn, saved.latents)


def draw_palette(found: FoundPalette, target: Path) -> list[str]:
    """Draw a palette into one PNG, and return the names of its entries.

    The ring has C on top and goes on by fifths, clockwise; images that only have names are below.

    Raises:
        OutputError: the file cannot be written.
    """
    latents = found.latents
    others = _beside_the_ring(latents)
    columns = 6
    rows = math.ceil(len(others) / columns)
    middle = MARGIN + TILE // 2 + RADIUS
    step = (2 * middle - MARGIN) // columns
    page = Page(2 * middle, 2 * middle + WORDS + rows * (TILE + WORDS + GAP))
    shown = np.stack([*latents.ring[list(FIFTHS)], latents.rest, latents.accent, *others.values()])
    images = [*images_of_latents(found.model, shown, min(found.model.resolution, 256))]
    for k, image in enumerate(images[:12]):
        angle = 2 * math.pi * k / 12
        x, y = middle + RADIUS * math.sin(angle), middle - RADIUS * math.cos(angle)
        _picture(page, image, (round(x), round(y)), TILE, _words(latents, FIFTHS[k]))
    page.write(found.name, middle, middle - 220, size=52)
    page.write(f"of {found.model.name}", middle, middle - 170, size=28)
    for side, name, image in ((-1, "rest", images[12]), (1, "accent", images[13])):
        _picture(page, image, (middle + side * (CENTRE_TILE + GAP) // 2, middle), CENTRE_TILE, name)
    for k, (words, image) in enumerate(zip(others, images[14:], strict=True)):
        x, y = (
            MARGIN + k % columns * step + step // 2,
            2 * middle + WORDS + k // columns * (TILE + WORDS + GAP),
        )
        _picture(page, image, (x, y + TILE // 2), TILE, words)
    page.save(target)
    return latents.names


def list_palettes(folder: Path | None) -> dict[str, SavedPalette | ClaviluxError]:
    """Read every saved palette of a folder, by name; an error stands for one that cannot be read."""
    found: dict[str, SavedPalette | ClaviluxError] = {}
    for name in saved_palettes(folder):
        try:
            found[name] = read_palette(folder, name)
        except ClaviluxError as error:
            found[name] = error
    return found


def _mood(name: str) -> Mood:
    for mood in MOODS:
        if mood == name:
            return mood
    hint = suggest(name, MOODS, otherwise="it is {}")
    raise SettingError(f"There is no mood '{name[:80]}'", where="mood", value=name, hint=hint)


def _there_is(name: str) -> OutputError:
    return OutputError(
        f"There is already a palette '{name}'",
        where="name",
        value=name,
        hint="allow overwriting, or choose another name",
        remedy="overwrite",
    )


def _picture(page: Page, image: np.ndarray, middle: tuple[int, int], side: int, words: str) -> None:
    """Put a picture around a place, and words below it."""
    x, y = middle
    page.place(image, x - side // 2, y - side // 2, side)
    page.write(words, x, y + side // 2 + WORDS // 2)


def _words(latents: PaletteLatents, pitch: int) -> str:
    """Return a pitch class and the other names of its image."""
    own = _names_of(latents, latents.ring[pitch])
    return f"{PITCH_CLASSES[pitch]}   {', '.join(own)}".strip()


def _names_of(latents: PaletteLatents, latent: F32) -> list[str]:
    return [name for name, other in latents.named.items() if np.array_equal(other, latent)]


def _beside_the_ring(latents: PaletteLatents) -> dict[str, F32]:
    """Return the images that only have names, by those names; each once."""
    shown = {latent.tobytes() for latent in (*latents.ring, latents.rest, latents.accent)}
    others = {latent.tobytes(): latent for latent in latents.named.values()}
    return {
        ", ".join(_names_of(latents, latent)): latent
        for content, latent in others.items()
        if content not in shown
    }
