"""The colours of an image file: read safely, and described as a survey describes a generator's images."""

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from clavilux.arrays import F32
from clavilux.colour import srgb_to_lab
from clavilux.errors import FileError
from clavilux.files import read_small
from clavilux.profile.survey import SURVEY

__all__ = ["read_colours"]

MAX_BYTES = 100_000_000
MAX_PIXELS = 80_000_000
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
"""Decoded by Pillow itself: none that runs another program, as PostScript would."""


def read_colours(path: Path) -> F32:
    """Read an image's colours on a coarse grid, CIELAB, (1, 16, 16, 3).

    Its metadata, and with it the camera's orientation, is ignored: places do not matter. So is transparency.

    Raises:
        FileError: it is no image that can be read, or has more than 80 megapixels.
    """
    content = read_small(path, "image", MAX_BYTES)
    side = SURVEY.colour_side
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # size is checked below; broken metadata does not matter
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                size = image.size
                if size[0] * size[1] <= MAX_PIXELS:
                    image.draft("RGB", (256, 256))
                    small = image.convert("RGB").resize((side, side), Image.Resampling.BOX)
                    return srgb_to_lab(np.asarray(small, np.float64) / 255)[None].astype(np.float32)
    except Exception as error:
        hint = "give a PNG or a JPEG"
        raise FileError(f"The image '{path}' cannot be read", where=str(path), hint=hint) from error
    raise FileError(
        f"The image '{path}' has {size[0]} x {size[1]} pixels, too many to be read",
        where=str(path),
        value=size,
        hint="make it smaller",
    )
