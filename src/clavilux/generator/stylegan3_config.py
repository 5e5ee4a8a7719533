"""The sizes of a StyleGAN3 network, its layer table and the shapes of its arrays, known without torch.

Layers are `input`, `L0`, `L1`, ... and `torgb`; arrays are named after them. Resolutions are sampling rates:
samples along the side of the square image, without the margin that each layer has around it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from clavilux.generator.block_sizes import canvas_of
from clavilux.generator.mapping_config import mapping_shapes
from clavilux.generator.network import Layer

__all__ = ["FilteredLayer", "StyleGAN3Config"]


@dataclass(frozen=True)
class FilteredLayer:
    """One layer: a styled convolution, then a leaky ReLU between upsampling and downsampling.

    Attributes:
        channels: its output channels.
        kernel: side of its convolution.
        size: side of its output with the margin.
        rate: sampling rate of its output.
        up: factor of upsampling before the leaky ReLU.
        down: factor of downsampling after it.
        padding: zeros before and after the upsampled features; negative ones crop.
        up_taps: length of the upsampling filter; 0 for none.
        down_taps: length of the downsampling filter; 0 for none.
        radial: whether the downsampling filter is a disc rather than a product of two lines.
    """

    channels: int
    kernel: int
    size: int
    rate: int
    up: int
    down: int
    padding: tuple[int, int]
    up_taps: int
    down_taps: int
    radial: bool = False


@dataclass(frozen=True)
class StyleGAN3Config:
    """Everything but the weights that fixes a StyleGAN3 network.

    Attributes:
        z_dim: Z, length of the random code.
        w_dim: D, length of a latent.
        mapping_layers: depth of the mapping from z to w.
        resolution: side of the square image, px.
        input_channels: Fourier features that drawing starts from.
        input_size: their side with the margin.
        input_rate: their sampling rate, which is the network's number of cells.
        bandwidth: frequencies up to which they have their full amplitude.
        filtered: every layer, the one of colours last.
        lr_multiplier: the mapping's learning-rate multiplier.
        c_dim: number of classes; 0 where there are none.
        embed_dim: length of an embedded class.
        label: how a class joins the random code.
        hidden_dim: width of the mapping's inner layers, where it is not D.
        clamp: largest feature; None where there is none.
        output_scale: the colours are multiplied by it.
    """

    z_dim: int
    w_dim: int
    mapping_layers: int
    resolution: int
    input_channels: int
    input_size: int
    input_rate: int
    bandwidth: float
    filtered: tuple[FilteredLayer, ...]
    lr_multiplier: float = 0.01
    c_dim: int = 0
    embed_dim: int = 0
    label: Literal["embed"] = "embed"
    hidden_dim: int = 0
    clamp: float | None = None
    output_scale: float = 0.25

    @property
    def architecture(self) -> str:
        """Its kind, as checkpoints name it: -t is equivariant to translation, -r to rotation too."""
        return "stylegan3-r" if self.filtered[0].kernel == 1 else "stylegan3-t"

    @property
    def sizes(self) -> tuple[int, ...]:
        """Every size that a file must keep within bounds."""
        layers = [(layer.channels, layer.kernel, layer.size, layer.up, layer.down) for layer in self.filtered]
        own = (self.z_dim, self.w_dim, self.resolution, self.input_channels, self.input_size, self.input_rate)
        return own + tuple(size for layer in layers for size in layer)

    @property
    def num_ws(self) -> int:
        """Number of latents an image takes, L: one for the input and one for each layer."""
        return len(self.filtered) + 1

    @property
    def cells(self) -> tuple[int, int]:
        """Samples of the Fourier features along the image's sides."""
        return self.input_rate, self.input_rate

    @property
    def repeats(self) -> bool:
        """More cells show more of the same image: Fourier features have no edge."""
        return False

    @property
    def moves(self) -> bool:
        """The image can be moved and turned under the network."""
        return True

    def canvas(self, cells: tuple[int, int]) -> tuple[int, int]:
        """Return height and width of the image of these rows and columns of cells, px."""
        return canvas_of(self.resolution, self.input_rate, cells)

    @property
    def names(self) -> list[str]:
        """Names of the layers after the input."""
        return [*(f"L{k}" for k in range(len(self.filtered) - 1)), "torgb"]

    @cached_property
    def layers(self) -> dict[str, Layer]:
        """Every layer in order.

        >>> layer = FilteredLayer(8, 3, 36, 16, 2, 2, (9, 8), 12, 12)
        >>> last = FilteredLayer(3, 1, 16, 16, 1, 1, (0, 0), 0, 0)
        >>> config = StyleGAN3Config(4, 4, 2, 16, 8, 36, 16, 2.0, (layer, last))
        >>> [(name, layer.w_index) for name, layer in config.layers.items()]
        [('input', 0), ('L0', 1), ('torgb', 2)]
        """
        table = {
            "input": Layer(
                self.input_rate,
                self.input_channels,
                0,
                takes_noise=False,
                margin=self.input_size - self.input_rate,
            )
        }
        for k, (name, layer) in enumerate(zip(self.names, self.filtered, strict=True)):
            table[name] = Layer(
                layer.rate,
                layer.channels,
                k + 1,
                takes_noise=False,
                oversampling=layer.down,
                margin=layer.size - layer.rate,
            )
        return table

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name every tensor of the checkpoint and its shape; what a file is checked against."""
        named: dict[str, tuple[int, ...]] = dict(mapping_shapes(self))
        channels = self.input_channels
        named |= {
            "synthesis.input.weight": (channels, channels),
            "synthesis.input.freqs": (channels, 2),
            "synthesis.input.phases": (channels,),
            "synthesis.input.transform": (3, 3),
            "synthesis.input.affine.weight": (4, self.w_dim),
            "synthesis.input.affine.bias": (4,),
        }
        for name, layer in zip(self.names, self.filtered, strict=True):
            named |= self._layer(f"synthesis.{name}", layer, channels)
            channels = layer.channels
        return named

    def problem(self) -> str:
        """Return why no network has these numbers; empty where one may."""
        size, rate = self.input_size, self.input_rate
        for layer in self.filtered:
            whole = (size + layer.kernel - 1) * layer.up + sum(layer.padding)
            whole -= max(layer.up_taps, 1) + max(layer.down_taps, 1) - 2
            if layer.down < 1 or -(-whole // layer.down) != layer.size:
                return f"a layer that makes {layer.size} samples of {size}"
            if rate * layer.up != layer.rate * layer.down or layer.rate % self.input_rate:
                return f"a layer of sampling rate {layer.rate} after one of {rate}"
            size, rate = layer.size, layer.rate
        if (size, rate) != (self.resolution, self.resolution):
            return f"an image of {size} px where {self.resolution} are claimed"
        return ""

    def _layer(self, name: str, layer: FilteredLayer, into: int) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {
            f"{name}.weight": (layer.channels, into, layer.kernel, layer.kernel),
            f"{name}.bias": (layer.channels,),
            f"{name}.magnitude_ema": (),
            f"{name}.affine.weight": (into, self.w_dim),
            f"{name}.affine.bias": (into,),
        }
        if layer.up_taps:
            shapes[f"{name}.up_filter"] = (layer.up_taps,)
        if layer.down_taps:
            shapes[f"{name}.down_filter"] = (layer.down_taps,) * (2 if layer.radial else 1)
        return shapes
