"""What a command works on: a song with the command's own options, or a project file that they change."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clavilux.cli.corrections import CorrectionOptions
from clavilux.project.output import Output
from clavilux.project.project import AUTO, Project

if TYPE_CHECKING:
    from clavilux.cli.settings import Chosen

__all__ = ["Source", "auto", "source_of"]


@dataclass(frozen=True)
class Source:
    """A song, and what was decided about it.

    Attributes:
        song: its file.
        project: what is shown of it, corrections included.
        output: how it is sized and encoded.
        reads: every file that is read.
    """

    song: Path
    project: Project
    output: Output
    reads: list[Path]


def auto(chosen: "Chosen") -> dict[str, str]:
    """Return the patch of a song of which no preset is typed: the director chooses it."""
    return {} if "patch" in chosen.typed else {"patch": AUTO}


def source_of(path: Path, chosen: "Chosen") -> Source:
    """Read what a command is given: an audio file, or a project file whose settings the options replace.

    Raises:
        ClaviluxError: a file or a setting cannot be used.
    """
    from clavilux.errors import FileError
    from clavilux.make.targets import files_read

    given = chosen.group(CorrectionOptions)
    others = list(given.files)
    if path.suffix.lower() == ".toml":
        from clavilux.project.show import read_show

        others.append(path)
        typed = {name: value for name, value in chosen.values[Project].items() if name in chosen.typed}
        another = "patch" in typed  # its knobs are not those of the file
        show = read_show(path, knobs=None if another else typed.get("knobs"), seed=typed.get("seed"))
        if show.song is None:
            raise FileError(
                f"The project '{path.name}' names no song",
                where=str(path),
                hint='add song = "song.mp3" at its top',
            )
        song, output = show.song, chosen.over(show.output)
        kept = show.project.corrections
        new = given.applied_to(song) if kept is None else kept.merged(given.given).merged(given.labelled)
        knobs = typed.get("knobs", {}) if another else show.project.knobs
        project = chosen.over(show.project, corrections=new, knobs=knobs)
    else:
        song, output = path, chosen.group(Output)
        project = chosen.group(Project, corrections=given.applied_to(path), **auto(chosen))
    if project.cues is not None:
        others.append(Path(project.cues))
    files = [] if project.patch == AUTO else project.shown.files
    reads = files_read(song, stems=project.stems, model=project.model, others=[*others, *files])
    return Source(song, project, output, reads)
