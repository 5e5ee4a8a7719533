"""Images that the user names, read safely: bounded in size, by decoders that run nothing else."""

import io
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clavilux.errors import FileError
from clavilux.files import read_small

__all__ = ["read_image", "read_square"]

MAX_BYTES = 100_000_000
MAX_PIXELS = 80_000_000
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
"""Decoded by Pillow itself: none that runs another program, as PostScript would."""


def read_image(path: Path, mode: Literal["L", "RGB"], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Read an image at a size, width first, each pixel the mean of what it covers.

    Metadata, and with it the camera's orientation, is ignored; so is transparency.

    Returns:
        uint8 (H, W) in mode L, (H, W, 3) in RGB.

    Raises:
        FileError: it is no image that can be read, or has more than 80 megapixels.
    """
    return _read(path, mode, size, square=False)


def read_square(path: Path, side: int) -> NDArray[np.uint8]:
    """Read the middle square of an image at a size, RGB, (side, side, 3); else as `read_image`.

    Raises:
        FileError: it is no image that can be read, or has more than 80 megapixels.
    """
    return _read(path, "RGB", (side, side), square=True)


def _read(path: Path, mode: str, size: tuple[int, int], *, square: bool) -> NDArray[np.uint8]:
    content = read_small(path, "image", MAX_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # size is checked below; broken metadata does not matter
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                found = image.size
                if found[0] * found[1] <= MAX_PIXELS:
                    image.draft("RGB", (4 * size[0], 4 * size[1]))
                    small = image.convert(mode).resize(
                        size, Image.Resampling.BOX, _middle(image.size) if square else None
                    )
                    return np.asarray(small, np.uint8)
    except Exception as error:
        hint = "give a PNG or a JPEG"
        raise FileError(f"The image '{path}' cannot be read", where=str(path), hint=hint) from error
    raise FileError(
        f"The image '{path}' has {found[0]} x {found[1]} pixels, too many to be read",
        where=str(path),
        value=found,
        hint="make it smaller",
    )


def _middle(size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return the middle square of an image: left, top, right and bottom, px."""
    (width, height), side = size, min(size)
    return (width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2
