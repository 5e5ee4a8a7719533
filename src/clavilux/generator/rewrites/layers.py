"""The convolutions of a network whose weights can be rewritten."""

from typing import Any

from clavilux.errors import ModelError
from clavilux.generator.network import Network

__all__ = ["input_extent", "styled_convs", "styled_layers"]


def styled_convs(network: Network) -> dict[str, Any]:
    """Return the styled convolutions by layer, each with `weight` (O, I, 3, 3), `affine` and `up`.

    Raises:
        ModelError: the network has none.

    >>> from clavilux.generator.model import load_model
    >>> tuple(styled_convs(load_model("silk").network)["b8.conv1"].weight.shape[2:])
    (3, 3)
    """
    found = styled_layers(network)
    if not found:
        raise ModelError(
            f"The weights of a {network.architecture} network cannot be rewritten",
            where="rewrites",
            value=network.architecture,
            hint="bend its features instead",
        )
    return found


def styled_layers(network: Network) -> dict[str, Any]:
    """Return the styled convolutions of a StyleGAN2 by layer; of another family none."""
    return {
        name: conv
        for block in getattr(network, "blocks", ())
        for name, conv in zip(getattr(block, "names", ()), getattr(block, "convs", ()), strict=True)
    }


def input_extent(network: Network, layer: str, cells: tuple[int, int]) -> tuple[int, int]:
    """Return height and width of what a styled convolution takes, cells.

    >>> from clavilux.generator.model import load_model
    >>> network = load_model("silk").network
    >>> input_extent(network, "b16.conv0", (4, 7)), input_extent(network, "b16.conv1", (4, 7))
    ((8, 14), (16, 28))
    """
    side = network.layers[layer].resolution // (2 if styled_convs(network)[layer].up else 1)
    high, width = network.canvas(cells)
    return high * side // network.resolution, width * side // network.resolution
