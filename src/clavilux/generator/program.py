"""The program: latents, noise and a frame's number in, pixels out.

A program is a network bound to an output size. It is a pure function: what varies from frame to frame is an
input, what is fixed is built in. The learned 4 x 4 constant is extended to as many cells as the picture's
shape wants, so the network paints wide pictures natively.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clavilux import seeds
from clavilux.errors import SettingError
from clavilux.generator.model import Extension, Model
from clavilux.generator.pixels import Pixels
from clavilux.generator.sizes import CONST
from clavilux.pixel_formats import PixelFormat

__all__ = ["FrameInputs", "Program", "default_cells", "extend"]

Floats = NDArray[np.float32]

MOST_CELLS = 64
LARGEST = 16384
"""Most pixels along a side of the output."""

UNEVENNESS = 0.75
"""Static noise on an extended constant, in standard deviations of the constant."""

MODES = {"mirror": "symmetric", "replicate": "edge", "tile": "wrap"}


@dataclass(frozen=True)
class FrameInputs:
    """Everything that varies between B frames.

    Attributes:
        ws: (B, L, D) float32, truncation already applied.
        noise: for every layer of `Program.noise_shapes`, (B, 1, h, w) float32.
        frame_index: (B,) int64.
    """

    ws: Floats
    noise: dict[str, Floats]
    frame_index: NDArray[np.int64]


class Program(nn.Module):
    """A network with an output size, from numbers to 8-bit pixels.

    Args:
        model: what draws.
        size: width and height of the output, px.
        cells: rows and columns of the constant; by default what the size's shape wants.
        pixels: 'yuv420p' (planar I420, BT.709 limited range) or 'rgb24'.

    Raises:
        SettingError: a size, cells or a pixel format that cannot be drawn.

    >>> from clavilux.generator.model import load_model
    >>> program = Program(load_model("silk"), size=(640, 360))
    >>> program.cells, program.noise_shapes["b8.conv0"]
    ((4, 7), (8, 14))
    """

    def __init__(
        self,
        model: Model,
        *,
        size: tuple[int, int],
        cells: tuple[int, int] | None = None,
        pixels: PixelFormat = "yuv420p",
    ) -> None:
        super().__init__()
        _check(size, pixels)
        self.size = size
        self.cells = _checked_cells(cells or default_cells(model.resolution, size))
        self.network = model.network
        constant = extend(model.network.const.cpu().numpy(), self.cells, model.extend)
        self.const = nn.Buffer(torch.from_numpy(constant))
        grown = model.resolution // CONST
        self.pixels = Pixels((self.cells[0] * grown, self.cells[1] * grown), size, pixels)

    @property
    def noise_shapes(self) -> dict[str, tuple[int, int]]:
        """Height and width of the noise of every layer, in the order `forward` takes them."""
        high, wide = self.cells
        return {name: (high * r // CONST, wide * r // CONST) for name, r in self.network.layers.items()}

    def forward(self, ws: Tensor, noise: Sequence[Tensor], frame_index: Tensor) -> Tensor:
        """Draw frames.

        Args:
            ws: (B, L, D).
            noise: for every layer in order, (B, 1, h, w).
            frame_index: (B,) int64; keys the dither.

        Returns:
            uint8, (B, 3/2 H, W) as `av.VideoFrame.from_ndarray(..., 'yuv420p')` takes it, or (B, H, W, 3).
        """
        picture: Tensor = self.network(ws, noise, const=self.const)
        return self.pixels(picture, frame_index)  # type: ignore[no-any-return]


def default_cells(resolution: int, size: tuple[int, int]) -> tuple[int, int]:
    """Choose how many cells a network of this resolution paints for an output of this width and height.

    The short side has 4 cells (8 for networks under 256 px), the long side as many as come closest to the
    output's shape, 64 at most.

    >>> default_cells(512, (1280, 720)), default_cells(512, (1080, 1920)), default_cells(128, (1280, 720))
    ((4, 7), (7, 4), (8, 14))
    """
    short = 8 if resolution < 256 else 4
    width, height = size
    long = min(max(round(short * max(size) / max(min(size), 1)), short), MOST_CELLS)
    return (short, long) if width >= height else (long, short)


def extend(const: Floats, cells: tuple[int, int], how: Extension) -> Floats:
    """Extend a learned constant (C, 4, 4) evenly on all sides to (C, h, w).

    A little fixed noise makes every repetition its own. Of the size it was learned at, it stays as it is.

    >>> extend(np.zeros((2, 4, 4), np.float32), (8, 14), "mirror").shape
    (2, 8, 14)
    """
    if cells == const.shape[1:]:
        return const
    extra = [(0, 0)] + [
        ((more - less) // 2, more - less - (more - less) // 2)
        for more, less in zip(cells, const.shape[1:], strict=True)
    ]
    wide = np.pad(const, extra, mode=MODES[how])  # type: ignore[call-overload]
    noise = seeds.normal(0, "generator/constant", 0, wide.shape)
    return np.asarray(wide + UNEVENNESS * const.std() * noise, np.float32)


def _checked_cells(cells: tuple[int, int]) -> tuple[int, int]:
    if not all(CONST <= side <= MOST_CELLS for side in cells):
        raise SettingError(
            f"The picture cannot have {cells[0]} x {cells[1]} cells; give {CONST} to {MOST_CELLS} rows "
            "and columns."
        )
    return cells


def _check(size: tuple[int, int], pixels: str) -> None:
    if pixels not in get_args(PixelFormat):
        raise SettingError(f"There is no pixel format '{pixels}'; it is {', '.join(get_args(PixelFormat))}.")
    if not all(1 <= side <= LARGEST for side in size):
        raise SettingError(
            f"A picture of {size[0]}x{size[1]} px cannot be drawn; give sides from 1 to {LARGEST} px."
        )
    if pixels != "rgb24" and (size[0] % 2 or size[1] % 2):
        raise SettingError(
            f"A video of {size[0]}x{size[1]} px cannot be made; give an even width and height."
        )
