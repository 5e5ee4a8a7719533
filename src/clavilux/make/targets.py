"""What a video, an image or a folder of images may be written to, checked before any work.

Nothing that is read is ever replaced: not the song, a stem, a label file, the model or the video of a recipe,
whatever the spelling of the target and even where overwriting is allowed.
"""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from clavilux.annotations.sidecar import Sidecar, sidecar_path
from clavilux.audio.sound import Audio
from clavilux.errors import ClaviluxError, OutputError
from clavilux.files import fitting_name, is_folder, is_one_of, part_of, write_error
from clavilux.make.numbered import LEFT
from clavilux.project.output import IMAGES, Output
from clavilux.video.codecs import codec_of

__all__ = ["check_target", "default_target", "files_read", "target_suffix"]

ASIDE = "-clavilux"
"""Added to the name of a target that would otherwise be the name of what is read."""


def target_suffix(output: Output) -> str:
    """Return the ending that the target's name must have; none for a folder of images."""
    return "" if output.codec == IMAGES else codec_of(output.codec).suffix


def files_read(
    source: str | Path | Audio,
    *,
    stems: str | Path | None = None,
    model: str | Path | None = None,
    others: Iterable[Path] = (),
) -> list[Path]:
    """List every file that a piece of work reads, as far as it is known before.

    Args:
        source: the song.
        stems: the folder of its stems.
        model: a checkpoint file, or a name.
        others: further files, such as labels or the video of a recipe.
    """
    found = list(others)
    if not isinstance(source, Audio):
        song = Path(source)
        found += [song, sidecar_path(song)]
        with contextlib.suppress(ClaviluxError):  # said by whoever uses it
            found += Sidecar.beside(song).labels
    if stems is not None and is_folder(stems):
        with contextlib.suppress(OSError):  # a folder that cannot be listed, also said by whoever uses it
            found += [path for path in Path(stems).iterdir() if path.is_file()]
    if model is not None:
        found.append(Path(model))
    return found


def default_target(name: str, suffix: str, reads: Iterable[Path]) -> Path:
    """Name a target in the current folder after a song; it steps aside where that is a file that is read.

    >>> default_target("song", ".mp4", []).name
    'song.mp4'
    """
    target = Path(fitting_name(name, suffix))
    return Path(fitting_name(name, f"{ASIDE}{suffix}")) if is_one_of(target, reads) else target


def check_target(target: Path, suffix: str, *, overwrite: bool, reads: Iterable[Path] = ()) -> None:
    """Check that a file, or a folder of images, can be written.

    Args:
        target: the file; without a suffix the folder.
        suffix: the ending it must have.
        overwrite: whether it may replace one that is there.
        reads: files that the work reads; it never replaces one of them.

    Raises:
        OutputError: wrong ending, a missing or unwritable folder, a name the disk does not hold, a file that
            is already there, or one that is read.
    """
    _check_name(target)
    if suffix and target.is_dir():
        hint = f"name a file, such as {target / f'video{suffix}'}"
        raise OutputError(f"'{target}' is a folder", where="target", value=str(target), hint=hint)
    if suffix and target.suffix.lower() != suffix:
        hint = f"name it {target.stem or 'video'}{suffix}"
        raise OutputError(
            f"'{target.name}' should end in {suffix}", where="target", value=target.name, hint=hint
        )
    reads = list(reads)
    if is_one_of(target, reads) or is_one_of(part_of(target), reads):
        raise OutputError(
            f"'{target}' is one of the files that are read, and those are never replaced",
            where="target",
            value=str(target),
            hint="choose another name",
            remedy="target",
        )
    if not suffix:
        _check_folder(target, overwrite=overwrite)
    elif target.exists() and not overwrite:
        raise OutputError(
            f"'{target}' is already there",
            where="target",
            value=str(target),
            hint="allow overwriting, or choose another name",
            remedy="overwrite",
        )
    elif target.exists() and not target.is_file():
        raise OutputError(
            f"'{target}' is not an ordinary file",
            where="target",
            value=str(target),
            hint="choose another name",
            remedy="target",
        )
    if not target.parent.is_dir():
        raise OutputError(
            f"The folder '{target.parent}' does not exist",
            where="target",
            value=str(target),
            hint="make it first, or choose another",
            remedy="target",
        )
    if not os.access(target.parent, os.W_OK):
        raise OutputError(
            f"The folder '{target.parent}' cannot be written to",
            where="target",
            value=str(target),
            hint="choose another",
            remedy="target",
        )


def _check_name(target: Path) -> None:
    """Check that the disk can hold the target's name, before anything else is asked of it."""
    if "\0" in str(target):
        raise OutputError(
            f"'{target}' is not the name of a file",
            where="target",
            value=str(target),
            hint="choose another name",
            remedy="target",
        )
    try:
        target.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise write_error(target, error) from error


def _check_folder(folder: Path, *, overwrite: bool) -> None:
    """Check that a folder is there for images alone."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"'{folder}' is a file", where="target", hint="name a folder for the images")
    if folder.is_dir() and not overwrite and not all(_may_stay(path.name) for path in folder.iterdir()):
        raise OutputError(
            f"'{folder}' holds other files",
            where="target",
            value=str(folder),
            hint="name an empty folder, or allow overwriting",
            remedy="overwrite",
        )


def _may_stay(name: str) -> bool:
    """Whether a folder of images may hold such a file: an image, or what a killed render left."""
    return name.endswith(".png") or LEFT.fullmatch(name) is not None
