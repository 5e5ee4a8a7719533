"""The network's canvas: its constant, extended to as many cells as the output's shape wants.

A cell is one entry of the learned constant, so the network draws wide images natively. Cells are
(rows, columns), constants (C, rows, columns); sizes are (width, height) in pixels.
"""

from dataclasses import dataclass

import numpy as np

from clavilux import seeds
from clavilux.arrays import F32
from clavilux.errors import SettingError
from clavilux.generator.network import Extension, NetworkSizes

__all__ = ["CANVAS", "Canvas", "check_cells", "default_cells", "extend"]


@dataclass(frozen=True)
class Canvas:
    """How constants are extended.

    Attributes:
        max_cells: most rows and columns.
        small_resolution: networks below it, px, get two constants along the short side: alone, one is coarse.
        noise_std: fixed noise on an extended constant, in standard deviations of the constant; from 0.5 on,
            halves and repetitions of silk's images no longer correlate.
    """

    max_cells: int = 64
    small_resolution: int = 256
    noise_std: float = 0.75


CANVAS = Canvas()

PAD_MODES = {"mirror": "symmetric", "replicate": "edge", "tile": "wrap"}
"""NumPy's names of the ways to extend."""


def default_cells(network: NetworkSizes, size: tuple[int, int]) -> tuple[int, int]:
    """Choose how many cells a network draws for an output of this width and height.

    The short side has as many as the network's own (twice as many where it repeats a constant and is under
    256 px), the long side as many as come closest to the output's shape.

    >>> from clavilux.generator.model import load_model
    >>> network = load_model("silk").network
    >>> default_cells(network, (1280, 720)), default_cells(network, (1080, 1920))
    ((4, 7), (7, 4))
    """
    twice = network.repeats and network.resolution < CANVAS.small_resolution
    short = network.cells[0] * (2 if twice else 1)
    width, height = size
    long = min(max(round(short * max(size) / max(min(size), 1)), short), CANVAS.max_cells)
    return (short, long) if width >= height else (long, short)


def check_cells(network: NetworkSizes, cells: tuple[int, int]) -> None:
    """Check that a network can draw this many cells.

    Raises:
        SettingError: fewer than its own, or too many.
    """
    least = network.cells[0]
    if not all(least <= side <= CANVAS.max_cells for side in cells):
        raise SettingError(
            f"The image cannot have {cells[0]} x {cells[1]} cells",
            where="cells",
            value=cells,
            hint=f"give {least} to {CANVAS.max_cells} rows and columns",
        )


def extend(const: F32, cells: tuple[int, int], how: Extension) -> F32:
    """Extend a learned constant (C, h, w) evenly on all sides to (C, rows, columns).

    A little fixed noise makes repetitions differ. At its own size the constant stays as it is.

    >>> extend(np.zeros((2, 4, 4), np.float32), (8, 14), "mirror").shape
    (2, 8, 14)
    """
    if cells == const.shape[1:]:
        return const
    padding = [(0, 0)] + [
        ((more - less) // 2, more - less - (more - less) // 2)
        for more, less in zip(cells, const.shape[1:], strict=True)
    ]
    wide = np.pad(const, padding, mode=PAD_MODES[how])  # type: ignore[call-overload]
    noise = seeds.normal(0, "generator/constant", 0, wide.shape)
    return np.asarray(wide + CANVAS.noise_std * const.std() * noise, np.float32)
