"""What can go wrong, as one tree.

    ClaviluxError
    ├── SettingError      a value the user gave: an option, a time, a size, a frame rate
    ├── AudioError        the song cannot be read or has nothing to hear
    ├── ModelError        the generator cannot be found, read or run as asked
    ├── PatchError        a signal or patch cannot mean what it says
    ├── RenderError       drawing a frame failed
    └── OutputError       a file cannot be written

Every message is one sentence that says what, where, the value and the likely fix. The library
raises; only the command line prints.
"""

__all__ = [
    "AudioError",
    "ClaviluxError",
    "ModelError",
    "OutputError",
    "PatchError",
    "RenderError",
    "SettingError",
]


class ClaviluxError(Exception):
    """Any error Clavilux raises on purpose; its text is written for the person who made the video."""


class SettingError(ClaviluxError):
    """A value that was given cannot be used."""


class AudioError(ClaviluxError):
    """The song cannot be read, or there is nothing in it to hear."""


class ModelError(ClaviluxError):
    """The generator cannot be found, read, or run as asked."""


class PatchError(ClaviluxError):
    """A signal or a patch cannot mean what it says."""


class RenderError(ClaviluxError):
    """Drawing a frame failed."""


class OutputError(ClaviluxError):
    """A file cannot be written."""
