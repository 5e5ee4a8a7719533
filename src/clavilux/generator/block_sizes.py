"""What networks of blocks share, whose features double in size from each block to the next."""

__all__ = ["CONST_SIZE", "BlockSizes"]

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
