"""What every generator network has in common: its layer table and how it is run.

Models, programs and profiles use this protocol alone, so that an architecture is one file more. Layers have
one canonical name each: `const`, `b4.conv1`, `b4.torgb`, `b8.conv0`, ... Latents are z (B, Z) and
w (B, D); ws (B, L, D) has one w for each group of layers that share one. Features are (B, C, H, W), images
(B, 3, H, W) nominally in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from clavilux.catalogue import Group
from clavilux.errors import ModelError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = [
    "Extension",
    "Layer",
    "Network",
    "NetworkSizes",
    "SideBranch",
    "Tap",
    "bendable",
    "check_rewritable",
    "group_layers",
    "image_sides",
    "layer_groups",
    "rewritable",
    "styled_convolutions",
]

Tap = Callable[["Tensor"], "Tensor"]
"""A bend: maps a layer's features to features of the same shape (Broad et al. 2020, arXiv:2005.12420)."""

Extension = Literal["mirror", "replicate", "tile"]
"""How the learned constant is continued beyond its edge."""

MAX_COARSE, MAX_MIDDLE = 16, 64
"""Largest feature size of the coarse and the middle group, px; larger features are fine."""
MIN_GROUPED = 256
"""Networks below this resolution are grouped by thirds of their feature sizes instead, px."""


@dataclass(frozen=True)
class Layer:
    """One layer of a network.

    Attributes:
        resolution: feature size of a square image, px.
        channels: its output channels, C.
        w_index: which of the L latents styles it; None where none does.
        takes_noise: whether it adds a noise input.
        oversampling: how much larger than `resolution` the features are that its nonlinearity is applied to.
        margin: cells beyond the image on both sides together, of a network whose features overlap its edge.
        conv_input: feature size of what its styled convolution takes, px; None where it has none.
    """

    resolution: int
    channels: int
    w_index: int | None
    takes_noise: bool
    oversampling: int = 1
    margin: int = 0
    conv_input: int | None = None


class SideBranch(Protocol):
    """A change of a convolution's weights in its own branch: W = W0 + a Lambda d^T (Bau et al. 2020).

    The branch is read inside the styled convolution, y = W0 * x' + Lambda * (a d^T x'), with x' the input
    after modulation, so that every frame has its own a and no weights are copied. R is the rank.
    """

    @property
    def weight(self) -> Tensor:
        """Lambda, (O, R, 3, 3)."""

    def keys(self, x: Tensor) -> Tensor:
        """Return a d^T x', (B, R, H, W), of modulated features x' (B, I, H, W)."""

    def power(self, style: Tensor) -> Tensor:
        """Return 2 a B + a^2 C, (B, O), of styles (B, I): what the branch adds to sum_i,yx (W s)^2."""

    @property
    def own(self) -> Tensor | None:
        """c, (B,), where the layer's own weights count 1 + c times; none where they count once."""

    @property
    def others(self) -> Sequence[tuple[Any, Tensor]]:
        """The same layer of other models, and how far this one turns into each, (B,)."""


class NetworkSizes(Protocol):
    """The sizes of a network, without its weights."""

    @property
    def architecture(self) -> str:
        """Its kind, as checkpoints name it."""

    @property
    def z_dim(self) -> int:
        """Length of a random code, Z."""

    @property
    def c_dim(self) -> int:
        """Number of classes; 0 where the network is unconditional."""

    @property
    def w_dim(self) -> int:
        """Length of a latent, D."""

    @property
    def num_ws(self) -> int:
        """Number of latents an image takes, L."""

    @property
    def resolution(self) -> int:
        """Side of the square image the network was trained for, px."""

    @property
    def layers(self) -> Mapping[str, Layer]:
        """Every layer by name, in the order in which they are computed."""

    @property
    def cells(self) -> tuple[int, int]:
        """The network's own rows and columns of cells; see `clavilux.generator.canvas`."""

    @property
    def repeats(self) -> bool:
        """Whether more cells repeat a learned constant; else they show more of the same image."""

    @property
    def moves(self) -> bool:
        """Whether the image can be moved under the network, exactly: `forward` takes `places`.

        These map a grid (B, 2, H, W) of x and y, in cells from the centre, to where the image is drawn from.
        """

    def canvas(self, cells: tuple[int, int]) -> tuple[int, int]:
        """Return height and width of the image that a constant of these rows and columns grows into, px."""


class Network(NetworkSizes, Protocol):
    """A generator in evaluation mode."""

    @property
    def config(self) -> NetworkSizes:
        """Its sizes, without its weights."""

    @property
    def w_avg(self) -> Tensor:
        """The mean latent, (D,)."""

    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """Map random codes (B, Z), and classes (B, c_dim), to latents (B, D), untruncated."""

    def start(self, cells: tuple[int, int], how: Extension) -> Tensor:
        """Return what drawing starts from for these rows and columns, (C, h, w)."""

    def forward(
        self,
        ws: Tensor,
        noise: Mapping[str, Tensor],
        *,
        const: Tensor | None = None,
        taps: Mapping[str, Tap] | None = None,
        rewrites: Mapping[str, SideBranch] | None = None,
        stop: int | None = None,
    ) -> Tensor:
        """Draw images.

        A network that `moves` also takes `places`; one that sums the colours of its layers takes `colours`,
        changes of the sum so far, (B, 3, H, W), by the layer after which it is changed.

        Args:
            ws: (B, L, D).
            noise: for every layer up to `stop` that takes noise, broadcastable to (B, 1, H, W).
            const: what `start` returned, (C, h, w); by default for the network's own cells.
            taps: bends by layer, applied to `const` or after a convolution's noise, bias and activation,
                before the next convolution and ToRGB.
            rewrites: side branches of convolutions by layer; of `const` and of colours only the `others`.
            stop: largest resolution to draw; the image so far is returned.
        """

    __call__: Callable[..., Tensor]
    """`forward`, as every torch module is called."""

    def to_precision(self, dtype: torch.dtype) -> None:
        """Keep features, and the weights that meet them, in a lower precision from now on."""

    def eval(self) -> Any:
        """Switch to evaluation mode."""


def bendable(layers: Mapping[str, Layer]) -> list[str]:
    """List the layers whose features a bend can change: all but the colours."""
    return [name for name in layers if not name.endswith("torgb")]


def image_sides(layers: Mapping[str, Layer]) -> list[int]:
    """List the resolutions at which there is an image, px: drawing can stop at each."""
    return sorted({layer.resolution for name, layer in layers.items() if name.endswith("torgb")})


def rewritable(layers: Mapping[str, Layer]) -> list[str]:
    """List the layers whose weights a rewrite can change: those that a latent styles."""
    return [name for name in bendable(layers) if layers[name].w_index is not None]


def styled_convolutions(layers: Mapping[str, Layer]) -> list[str]:
    """List the styled convolutions, whose weights the built-in rewrites change."""
    return [name for name, layer in layers.items() if layer.conv_input is not None]


def check_rewritable(sizes: NetworkSizes) -> None:
    """Check that a network has weights that the built-in rewrites can change.

    Raises:
        ModelError: it has none.
    """
    if not styled_convolutions(sizes.layers):
        raise ModelError(
            f"The weights of a {sizes.architecture} network cannot be rewritten",
            where="rewrites",
            value=sizes.architecture,
            hint="bend its features instead",
        )


def layer_groups(layers: Mapping[str, Layer]) -> dict[Group, range]:
    """Return the latents that style each group of layers: coarse for shape, fine for colour and texture.

    Groups go by feature size, so they mean the same in every network: coarse up to 16 px, middle up to 64,
    fine above; networks under 256 px are cut into thirds. A latent belongs to the largest features it styles;
    the last one, which styles colours alone, is always fine.

    >>> sides = {0: 4, 1: 8, 2: 8, 3: 16, 4: 16, 5: 16}
    >>> layers = {f"conv{w}": Layer(side, 1, w, takes_noise=True) for w, side in sides.items()}
    >>> layer_groups(layers)
    {'coarse': range(0, 1), 'middle': range(1, 3), 'fine': range(3, 6)}
    """
    sizes: dict[int, int] = {}
    for layer in layers.values():
        if layer.w_index is not None:
            sizes[layer.w_index] = max(layer.resolution, sizes.get(layer.w_index, 0))
    limits = _limits(layers)
    styled = [sizes[w] for w in sorted(sizes)][:-1]
    coarse, middle = (sum(size <= limit for size in styled) for limit in limits)
    return {"coarse": range(coarse), "middle": range(coarse, middle), "fine": range(middle, len(sizes))}


def group_layers(layers: Mapping[str, Layer], group: Group) -> list[str]:
    """List the layers of a group by their own feature size, the constant and colours included.

    >>> layers = {name: Layer(side, 1, 0, True) for name, side in {"a": 4, "b": 8, "c": 16}.items()}
    >>> group_layers(layers, "middle")
    ['b']
    """
    coarse, middle = _limits(layers)
    low, high = {"coarse": (0, coarse), "middle": (coarse, middle), "fine": (middle, 1 << 20)}[group]
    return [name for name, layer in layers.items() if low < layer.resolution <= high]


def _limits(layers: Mapping[str, Layer]) -> tuple[int, int]:
    """Return the largest feature size of the coarse and the middle group, px."""
    sides = sorted({layer.resolution for layer in layers.values()})
    if sides[-1] >= MIN_GROUPED:
        return MAX_COARSE, MAX_MIDDLE
    ends = np.cumsum([len(third) for third in np.array_split(sides, 3)])
    return sides[ends[0] - 1], sides[ends[1] - 1]
