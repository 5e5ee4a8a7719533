"""From a song to one image of its video in one call."""

from fractions import Fraction
from pathlib import Path
from typing import Unpack

from PIL import Image

from clavilux.audio.sound import Audio
from clavilux.files import atomic, write_error
from clavilux.make.targets import check_target, files_read
from clavilux.make.video import Settings, prepare_job
from clavilux.make.workspace import Workspace
from clavilux.project.output import IMAGES
from clavilux.video.images import ZLIB_LEVEL

__all__ = ["still"]


def still(
    source: str | Path | Audio,
    target: str | Path,
    at: float | Fraction = 0,
    *,
    overwrite: bool = False,
    workspace: Workspace | None = None,
    **settings: Unpack[Settings],
) -> Path:
    """Draw the one frame that the video shows `at` seconds into the song, as a PNG.

    Args:
        source: an audio file, a video with audio, or audio.
        target: the PNG to write.
        at: time in the song, seconds.
        overwrite: replace the target where it exists.
        workspace: where results are kept and who is informed; this user's cache folder, and nobody, unless
            given.
        **settings: as for `render`.

    Raises:
        ClaviluxError: one sentence on what is wrong; nothing is left under the target's name.
    """
    target = Path(target)
    reads = files_read(source, stems=settings.get("stems"), model=settings.get("model"))
    check_target(target, ".png", overwrite=overwrite, reads=reads)
    rgb: Settings = {**settings, "codec": IMAGES, "bits": None, "crf": None}
    image = Image.fromarray(prepare_job(source, workspace=workspace, **rgb).still(at))
    try:
        with atomic(target) as part:
            image.save(part, format="PNG", compress_level=ZLIB_LEVEL)
    except OSError as error:
        raise write_error(target, error) from error
    return target
