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

__all__ = ["read_image"]

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
    content = read_small(path, "image", MAX_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # size is checked below; broken metadata does not matter
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                found = image.size
                if found[0] * found[1] <= MAX_PIXELS:
                    image.draft("RGB", (4 * size[0], 4 * size[1]))
                    small = image.convert(mode).resize(size, Image.Resampling.BOX)
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
