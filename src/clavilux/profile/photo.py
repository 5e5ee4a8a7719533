"""The colours of an image file, described as a survey describes a generator's images."""

from pathlib import Path

import numpy as np

from clavilux.arrays import F32
from clavilux.colour import srgb_to_lab
from clavilux.image_files import read_image
from clavilux.profile.survey import SURVEY

__all__ = ["read_colours"]


def read_colours(path: Path) -> F32:
    """Read an image's colours on a coarse grid, CIELAB, (1, 16, 16, 3).

    Its metadata, and with it the camera's orientation, is ignored: places do not matter. So is transparency.

    Raises:
        FileError: it is no image that can be read, or has more than 80 megapixels.
    """
    side = SURVEY.colour_side
    small = read_image(path, "RGB", (side, side))
    return srgb_to_lab(small.astype(np.float64) / 255)[None].astype(np.float32)
