"""Text files that the user names, decoded."""

from pathlib import Path

from clavilux.errors import FileError
from clavilux.files import read_small

__all__ = ["read_text"]


def read_text(path: Path, what: str, limit: int) -> str:
    """Read a text file of at most so many bytes: UTF-8, or UTF-16 with its mark, as Windows writes it.

    Args:
        path: the file.
        what: what it is, for messages: "file of labels".
        limit: the most bytes that such a file has.

    Raises:
        FileError: it cannot be read, or is no text.
    """
    content = read_small(path, what, limit)
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return content.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError:
        raise FileError(
            f"The {what} '{path}' is not text in UTF-8", where=str(path), hint="export it again as text"
        ) from None
