"""A folder of a song's own stems: one audio file per instrument, as separators and multitracks give them."""

import re
from collections.abc import Mapping
from pathlib import Path

from clavilux.audio.sound import Audio, open_audio
from clavilux.errors import AudioError

__all__ = ["KNOWN_STEMS", "open_stems", "stem_name"]

KNOWN_STEMS = ("drums", "bass", "vocals", "chords", "melody", "guitar", "piano", "other")
"""Names that are found in a longer file name, such as `song_drums.wav`."""

AUDIO_SUFFIXES = frozenset(
    f".{ending}"
    for ending in ("wav", "flac", "aif", "aiff", "mp3", "m4a", "aac", "ogg", "opus", "wma", "caf")
)

MAX_LENGTH_DIFFERENCE_SECONDS = 1.0
"""How much shorter or longer than its song a stem may be."""


def stem_name(path: Path) -> str:
    """Return the name of a stem by its file: a known name in it, else the whole name in small letters.

    >>> stem_name(Path("Night Drive - Drums.flac")), stem_name(Path("Lead Synth.wav"))
    ('drums', 'lead_synth')
    """
    words = re.findall(r"\w+", path.stem.lower().replace("_", " "))
    known = [word for word in words if word in KNOWN_STEMS]
    name = known[-1] if known else "_".join(words)
    return name if name.isidentifier() else f"stem_{name}"


def open_stems(folder: str | Path, song: Audio) -> Mapping[str, Audio]:
    """Open every audio file of a folder as a stem of a song, by name.

    Args:
        folder: holds a file per stem; other files and folders in it are ignored.
        song: what they are stems of; each is as long, to within a second, at any sampling rate.

    Raises:
        AudioError: no such folder, no audio in it, two files of one name, or a stem of another length.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise AudioError(f"There is no folder '{folder}' of stems", where=str(folder), hint="check the name")
    stems: dict[str, Audio] = {}
    files = sorted(
        path for path in folder.iterdir() if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file()
    )
    for path in files:
        name = stem_name(path)
        if name in stems or name == "mix":
            other = "the song itself" if name == "mix" else f"'{stems[name].name}'"
            raise AudioError(
                f"The stem '{path.name}' is called '{name}', as is {other}",
                where=str(path),
                value=name,
                hint="rename one of them",
            )
        stems[name] = open_audio(path)
        _check_length(stems[name], song, path)
    if not stems:
        raise AudioError(
            f"The folder '{folder}' holds no audio files",
            where=str(folder),
            hint="stems are wav, flac, mp3 or the like",
        )
    return stems


def _check_length(stem: Audio, song: Audio, path: Path) -> None:
    difference = float(stem.duration - song.duration)
    if abs(difference) > MAX_LENGTH_DIFFERENCE_SECONDS:
        than = "longer" if difference > 0 else "shorter"
        raise AudioError(
            f"The stem '{stem.name}' is {abs(difference):.1f} s {than} than the song, so it cannot belong"
            " to it",
            where=str(path),
            value=difference,
            hint="export stems from the very beginning to the very end",
        )
