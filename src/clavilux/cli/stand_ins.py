"""Other letters for a console, or a file, that does not know some: without accents, or a question mark.

Windows writes to files in the encoding of its country, and old consoles know ASCII alone; what is shown is
then read with a stand-in or two, instead of ending in an error.
"""

import codecs
import unicodedata

__all__ = ["STAND_INS"]

STAND_INS = "clavilux-stand-ins"
"""Name of the error handler, for `io.TextIOWrapper.reconfigure`."""

LETTERS = dict(zip("█–—─━’“”×", '#----\'""x', strict=True)) | {"…": "..."}


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_letter, error.object[error.start : error.end])), error.end


def _letter(letter: str) -> str:
    """Return a letter of ASCII in place of another.

    >>> [_letter(each) for each in "é█Ω"]
    ['e', '#', '?']
    """
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return LETTERS.get(letter) or plain or "?"


codecs.register_error(STAND_INS, _stand_in)
