"""Captions on frames: words on a dark band, blended into the planes of a planar Y'CbCr video.

Sizes are pixels. Nothing but the band changes, and a frame's caption depends on nothing but its text.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from clavilux.arrays import F32
from clavilux.colour import bt709
from clavilux.pixel_formats import LAYOUTS, Samples

__all__ = ["Caption", "draw_caption"]

TITLE, LINE, MARGIN = 1 / 18, 1 / 27, 1 / 27
"""Height of the title's and of the other letters, and the room around them, in shares of the shorter side."""
SMALLEST = 5
"""Letters are never smaller, px; on tiny images they are cut instead."""
BAND = (0, 0, 0, 150)
INK = (255, 255, 255, 255)


@dataclass(frozen=True, eq=False)
class Caption:
    """What is blended into every frame.

    Attributes:
        pixels: the frames' pixel format.
        codes: code values of the caption, flat, (rows * W,).
        opacity: how much of them is seen, 0 to 1, likewise.
    """

    pixels: str
    codes: F32
    opacity: F32

    def on(self, frames: Samples) -> Samples:
        """Return frames (N, rows, W) with the caption."""
        flat = frames.reshape(len(frames), -1).astype(np.float32)
        made = np.rint(flat + self.opacity * (self.codes - flat))
        return np.asarray(made.astype(frames.dtype).reshape(frames.shape))


def draw_caption(title: str, line: str, size: tuple[int, int], pixels: str = "yuv420p") -> Caption:
    """Draw a title, and a line below it, at the lower edge of an image of this width and height.

    >>> caption = draw_caption("Chroma", "Every chord has its image", (128, 72))
    >>> frame = caption.on(np.full((1, 108, 128), 128, np.uint8))[0]
    >>> bool((frame[:30] == 128).all()), bool((frame[60:72] != 128).any())
    (True, True)
    """
    return _planes(_image(title, line, size), pixels)


def _image(title: str, line: str, size: tuple[int, int]) -> F32:
    """Draw the words on their band, straight RGBA in [0, 1], (H, W, 4)."""
    width, height = size
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    margin = round(min(size) * MARGIN)
    room = width - 2 * margin
    fonts = [_font(title, TITLE, min(size), room), _font(line, LINE, min(size), room)]
    heights = [round(1.3 * font.size) for font in fonts]
    top = height - margin - sum(heights)
    pen.rectangle((0, top - margin, width, height), fill=BAND)
    for text, font, high in zip((title, line), fonts, heights, strict=True):
        pen.text((margin, top + high // 2), text, font=font, fill=INK, anchor="lm")
        top += high
    return np.asarray(np.asarray(image, np.float32) / np.float32(255))


def _font(text: str, share: float, side: int, room: int) -> ImageFont.FreeTypeFont:
    """Return the font in which a line has its share of the shorter side, or less, to fit the room."""
    points = max(SMALLEST, share * side)
    wide = ImageFont.load_default(points).getlength(text)
    return ImageFont.load_default(max(SMALLEST, points * min(1.0, room / max(wide, 1))))  # type: ignore[return-value]


def _planes(image: F32, pixels: str) -> Caption:
    """Return an image as the code values and opacities of its luma and chroma samples."""
    layout = LAYOUTS[pixels]
    matrix = bt709().astype(np.float32) * np.float32(2 ** (layout.bits - 8))
    opacity = image[..., 3]
    codes = np.einsum("yxc,kc->kyx", image[..., :3], matrix[:, :3]) + matrix[:, 3, None, None]
    small = _averaged(opacity, layout.down, layout.across)
    # The colour of a chroma sample is the mean of its pixels, each as much as it is seen
    chroma = [
        _averaged(plane * opacity, layout.down, layout.across) / np.maximum(small, 1e-6)
        for plane in codes[1:]
    ]
    return Caption(
        pixels,
        np.concatenate([plane.ravel() for plane in (codes[0], *chroma)]).astype(np.float32),
        np.concatenate([plane.ravel() for plane in (opacity, small, small)]).astype(np.float32),
    )


def _averaged(plane: F32, down: int, across: int) -> F32:
    """Average blocks of a plane, (H, W) to (H / down, W / across)."""
    height, width = plane.shape
    return np.asarray(plane.reshape(height // down, down, width // across, across).mean(axis=(1, 3)))
