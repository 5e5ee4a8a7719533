"""Small files written whole: what is under a name is the old file or the new one, never half of it."""

from pathlib import Path

from clavilux.errors import OutputError

__all__ = ["write_whole"]


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its final name and put it in place.

    Raises:
        OutputError: it cannot be written; the old file, if any, is still there.
    """
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        reason = (error.strerror or str(error)).lower()
        raise OutputError(
            f"{path} cannot be written: {reason}; free some space or choose another place."
        ) from None
