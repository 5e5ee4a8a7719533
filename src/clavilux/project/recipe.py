"""The recipe of a video, which travels inside it: the text of its project file, and how it was made.

What a preset or a Python patch shows is in it as sentences, every parameter written out, so a changed default
never alters an old video. Recipes of version 0.1.0 are brought up to date by `project.migrate`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from clavilux.errors import ClaviluxError, FileError, ModelError, PatchError, ProjectError
from clavilux.patches.patch import Patch
from clavilux.project.migrate import SAMPLES, changed_ops, migrated
from clavilux.project.output import Output
from clavilux.project.project import Project
from clavilux.project.schema import check_made
from clavilux.project.show import Show, parse_show, parse_tables, show_text
from clavilux.schemas import decoded
from clavilux.video.probe import probe

__all__ = ["KEY", "Recipe", "read_recipe"]

KEY = "clavilux"
"""Name of the recipe in a video's metadata."""

MAX_CHARACTERS = 4_000_000


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
        """Write the recipe as the text of a project file, with a table `[made]`."""
        identity = {name: value for name, value in self.identity.items() if value is not None}
        made = {
            "version": self.version,
            "precision": self.precision,
            "engines": list(self.engines),
            "pixels": self.pixels,
            "identity": identity,
        }
        return show_text(Show(None, self.project, self.output, made), written_out=True, comments=False)

    @classmethod
    def from_text(cls, text: str) -> "Recipe":
        """Read a recipe of this schema or an older one.

        Raises:
            ValueError, KeyError, TypeError, ClaviluxError: it is not one.
        """
        if len(text) > MAX_CHARACTERS:
            raise ValueError(f"{len(text)} characters")
        if text.lstrip().startswith("{"):  # as version 0.1.0 wrote it
            show, errors = parse_tables(migrated(decoded(text.encode())), Path())
        else:
            show, errors = parse_show(text, Path())
        if show is None:
            raise errors[0]
        made = check_made(show.made)
        return cls(
            version=made.version,
            project=show.project,
            output=show.output,
            precision=made.precision,
            engines=tuple(made.engines),
            identity=made.identity,
            pixels=made.pixels,
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
        known = {**self.identity, "patch": _as_written_now(self.identity.get("patch"))}
        for name, what in WHAT_DIFFERS.items():
            if identity[name] != known.get(name):
                raise what(self)
        for name, value in identity.items():
            if name == "precision":  # another machine may draw it; the pixels are compared at the end
                continue
            if value != known.get(name):
                raise ProjectError(
                    f"The recipe has {name} {self.identity.get(name)}, but this would be {value}",
                    where=name,
                    value=value,
                )


def _as_written_now(patch: object) -> object:
    """Return a patch's text as this version writes it: earlier ones left out what was not given."""
    try:
        return str(Patch.parse(patch)) if isinstance(patch, str) else patch
    except PatchError:
        return patch


def _another_patch(recipe: Recipe) -> ProjectError:
    return ProjectError(
        f"The video was made by Clavilux {recipe.version} with a patch that this version does not have",
        where="patch",
        hint="use that version, or the script that holds the patch",
    )


def _other_values(recipe: Recipe) -> ProjectError:
    changed = changed_ops(recipe.identity.get("ops"))
    if not changed:  # of other operations: that is another patch
        return _another_patch(recipe)
    return ProjectError(
        f"The video was made by Clavilux {recipe.version}, in which {', '.join(changed)} gave other values",
        where="ops",
        value=", ".join(changed),
        hint="use that version, or render the video anew from its project, which `clavilux new` writes",
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
    "ops": _other_values,
    "patch": _another_patch,
}
"""The keys that are compared first, and what it means where they differ."""


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
