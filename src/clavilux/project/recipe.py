"""The recipe of a video, which travels inside it: settings, what the frames depend on, and their hash.

One codec turns a `Project`, an `Output` and a `Machine` into plain values and back. Recipes have a schema
number; older ones are brought up to date by `project.migrate`, so that new settings never orphan an old
video.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

from clavilux.errors import ClaviluxError, FileError, ModelError, ProjectError
from clavilux.features.corrections import Corrections
from clavilux.patch.patch import Patch
from clavilux.project.machine import Machine
from clavilux.project.migrate import SAMPLES, SCHEMA, migrated
from clavilux.project.output import Output
from clavilux.project.project import Project
from clavilux.project.schema import check_group, check_recipe
from clavilux.schemas import decoded
from clavilux.video.probe import probe

__all__ = ["KEY", "Recipe", "from_dict", "read_recipe", "to_dict"]

KEY = "clavilux"
"""Name of the recipe in a video's metadata."""

MAX_CHARACTERS = 4_000_000
FRACTIONS = ("fps", "start", "duration")
T = TypeVar("T", Project, Output, Machine)


@dataclass(frozen=True)
class Recipe:
    """How a video was made.

    Attributes:
        version: of Clavilux.
        project: what it shows.
        output: its size and codec.
        precision: with which its frames were drawn.
        engines: that drew them: engine, precision and device; more than one where several shared the work.
        identity: everything the frames depend on, as plain values.
        pixels: hash of the raw frames, in segments.
    """

    version: str
    project: Project
    output: Output
    precision: str
    engines: tuple[str, ...]
    identity: Mapping[str, object]
    pixels: str

    @staticmethod
    def pixels_of(segment_hashes: Sequence[str]) -> str:
        """Hash the hashes of the segments' raw frames."""
        return blake2b("".join(segment_hashes).encode(), digest_size=16).hexdigest()

    def to_text(self) -> str:
        """Write the recipe as JSON."""
        whole = {
            "schema": SCHEMA,
            "version": self.version,
            "project": to_dict(self.project),
            "output": to_dict(self.output),
            "precision": self.precision,
            "engines": list(self.engines),
            "identity": dict(self.identity),
            "pixels": self.pixels,
        }
        return json.dumps(whole)

    @classmethod
    def from_text(cls, text: str) -> "Recipe":
        """Read a recipe of this schema or an older one.

        Raises:
            ValueError, KeyError, TypeError, ClaviluxError: it is not one.
        """
        if len(text) > MAX_CHARACTERS:
            raise ValueError(f"{len(text)} characters")
        table = check_recipe(migrated(decoded(text.encode())))
        return cls(
            version=table.version,
            project=from_dict(Project, table.project),
            output=from_dict(Output, table.output),
            precision=table.precision,
            engines=tuple(table.engines),
            identity=table.identity,
            pixels=table.pixels,
        )

    def check(self, identity: Mapping[str, object], samples: Mapping[str, object] | None = None) -> None:
        """Check that a render of this identity would give this recipe's frames.

        Args:
            identity: what the frames of the render depend on.
            samples: song and stems as recipes of version 0.1.0 identify them, by their decoded samples.

        Raises:
            ProjectError, ModelError: another song, model, patch or version.
        """
        if samples and str(self.identity.get("song")).startswith(SAMPLES):
            identity = {**identity, **samples}
        for name, what in WHAT_DIFFERS.items():
            if identity[name] != self.identity.get(name):
                raise what(self)
        for name, value in identity.items():
            if name == "precision":  # another machine may draw it; the pixels are compared at the end
                continue
            if value != self.identity.get(name):
                raise ProjectError(
                    f"The recipe has {name} {self.identity.get(name)}, but this would be {value}",
                    where=name,
                    value=value,
                )


WHAT_DIFFERS: Mapping[str, Callable[[Recipe], ClaviluxError]] = {
    "song": lambda _: ProjectError(
        "This is not the audio the video was made of",
        where="song",
        hint="give the same file, neither cut nor converted",
    ),
    "stems": lambda _: ProjectError(
        "These are not the stems the video was made with",
        where="stems",
        hint="give the same folder",
        remedy="stems",
    ),
    "model": lambda recipe: ModelError(
        f"The model '{recipe.project.model}' is not the one the video was made with",
        where="model",
        value=recipe.project.model,
        hint="give its file",
        remedy="model",
    ),
    "patch": lambda recipe: ProjectError(
        f"The video was made by Clavilux {recipe.version} with a patch that this version does not have",
        where="patch",
        hint="use that version, or the script that holds the patch",
    ),
    "ops": lambda recipe: ProjectError(
        f"The video was made by Clavilux {recipe.version}, whose operations gave other values",
        where="ops",
        hint="use that version",
    ),
}
"""The keys that are compared first, and what it means where they differ."""


def to_dict(group: Project | Output | Machine) -> dict[str, object]:
    """Write settings as plain values, which JSON and TOML know."""
    return {field.name: _plain(getattr(group, field.name)) for field in fields(group)}


def from_dict(group: type[T], values: Mapping[str, Any]) -> T:
    """Read settings from plain values.

    Raises:
        FileError, SettingError, PatchError: a value is unknown or cannot be.

    >>> from_dict(Output, to_dict(Output(fps=Fraction(24000, 1001)))) == Output(fps=Fraction(24000, 1001))
    True
    """
    return group(**{name: _read(name, value) for name, value in check_group(group, values).items()})


def read_recipe(path: Path) -> Recipe:
    """Read the recipe that travels in a video.

    Raises:
        FileError: it is no video, or holds no recipe that this version can read.
    """
    text = probe(path).metadata.get(KEY)
    if text is None:
        raise FileError(
            f"{path.name} holds no recipe",
            where=str(path),
            hint="only videos made by Clavilux, not converted since, carry one",
        )
    try:
        return Recipe.from_text(text)
    except (ValueError, KeyError, TypeError, RecursionError, ClaviluxError) as error:
        what = error.what if isinstance(error, ClaviluxError) else str(error) or type(error).__name__
        raise FileError(
            f"The recipe in '{path.name}' cannot be read ({what[:200].rstrip('.')})",
            where=str(path),
            hint="a newer version of Clavilux may have made it, or it was changed",
        ) from error


def _plain(value: object) -> object:
    match value:
        case Corrections():
            return value.to_dict()
        case Patch():
            return {"text": str(value)}
        case Fraction():
            return str(value)
        case tuple():
            return list(value)
        case str():  # a path with bytes that are no text
            return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return value


def _read(name: str, value: Any) -> Any:
    match value:
        case str() if name in FRACTIONS:
            return Fraction(value)
        case {"text": str(text)}:
            return Patch.parse(text)
        case dict():
            return Corrections.from_dict(value)
    return value
