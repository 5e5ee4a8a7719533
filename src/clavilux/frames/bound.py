"""A patch bound to a song and a model: arrays and nothing else.

A `Bound` knows all that varies from frame to frame. It holds neither song nor network, so it can be saved,
sent to another process or machine, and read there.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clavilux.array_files import ArrayValue
from clavilux.arrays import F32, AnyArray
from clavilux.catalogue import GROUPS
from clavilux.frames.noise import NoiseSource
from clavilux.patches.moments import MaskOf, Moments
from clavilux.patches.noise import Mask
from clavilux.patches.palette import Palette
from clavilux.patches.palette_latents import PaletteLatents
from clavilux.patches.patch import Patch
from clavilux.signals.evaluate import Curves
from clavilux.signals.expr import Node, Signal, as_signal
from clavilux.signals.table import OPS, Param
from clavilux.timeline import Window

if TYPE_CHECKING:
    from clavilux.generator.model import Model
    from clavilux.generator.program import Program

__all__ = ["Bound", "Stage"]

FORMAT = 1


@dataclass(frozen=True)
class Stage:
    """What a patch must know of the model and program it is bound to.

    Attributes:
        num_ws: number of latents an image takes, L.
        groups: w indices of each layer group.
        noise_sizes: height and width of the noise of every layer that takes noise, in order.
        noise_groups: the layers of each group that take noise and are drawn; each layer is also a group.
    """

    num_ws: int
    groups: Mapping[str, range]
    noise_sizes: Mapping[str, tuple[int, int]]
    noise_groups: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, model: Model, program: Program) -> Stage:
        """Return what a patch must know of a model and one of its programs."""
        sizes = {
            name.removeprefix("noise/"): (spec.shape[1], spec.shape[2])
            for name, spec in program.inputs.items()
            if name.startswith("noise/")
        }
        groups: dict[str, range] = {name: model.group(name) for name in GROUPS}
        layers = model.sizes.layers
        noisy = [name for name, layer in layers.items() if layer.takes_noise]
        return cls(
            model.num_ws,
            groups,
            sizes,
            {
                **{name: frozenset({name} & sizes.keys()) for name in noisy},
                **{
                    name: frozenset(layer for layer in sizes if layers[layer].w_index in group)
                    for name, group in groups.items()
                },
            },
        )


@dataclass(frozen=True, eq=False)
class Bound(ArrayValue):
    """Numbers for every frame.

    Attributes:
        patch: what is shown.
        curves: the signals it needs, and the song's grid.
        palettes: the latents of each palette.
        w_avg: the model's mean latent, (D,).
        stage: layers and sizes.
        seed: chooses the noise.
        images: of masks, by the name of their file, uint8 (S, S).
        directions: of the model, by name, (L, D).
    """

    noun = "bound patch"
    patch: Patch
    curves: Curves
    palettes: Mapping[Palette, PaletteLatents]
    w_avg: F32
    stage: Stage
    seed: int
    images: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    directions: Mapping[str, F32] = field(default_factory=dict)

    def at(self, window: Window) -> dict[str, AnyArray]:
        """Compute a program's inputs for the frames of a window.

        Returns:
            "ws" float32 (B, L, D), truncated; "noise/<layer>" float32 (B, 1, H, W); "frame" int64 (B,); and
            what bends and rewrites take, such as "bend/0/amount" float32 (B,).
        """
        moments = Moments(
            window.edges,
            self.curves.grid,
            self.stage.num_ws,
            self.stage.groups,
            self.stage.noise_groups,
            frozenset(self.stage.noise_sizes),
            self.images,
            self.directions,
        )
        value = self._values(moments)
        shape = (window.count, self.stage.num_ws, len(self.w_avg))
        ws = np.broadcast_to(value(self.patch.latents), shape)
        psi = value(as_signal(self.patch.psi))[:, :1, None]
        # w' = w_avg + psi (w - w_avg), here and nowhere else (Karras et al. 2019, appendix B)
        inputs: dict[str, AnyArray] = {"ws": np.asarray(self.w_avg + psi * (ws - self.w_avg), np.float32)}
        noise = self._noise.at(value(self.patch.noise), moments.times, self.curves.grid)
        inputs |= {f"noise/{layer}": maps for layer, maps in noise.items()}
        inputs["frame"] = window.indices
        for name, nodes in (("bend", self.patch.bends), ("rewrite", self.patch.rewrites)):
            for k, node in enumerate(nodes):
                op = OPS[node.op]
                for param, signal in zip(op.inputs, node.inputs, strict=True):
                    if isinstance(signal, Signal):
                        limits = op.optional.get(param)
                        low, high = (limits.low, limits.high) if isinstance(limits, Param) else (None, None)
                        amount = value(signal)[:, 0]
                        inputs[f"{name}/{k}/{param}"] = np.clip(amount, low, high).astype(np.float32)
        return inputs

    def arrays(self) -> dict[str, AnyArray]:
        """Return everything as arrays: the patch as text, its curves, palettes, and the model's sizes."""
        stage = self.stage
        about = {
            "format": FORMAT,
            "patch": str(self.patch),
            "seed": self.seed,
            "num_ws": stage.num_ws,
            "groups": {name: [group.start, group.stop] for name, group in stage.groups.items()},
            "noise_sizes": list(map(list, stage.noise_sizes.items())),
            "noise_groups": {name: sorted(layers) for name, layers in stage.noise_groups.items()},
        }
        arrays: dict[str, AnyArray] = {
            "about": np.array(json.dumps(about, sort_keys=True)),
            "w_avg": self.w_avg,
            **{f"images/{name}": array for name, array in self.images.items()},
            **{f"directions/{name}": array for name, array in self.directions.items()},
            **{f"curves/{name}": array for name, array in self.curves.arrays().items()},
        }
        for k, palette in enumerate(self.patch.palettes):
            own = f"palettes/{k}/"
            arrays |= {f"{own}{name}": array for name, array in self.palettes[palette].arrays().items()}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Bound:
        """Make a bound patch of what `arrays` returned.

        Raises:
            ValueError, KeyError, TypeError, PatchError: they are others.
        """
        about = json.loads(str(arrays["about"]))
        if about["format"] != FORMAT:
            raise ValueError(f"format {about['format']}")
        patch = Patch.parse(about["patch"])
        curves = Curves.from_arrays(_of(arrays, "curves/"))
        palettes = {
            palette: PaletteLatents.from_arrays(_of(arrays, f"palettes/{k}/"))
            for k, palette in enumerate(patch.palettes)
        }
        stage = Stage(
            about["num_ws"],
            {name: range(*ends) for name, ends in about["groups"].items()},
            {name: (size[0], size[1]) for name, size in about["noise_sizes"]},
            {name: frozenset(layers) for name, layers in about["noise_groups"].items()},
        )
        images = _of(arrays, "images/")
        return cls(
            patch, curves, palettes, arrays["w_avg"], stage, about["seed"], images, _of(arrays, "directions/")
        )

    def __getstate__(self) -> dict[str, Any]:
        return {
            each.name: getattr(self, each.name) for each in fields(self)
        }  # without what is kept for speed

    def _values(self, moments: Moments) -> Callable[[Node], Any]:
        """Return a function from a node to its value for some moments; each node is computed once."""
        known: dict[Node, Any] = {}
        sampled: dict[Node, Any] = {}

        def value(node: Node) -> Any:
            if node not in known:
                known[node] = compute(node)
            return known[node]

        def compute(node: Node) -> Any:
            if isinstance(node, Signal):
                return self.curves.at(node, moments.edges, sampled)
            if isinstance(node, Palette):
                return self.palettes[node]
            op = OPS[node.op]
            if isinstance(node, Mask) and node in self._masks:
                return self._masks[node]
            inputs = [functools.partial(value, each) if op.lazy else value(each) for each in node.inputs]
            made = op.compute(moments, inputs, node.params)
            if isinstance(node, Mask):  # the same at every moment
                self._masks[node] = made
            return made

        return value

    @cached_property
    def _masks(self) -> dict[Mask, MaskOf]:
        return {}

    @cached_property
    def _noise(self) -> NoiseSource:
        return NoiseSource(self.stage.noise_sizes, self.seed)


def _of(arrays: Mapping[str, AnyArray], own: str) -> dict[str, AnyArray]:
    return {name.removeprefix(own): array for name, array in arrays.items() if name.startswith(own)}
