"""What files of ours may hold: values of known types within known bounds, checked before any is used.

A schema is a type of msgspec's: a Struct, or a plain type with its bounds.
"""

import re
import tomllib
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from clavilux.errors import FileError

__all__ = ["MAX_ROWS", "Count", "Name", "Plain", "Seconds", "converted", "decoded", "toml_tables"]

MAX_ROWS = 1_000_000
"""Of beats and sections."""

Seconds = Annotated[float, Meta(ge=-86_400, le=86_400)]
"""A time within the longest song."""
Count = Annotated[int, Meta(ge=0, le=2**31)]
Name = Annotated[str, Meta(max_length=4096)]
Plain = str | int | float | bool | None

WORD_OF_KEY = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
LONG_KEY = re.compile(rf"(?<![\w-]){WORD_OF_KEY}(?:[ \t]*+\.[ \t]*+{WORD_OF_KEY}){{50}}")
"""A key of more than 50 parts, such as a.a.a.a: reading it takes the square of its length."""
MAX_NUMBER = 2**63


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


def toml_tables(text: str) -> dict[str, Any]:
    """Read TOML; its whole numbers have 64 bits, as TOML has them.

    Raises:
        FileError: it is no TOML, or is nested too deeply.

    >>> toml_tables("a = 1")
    {'a': 1}
    """
    try:
        if LONG_KEY.search(text):
            raise ValueError("a key of more than 50 parts")
        tables = tomllib.loads(text)
        _check_numbers(tables)
    except RecursionError:
        raise FileError("it is not TOML: it is nested too deeply") from None
    except ValueError as error:  # a number of thousands of digits is a plain ValueError
        why = "a number has thousands of digits" if "integer string conversion" in str(error) else str(error)
        raise FileError(f"it is not TOML: {why}", hint="put text in quotation marks") from None
    return tables


def _check_numbers(tables: object) -> None:
    waiting = [tables]
    while waiting:
        value = waiting.pop()
        if isinstance(value, int) and not -MAX_NUMBER <= value < MAX_NUMBER:
            raise ValueError("a whole number of more than 64 bits")
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _in_words(error: Exception) -> str:
    return str(error).replace("`", "'").replace("$.", "") or type(error).__name__
