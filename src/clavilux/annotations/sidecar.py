"""The file beside a song that keeps what was corrected: `song.clavilux.toml`.

    bpm = 128                     # or: tempo = "double", tempo = "half"
    first_downbeat = "0:00.52"    # seconds, or minutes and seconds
    beats_per_bar = 3
    sections = [["0:00", "intro"], ["0:15.2", "verse"]]
    labels = "song.labels.txt"    # or several: ["beats.txt", "sections.txt"]

It belongs to all songs of that name in its folder: `song.wav` and `song.mp3` are the same music.
"""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from clavilux.annotations.labels import Part, join_parts, parse_labels
from clavilux.errors import SettingError
from clavilux.features.corrections import Corrections
from clavilux.files import write_atomic
from clavilux.timeline import parse_time

__all__ = ["TEMPI", "Sidecar", "corrected", "corrections_of", "read_labels", "sidecar_path"]

TEMPI = {"half": 0.5, "double": 2.0}
KEYS = ("bpm", "first_downbeat", "beats_per_bar", "tempo", "sections", "labels")
LARGEST = 10_000_000
"""Bytes of a file of labels or corrections: more was not written by hand."""


def sidecar_path(song: Path) -> Path:
    """Name the file that keeps a song's corrections.

    >>> sidecar_path(Path("music/song.mp3")).name
    'song.clavilux.toml'
    """
    return song.with_name(f"{song.stem}.clavilux.toml")


def corrections_of(song: Path) -> Corrections:
    """Read the corrections kept beside a song; none where there is no such file.

    Raises:
        SettingError: the file, or one it names, cannot be used; says what is wrong in it.

    >>> corrections_of(Path("no such song.mp3")).none
    True
    """
    return Sidecar.beside(song).corrections()


def corrected(song: Path, said: Corrections, labels: Sequence[Path] = ()) -> Corrections:
    """Say what is kept beside a song and what is said now, which holds where the two differ.

    Raises:
        SettingError: a file cannot be used, or what is said contradicts itself.

    >>> corrected(Path("no such song.mp3"), Corrections(bpm=128)).bpm
    128.0
    """
    return corrections_of(song).merged(_together(read_labels(labels), said))


def _together(labels: Corrections, said: Corrections) -> Corrections:
    return Corrections.from_dict(labels.to_dict() | said.to_dict())


def read_labels(paths: Sequence[Path]) -> Corrections:
    """Read files of labels as one: the beats of one, the sections of another.

    Raises:
        SettingError: a file cannot be used, or two files say the same thing.
    """
    said = Corrections()
    for path in paths:
        more = parse_labels(_text_of(path, "labels"), path.name)
        twice = sorted(said.to_dict().keys() & more.to_dict().keys())
        if twice:
            raise SettingError(
                f"'{path.name}' holds {twice[0]}, and so does another file of labels; name one."
            )
        said = said.merged(more)
    return said


@dataclass(frozen=True)
class Sidecar:
    """What is kept beside a song.

    Attributes:
        path: the file; it need not exist.
        said: corrections written in the file itself.
        labels: files of labels that it names.
    """

    path: Path
    said: Corrections = field(default_factory=Corrections)
    labels: tuple[Path, ...] = ()

    @classmethod
    def beside(cls, song: Path) -> "Sidecar":
        """Read the file beside a song.

        Raises:
            SettingError: it cannot be used; says what is wrong in it.
        """
        path = sidecar_path(song)
        if not path.exists():
            return cls(path)
        return cls._parse(path, _text_of(path, "corrections"))

    @classmethod
    def _parse(cls, path: Path, text: str) -> "Sidecar":
        try:
            written = tomllib.loads(text)
            labels = _names(written.get("labels", []))
            return cls(path, _read(written), tuple(path.parent / name for name in labels))
        except (tomllib.TOMLDecodeError, SettingError, RecursionError) as error:
            raise SettingError(f"The corrections in '{path}' cannot be used: {error}") from None

    def corrections(self) -> Corrections:
        """Say all of it, labels included.

        Raises:
            SettingError: a file of labels cannot be used, or contradicts the rest.
        """
        labels = read_labels(self.labels)
        if labels.sections is not None and self.said.sections is not None:
            raise SettingError(
                f"'{self.path}' lists sections, and so do the labels it names; leave one away."
            )
        return _together(labels, self.said)

    def save(self, said: Corrections, labels: Sequence[Path] = ()) -> Path:
        """Keep more corrections: what is new replaces what was kept about the same thing.

        Every other line of the file stays as it is, comments too. Returns the file's path.

        Args:
            said: tempo and bars.
            labels: files of labels, by their names; they take the place of those named before.

        Raises:
            SettingError: it would contradict what the file says.
            OutputError: the file cannot be written.
        """
        timing = self.said.merged(said)
        new = Sidecar(self.path, timing, tuple(labels) or self.labels)
        new.corrections()
        old = _text_of(self.path, "corrections") if self.path.exists() else ""
        text = _rewritten(old, _lines(new))
        if Sidecar._parse(self.path, text).corrections() != new.corrections():
            raise SettingError(
                f"'{self.path}' is written in a way that cannot be changed here; edit it by hand."
            )
        write_atomic(self.path, text.encode())
        return self.path


def _read(written: Mapping[str, object]) -> Corrections:
    """Read the keys of the file, but for the labels."""
    for key in written:
        if key not in KEYS:
            near = get_close_matches(key, KEYS, n=1)
            raise SettingError(f"there is no '{key}'; " + (f"did you mean {near[0]}?" if near else f"{KEYS}"))
    tempo = written.get("tempo")
    if tempo is not None and tempo not in tuple(TEMPI):
        raise SettingError(f"tempo is 'half' or 'double', not {tempo!r}.")
    said = {name: written[name] for name in ("bpm", "beats_per_bar") if name in written}
    if "first_downbeat" in written:
        said["first_downbeat"] = _seconds(written["first_downbeat"], "first_downbeat")
    if "sections" in written:
        said["sections"] = join_parts(_parts(written["sections"]))
    return Corrections(**said, tempo_factor=TEMPI[str(tempo)] if tempo else 1.0)  # type: ignore[arg-type]


def _parts(rows: object) -> list[Part]:
    parts = []
    for number, row in enumerate(rows if isinstance(rows, list) else [None], 1):
        match row:
            case [start, str(label)]:
                parts.append(Part(_seconds(start, f"section {number}"), None, label, f"section {number}"))
            case _:
                raise SettingError('sections are written [["0:00", "intro"], ["0:15", "verse"]].')
    if not parts:
        raise SettingError("sections are empty; leave the line away.")
    return parts


def _seconds(value: object, what: str) -> float:
    if isinstance(value, str):
        return float(parse_time(value))
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 86_400:
        raise SettingError(f'{what} is a time, such as 0.52 or "0:00.52", not {value!r}.')
    return float(value)


def _names(value: object) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SettingError(f"labels is the name of a file, or a list of names, not {value!r}.")
    return names


def _text_of(path: Path, what: str) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise SettingError(f"The file of {what} '{path}' is too large to be one.")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SettingError(
            f"The file of {what} '{path}' is not text in UTF-8; export it again as text."
        ) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SettingError(f"The file of {what} '{path}' cannot be read: {reason}.") from None


def _lines(sidecar: Sidecar) -> dict[str, str]:
    """Write each key but the sections, which nothing changes, as a line of TOML."""
    said = sidecar.said.to_dict()
    tempi = {factor: name for name, factor in TEMPI.items()}
    names = ("bpm", "first_downbeat", "beats_per_bar")
    lines: dict[str, str] = {name: f"{name} = {said[name]}" for name in names if name in said}
    if sidecar.said.tempo_factor != 1:
        lines["tempo"] = f'tempo = "{tempi[sidecar.said.tempo_factor]}"'
    if sidecar.labels:
        lines["labels"] = (
            f"labels = [{', '.join(_quoted(_relative(path, sidecar.path)) for path in sidecar.labels)}]"
        )
    return lines


def _relative(path: Path, sidecar: Path) -> str:
    """Name a file as seen from the sidecar's folder, so that both can move together."""
    try:
        return Path(os.path.relpath(path, sidecar.parent)).as_posix()
    except ValueError:  # another drive
        return path.absolute().as_posix()


def _quoted(text: str) -> str:
    r"""Write text as TOML does.

    >>> _quoted('5" single')
    '"5\\" single"'
    """
    special = {'"': '\\"', "\\": "\\\\"}
    letters = (
        special.get(letter) or (letter if letter.isprintable() else f"\\U{ord(letter):08x}")
        for letter in text
    )
    return f'"{"".join(letters)}"'


def _rewritten(text: str, lines: Mapping[str, str]) -> str:
    """Replace the lines that set a key; those of new keys come first, those of dropped keys go."""
    kept, left = [], dict(lines)
    for line in text.splitlines():
        match = re.match(r"\s*(\w+)\s*=", line)
        key = match[1] if match and match[1] in KEYS and match[1] != "sections" else None
        if key is None or _same(line, lines.get(key)):
            kept.append(line)
        elif key in left:
            kept.append(left[key])
        if key is not None:
            left.pop(key, None)
    return "\n".join([*left.values(), *kept]) + "\n"


def _same(line: str, new: str | None) -> bool:
    """Whether a line says the same as the new one, perhaps in other words."""
    try:
        return new is not None and tomllib.loads(line) == tomllib.loads(new)
    except tomllib.TOMLDecodeError:
        return False
