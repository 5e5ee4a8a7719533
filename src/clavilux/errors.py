"""What can go wrong, as one tree.

    ClaviluxError
    ├── SettingError      a value the user gave: a time, a size, a frame rate, a seed
    ├── FileError         a file the user named cannot be read: labels, corrections, a video's recipe
    ├── AudioError        the song cannot be read or has nothing to hear
    ├── SongError         a song has no such part: a stem, a band, a level of detail
    ├── ModelError        the generator cannot be found, read or run as asked
    ├── PatchError        a signal or patch is not valid
    ├── ProjectError      a project or recipe does not fit the song, model or version it is used with
    ├── EngineError       this machine cannot draw as asked: no such device, no such precision
    ├── RenderError       drawing a frame failed
    └── OutputError       a file cannot be written

Every error has fields for what is wrong, where, with which value, and the likely fix. The library raises;
only the command line prints. A fix that depends on how Clavilux is used (an option, a keyword, a button) is
named by ``remedy``, so that each surface can put it into its own terms.
"""

import difflib
import unicodedata
from collections.abc import Iterable
from typing import Literal, Self

__all__ = [
    "AudioError",
    "ClaviluxError",
    "EngineError",
    "FileError",
    "ModelError",
    "OutputError",
    "PatchError",
    "ProjectError",
    "Remedy",
    "RenderError",
    "SettingError",
    "SongError",
    "one_line",
    "suggest",
]

MAX_SENTENCE_LETTERS = 1000
JOINERS = "\u200c\u200d"
"""Invisible characters that names have: they join letters, and emoji."""

Remedy = Literal["overwrite", "target", "size", "precision", "stems", "model", "seed", "tempo", "device"]
"""What the user has to change where the words for it depend on the surface."""


class ClaviluxError(Exception):
    """Any error Clavilux raises on purpose; its text is written for the user who made the video.

    Attributes:
        what: what is wrong, without a full stop.
        where: the setting, file or sentence concerned; empty where `what` is enough.
        value: the value that was given, where one was.
        hint: the likely fix, in words that hold on every surface.
        remedy: what to change, for surfaces that have their own words for it.
        part: digest of the operation of a patch that it is about, where one is known; whoever has the
            patch's text says where it is written.

    >>> str(ClaviluxError("There is no device 'gpu' here", value="gpu", hint="there is cpu"))
    "There is no device 'gpu' here; there is cpu."
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        value: object = None,
        hint: str = "",
        remedy: Remedy | None = None,
    ) -> None:
        super().__init__(what)
        self.part = ""
        self.what, self.where, self.value, self.hint, self.remedy = what, where, value, hint, remedy

    def __str__(self) -> str:
        return self.explain(self.hint)

    def placed(self, place: str) -> Self:
        """Return the error with the place in front of it where it was found."""
        what = f"{place}: {self.what}"
        where = place.partition(",")[0]
        return type(self)(what, where=where, value=self.value, hint=self.hint, remedy=self.remedy)

    def explain(self, hint: str) -> str:
        """Write the whole sentence with this fix in place of the error's own."""
        text = f"{self.what.rstrip('.')}; {hint}" if hint else self.what
        return one_line(text if text.endswith((".", "?", "!")) else f"{text}.")


class SettingError(ClaviluxError):
    """A value that was given cannot be used."""


class FileError(ClaviluxError):
    """A file that the user named cannot be read or is not what it should be."""


class AudioError(ClaviluxError):
    """The song cannot be read, or there is nothing in it to hear."""


class SongError(ClaviluxError):
    """A song has no such part."""


class ModelError(ClaviluxError):
    """The generator cannot be found, read, or run as asked."""


class PatchError(ClaviluxError):
    """A signal or a patch is not valid."""


class ProjectError(ClaviluxError):
    """A project or a recipe does not fit what it is used with."""


class EngineError(ClaviluxError):
    """This machine cannot draw as asked."""


class RenderError(ClaviluxError):
    """Drawing a frame failed."""


class OutputError(ClaviluxError):
    """A file cannot be written."""


def one_line(text: str, limit: int = MAX_SENTENCE_LETTERS) -> str:
    r"""Return text as one line that is safe to print: what is invisible or moves the cursor is escaped.

    Names, tags and metadata may hold line breaks, ANSI escapes, characters that reverse the direction of
    writing, or bytes that are no text.

    >>> one_line("a\nb\x1b[31m\udce9"), one_line("plain – 音楽 🎵")
    ('a\\nb\\x1b[31m\\xe9', 'plain – 音楽 🎵')
    """
    shown = "".join(map(_escaped, text[: limit + 1]))
    return shown if len(text) <= limit else f"{shown[:limit]}..."


def _escaped(letter: str) -> str:
    if letter.isprintable() or letter in JOINERS or unicodedata.category(letter) == "Zs":
        return letter
    if "\udc80" <= letter <= "\udcff":  # a byte of a name that is no text
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode()


def suggest(name: str, known: Iterable[str], *, otherwise: str = "there is {}") -> str:
    """Return a hint for a name that is not known: the nearest one, or all there are.

    Args:
        name: what was given.
        known: what could have been given.
        otherwise: the hint where nothing is near; `{}` stands for all that is known.

    >>> suggest("smoth", ["smooth", "scale"]), suggest("x", ["auto", "exact"], otherwise="it is {}")
    ("did you mean 'smooth'?", 'it is auto, exact')
    >>> suggest("drop", [])
    'there is none'
    """
    names = list(known)
    if not names:
        return "there is none"
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean '{near[0]}'?" if near else otherwise.format(", ".join(names))
