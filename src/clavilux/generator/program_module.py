"""A program as a PyTorch module: what draws frames, and what engines copy, convert or record."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from clavilux.generator.change import Change
from clavilux.generator.network import SideBranch, Tap
from clavilux.generator.pixels import Pixels
from clavilux.generator.program import Program, drawn_changes, extent
from clavilux.generator.rewrites import Crossed, Rewrite

__all__ = ["ProgramModule"]


class ProgramModule(nn.Module):
    """Draws a program's frames; shares the network with its model, and with the model's other programs.

    Args:
        program: what is drawn.

    >>> from clavilux.generator.model import load_model
    >>> program = Program(load_model("silk"), size=(64, 64), cells=(4, 4), pixels="rgb24")
    >>> arrays = [torch.zeros((1, *spec.shape)) for spec in program.inputs.values()]
    >>> program.module(*arrays).shape
    torch.Size([1, 64, 64, 3])
    """

    def __init__(self, program: Program) -> None:
        super().__init__()
        model = program.model
        self.spec, self.names = program.spec, tuple(program.inputs)
        self.network = model.network
        self.taps, self.tap_numbers = _modules(program, program.taps)
        self.rewrites, self.rewrite_numbers = _modules(program, program.rewrites)
        self.crossed = nn.ModuleDict(_crossed(self.rewrites))
        self.const = nn.Buffer(self.network.start(program.cells, model.extend))
        drawn = extent(model.sizes, program.cells, program.spec.resolution)
        self.pixels = Pixels(drawn, program.size, program.spec.pixels)

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

    def to_precision(self, dtype: torch.dtype) -> None:
        """Keep features in a lower precision from now on; for a copy, as the model shares its network."""
        self.network.to_precision(dtype)

    def forward(self, *arrays: Tensor) -> Tensor:
        """Draw frames.

        Args:
            arrays: one for each of the program's `inputs`, in order, (B, ...).

        Returns:
            (B, rows, W) planar as `av.VideoFrame.from_ndarray` takes it, or (B, H, W, 3).
        """
        given = dict(zip(self.names, arrays, strict=True))
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

    def _numbered_taps(self) -> Iterator[tuple[int, Any]]:
        return zip(self.tap_numbers, self.taps, strict=True)

    def _numbered_rewrites(self) -> Iterator[tuple[int, Any]]:
        return zip(self.rewrite_numbers, self.rewrites, strict=True)

    def _bound_taps(self, given: Mapping[str, Tensor]) -> dict[str, Tap]:
        chains: dict[str, list[Tap]] = {}
        for k, tap in self._numbered_taps():
            if not self._moves_places(tap):
                params = {param: given[f"bend/{k}/{param}"] for param in tap.inputs}
                chains.setdefault(tap.layer, []).append(partial(tap, **params))
        return {layer: _chained(chain) for layer, chain in chains.items()}

    def _moved_noise(self, noise: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Move the noise of the layers after each bend that takes noise along."""
        layers, moved = list(self.network.layers), dict(noise)
        for k, tap in self._numbered_taps():
            if getattr(tap, "takes_along", lambda _: False)("noise"):
                params = {param: given[f"bend/{k}/{param}"] for param in tap.inputs}
                later = layers[layers.index(tap.layer) + 1 :]
                moved |= {name: tap.along(moved[name], **params) for name in later if name in moved}
        return moved

    def _bound_images(self, given: Mapping[str, Tensor]) -> dict[str, dict[str, Tap]]:
        """Return what moves the sum of the colours so far, by the layer after which it is moved."""
        chains: dict[str, list[Tap]] = {}
        for k, tap in self._numbered_taps():
            if getattr(tap, "takes_along", lambda _: False)("colours"):
                params = {param: given[f"bend/{k}/{param}"] for param in tap.inputs}
                chains.setdefault(tap.layer, []).append(partial(tap.along, **params))
        return {"colours": {layer: _chained(chain) for layer, chain in chains.items()}} if chains else {}

    def _bound_places(self, given: Mapping[str, Tensor]) -> dict[str, Tap]:
        """Return what moves the image under the network, the last bend first: y(p) = x(first(last(p)))."""
        chain: list[Tap] = [
            partial(tap.moved_places, **{param: given[f"bend/{k}/{param}"] for param in tap.inputs})
            for k, tap in self._numbered_taps()
            if self._moves_places(tap)
        ]
        return {"places": _chained(chain[::-1])} if chain else {}

    def _moves_places(self, tap: Any) -> bool:
        """Whether a bend moves the whole image of a network that can be drawn from elsewhere instead."""
        at_start = self.network.moves and tap.layer == next(iter(self.network.layers))
        return at_start and getattr(tap, "is_whole", False)

    def _bound_rewrites(self, given: Mapping[str, Tensor]) -> dict[str, SideBranch]:
        bound: dict[str, list[_Bound]] = {}
        for k, rewrite in self._numbered_rewrites():
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


def _crossed(rewrites: nn.ModuleList) -> dict[str, Crossed]:
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


def _modules(program: Program, changes: Sequence[Change]) -> tuple[nn.ModuleList, list[int]]:
    """Make the modules of the changes that are drawn, and number them; see `drawn_changes`."""
    drawn = list(drawn_changes(changes, program.model.sizes.layers, program.spec.resolution))
    return nn.ModuleList(change.module for _, change in drawn).eval(), [number for number, _ in drawn]
