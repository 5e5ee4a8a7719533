"""The convolutions of a network whose weights can be rewritten."""

from typing import Any

from clavilux.generator.network import Network, check_rewritable

__all__ = ["styled_convs", "styled_layers"]


def styled_convs(network: Network) -> dict[str, Any]:
    """Return the styled convolutions by layer, each with `weight` (O, I, 3, 3), `affine` and `up`.

    Raises:
        ModelError: the network has none.

    >>> from clavilux.generator.model import load_model
    >>> tuple(styled_convs(load_model("silk").network)["b8.conv1"].weight.shape[2:])
    (3, 3)
    """
    check_rewritable(network)
    return styled_layers(network)


def styled_layers(network: Network) -> dict[str, Any]:
    """Return the styled convolutions of a StyleGAN2 by layer; of another family none."""
    return {
        name: conv
        for block in getattr(network, "blocks", ())
        for name, conv in zip(getattr(block, "names", ()), getattr(block, "convs", ()), strict=True)
    }
