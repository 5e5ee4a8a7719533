"""Bends and rewrites by name, known without PyTorch; their modules are made when a program is drawn.

The modules are in `generator.bends` and `generator.rewrites`, by the same names.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from clavilux.arrays import F32
from clavilux.errors import ModelError
from clavilux.generator.change import PER_FRAME, Change
from clavilux.generator.model import Model
from clavilux.generator.network import check_rewritable, styled_convolutions
from clavilux.generator.sites import Place, Site

__all__ = ["bend_change", "blend_change", "check_alike", "rewrite_change"]


def bend_change(name: str, site: Site, signals: Iterable[str], **own: Any) -> Change:
    """Return a bend.

    Args:
        name: one of `BENDS`.
        site: where it acts.
        signals: what varies from frame to frame.
        **own: the bend's own parameters.

    >>> import numpy as np
    >>> bend = bend_change("zoom", Site("b8.conv0", np.ones(64, np.float32)), ["by", "amount"])
    >>> bend.module.at_strength(0.5)
    {'by': 1.5, 'amount': 1.0}
    """

    def build() -> Any:
        from clavilux.generator.bends import BENDS

        return BENDS[name](site, **own)

    acts = (site.margin, site.guard, site.seed, site.along, site.reach)
    spec: Hashable = (name, site.layer, site.key, *acts, *sorted(own.items()))
    arrays = {"channels": site.channels} | ({} if site.places is None else {"places": site.places})
    return Change(site.layer, dict.fromkeys(signals, PER_FRAME), spec, arrays, build, number=site.number)


def rewrite_change(  # all of it fixes the rewrite
    name: str,
    model: Model,
    place: Place,
    signals: Iterable[str],
    given: Mapping[str, F32],
    **own: Any,
) -> Change:
    """Return a rewrite of a convolution of a model.

    Args:
        name: one of `REWRITES`.
        model: whose weights are changed.
        place: which of them.
        signals: what varies from frame to frame.
        given: what it is made from, in its own order: contexts, (2, I) each, or an edit's rule.
        **own: the rewrite's own parameters.
    """

    def build() -> Any:
        import torch

        from clavilux.generator.rewrites import REWRITES, styled_convs

        kind: Any = REWRITES[name]
        weight = styled_convs(model.network)[place.layer].weight
        return kind(
            place, weight, *(torch.from_numpy(each).to(weight.device) for each in given.values()), **own
        )

    spec: Hashable = (name, place.layer, place.key, place.seed, *sorted(own.items()))
    arrays = dict(given) | ({} if place.places is None else {"places": place.places})
    inputs = dict.fromkeys(signals, PER_FRAME)
    return Change(place.layer, inputs, spec, arrays, build, number=place.number, combines=True)


def blend_change(model: Model, other: Model, place: Place, cells: tuple[int, int]) -> Change:
    """Return the change that turns a layer of a model into another model's; see `check_alike`.

    Args:
        model: what is changed.
        other: the second model.
        place: which layer.
        cells: rows and columns of the constant.
    """

    def build() -> Any:
        from clavilux.generator.rewrites import blend_at

        return blend_at(place, model.network, other.network, other.network.start(cells, model.extend))

    return Change(
        place.layer,
        {"amount": PER_FRAME},
        ("rewrite.blend", place.layer, place.key, other.digest),
        {},
        build,
        number=place.number,
        combines=True,
        everywhere=place.layer not in styled_convolutions(model.sizes.layers),
    )


def check_alike(first: Model, second: Model) -> None:
    """Check that the layers of two models can be blended.

    Raises:
        ModelError: they are of different architectures or sizes, or of one whose weights cannot be rewritten.
    """
    check_rewritable(first.sizes)
    a, b = (
        (each.sizes.architecture, each.resolution, each.w_dim, dict(each.sizes.layers))
        for each in (first, second)
    )
    if a != b:
        raise ModelError(
            f"{first.name} and {second.name} cannot be mixed: one is {_words(a)}, the other {_words(b)}",
            where="model",
            value=second.name,
            hint="mix checkpoints of one architecture, resolution and number of channels",
        )


def _words(sizes: tuple[str, int, int, Any]) -> str:
    architecture, resolution, length, layers = sizes
    channels = max(layer.channels for layer in layers.values())
    return f"{architecture} of {resolution} px, {channels} channels and latents of {length}"
