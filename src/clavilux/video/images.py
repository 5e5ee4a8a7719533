"""Frames become numbered images in a folder: 000000.png, 000001.png, ...

Each is a whole 8-bit RGB image from the moment it has its name, and carries a stamp: the name of the
sequence it belongs to. So an interrupted render resumes with the images that are missing, and images of
another sequence are recognised.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from clavilux.errors import OutputError
from clavilux.files import atomic, write_error

__all__ = ["Images"]

STAMP = "Clavilux"
"""Keyword of the text in a PNG that holds the stamp."""

PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
ZLIB_LEVEL = 3
"""A tenth larger than the best, several times faster."""


@dataclass(frozen=True)
class Images:
    """A sequence of images in a folder, whose parent must exist.

    Attributes:
        folder: where they are written.
        size: width and height in pixels.
        stamp: identifies what they show, such as the digest of a plan.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     images = Images(Path(folder, "loop"), (8, 6), stamp="a")
    ...     images.write(2, np.zeros((3, 6, 8, 3), np.uint8))
    ...     images.missing(6), images.path(2).name
    ([0, 1, 5], '000002.png')
    """

    folder: Path
    size: tuple[int, int]
    stamp: str

    def path(self, number: int) -> Path:
        """Return the path of a frame's image."""
        return self.folder / f"{number:06d}.png"

    def write(self, first: int, frames: NDArray[np.uint8]) -> None:
        """Write frames, uint8 (N, H, W, 3), as images ``first``, ``first`` + 1, ...

        Raises:
            ValueError: another shape or dtype.
            OutputError: an image cannot be written; those before it stay.
        """
        width, height = self.size
        if frames.dtype != np.uint8 or frames.shape[1:] != (height, width, 3):
            raise ValueError(f"frames are uint8 (N, {height}, {width}, 3), not {frames.dtype} {frames.shape}")
        self.make_folder()
        for number, frame in enumerate(frames, start=first):
            self._write(self.path(number), frame)

    def make_folder(self) -> None:
        """Make the folder where it is missing.

        Raises:
            OutputError: it cannot be made.
        """
        try:
            self.folder.mkdir(exist_ok=True)
        except FileExistsError as error:
            raise OutputError(
                f"'{self.folder}' is a file",
                where=str(self.folder),
                hint="name a folder for the images, or move the file away",
                remedy="target",
            ) from error
        except OSError as error:
            raise write_error(self.folder, error) from error

    def missing(self, count: int) -> list[int]:
        """Return the frames below ``count`` whose images are missing, not whole or of another sequence."""
        return [number for number in range(count) if not self.is_there(number)]

    def is_there(self, number: int) -> bool:
        """Whether a frame's image is there, whole and of this sequence."""
        return self._belongs(self.path(number))

    def others(self, count: int) -> list[Path]:
        """Return the whole numbered images in the folder that are none of this sequence's first ``count``.

        They would be overwritten, or follow the sequence as if they belonged to it, so ask the user first.
        Damaged ones are omitted: nothing is lost with them.
        """
        own = {self.path(number) for number in range(count)}
        whole = (path for path in self._numbered() if _size_and_stamp(path) is not None)
        return [path for path in whole if path not in own or not self._belongs(path)]

    def _numbered(self) -> Iterator[Path]:
        if self.folder.is_dir():
            yield from sorted(path for path in self.folder.iterdir() if re.fullmatch(r"\d+\.png", path.name))

    def _write(self, path: Path, frame: NDArray[np.uint8]) -> None:
        texts = PngImagePlugin.PngInfo()
        texts.add_text(STAMP, self.stamp)
        try:
            image = Image.fromarray(np.ascontiguousarray(frame))
            with atomic(path) as part:
                image.save(part, format="PNG", compress_level=ZLIB_LEVEL, pnginfo=texts)
        except OSError as error:
            raise write_error(path, error) from error

    def _belongs(self, path: Path) -> bool:
        return _size_and_stamp(path) == (self.size, self.stamp)


def _size_and_stamp(path: Path) -> tuple[tuple[int, int], str | None] | None:
    """Read the size and the stamp of an image; none where it is not a whole PNG."""
    try:
        with path.open("rb") as file:
            file.seek(-len(PNG_END), 2)
            if file.read() != PNG_END:
                return None
        with Image.open(path, formats=["PNG"]) as image:  # reads up to the first pixels, no further
            return image.size, image.info.get(STAMP)
    except (OSError, SyntaxError, ValueError):
        return None
