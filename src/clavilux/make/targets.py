"""What a video, an image or a folder of images may be written to, checked before any work."""

import os
from pathlib import Path

from clavilux.errors import OutputError
from clavilux.make.numbered import LEFT
from clavilux.project.output import IMAGES, Output
from clavilux.video.codecs import codec_of

__all__ = ["check_target", "target_suffix"]


def target_suffix(output: Output) -> str:
    """Return the ending that the target's name must have; none for a folder of images."""
    return "" if output.codec == IMAGES else codec_of(output.codec).suffix


def check_target(target: Path, suffix: str, *, overwrite: bool) -> None:
    """Check that a file, or a folder of images, can be written.

    Args:
        target: the file; without a suffix the folder.
        suffix: the ending it must have.
        overwrite: whether it may replace one that is there.

    Raises:
        OutputError: wrong ending, a missing or unwritable folder, or a file that is already there.
    """
    if suffix and target.suffix.lower() != suffix:
        hint = f"name it {target.stem or 'video'}{suffix}"
        raise OutputError(
            f"'{target.name}' should end in {suffix}", where="target", value=target.name, hint=hint
        )
    if not suffix:
        _check_folder(target, overwrite=overwrite)
    elif target.is_dir():
        hint = f"name a file, such as {target / f'video{suffix}'}"
        raise OutputError(f"{target} is a folder", where="target", value=str(target), hint=hint)
    elif target.exists() and not overwrite:
        raise OutputError(
            f"{target} is already there",
            where="target",
            value=str(target),
            hint="allow overwriting, or choose another name",
            remedy="overwrite",
        )
    if not target.parent.is_dir():
        raise OutputError(
            f"The folder {target.parent} does not exist",
            where="target",
            value=str(target),
            hint="make it first, or choose another",
            remedy="target",
        )
    if not os.access(target.parent, os.W_OK):
        raise OutputError(
            f"The folder {target.parent} cannot be written to",
            where="target",
            value=str(target),
            hint="choose another",
            remedy="target",
        )


def _check_folder(folder: Path, *, overwrite: bool) -> None:
    """Check that a folder is there for images alone."""
    if folder.is_file():
        raise OutputError(f"{folder} is a file", where="target", hint="name a folder for the images")
    if folder.is_dir() and not overwrite and not all(_may_stay(path.name) for path in folder.iterdir()):
        raise OutputError(
            f"{folder} holds other files",
            where="target",
            value=str(folder),
            hint="name an empty folder, or allow overwriting",
            remedy="overwrite",
        )


def _may_stay(name: str) -> bool:
    """Whether a folder of images may hold such a file: an image, or what a killed render left."""
    return name.endswith(".png") or LEFT.fullmatch(name) is not None
