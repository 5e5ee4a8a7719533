"""The program: latents, noise, bends, rewrites and a frame's number in, pixels out.

A program is a network bound to an output size, with its bends and rewrites. It is a pure function: what
varies from frame to frame is a named input, what is fixed is built in. Sizes are (width, height) in pixels,
cells (rows, columns).
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from clavilux.errors import ModelError, SettingError, suggest
from clavilux.generator.canvas import check_cells, default_cells
from clavilux.generator.inputs import FrameInputs, InputSpec, check_inputs
from clavilux.generator.model import Model
from clavilux.generator.network import Network, SideBranch, Tap, bendable, image_sides, rewritable
from clavilux.generator.pixels import Pixels
from clavilux.generator.rewrites import BlendBeside, Crossed, Rewrite
from clavilux.pixel_formats import PixelFormat, check_size, frame_format, preview_size

__all__ = ["Change", "FrameInputs", "InputSpec", "Program", "ProgramSpec", "check_inputs"]


class Change(Protocol):
    """A bend or a rewrite: an nn.Module that declares what it changes and what varies from frame to frame.

    A bend maps features (B, C, H, W) to features, called with its inputs by keyword. A rewrite has the
    `weight` of a `SideBranch`, and its `keys` and `power`, called with its inputs by keyword; it runs in the
    precision of the convolution it is part of.
    """

    @property
    def layer(self) -> str:
        """The layer it changes."""

    @property
    def inputs(self) -> Mapping[str, InputSpec]:
        """What varies from frame to frame, by parameter."""

    @property
    def spec(self) -> Hashable:
        """Everything that fixes what it computes, besides its weights; its `repr` is part of a cache key."""

    @property
    def is_features(self) -> bool:
        """Whether its operations on (B, C, H, W) may run in the features' lower precision."""


@dataclass(frozen=True)
class ProgramSpec:
    """Everything that fixes what a program computes, besides weights.

    Attributes:
        model: digest of the model's weights.
        architecture: such as 'stylegan2-skip'.
        extend: how the constant is extended.
        resolution: largest native resolution that is drawn, px.
        size: width and height of the output, px.
        cells: rows and columns of the constant.
        pixels: the pixel format.
        taps: specs of the bends, in order.
        rewrites: specs of the rewrites, in order.
    """

    model: str
    architecture: str
    extend: str
    resolution: int
    size: tuple[int, int]
    cells: tuple[int, int]
    pixels: PixelFormat
    taps: tuple[Hashable, ...] = ()
    rewrites: tuple[Hashable, ...] = ()


class Program(nn.Module):
    """A network with an output size, from numbers to pixels.

    Args:
        model: the generator.
        size: width and height of the output, px.
        cells: rows and columns of the constant; by default what the size's shape wants.
        pixels: 'yuv420p' (planar I420, BT.709 limited range), ..., or 'rgb24'.
        stop: largest native resolution to draw, for previews; the image so far is scaled to the output.
        taps: bends, applied to their layers in this order; see `Change`.
        rewrites: side branches of convolutions, one for each layer; see `Change`.

    Attributes:
        spec: what fixes the program.
        inputs: what it takes for each frame, in the order of `forward`.

    Raises:
        SettingError: a size, cells, a pixel format or a `stop` that cannot be drawn.
        ModelError: the network has no such layer to change.

    >>> from clavilux.generator.model import load_model
    >>> program = Program(load_model("silk"), size=(640, 360))
    >>> program.spec.cells, program.inputs["noise/b8.conv0"]
    ((4, 7), InputSpec(shape=(1, 8, 14), dtype='float32', blend='power'))
    """

    def __init__(  # noqa: PLR0913  # each is a part of what a program is
        self,
        model: Model,
        *,
        size: tuple[int, int],
        cells: tuple[int, int] | None = None,
        pixels: PixelFormat = "yuv420p",
        stop: int | None = None,
        taps: Sequence[Change] = (),
        rewrites: Sequence[Change] = (),
    ) -> None:
        super().__init__()
        self._model = model
        check_size(size, pixels)
        network = model.network
        cells = cells or default_cells(network, size)
        check_cells(network, cells)
        _check_changes(network, taps, rewrites)
        self.network: Network = network
        self.spec = ProgramSpec(
            model.digest,
            network.architecture,
            model.extend,
            _drawn_resolution(network, stop),
            size,
            cells,
            pixels,
            tuple(tap.spec for tap in taps),
            tuple(rewrite.spec for rewrite in rewrites),
        )
        self.taps, self.rewrites = _modules(taps), _modules(rewrites)
        self.crossed = nn.ModuleDict(_crossed(rewrites))
        self.const = nn.Buffer(network.start(cells, model.extend))
        self.pixels = Pixels(self._extent(self.spec.resolution), size, pixels)
        self.inputs: Mapping[str, InputSpec] = dict(self._inputs())

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the output, px."""
        return self.spec.size

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns of the constant."""
        return self.spec.cells

    @property
    def frame_format(self) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape and type of one frame's array."""
        return frame_format(self.spec.size, self.spec.pixels)

    @property
    def feature_modules(self) -> frozenset[str]:
        """Paths of the modules whose operations on (B, C, H, W) may run in a lower precision.

        Modules are tagged `is_features`; one without a tag is what its parent is, the program itself is not.
        """
        found: set[str] = set()
        for path, module in self.named_modules():  # parents come before their children
            if getattr(module, "is_features", path.rpartition(".")[0] in found):
                found.add(path)
        return frozenset(found)

    def with_pixels(self, pixels: PixelFormat) -> "Program":
        """Return the same program in another pixel format."""
        return self._shown(self.spec.size, pixels, self.spec.resolution)

    def preview(self, height: int, pixels: PixelFormat | None = None) -> "Program":
        """Return the same program in a smaller size, drawn without the layers that would not be seen.

        The network stops at the largest of its images that is no higher than the preview, or at its smallest
        one. A network with no smaller images is drawn whole.

        Args:
            height: of the preview, px; see `preview_size`.
            pixels: its pixel format; by default the program's own.

        >>> from clavilux.generator.model import load_model
        >>> small = Program(load_model("silk"), size=(1280, 720)).preview(144)
        >>> small.spec.size, small.spec.resolution
        ((256, 144), 128)
        """
        size = preview_size(self.spec.size, height)
        sides = image_sides(self.network.layers)
        stop = max([side for side in sides if self._extent(side)[0] <= size[1]], default=sides[0])
        return self._shown(size, pixels or self.spec.pixels, min(stop, self.spec.resolution))

    def _shown(self, size: tuple[int, int], pixels: PixelFormat, stop: int) -> "Program":
        return Program(
            self._model,
            size=size,
            cells=self.spec.cells,
            pixels=pixels,
            stop=stop,
            taps=list(self.taps),  # type: ignore[arg-type]
            rewrites=list(self.rewrites),  # type: ignore[arg-type]
        )

    def to_precision(self, dtype: torch.dtype) -> None:
        """Keep features in a lower precision from now on; for a copy, as the model shares its network."""
        self.network.to_precision(dtype)

    def forward(self, *arrays: Tensor) -> Tensor:
        """Draw frames.

        Args:
            arrays: one for each of `inputs`, in order, (B, ...).

        Returns:
            (B, rows, W) planar as `av.VideoFrame.from_ndarray` takes it, or (B, H, W, 3).
        """
        given = dict(zip(self.inputs, arrays, strict=True))
        prefix = "noise/"
        noise = self._moved_noise(
            {name.removeprefix(prefix): a for name, a in given.items() if name.startswith(prefix)}, given
        )
        image: Tensor = self.network(
            given["ws"],
            noise,
            const=self.const,
            taps=self._bound_taps(given),
            **self._bound_images(given),
            **self._bound_places(given),
            rewrites=self._bound_rewrites(given),
            stop=self.spec.resolution,
        )
        return self.pixels(image, given["frame"])  # type: ignore[no-any-return]

    def _inputs(self) -> Iterator[tuple[str, InputSpec]]:
        network = self.network
        yield "ws", InputSpec((network.num_ws, network.w_dim), "float32", "linear")
        for name, layer in network.layers.items():
            if layer.takes_noise and layer.resolution <= self.spec.resolution:
                yield f"noise/{name}", InputSpec((1, *self._extent(layer.resolution)), "float32", "power")
        yield "frame", InputSpec((), "int64", "step")
        for kind, changes in (("bend", self.taps), ("rewrite", self.rewrites)):
            for k, change in self._drawn(changes):
                for param, spec in change.inputs.items():
                    yield f"{kind}/{k}/{param}", spec

    def _extent(self, resolution: int) -> tuple[int, int]:
        """Height and width of the canvas where a square image would have this side."""
        high, wide = self.network.canvas(self.spec.cells)
        return high * resolution // self.network.resolution, wide * resolution // self.network.resolution

    def _drawn(self, changes: nn.ModuleList) -> Iterator[tuple[int, Any]]:
        """Number the changes, and omit those of layers above the resolution that is drawn.

        Changes that know their `number` may share it, and with it their inputs: one bend at several layers.
        """
        for k, module in enumerate(changes):
            change: Any = module
            if self.network.layers[change.layer].resolution <= self.spec.resolution:
                number = getattr(change, "number", None)
                yield k if number is None else number, change

    def _bound_taps(self, given: Mapping[str, Tensor]) -> dict[str, Tap]:
        chains: dict[str, list[Tap]] = {}
        for k, tap in self._drawn(self.taps):
            if not self._moves_places(tap):
                params = {param: given[f"bend/{k}/{param}"] for param in tap.inputs}
                chains.setdefault(tap.layer, []).append(partial(tap, **params))
        return {layer: _chained(chain) for layer, chain in chains.items()}

    def _moved_noise(self, noise: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Move the noise of the layers after each bend that takes noise along."""
        layers, moved = list(self.network.layers), dict(noise)
        for k, tap in self._drawn(self.taps):
            if getattr(tap, "takes_along", lambda _: False)("noise"):
                params = {param: given[f"bend/{k}/{param}"] for param in tap.inputs}
                later = layers[layers.index(tap.layer) + 1 :]
                moved |= {name: tap.along(moved[name], **params) for name in later if name in moved}
        return moved

    def _bound_images(self, given: Mapping[str, Tensor]) -> dict[str, dict[str, Tap]]:
        """Return what moves the sum of the colours so far, by the layer after which it is moved."""
        chains: dict[str, list[Tap]] = {}
        for k, tap in self._drawn(self.taps):
            if getattr(tap, "takes_along", lambda _: False)("colours"):
                params = {param: given[f"bend/{k}/{param}"] for param in tap.inputs}
                chains.setdefault(tap.layer, []).append(partial(tap.along, **params))
        return {"colours": {layer: _chained(chain) for layer, chain in chains.items()}} if chains else {}

    def _bound_places(self, given: Mapping[str, Tensor]) -> dict[str, Tap]:
        """Return what moves the image under the network, the last bend first: y(p) = x(first(last(p)))."""
        chain: list[Tap] = [
            partial(tap.moved_places, **{param: given[f"bend/{k}/{param}"] for param in tap.inputs})
            for k, tap in self._drawn(self.taps)
            if self._moves_places(tap)
        ]
        return {"places": _chained(chain[::-1])} if chain else {}

    def _moves_places(self, tap: Any) -> bool:
        """Whether a bend moves the whole image of a network that can be drawn from elsewhere instead."""
        at_start = self.network.moves and tap.layer == next(iter(self.network.layers))
        return at_start and getattr(tap, "is_whole", False)

    def _bound_rewrites(self, given: Mapping[str, Tensor]) -> dict[str, SideBranch]:
        bound: dict[str, list[_Bound]] = {}
        for k, rewrite in self._drawn(self.rewrites):
            params = {param: given[f"rewrite/{k}/{param}"] for param in rewrite.inputs}
            bound.setdefault(rewrite.layer, []).append(_Bound(rewrite, params))
        return {
            layer: group[0]
            if len(group) == 1
            else _Together(group, dict(self.crossed.items()).get(_key(layer)))
            for layer, group in bound.items()
        }


@dataclass(frozen=True)
class _Bound:
    """A rewrite with this pass's inputs."""

    rewrite: Any
    params: Mapping[str, Tensor]

    @property
    def weight(self) -> Tensor:
        return self.rewrite.weight  # type: ignore[no-any-return]

    def keys(self, x: Tensor) -> Tensor:
        return self.rewrite.keys(x, **self.params)  # type: ignore[no-any-return]

    def power(self, style: Tensor) -> Tensor:
        return self.rewrite.power(style, **self.params)  # type: ignore[no-any-return]

    @property
    def own(self) -> Tensor | None:
        if not isinstance(self.rewrite, Rewrite):
            return None
        return self.rewrite.own(**self.params)

    @property
    def others(self) -> Sequence[tuple[Any, Tensor]]:
        other = getattr(self.rewrite, "other", None)
        return [] if other is None else [(other, self.params["amount"])]


@dataclass(frozen=True)
class _Together:
    """Several rewrites of one layer in one branch."""

    parts: Sequence[_Bound]
    crossed: Any

    @property
    def weight(self) -> Tensor:
        return torch.cat([part.weight for part in self.parts], dim=1)

    def keys(self, x: Tensor) -> Tensor:
        return torch.cat([part.keys(x) for part in self.parts], dim=1)

    def power(self, style: Tensor) -> Tensor:
        total: Tensor = self.crossed.power(
            style, [part.rewrite.coefficients(**part.params) for part in self.parts]
        )
        for part in self.parts:
            total = total + part.power(style)
        return total

    @property
    def own(self) -> Tensor | None:
        found = [own for own in (part.own for part in self.parts) if own is not None]
        return torch.stack(found).sum(dim=0) if found else None

    @property
    def others(self) -> Sequence[tuple[Any, Tensor]]:
        return [each for part in self.parts for each in part.others]


def _crossed(rewrites: Sequence[Change]) -> dict[str, Crossed]:
    """Return what rewrites of one layer need of each other, by layer."""
    groups: dict[str, list[Rewrite]] = {}
    for rewrite in rewrites:
        if isinstance(rewrite, Rewrite):
            groups.setdefault(_key(rewrite.layer), []).append(rewrite)
    return {layer: Crossed(group) for layer, group in groups.items() if len(group) > 1}


def _key(layer: str) -> str:
    """Return a layer's name without the dots that a module's name cannot have."""
    return layer.replace(".", "_")


def _chained(taps: Sequence[Tap]) -> Tap:
    def apply(x: Tensor) -> Tensor:
        dtype = x.dtype
        for tap in taps:
            x = tap(x)
            x = x if x.dtype == dtype else x.to(dtype)  # float32 parameters lift half-precision features
        return x

    return apply


def _modules(changes: Sequence[Change]) -> nn.ModuleList:
    return nn.ModuleList(change for change in changes if isinstance(change, nn.Module)).eval()


def _drawn_resolution(network: Network, stop: int | None) -> int:
    sides = image_sides(network.layers)
    if len(sides) == 1:  # only the last layer makes colours: there is no smaller image to stop at
        return sides[0]
    drawn = [side for side in sides if stop is None or side <= stop]
    if not drawn:
        hint = f"the smallest resolution is {sides[0]} px"
        raise SettingError(f"The network cannot stop at {stop} px", where="stop", value=stop, hint=hint)
    return drawn[-1]


def _check_changes(network: Network, taps: Sequence[Change], rewrites: Sequence[Change]) -> None:
    layers = network.layers
    beside = [change for change in rewrites if isinstance(change, BlendBeside)]
    rewrites = [change for change in rewrites if change not in beside]
    for verb, changes, known in (
        ("bent", taps, bendable(layers)),
        ("rewritten", rewrites, rewritable(layers)),
        ("mixed", beside, list(layers)),
    ):
        for change in changes:
            if change.layer not in known:
                hint = suggest(change.layer, known)
                raise ModelError(
                    f"The layer '{change.layer}' cannot be {verb}", value=change.layer, hint=hint
                )
            if not isinstance(change, nn.Module):
                raise TypeError(f"{type(change).__name__} is no torch module")
    rewritten = [rewrite.layer for rewrite in rewrites]
    foreign = {rewrite.layer for rewrite in rewrites if not isinstance(rewrite, Rewrite)}
    for layer in {layer for layer in foreign if rewritten.count(layer) > 1}:
        hint = "put all its rules into one branch, whose ranks share their cross terms"
        raise ModelError(f"The layer '{layer}' is rewritten twice", value=layer, hint=hint)
