"""Model mixing: a layer's weights turn into those of another checkpoint of the same architecture.

Everything that is learned of a layer crosses over: W = (1 - a) W0 + a W1 for its weights, and likewise its
affine, bias, noise strength and, in residual networks, the branch beside it. A convolution of both weights is
two convolutions of one input, and demodulation stays exact as for every rewrite. At 0 a layer is bit for bit
the first model's, at 1 the second's to rounding. The mapping network is never mixed: latents stay the first
model's.
"""

from collections.abc import Hashable
from typing import Any

from torch import Tensor, nn

from clavilux.errors import ModelError
from clavilux.generator.change import PER_FRAME
from clavilux.generator.inputs import InputSpec
from clavilux.generator.network import Network
from clavilux.generator.rewrites.layers import styled_convs
from clavilux.generator.rewrites.rewrite import Rewrite, Term
from clavilux.generator.sites import Place

__all__ = ["Blend", "BlendBeside", "blend_at"]


class Blend(Rewrite):
    """W0 + a (W1 - W0), and what else the layer has.

    Args:
        place: where it acts.
        base: the layer's weights, (O, I, 3, 3).
        other: the second model's layer.
        skip: its branch beside it, in a residual network.
    """

    def __init__(self, place: Place, base: Tensor, other: Any, skip: Any = None) -> None:
        super().__init__(place, base, [Term(base, is_own=True), Term(other.weight)])
        self.other = _Second(other, skip)

    def coefficients(self, **signals: Tensor) -> list[Tensor]:
        """W0 + a (W1 - W0): c = -a of the layer's own weights, a of the other's."""
        return [-signals["amount"], signals["amount"]]


class BlendBeside(nn.Module):
    """The same for a layer without styled weights of its own: the constant, or colours.

    Args:
        place: which layer.
        other: the second model's constant, or its ToRGB.
    """

    is_features = combines = everywhere = True

    def __init__(self, place: Place, other: Any) -> None:
        super().__init__()
        self.layer, self.number = place.layer, place.number
        self.inputs: dict[str, InputSpec] = {"amount": PER_FRAME}
        self.spec: tuple[Hashable, ...] = (type(self).__name__, place.layer, place.key)
        self.other = other


class _Second(nn.Module):
    """What a styled convolution of the second model has besides its weights."""

    is_features = False

    def __init__(self, conv: Any, skip: Any) -> None:
        super().__init__()
        self.affine, self.skip = conv.affine, skip
        self.bias = nn.Buffer(conv.bias)
        if hasattr(conv, "noise_strength"):
            self.noise_strength = nn.Buffer(conv.noise_strength)


class _Constant(nn.Module):
    """The second model's constant."""

    is_features = True

    def __init__(self, const: Tensor) -> None:
        super().__init__()
        self.const = nn.Buffer(const)  # (C, h, w)


def blend_at(place: Place, first: Network, network: Network, const: Tensor) -> Rewrite | BlendBeside:
    """Return the change that turns a layer into another network's.

    Args:
        place: which layer.
        first: the network that is changed.
        network: the second one.
        const: its constant, extended, (C, h, w).
    """
    if place.layer == "const":
        return BlendBeside(place, _Constant(const))
    blocks: Any = network.blocks  # type: ignore[attr-defined]
    for block in blocks:
        if (
            place.layer.endswith("torgb")
            and place.layer.partition(".")[0] == block.names[0].partition(".")[0]
        ):
            return BlendBeside(place, block.torgb)
        if place.layer in block.names:
            conv = block.convs[block.names.index(place.layer)]
            last = place.layer == block.names[-1]
            return Blend(place, styled_convs(first)[place.layer].weight, conv, block.skip if last else None)
    raise ModelError(f"The network has no layer '{place.layer}'", where="at", value=place.layer)
