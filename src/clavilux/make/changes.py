"""From the bends and rewrites of a patch to the modules that do them.

Built-in operations are looked up by name among the generator's own modules; an operation of a plugin returns
its module itself. One node may become several modules that share their inputs, one at each layer it names.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from clavilux.arrays import F64, I64
from clavilux.catalogue import GROUPS
from clavilux.errors import PatchError
from clavilux.frames.bind import MASK_SIDE
from clavilux.generator.bends import BENDS, Site, weigh_places
from clavilux.generator.channel_sets import channel_weights, find_layers
from clavilux.generator.model import Model, load_model
from clavilux.generator.network import group_layers
from clavilux.generator.program import Change
from clavilux.generator.rewrites import (
    REWRITES,
    Edit,
    Place,
    blend_at,
    check_alike,
    input_extent,
    styled_convs,
)
from clavilux.image_files import read_image
from clavilux.make.fetch import is_remote
from clavilux.patches.ops.bends import ALONG, SITE
from clavilux.profile.calibration import calibrated
from clavilux.profile.clusters import clusters_of
from clavilux.profile.contexts import find_context
from clavilux.profile.edit_files import read_edit
from clavilux.profile.edits import solve_edit
from clavilux.signals.expr import Node, Signal, naming
from clavilux.signals.table import OPS
from clavilux.store import Store

__all__ = ["blended_models", "changes_of"]

BLEND = "rewrite.blend"


def changes_of(
    nodes: Sequence[Node],
    model: Model,
    cells: tuple[int, int],
    store: Store | None = None,
    load: Callable[[str], Model] = load_model,
) -> list[Change]:
    """Make the modules of bends or rewrites, in order.

    Args:
        nodes: all of the bends of a patch, or all of its rewrites.
        model: what they change.
        cells: rows and columns of its constant.
        store: keeps what is found out about the model.
        load: finds the models that it is mixed with.

    Raises:
        PatchError: an operation fails, or returns no module.
        ModelError: the model has no such layers or channels.
    """
    made: list[Change] = []
    for number, node in enumerate(nodes):
        with naming(node):
            if node.op == BLEND:
                made += _blends(number, node, model, cells, load)
            elif node.op in BENDS:
                made += _bends(number, node, model, cells, store or Store())
            elif node.op in REWRITES:
                made += _rewrites(number, node, model, cells, store or Store())
            else:
                made.append(_plugin(number, node))
    return made


def _bends(number: int, node: Node, model: Model, cells: tuple[int, int], store: Store) -> Iterator[Change]:
    params: dict[str, Any] = dict(node.params)
    own = {name: value for name, value in params.items() if name not in SITE | ALONG}
    sites = [
        _site(number, node, layer, model, cells, store) for layer in find_layers(model.network, params["at"])
    ]
    if params["reach"] is not None:
        reach = calibrated(model, store, node.op, sites, **own)[params["reach"]]
        sites = [replace(site, reach=reach) for site in sites]
    for site in sites:
        yield BENDS[node.op](site, **own)


def _site(  # all of them fix where a bend acts
    number: int, node: Node, layer: str, model: Model, cells: tuple[int, int], store: Store
) -> Site:
    params: dict[str, Any] = dict(node.params)
    where = node.inputs[-1]
    count, margin = model.sizes.layers[layer].channels, model.sizes.layers[layer].margin
    return Site(
        layer,
        channel_weights(
            params["channels"], count, layer=layer, seed=params["seed"], clusters=_clusters(model, store)
        ),
        places=None
        if where.op == "everywhere"
        else weigh_places(_mask(where), _extent(model, layer, cells), margin),
        margin=margin,
        guard=params["guard"],
        key=(node.params, str(where)),
        number=number,
        seed=params["seed"],
        along=params.get("along"),
    )


def _rewrites(
    number: int, node: Node, model: Model, cells: tuple[int, int], store: Store
) -> Iterator[Change]:
    params: dict[str, Any] = dict(node.params)
    where, network = node.inputs[-1], model.network
    convs = styled_convs(network)
    for layer in find_layers(network, params["at"], list(convs)):
        place = Place(
            layer,
            convs[layer].weight,
            places=None
            if where.op == "everywhere"
            else weigh_places(_mask(where), input_extent(network, layer, cells)),
            key=(node.params, str(where)),
            number=number,
            seed=params.get("seed", 0),
        )
        yield _rewrite(node, place, params, model, store)


def blended_models(nodes: Sequence[Node], load: Callable[[str], Model] = load_model) -> list[Model]:
    """Load the models that rewrites mix with, once each.

    Raises:
        ModelError: one cannot be loaded.
        PatchError: one is an address; a patch of a stranger fetches nothing.
    """
    names = dict.fromkeys(str(dict(node.params)["model"]) for node in nodes if node.op == BLEND)
    return [load(_local(name)) for name in names]


def _local(name: str) -> str:
    """Return the name of a model that is here; an address is refused."""
    if is_remote(name):
        hint = "import it first, and give its name"
        raise PatchError(f"A patch fetches no model from '{name}'", where="model", value=name, hint=hint)
    return name


def _blends(
    number: int, node: Node, model: Model, cells: tuple[int, int], load: Callable[[str], Model]
) -> Iterator[Change]:
    params: dict[str, Any] = dict(node.params)
    network, other = model.network, load(_local(params["model"]))
    check_alike(model, other)
    convs = styled_convs(network)
    where, const = node.inputs[-1], other.network.start(cells, model.extend)
    if where.op != "everywhere":
        raise PatchError(f"{node.place} acts everywhere", where="where", hint="leave out its mask")
    for layer in _mixed_layers(model, params["at"]):
        base = convs[layer].weight if layer in convs else const
        place = Place(layer, base, key=(node.params, other.digest), number=number)
        yield blend_at(place, other.network, const)


def _mixed_layers(model: Model, at: str) -> list[str]:
    """Return the layers that a blend names: by group, by size with their colours, or by name."""
    layers = model.sizes.layers
    for group in GROUPS:
        if at == group:
            return group_layers(layers, group)
    return list(layers) if at == "all" else find_layers(model.network, at, list(layers))


def _rewrite(node: Node, place: Place, params: dict[str, Any], model: Model, store: Store) -> Change:
    kind: Any = REWRITES[node.op]
    if kind is Edit:
        plan = read_edit(Path(params["path"]))
        return Edit(place, *solve_edit(model, place.layer, plan, rank=params["rank"]))
    own = {name: value for name, value in params.items() if name in {"spread", "gain"}}
    contexts = [
        torch.from_numpy(find_context(model, store, place.layer, params[name]))
        for name in ("context", "to")
        if name in params
    ]
    return kind(place, *contexts, **own)  # type: ignore[no-any-return]


def _clusters(model: Model, store: Store) -> Callable[[str], Sequence[I64]]:
    return lambda layer: [cluster.channels for cluster in clusters_of(model, store, layer)]


def _extent(model: Model, layer: str, cells: tuple[int, int]) -> tuple[int, int]:
    """Return height and width of a layer's features."""
    network = model.network
    high, width = network.canvas(cells)
    side = network.layers[layer].resolution
    return high * side // network.resolution, width * side // network.resolution


def _mask(node: Node) -> Callable[[F64, F64], F64]:
    """Return the weights of places of a mask, whose operations take nothing but masks."""
    paths = [str(value) for name, value in node.params if OPS[node.op].params[name].is_file]
    images = {path: read_image(Path(path), "L", (MASK_SIDE, MASK_SIDE)) for path in paths}
    mask: Callable[[F64, F64], F64] = OPS[node.op].compute(
        SimpleNamespace(images=images), [_mask(each) for each in node.inputs], node.params
    )
    return mask


def _plugin(number: int, node: Node) -> Change:
    op = OPS[node.op]
    signals = [name for name, each in zip(op.inputs, node.inputs, strict=True) if isinstance(each, Signal)]
    try:
        made: Any = op.function(*[None] * len(op.inputs), **dict(node.params))  # signals come per frame
    except (TypeError, ValueError, AttributeError) as error:
        raise PatchError(f"{node.place} cannot be made ({error})", where=op.name) from error
    missing = [name for name in ("layer", "inputs", "spec", "is_features") if not hasattr(made, name)]
    if missing or set(made.inputs) != set(signals):
        what = f"no {missing[0]}" if missing else f"other inputs than {', '.join(signals) or 'none'}"
        raise PatchError(f"{node.place} returns a module with {what}", where=op.name)
    made.number = number
    change: Change = made
    return change
