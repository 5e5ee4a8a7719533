"""Palettes that the user saved: one `.npz` file each, of one model's latents.

ws      (K, D)   the images of the ring, in order; like any file of latents
rest    (D,)     for silence
accent  (D,)     for hits
named   (M, D)   latents with names of their own, and
names   (M,)     those names
about            format, and the model's name and digest
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clavilux.array_files import Arrays, ArrayValue, save_arrays
from clavilux.arrays import F32, AnyArray
from clavilux.catalogue import MOODS, PITCH_CLASSES
from clavilux.errors import FileError, SettingError, suggest
from clavilux.files import is_file, read_small
from clavilux.generator.model import Model
from clavilux.patches.palette_latents import PaletteLatents, on_ring
from clavilux.profile.latent_files import MAX_LATENTS, unpack_npz

__all__ = [
    "SavedPalette",
    "check_entry_name",
    "check_palette_name",
    "palette_path",
    "read_palette",
    "saved_palettes",
]

FORMAT = 1
MAX_BYTES = 64_000_000
SUFFIX = ".npz"
PALETTE_NAME = re.compile(r"\w(?:[\w .-]{0,62}[\w-])?")
ENTRY_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}", re.ASCII)


@dataclass(frozen=True, eq=False)
class SavedPalette(ArrayValue):
    """A palette as it is kept.

    Attributes:
        images: the ring's, in order, (K, D).
        rest: (D,).
        accent: (D,).
        named: latents with names of their own, (D,) each.
        model: name of the model they are of.
        model_digest: hash of its weights.
    """

    noun = "palette"
    images: F32
    rest: F32
    accent: F32
    named: Mapping[str, F32]
    model: str
    model_digest: str

    @property
    def latents(self) -> PaletteLatents:
        """What patches use: the images on the ring, numbered from '1', and those with names."""
        numbered = {str(k): latent for k, latent in enumerate(self.images, 1)}
        return PaletteLatents(on_ring(self.images), self.rest, self.accent, numbered | dict(self.named))

    def arrays(self) -> Arrays:
        """Return everything as arrays."""
        about = {"format": FORMAT, "model": self.model, "digest": self.model_digest}
        return {
            "ws": self.images,
            "rest": self.rest,
            "accent": self.accent,
            "named": np.array([*self.named.values()], np.float32).reshape(len(self.named), len(self.rest)),
            "names": np.array([*self.named], np.str_),
            "about": np.array(json.dumps(about, sort_keys=True)),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> "SavedPalette":
        """Make the palette of what `arrays` returned.

        Raises:
            ValueError, KeyError, TypeError, ClaviluxError: they are others.
        """
        about = json.loads(str(arrays["about"]))
        if about["format"] != FORMAT:
            raise ValueError(f"format {about['format']}")
        images, rest, accent, named = (
            np.asarray(arrays[name], np.float32) for name in ("ws", "rest", "accent", "named")
        )
        names = [check_entry_name(str(name)) for name in arrays["names"].tolist()]
        fits = images.ndim == 2 and rest.shape == accent.shape == images.shape[1:]
        fits = fits and named.shape == (len(names), images.shape[1]) and len(set(names)) == len(names)
        if not fits or not 0 < len(images) <= MAX_LATENTS or len(names) > MAX_LATENTS:
            raise ValueError("shapes")
        if not all(np.isfinite(each).all() for each in (images, rest, accent, named)):
            raise ValueError("not finite")
        return cls(
            images,
            rest,
            accent,
            dict(zip(names, named, strict=True)),
            str(about["model"]),
            str(about["digest"]),
        )

    @classmethod
    def load(cls, path: str | Path) -> "SavedPalette":
        """Read what `save` wrote; nothing in it is executed, and no more is unpacked than a palette has.

        Raises:
            FileError: it is no such file, or damaged.
        """
        content = read_small(Path(path), cls.noun, MAX_BYTES)
        try:
            return cls.from_arrays(unpack_npz(content))
        except Exception as error:
            hint = "save it again with another name, or remove it"
            raise FileError(
                f"'{path}' holds no palette that can be read", where=str(path), hint=hint
            ) from error

    def save_as(self, path: Path, *, replace: bool) -> None:
        """Write to a file that other processes may write now, too.

        Raises:
            FileExistsError: there is a file of that name, and it may not be replaced.
            OSError: as the system reports.
        """
        save_arrays(path, self.arrays(), shared=True, replace=replace)

    def check_model(self, name: str, model: Model) -> None:
        """Check that the palette is one of this model's.

        Raises:
            FileError: it is another's.
        """
        if self.model_digest != model.digest:
            other = "another version of " if self.model == model.name else ""
            raise FileError(
                f"The palette '{name}' is of {other}the model {self.model}, and cannot be used with "
                f"{model.name}",
                where=name,
                value=model.name,
                hint=f"choose images of {model.name} for a palette of its own",
            )


def check_palette_name(name: str) -> str:
    """Return a name under which a palette can be saved.

    Raises:
        SettingError: it cannot be the name of a file everywhere, or is a mood's.

    >>> check_palette_name("drop 2")
    'drop 2'
    """
    if PALETTE_NAME.fullmatch(name) is None or not name.isprintable() or len(name.encode()) > 200:
        raise SettingError(
            f"A palette cannot be called '{name[:80]}'",
            where="name",
            value=name,
            hint="use up to 64 letters, digits, spaces, dots, - and _, and begin with a letter or digit",
        )
    if name in MOODS:
        hint = "choose another name"
        raise SettingError(f"'{name}' is a mood's own palette", where="name", value=name, hint=hint)
    return name


def check_entry_name(name: str) -> str:
    """Return a name that an image of a palette can have: 'flash', or 'rest' and 'accent' to replace those.

    Raises:
        SettingError: it is no word, or a pitch class.
    """
    if ENTRY_NAME.fullmatch(name) is None or name in PITCH_CLASSES:
        raise SettingError(
            f"An image cannot be called '{name[:80]}'",
            where="names",
            value=name,
            hint="use a word of letters and digits that begins with a letter and is no pitch class",
        )
    return name


def palette_path(folder: Path, name: str) -> Path:
    """Return the file of a saved palette; it need not be there.

    Raises:
        SettingError: no palette can have this name.
    """
    return folder / f"{check_palette_name(name)}{SUFFIX}"


def saved_palettes(folder: Path | None) -> list[str]:
    """List the names of the saved palettes in a folder."""
    try:
        return sorted(path.stem for path in folder.glob(f"*{SUFFIX}")) if folder else []
    except OSError:
        return []


def read_palette(folder: Path | None, name: str) -> SavedPalette:
    """Read a saved palette by name.

    Raises:
        FileError: there is none, or it cannot be read.
        SettingError: no palette can have this name.
    """
    if folder is None or not is_file(palette_path(folder, name)):
        hint = suggest(name, saved_palettes(folder), otherwise="there are {}")
        hint = hint or "save one under this name"
        raise FileError(f"There is no saved palette '{name}'", where="palette", value=name, hint=hint)
    return SavedPalette.load(palette_path(folder, name))
