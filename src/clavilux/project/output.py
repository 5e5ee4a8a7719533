"""The file that is made: its size, frame rate and codec."""

import math
import re
from dataclasses import dataclass, replace
from fractions import Fraction

from clavilux.errors import SettingError, suggest
from clavilux.project.setting import check, setting

__all__ = ["IMAGES", "Output", "parse_cells", "parse_size"]

IMAGES = "png"
"""The codec that means a folder of numbered images."""

FLASH_SAFETY = ("limit", "warn", "off")


def _fps(text: str) -> Fraction:
    from clavilux.timeline import parse_fps  # here and below: NumPy would delay the command line's help

    return parse_fps(text)


def parse_size(text: str) -> tuple[int, int]:
    """Read an image size, width first.

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


@dataclass(frozen=True)
class Output:
    """How the frames are sized and encoded.

    Attributes:
        fps: frames per second; any number, exact fractions kept; 29.97 and the like mean 30000/1001.
        size: width and height in pixels, even.
        cells: height and width of the model's smallest layer, or none for the size's own aspect; more cells
            give more native detail and take longer.
        codec: h264, hevc, av1, prores or ffv1 and their hardware encoders, or png for numbered images.
        bits: bits per sample, 8 or 10; none is what the codec usually has.
        crf: quality on the codec's scale from 1 (best); none is what looks clean.
        flash_safety: limit flashes to what WCAG 2.3.1 and ITU-R BT.1702 allow, warn where there are more, or
            off. Numbered images are not counted. To limit them also lowers the gain of a preset's hits where
            these would flash.

    Raises:
        SettingError: a value is out of its range.

    >>> Output(fps=Fraction(30000, 1001), size=(640, 360)).size
    (640, 360)
    """

    fps: Fraction = setting(
        Fraction(30),
        "Frames per second: 30, 24, or 29.97, which means exactly 30000/1001.",
        placeholder="RATE",
        parse=_fps,
        usual="30",
    )
    size: tuple[int, int] = setting(
        (1280, 720),
        "Image size in pixels, width first; any even size.",
        placeholder="WxH",
        parse=parse_size,
        usual="1280x720",
    )
    cells: tuple[int, int] | None = setting(
        None,
        "Size of the model's smallest layer, height first; more cells, more native detail, more time.",
        placeholder="HxW",
        parse=parse_cells,
        usual="from the size",
    )
    codec: str = setting(
        "h264",
        "h264, hevc, av1, prores, ffv1, an NVIDIA h264_nvenc, or png: numbered images.",
        placeholder="NAME",
    )
    bits: int | None = setting(
        None, "Bits per sample, 8 or 10; 10 shows finer gradients.", placeholder="N", usual="usual", type=int
    )
    crf: float | None = setting(
        None, "Quality: 1 best, 51 smallest.", placeholder="N", usual="18, or the codec's own", type=float
    )
    flash_safety: str = setting(
        "limit", "Flashes of a video: limit them, warn where there are too many, or off.", placeholder="WORD"
    )

    def __post_init__(self) -> None:
        from clavilux.pixel_formats import MIN_VIDEO_SIDE, check_size
        from clavilux.timeline import MAX_FPS, television_rate

        check(
            math.isfinite(self.fps),
            f"The frame rate is {self.fps}",
            where="fps",
            value=self.fps,
            hint="try 30",
        )
        decimal = isinstance(self.fps, float)
        object.__setattr__(self, "fps", television_rate(self.fps) if decimal else Fraction(self.fps))
        for name in ("size", "cells"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else tuple(value))
        check(
            0 < self.fps <= MAX_FPS,
            f"The frame rate {self.fps} is out of range",
            where="fps",
            value=self.fps,
            hint=f"it is above 0 and at most {MAX_FPS}",
        )
        check_size(self.size, min_side=MIN_VIDEO_SIDE)
        check(
            self.flash_safety in FLASH_SAFETY,
            f"There is no flash safety '{self.flash_safety}'",
            where="flash_safety",
            value=self.flash_safety,
            hint=suggest(str(self.flash_safety), FLASH_SAFETY, otherwise="it is {}"),
        )
        self._check_codec()

    def preview(self, height: int) -> "Output":
        """Return the output of a preview: of the same shape, about `height` px high, as H.264.

        >>> Output(size=(1920, 1080), codec="prores").preview(144).size
        (256, 144)
        """
        from clavilux.pixel_formats import preview_size

        return replace(self, size=preview_size(self.size, height), codec="h264", bits=None, crf=None)

    def _check_codec(self) -> None:
        from clavilux.video.encoding import Encoding

        if self.codec != IMAGES:
            Encoding(self.size, self.fps, gop=1, codec=self.codec, bits=self.bits, crf=self.crf)
            return
        check(
            self.bits is None and self.crf is None,
            "Images have 8 bits and no crf",
            where="codec",
            value=self.codec,
            hint="omit both, or choose a video codec",
        )


def _pair(text: str, where: str, example: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,9})\s*[xX×]\s*(\d{1,9})", text.strip())
    if match is None:
        raise SettingError(
            f"'{text[:40]}' is not a {where} that can be read",
            where=where,
            value=text,
            hint=f"write it like {example}",
        )
    return int(match[1]), int(match[2])
