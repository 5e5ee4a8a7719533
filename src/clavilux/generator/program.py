"""The program: latents, noise, bends, rewrites and a frame's number in, pixels out.

A program is a network bound to an output size, with its bends and rewrites. It is a pure function: what
varies from frame to frame is a named input, what is fixed is built in. Here is what a program takes and
gives, known without PyTorch; `program_module` computes it. Sizes are (width, height) in pixels, cells (rows,
columns).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from clavilux.errors import ModelError, SettingError, suggest
from clavilux.generator.canvas import check_cells, default_cells
from clavilux.generator.change import Change
from clavilux.generator.inputs import FrameInputs, InputSpec, check_inputs
from clavilux.generator.model import Model
from clavilux.generator.network import Layer, NetworkSizes, bendable, image_sides, rewritable
from clavilux.pixel_formats import PixelFormat, check_size, frame_format, preview_size

if TYPE_CHECKING:
    from torch.nn import Module

    from clavilux.generator.program_module import ProgramModule

__all__ = [
    "FrameInputs",
    "InputSpec",
    "Program",
    "ProgramSpec",
    "check_inputs",
    "drawn_changes",
    "extent",
]


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


class Program:
    """A network with an output size, from numbers to pixels.

    Args:
        model: the generator.
        size: width and height of the output, px.
        cells: rows and columns of the constant; by default what the size's shape wants.
        pixels: 'yuv420p' (planar I420, BT.709 limited range), ..., or 'rgb24'.
        stop: largest native resolution to draw, for previews; the image so far is scaled to the output.
        taps: bends, applied to their layers in this order; a module becomes a `Change`.
        rewrites: changes of weights, in side branches of convolutions; likewise.

    Attributes:
        model: the generator.
        spec: what fixes the program.
        taps: its bends.
        rewrites: its side branches.
        inputs: what it takes for each frame, in the order of its module's arguments.

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
        taps: Sequence[Change | Module] = (),
        rewrites: Sequence[Change | Module] = (),
    ) -> None:
        self.model = model
        check_size(size, pixels)
        sizes = model.sizes
        cells = cells or default_cells(sizes, size)
        check_cells(sizes, cells)
        self.taps, self.rewrites = _changes(taps), _changes(rewrites)
        _check_changes(sizes, self.taps, self.rewrites)
        self.spec = ProgramSpec(
            model.digest,
            sizes.architecture,
            model.extend,
            _drawn_resolution(sizes, stop),
            size,
            cells,
            pixels,
            tuple(tap.spec for tap in self.taps),
            tuple(rewrite.spec for rewrite in self.rewrites),
        )
        self.inputs: Mapping[str, InputSpec] = dict(self._inputs())

    @cached_property
    def module(self) -> ProgramModule:
        """The program as a PyTorch module: arrays for `inputs`, in order, to frames."""
        from clavilux.generator.program_module import ProgramModule

        return ProgramModule(self)

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

    def with_pixels(self, pixels: PixelFormat) -> Program:
        """Return the same program in another pixel format."""
        return self._shown(self.spec.size, pixels, self.spec.resolution)

    def preview(self, height: int, pixels: PixelFormat | None = None) -> Program:
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
        sides = image_sides(self.model.sizes.layers)
        high = {side: extent(self.model.sizes, self.spec.cells, side)[0] for side in sides}
        stop = max([side for side in sides if high[side] <= size[1]], default=sides[0])
        return self._shown(size, pixels or self.spec.pixels, min(stop, self.spec.resolution))

    def _shown(self, size: tuple[int, int], pixels: PixelFormat, stop: int) -> Program:
        return Program(
            self.model,
            size=size,
            cells=self.spec.cells,
            pixels=pixels,
            stop=stop,
            taps=self.taps,
            rewrites=self.rewrites,
        )

    def _inputs(self) -> Iterator[tuple[str, InputSpec]]:
        sizes = self.model.sizes
        yield "ws", InputSpec((sizes.num_ws, sizes.w_dim), "float32", "linear")
        for name, layer in sizes.layers.items():
            if layer.takes_noise and layer.resolution <= self.spec.resolution:
                shape = (1, *extent(sizes, self.spec.cells, layer.resolution))
                yield f"noise/{name}", InputSpec(shape, "float32", "power")
        yield "frame", InputSpec((), "int64", "step")
        for kind, changes in (("bend", self.taps), ("rewrite", self.rewrites)):
            for k, change in drawn_changes(changes, sizes.layers, self.spec.resolution):
                for param, spec in change.inputs.items():
                    yield f"{kind}/{k}/{param}", spec


def extent(sizes: NetworkSizes, cells: tuple[int, int], resolution: int) -> tuple[int, int]:
    """Return height and width of the canvas of some cells where a square image would have this side, px."""
    high, wide = sizes.canvas(cells)
    return high * resolution // sizes.resolution, wide * resolution // sizes.resolution


def drawn_changes(
    changes: Iterable[Change], layers: Mapping[str, Layer], resolution: int
) -> Iterator[tuple[int, Change]]:
    """Number changes, and omit those of layers above the resolution that is drawn; see `Change.number`."""
    for k, change in enumerate(changes):
        if layers[change.layer].resolution <= resolution:
            yield k if change.number is None else change.number, change


def _changes(given: Iterable[Change | Module]) -> tuple[Change, ...]:
    return tuple(each if isinstance(each, Change) else Change.of_module(each) for each in given)


def _drawn_resolution(sizes: NetworkSizes, stop: int | None) -> int:
    sides = image_sides(sizes.layers)
    if len(sides) == 1:  # only the last layer makes colours: there is no smaller image to stop at
        return sides[0]
    drawn = [side for side in sides if stop is None or side <= stop]
    if not drawn:
        hint = f"the smallest resolution is {sides[0]} px"
        raise SettingError(f"The network cannot stop at {stop} px", where="stop", value=stop, hint=hint)
    return drawn[-1]


def _check_changes(sizes: NetworkSizes, taps: Sequence[Change], rewrites: Sequence[Change]) -> None:
    layers = sizes.layers
    of_convs = [change for change in rewrites if not change.everywhere]
    for verb, changes, known in (
        ("bent", taps, bendable(layers)),
        ("rewritten", of_convs, rewritable(layers)),
        ("mixed", [change for change in rewrites if change.everywhere], list(layers)),
    ):
        for change in changes:
            if change.layer not in known:
                hint = suggest(change.layer, known)
                raise ModelError(
                    f"The layer '{change.layer}' cannot be {verb}", value=change.layer, hint=hint
                )
    rewritten = [change.layer for change in of_convs]
    alone = {change.layer for change in of_convs if not change.combines}
    for layer in {layer for layer in alone if rewritten.count(layer) > 1}:
        hint = "put all its rules into one branch, whose ranks share their cross terms"
        raise ModelError(f"The layer '{layer}' is rewritten twice", value=layer, hint=hint)
