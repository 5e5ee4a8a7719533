"""The file beside a song that keeps its corrections: `song.clavilux.toml`.

    bpm = 128                     # or: tempo = "double", tempo = "half"
    first_downbeat = "0:00.52"    # seconds, or minutes and seconds
    beats_per_bar = 3
    sections = [["0:00", "intro"], ["0:15.2", "verse"]]
    labels = "song.labels.txt"    # or several: ["beats.txt", "sections.txt"]

It belongs to all songs of that name in its folder: `song.wav` and `song.mp3` are the same music. What is
saved replaces values in place; comments, order and every other line of the file survive exactly.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tomlkit
from msgspec import Meta
from tomlkit.exceptions import TOMLKitError

from clavilux.annotations.labels import Region, join_regions, parse_labels
from clavilux.annotations.text import read_text
from clavilux.errors import ClaviluxError, FileError, SettingError, suggest
from clavilux.features.corrections import MAX_SONG_SECONDS, Corrections
from clavilux.files import fitting_name, write_atomic
from clavilux.schemas import MAX_ROWS, Name, Seconds, converted
from clavilux.timeline import parse_time

__all__ = ["TEMPI", "Sidecar", "corrected", "corrections_of", "read_labels", "sidecar_path"]

TEMPI = {"half": 0.5, "double": 2.0}
TimeText = Annotated[str, Meta(max_length=100)]
KEYS: Mapping[str, tuple[Any, str]] = {
    "bpm": (Annotated[float, Meta(ge=20, le=400)], "bpm must be a number from 20 to 400"),
    "first_downbeat": (Seconds | TimeText, 'first_downbeat is a time, such as 0.52 or "0:00.52"'),
    "beats_per_bar": (
        Annotated[int, Meta(ge=2, le=7)],
        "beats_per_bar must be a whole number from 2 to 7",
    ),
    "tempo": (Literal["half", "double"], "tempo is 'half' or 'double'"),
    "sections": (
        Annotated[list[tuple[Seconds | TimeText, Name]], Meta(max_length=MAX_ROWS)],
        'sections are written [["0:00", "intro"], ["0:15", "verse"]]',
    ),
    "labels": (
        Name | Annotated[list[Name], Meta(max_length=100)],
        "labels is the name of a file, or a list of names",
    ),
}
"""What the file may hold, and what to say of anything else."""
MAX_LABEL_BYTES = 10_000_000
MAX_SIDECAR_BYTES = 1_000_000
"""A larger file of labels or corrections was not written by hand."""


def sidecar_path(song: Path) -> Path:
    """Return the name of the file that keeps a song's corrections.

    >>> sidecar_path(Path("music/song.mp3")).name
    'song.clavilux.toml'
    """
    return song.parent / fitting_name(song.stem, ".clavilux.toml")


def corrections_of(song: Path) -> Corrections:
    """Read the corrections kept beside a song; none where there is no such file.

    Raises:
        FileError: the file, or one it names, cannot be used; the message locates the mistake.

    >>> corrections_of(Path("no such song.mp3")).none
    True
    """
    return Sidecar.beside(song).corrections()


def corrected(song: Path | None, given: Corrections, labels: Sequence[Path] = ()) -> Corrections:
    """Return the corrections kept beside a song, overridden by those given now.

    Args:
        song: the song's file; nothing is kept beside a song without one.
        given: corrections of tempo and bars.
        labels: label files, as corrections.

    Raises:
        FileError: a file cannot be used.
        SettingError: what is given contradicts itself.

    >>> corrected(Path("no such song.mp3"), Corrections(bpm=128)).bpm
    128.0
    """
    kept = Corrections() if song is None else corrections_of(song)
    return kept.merged(_together(read_labels(labels), given))


def _together(labels: Corrections, given: Corrections) -> Corrections:
    """Combine corrections that must not contradict each other; sections given win over labelled ones."""
    return Corrections.from_dict(labels.to_dict() | given.to_dict())


def read_labels(paths: Sequence[Path]) -> Corrections:
    """Read several label files as one: the beats of one, the sections of another.

    Raises:
        FileError: a file cannot be used, or two files hold the same thing.
    """
    together = Corrections()
    for path in paths:
        labels = parse_labels(_read_text(path, "labels"), path.name)
        twice = sorted(together.to_dict().keys() & labels.to_dict().keys())
        if twice:
            raise FileError(
                f"'{path.name}' holds {twice[0]}, and so does another label file",
                where=str(path),
                value=twice[0],
                hint="name only one of them",
            )
        together = together.merged(labels)
    return together


@dataclass(frozen=True)
class Sidecar:
    """The corrections file of a song.

    Attributes:
        path: the file; it need not exist.
        inline: corrections written in the file itself.
        labels: label files that it names.
    """

    path: Path
    inline: Corrections = field(default_factory=Corrections)
    labels: tuple[Path, ...] = ()

    @classmethod
    def beside(cls, song: Path) -> "Sidecar":
        """Read the file beside a song.

        Raises:
            FileError: it cannot be used; the message locates the mistake.
        """
        path = sidecar_path(song)
        return cls._parse(path, _read_text(path, "corrections")) if _is_there(path) else cls(path)

    @classmethod
    def _parse(cls, path: Path, text: str) -> "Sidecar":
        try:
            written = tomllib.loads(text)
            inline, labels = _read(written), written.get("labels", [])
            names = [labels] if isinstance(labels, str) else labels
            return cls(path, inline, tuple(path.parent / name for name in names))
        except ClaviluxError as error:
            raise _unusable(path, error) from None
        except (ValueError, RecursionError) as error:  # a number of thousands of digits is a plain ValueError
            raise _unusable(path, ClaviluxError(str(error))) from None

    def corrections(self) -> Corrections:
        """Return all corrections, those of the label files included.

        Raises:
            FileError: a label file cannot be used, or contradicts the rest.
        """
        labels = read_labels(self.labels)
        if labels.sections is not None and self.inline.sections is not None:
            raise FileError(
                f"'{self.path}' lists sections, and so do the labels it names",
                where=str(self.path),
                hint="omit one of them",
            )
        try:
            return _together(labels, self.inline)
        except SettingError as error:
            raise _unusable(self.path, error) from None

    def save(self, given: Corrections, labels: Sequence[Path] = ()) -> Path:
        """Add corrections to the file: what is new replaces what was kept of the same thing.

        Every other line of the file stays as it is, comments too. Returns the file's path.

        Args:
            given: tempo and bars.
            labels: label files; they replace those named before.

        Raises:
            FileError: it would contradict what the file holds, or the file cannot be edited as it is written.
            OutputError: the file cannot be written.
        """
        new = Sidecar(self.path, self.inline.merged(given), tuple(labels) or self.labels)
        wanted = new.corrections()
        old = _read_text(self.path, "corrections") if _is_there(self.path) else ""
        try:
            text = _edited(old, self._values(), new._values())
            if Sidecar._parse(self.path, text).corrections() == wanted:
                write_atomic(self.path, text)
                return self.path
        except (TOMLKitError, FileError):
            pass
        raise FileError(
            f"'{self.path}' is written in a way that cannot be edited here",
            where=str(self.path),
            hint="edit it by hand",
        )

    def _values(self) -> dict[str, object]:
        """Return what each key of the file holds, but for the sections, which are never edited."""
        inline = self.inline
        tempi = {factor: name for name, factor in TEMPI.items()}
        values = {
            "bpm": inline.bpm,
            "first_downbeat": inline.first_downbeat,
            "beats_per_bar": inline.beats_per_bar,
            "tempo": tempi.get(inline.tempo_factor),
            "labels": [_relative(path, self.path) for path in self.labels] or None,
        }
        return {key: value for key, value in values.items() if value is not None}


def _unusable(path: Path, error: ClaviluxError) -> FileError:
    return FileError(
        f"The corrections in '{path}' cannot be used: {error.what}",
        where=str(path),
        value=error.value,
        hint=error.hint,
    )


def _edited(text: str, old: Mapping[str, object], new: Mapping[str, object]) -> str:
    """Change the values of a TOML text in place; new keys come first, omitted ones go with their line."""
    document, added = tomlkit.parse(text), tomlkit.document()
    for key in old:
        if key not in new:
            document.remove(key)
    for key, value in new.items():
        if key not in old:
            added[key] = value
        elif value != old[key]:
            document[key] = value
    newline = "\r\n" if "\r\n" in text else "\n"
    return added.as_string().replace("\n", newline) + document.as_string()


def _read(written: Mapping[str, object]) -> Corrections:
    """Read the keys of the file, except for the labels."""
    for key, value in written.items():
        if key not in KEYS:
            raise FileError(
                f"there is no '{key}'", value=key, hint=suggest(key, KEYS, otherwise="there are {}")
            )
        schema, sentence = KEYS[key]
        try:
            converted(value, schema)
        except FileError:
            raise FileError(sentence, where=key) from None
    tempo = written.get("tempo")
    fields = {name: written[name] for name in ("bpm", "beats_per_bar") if name in written}
    if "first_downbeat" in written:
        fields["first_downbeat"] = _seconds(written["first_downbeat"], "first_downbeat")
    if "sections" in written:
        fields["sections"] = join_regions(_regions(written["sections"]))
    return Corrections(**fields, tempo_factor=TEMPI[str(tempo)] if tempo else 1.0)  # type: ignore[arg-type]


def _regions(rows: Any) -> list[Region]:
    if not rows:
        raise FileError("sections are empty", hint="omit the line")
    places = [f"section {number}" for number in range(1, len(rows) + 1)]
    return [
        Region(_seconds(start, place), None, label, place)
        for (start, label), place in zip(rows, places, strict=True)
    ]


def _seconds(value: object, what: str) -> float:
    if isinstance(value, str):
        return float(parse_time(value))
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else -1
    if not 0 <= number <= MAX_SONG_SECONDS:
        raise FileError(f'{what} is a time, such as 0.52 or "0:00.52", not {value!r}', value=value)
    return float(number)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a song of that name cannot be there either
        return False


def _read_text(path: Path, what: str) -> str:
    """Read a small text file with its own line ends."""
    return read_text(path, f"file of {what}", MAX_LABEL_BYTES if what == "labels" else MAX_SIDECAR_BYTES)


def _relative(path: Path, sidecar: Path) -> str:
    """Return the name of a file as seen from the sidecar's folder, so that both can move together."""
    try:
        return Path(os.path.relpath(path, sidecar.parent)).as_posix()
    except ValueError:  # another drive
        return path.absolute().as_posix()
