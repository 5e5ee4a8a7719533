"""What networks of blocks share, whose features double in size from each block to the next."""

__all__ = ["CONST_SIZE", "BlockSizes", "canvas_of"]

CONST_SIZE = 4
"""Rows and columns of the learned constant, and feature size of the first block, px."""


class BlockSizes:
    """Feature sizes of a network of which `channels` has one number for each block."""

    channels: tuple[int, ...]

    @property
    def resolutions(self) -> list[int]:
        """Feature size of each block, px.

        >>> sizes = BlockSizes()
        >>> sizes.channels = (16, 16, 8)
        >>> sizes.resolutions
        [4, 8, 16]
        """
        return [CONST_SIZE << k for k in range(len(self.channels))]

    @property
    def resolution(self) -> int:
        """Side of the square image the network was trained for, px."""
        return self.resolutions[-1]

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns of the learned constant."""
        return CONST_SIZE, CONST_SIZE

    @property
    def repeats(self) -> bool:
        """More cells repeat the learned constant."""
        return True

    @property
    def moves(self) -> bool:
        """The image cannot be moved under the network."""
        return False

    def canvas(self, cells: tuple[int, int]) -> tuple[int, int]:
        """Return height and width of the image that a constant of these rows and columns grows into, px."""
        return canvas_of(self.resolution, CONST_SIZE, cells)


def canvas_of(resolution: int, own: int, cells: tuple[int, int]) -> tuple[int, int]:
    """Return height and width of an image of some cells, where the network's own x own make a square, px.

    >>> canvas_of(512, 4, (4, 7))
    (512, 896)
    """
    rows, columns = cells
    return rows * resolution // own, columns * resolution // own
