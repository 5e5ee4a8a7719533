"""From a song to everything that was detected in it: numbers, corrections kept for later, a plot, exports.

Detail is the number of different section labels, 2 to 10. Nothing is written unless asked for.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from clavilux.annotations.sidecar import Sidecar, corrected
from clavilux.audio.sound import Audio
from clavilux.errors import SettingError, suggest
from clavilux.features.corrections import Corrections
from clavilux.features.song import Song
from clavilux.files import fitting_name, write_atomic
from clavilux.make.targets import check_target, files_read
from clavilux.make.workspace import Workspace
from clavilux.report.exports import SUFFIXES, export
from clavilux.report.plot import plot as draw_plot
from clavilux.report.summary import Summary, summary

__all__ = ["Analysed", "analyse", "check_plot_target", "export_targets"]


@dataclass(frozen=True, eq=False)
class Analysed:
    """A song and what was detected in it.

    Attributes:
        song: every feature, computed when it is first read.
        source: the song's file; none where it was given as audio.
        detail: level of detail of the sections; none for the one that fits.
        given: corrections given for this analysis, without those kept beside the song.
        labels: label files given for this analysis.
        reads: the files that are read, and so never replaced.
    """

    song: Song
    source: Path | None = None
    detail: int | None = None
    given: Corrections = field(default_factory=Corrections)
    labels: tuple[Path, ...] = ()
    reads: tuple[Path, ...] = ()

    @cached_property
    def summary(self) -> Summary:
        """What the song is like, in numbers."""
        return summary(self.song, detail=self.detail)

    def save_corrections(self) -> Path:
        """Keep the given corrections beside the song, where everything that opens it finds them.

        Returns the corrections file.

        Raises:
            SettingError: there is nothing to save, or no file to save it beside.
            FileError, OutputError: the corrections file cannot be edited or written.
        """
        if self.source is None:
            raise SettingError(
                "Corrections are kept beside a song's file, and this song has none",
                where="source",
                hint="analyse the song by its path",
            )
        if self.given.none and not self.labels:
            raise SettingError("There is nothing to save", hint="correct something first")
        return Sidecar.beside(self.source).save(self.given, self.labels)

    def plot(self, target: str | Path, *, overwrite: bool = False) -> Path:
        """Draw what was detected into a PNG of 1080 x 1920 pixels; returns its path.

        Raises:
            OutputError: it cannot be written there.
        """
        check_plot_target(target, overwrite=overwrite, reads=self.reads)
        return draw_plot(self.song, target, detail=self.detail)

    def export(
        self, kinds: Sequence[str], folder: str | Path = ".", *, overwrite: bool = False
    ) -> tuple[Path, ...]:
        """Write what was detected as files for other programs, named after the song.

        Args:
            kinds: any of csv, audacity, cue, midi and json.
            folder: where they go; it exists.
            overwrite: replace files that are there.

        Returns:
            the files written.

        Raises:
            SettingError: there is no such kind.
            OutputError: a file cannot be written, or is there already.
        """
        name = self.song.audio.name
        file = name if self.source is None else _seen_from(self.source, folder)
        written: list[Path] = []
        targets = export_targets(name, kinds, folder, overwrite=overwrite, reads=self.reads)
        for kind, paths in targets.items():
            for suffix, data in export(self.song, kind, file, detail=self.detail).items():
                write_atomic(paths[suffix], data)
                written.append(paths[suffix])
        return tuple(written)


def analyse(  # noqa: PLR0913  # what is analysed, and what is known of it
    source: str | Path | Audio,
    *,
    stems: str | Path | None = None,
    track: int | None = None,
    corrections: Corrections | None = None,
    labels: Sequence[str | Path] = (),
    detail: int | None = None,
    workspace: Workspace | None = None,
) -> Analysed:
    """Open a song, apply its corrections and analyse it.

    Args:
        source: an audio file, a video with sound, or audio.
        stems: folder of the song's own stems.
        track: which of several audio tracks of a film, from 1.
        corrections: tempo and bars given by the user; they override those kept beside the song.
        labels: label files with beats and sections, as corrections.
        detail: level of detail of the sections.
        workspace: where results are kept and who is informed; this user's cache folder, and nobody, unless
            given.

    Raises:
        AudioError, FileError, SettingError, SongError: one sentence on what is wrong.

    >>> Analysed(Song(Audio.from_samples([0.0] * 16000, 8000))).summary.headline
    '0:02, silence'
    """
    workspace = workspace or Workspace.of_user()
    given, files = corrections or Corrections(), tuple(Path(path) for path in labels)
    workspace.report.begin("Opening the song")
    path = None if isinstance(source, Audio) else Path(source)
    audio = workspace.audio(source, track=track)
    song = workspace.song(audio, stems=stems, corrections=corrected(path, given, files))
    workspace.report.begin("Analysing")
    reads = tuple(files_read(source, stems=stems, others=files))
    analysed = Analysed(song, path, detail, given, files, reads)
    _ = analysed.summary  # computes everything, so that whatever is wrong is found here
    return analysed


def export_targets(
    name: str,
    kinds: Sequence[str],
    folder: str | Path = ".",
    *,
    overwrite: bool = False,
    reads: Sequence[Path] = (),
) -> Mapping[str, Mapping[str, Path]]:
    """Return the files that exports of a song are written to, and check before any work that they can be.

    Args:
        name: of the song, which their names begin with.
        kinds: any of csv, audacity, cue, midi and json.
        folder: where they go.
        overwrite: they may replace files that are there.
        reads: files that are read; an export is never one of them.

    Returns:
        kind -> what follows the song's name -> file.

    Raises:
        SettingError: there is no such kind.
        OutputError: a file cannot be written, or is there already.

    >>> [path.name for path in export_targets("a", ["midi"])["midi"].values()]
    ['a.mid']
    """
    targets: dict[str, dict[str, Path]] = {}
    for kind in kinds:
        if kind not in SUFFIXES:
            hint = suggest(kind, SUFFIXES, otherwise="there are {}")
            raise SettingError(f"There is no export '{kind}'", where="export", value=kind, hint=hint)
        targets[kind] = {suffix: Path(folder, fitting_name(name, suffix)) for suffix in SUFFIXES[kind]}
        for path in targets[kind].values():
            check_target(path, path.suffix, overwrite=overwrite, reads=reads)
    return targets


def check_plot_target(target: str | Path, *, overwrite: bool = False, reads: Sequence[Path] = ()) -> None:
    """Check before any work that a plot can be written.

    Raises:
        OutputError: it cannot be, or is there already.
    """
    check_target(Path(target), ".png", overwrite=overwrite, reads=reads)


def _seen_from(song: Path, folder: str | Path) -> str:
    """Return the name under which a program finds the song from the folder of its exports."""
    try:
        return Path(os.path.relpath(song, folder)).as_posix()
    except ValueError:  # another drive
        return song.absolute().as_posix()
