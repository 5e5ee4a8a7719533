"""From a song to a video in one call: `render("song.mp3", "song.mp4", size=(1920, 1080))`."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, TypedDict, Unpack

from clavilux.audio.sound import Audio
from clavilux.features.corrections import Corrections
from clavilux.make.job import Job, Rendered
from clavilux.make.measure import check_measurable
from clavilux.make.prepare import prepare
from clavilux.make.targets import check_target, files_read, target_suffix
from clavilux.make.workspace import Workspace
from clavilux.patches.patch import Patch
from clavilux.patches.presets.preset import Preset
from clavilux.project.machine import Machine
from clavilux.project.output import Output
from clavilux.project.project import Project

__all__ = ["Settings", "prepare_job", "render"]


class Settings(TypedDict, total=False):
    """Every setting of `Project`, `Output` and `Machine`, by keyword; see there for what they do."""

    start: float | Fraction
    duration: float | Fraction | None
    seed: int
    model: str | Path
    psi: float | None
    loop: bool
    stems: str | Path | None
    track: int | None
    cues: str | Path | None
    patch: Patch | Preset | str
    knobs: Mapping[str, float | str] | None
    calmer: bool
    wilder: bool
    palette: str | None
    mute: str
    solo: str
    corrections: Corrections | None
    fps: float | Fraction
    size: tuple[int, int]
    cells: tuple[int, int] | None
    codec: str
    bits: int | None
    crf: float | None
    flash_safety: str
    device: str
    precision: str


def render(
    source: str | Path | Audio,
    target: str | Path,
    *,
    overwrite: bool = False,
    measure: bool = False,
    workspace: Workspace | None = None,
    **settings: Unpack[Settings],
) -> Rendered:
    """Make a music video of a song.

    Args:
        source: an audio file, a video with audio, or audio.
        target: the file to write, or with codec png the folder.
        overwrite: replace the target where it exists.
        measure: measure the video, from its frames as they are drawn; see `measure_video`.
        workspace: where results are kept and who is informed; this user's cache folder, and nobody, unless
            given.
        **settings: any field of `Project`, `Output` and `Machine`: size=(1920, 1080), fps=24, model="glass".

    Raises:
        ClaviluxError: one sentence on what is wrong; nothing is left under the target's name.
    """
    output = _group(Output, settings)
    reads = files_read(source, stems=settings.get("stems"), model=settings.get("model"))
    check_target(Path(target), target_suffix(output), overwrite=overwrite, reads=reads)
    if measure:
        check_measurable(output)
    job = prepare_job(source, workspace=workspace, **settings)
    return job.render(target, overwrite=overwrite, measure=measure)


def prepare_job(
    source: str | Path | Audio, *, workspace: Workspace | None = None, **settings: Unpack[Settings]
) -> Job:
    """Prepare a job from keywords; see `render`.

    Raises:
        ClaviluxError: one sentence on what is wrong.
        TypeError: there is no such setting.
    """
    unknown = sorted(set(settings) - set(Settings.__annotations__))
    if unknown:
        raise TypeError(f"there is no setting '{unknown[0]}'")
    groups = (_group(Project, settings), _group(Output, settings), _group(Machine, settings))
    return prepare(source, *groups, workspace=workspace or Workspace.of_user())


def _group(group: Any, settings: Settings) -> Any:
    return group(**{name: value for name, value in settings.items() if name in group.__dataclass_fields__})
