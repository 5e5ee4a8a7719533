"""What a person may decide about a video, checked before any work begins."""

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from clavilux.errors import SettingError
from clavilux.features.corrections import Corrections
from clavilux.patch.patch import Patch
from clavilux.timeline import MAX_FPS

__all__ = ["PICTURES", "Settings", "parse_cells", "parse_size"]

PICTURES = "png"
"""The codec that means a folder of numbered pictures."""

MAX_SIDE = 8192


@dataclass(frozen=True)
class Settings:
    """How a video is made.

    Attributes:
        fps: frames per second; any number, exact fractions kept.
        size: width and height in pixels, even.
        cells: height and width of the model's smallest layer, or none for the size's own aspect; more cells
            give more native detail and take longer.
        start: where in the song to begin, seconds.
        duration: how much of it to show, seconds; none is all.
        seed: another seed gives other pictures and another texture.
        model: a built-in model's name or a checkpoint file.
        psi: truncation, 0 the average picture, 1 full variety; none leaves it to the patch.
        codec: h264, hevc, av1, prores or ffv1 and their hardware encoders, or png for numbered pictures.
        bits: bits a sample, 8 or 10; none is what the codec usually has.
        crf: quality on the codec's scale from 1 (best); none is what looks clean.
        loop: let the end of the picture run into its beginning.
        device: auto, cpu, cuda, cuda:1 or mps.
        precision: auto is as fast as looks the same, exact is float32 throughout.
        patch: what is shown; none is the preset `pulse`.
        stems: a folder of the song's own stems, which take the place of what is parted from the mix.
        corrections: what is said about beats and sections; none is what the file beside the song says.

    Raises:
        SettingError: a value is out of its range.

    >>> Settings(fps=Fraction(30000, 1001), size=(640, 360)).size
    (640, 360)
    """

    fps: Fraction = Fraction(30)
    size: tuple[int, int] = (1280, 720)
    cells: tuple[int, int] | None = None
    start: Fraction = Fraction(0)
    duration: Fraction | None = None
    seed: int = 0
    model: str = "silk"
    psi: float | None = None
    codec: str = "h264"
    bits: int | None = None
    crf: float | None = None
    loop: bool = False
    device: str = "auto"
    precision: str = "auto"
    patch: Patch | None = None
    stems: str | None = None
    corrections: Corrections | None = None

    def __post_init__(self) -> None:
        for name in ("fps", "start", "duration"):
            value = getattr(self, name)
            if value is not None:
                _check(math.isfinite(value), f"{name} must be a number, not {value}.")
                object.__setattr__(self, name, Fraction(value))
        _check(
            0 < self.fps <= MAX_FPS, f"The frame rate must be above 0 and at most {MAX_FPS}, not {self.fps}."
        )
        _check(self.start >= 0, f"The start must not be negative, but is {float(self.start):g} s.")
        _check(
            self.duration is None or self.duration > 0,
            f"The duration must be above 0 s, not {float(self.duration or 0):g} s.",
        )
        self._check_sizes()
        _check(self.psi is None or 0 <= self.psi <= 2, f"psi must be between 0 and 2, not {self.psi}.")
        whole = self.codec != PICTURES or (self.bits is None and self.crf is None)
        _check(whole, "Pictures have 8 bits and no crf; leave both away, or choose a video codec.")

    def _check_sizes(self) -> None:
        width, height = self.size
        shown = f"{width}x{height}"
        _check(
            16 <= width <= MAX_SIDE and 16 <= height <= MAX_SIDE,
            f"The size {shown} is out of range; each side goes from 16 to {MAX_SIDE} pixels.",
        )
        even = f"{width + width % 2}x{height + height % 2}"
        _check(width % 2 == height % 2 == 0, f"The size {shown} is odd; video needs even sides: {even}.")


def parse_size(text: str) -> tuple[int, int]:
    """Read a picture size, width first.

    Raises:
        SettingError: not two whole numbers.

    >>> parse_size("1920x1080")
    (1920, 1080)
    """
    return _pair(text, "size", "1280x720, width first")


def parse_cells(text: str) -> tuple[int, int]:
    """Read a number of cells, height first.

    Raises:
        SettingError: not two whole numbers.

    >>> parse_cells("4x7")
    (4, 7)
    """
    return _pair(text, "cells", "4x7, height first")


def _pair(text: str, what: str, example: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,9})\s*[xX×]\s*(\d{1,9})", text.strip())
    if match is None:
        raise SettingError(f"'{text}' does not say the {what}; write it like {example}.")
    return int(match[1]), int(match[2])


def _check(fine: bool, message: str) -> None:
    if not fine:
        raise SettingError(message)
