"""A bend or a rewrite as it is known without PyTorch; its module is made when a program is drawn."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from clavilux.arrays import AnyArray
from clavilux.generator.inputs import InputSpec

__all__ = ["PER_FRAME", "Change"]

PER_FRAME = InputSpec((), "float32", "linear")
"""A signal: one number for every frame."""


@dataclass(frozen=True, eq=False)
class Change:
    """What a bend or a rewrite changes, and what varies from frame to frame.

    Attributes:
        layer: the layer it changes.
        inputs: what varies from frame to frame, by parameter.
        spec: everything that fixes what it computes, besides the model's weights and `arrays`; its `repr` is
            part of a cache key.
        arrays: the numbers that fix it, by name; their content is part of a cache key.
        build: makes its module, which has `layer`, `inputs` and `number` as here. A bend maps features
            (B, C, H, W) to features, called with its inputs by keyword; where it says `is_features`, its
            operations on them may run in the features' lower precision. A rewrite has the `weight` of a
            `SideBranch`, and its `keys` and `power`, called with its inputs by keyword; it runs in the
            precision of the convolution it is part of.
        number: changes that share one share their inputs, as one bend at several layers does; none is the
            change's own place in the program.
        combines: whether it may change a layer's weights together with others that do.
        everywhere: whether it may replace the weights of any layer, not of convolutions alone.
        source: the class of its module where that comes from elsewhere; its code is part of a cache key.
    """

    layer: str
    inputs: Mapping[str, InputSpec]
    spec: Hashable
    arrays: Mapping[str, AnyArray]
    build: Callable[[], Any] = field(repr=False)
    number: int | None = None
    combines: bool = False
    everywhere: bool = False
    source: type | None = None

    @classmethod
    def of_module(cls, module: Any) -> Change:
        """Return the change of a module that is there already, such as one of a plugin.

        Args:
            module: an nn.Module with `layer`, `inputs` and `spec`; see `Change`.

        Raises:
            TypeError: it is no module.
        """
        from torch import nn

        if not isinstance(module, nn.Module):
            raise TypeError(f"{type(module).__name__} is no torch module")
        given: Any = module
        return cls(
            given.layer,
            given.inputs,
            given.spec,
            {name: tensor.detach().cpu().numpy() for name, tensor in module.state_dict().items()},
            lambda: module,
            number=getattr(module, "number", None),
            combines=getattr(module, "combines", False),
            everywhere=getattr(module, "everywhere", False),
            source=type(module),
        )

    @cached_property
    def module(self) -> Any:
        """The nn.Module that computes it; PyTorch is imported to make it."""
        return self.build()
