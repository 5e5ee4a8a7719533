"""Network bending: transforms of a layer's features (Broad, Leymarie & Grierson 2020, arXiv:2005.12420).

`BENDS` has the module of every bend by the name that patches call it.
"""

from collections.abc import Mapping

from clavilux.generator.bends.affine import Flip, Kaleidoscope, Mirror, Rotate, Shear, Tile, Translate, Zoom
from clavilux.generator.bends.bend import Bend
from clavilux.generator.bends.filters import Blur, Dilate, Erode, Sharpen
from clavilux.generator.bends.mixing import RollChannels, RotateChannels
from clavilux.generator.bends.points import Ablate, Bias, Gain, Invert, SoftThreshold, Threshold

__all__ = ["BENDS", "Bend"]

BENDS: Mapping[str, type[Bend]] = {
    "translate": Translate,
    "zoom": Zoom,
    "rotate": Rotate,
    "shear": Shear,
    "mirror": Mirror,
    "flip": Flip,
    "gain": Gain,
    "bias": Bias,
    "invert": Invert,
    "ablate": Ablate,
    "soft_threshold": SoftThreshold,
    "threshold": Threshold,
    "erode": Erode,
    "dilate": Dilate,
    "rotate_channels": RotateChannels,
    "roll_channels": RollChannels,
    "blur": Blur,
    "sharpen": Sharpen,
    "kaleidoscope": Kaleidoscope,
    "tile": Tile,
}
"""The bends by name."""
