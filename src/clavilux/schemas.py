"""What files of ours may hold: values of known types within known bounds, checked before any is used.

A schema is a type of msgspec's: a Struct, or a plain type with its bounds.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from clavilux.errors import FileError

__all__ = ["MAX_ROWS", "Count", "Name", "Plain", "Seconds", "converted", "decoded"]

MAX_ROWS = 1_000_000
"""Of beats and sections."""

Seconds = Annotated[float, Meta(ge=-86_400, le=86_400)]
"""A time within the longest song."""
Count = Annotated[int, Meta(ge=0, le=2**31)]
Name = Annotated[str, Meta(max_length=4096)]
Plain = str | int | float | bool | None


def converted(values: object, schema: Any) -> Any:
    """Return plain values as a schema's type.

    Raises:
        FileError: a value is missing, unknown, of another type or out of its bounds.

    >>> converted([1.5, 2], list[Seconds])
    [1.5, 2.0]
    """
    try:
        return msgspec.convert(values, schema)
    except (msgspec.ValidationError, OverflowError) as error:
        raise FileError(_in_words(error)) from None


def decoded(content: bytes, schema: Any = Any) -> Any:
    """Read JSON as a schema's type.

    Raises:
        FileError: it is no JSON, is nested too deeply, or does not fit the schema.

    >>> decoded(b'{"a": 1}', dict[str, Plain])
    {'a': 1}
    """
    try:
        return msgspec.json.decode(content, type=schema)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise FileError(_in_words(error)) from None


def _in_words(error: Exception) -> str:
    return str(error).replace("`", "'").replace("$.", "") or type(error).__name__
