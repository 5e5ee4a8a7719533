"""Checkpoints of every format: one file reads each, this one recognises which it is.

Nothing in a file is ever executed: what could run code, such as a pickle, is refused here by its first bytes.
"""

from pathlib import Path

from clavilux.errors import ModelError
from clavilux.generator.checkpoints.checkpoint import Card, Checkpoint
from clavilux.generator.checkpoints.native import read_native, read_native_card

__all__ = ["Card", "Checkpoint", "read_card", "read_checkpoint"]

START_BYTES = 64

REFUSED = {
    b"<": ("it is a web page, perhaps a failed download", "fetch the file again"),
    b"\x80": ("it is a Python pickle, which could run code", "give a native .safetensors file"),
    b"PK": ("it is a zip archive such as a PyTorch checkpoint", "give a native .safetensors file"),
    b"version https://git-lfs": ("it only points to a Git LFS file", "fetch the file itself"),
}
"""First bytes of files that are plainly something else: what they are, and what to do."""


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint, of whatever format it is.

    Args:
        path: the file; formats are recognised by content, not by name.

    Raises:
        ModelError: the file cannot be read, is of a format that is not supported, or is damaged.
    """
    _check_start(path)
    return read_native(path)


def read_card(path: Path) -> Card:
    """Read a checkpoint's card and resolution alone: its header, no array.

    Raises:
        ModelError: as `read_checkpoint`.
    """
    _check_start(path)
    return read_native_card(path)


def _check_start(path: Path) -> None:
    """Refuse what is not safetensors, before its bytes are taken for numbers."""
    where = str(path)
    try:
        if path.exists() and not path.is_file():
            raise ModelError(f"The model {path} cannot be read: it is not an ordinary file", where=where)
        with path.open("rb") as file:
            start = file.read(START_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        reason = getattr(error, "strerror", None) or error
        raise ModelError(f"The model {path} cannot be read: {reason}", where=where) from error
    if not start:
        raise ModelError(f"The model {path} is empty", where=where, hint="fetch it again")
    if start[8:9] == b"{":  # eight bytes of length, then a JSON header
        return
    for sign, (meaning, hint) in REFUSED.items():
        if start.lstrip().startswith(sign):
            raise ModelError(f"The model {path} cannot be used: {meaning}", where=where, hint=hint)
    raise ModelError(
        f"The model {path} is not a safetensors file", where=where, hint="give a native .safetensors file"
    )
