"""From the bends and rewrites of a patch to the changes of a network.

Built-in operations become the generator's own changes by name, without PyTorch where what they need of the
model is kept; an operation of a plugin returns its module itself. One node may become several changes that
share their inputs, one at each layer it names.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from clavilux.arrays import F32, F64, I64
from clavilux.catalogue import GROUPS
from clavilux.errors import PatchError
from clavilux.frames.bind import MASK_SIDE
from clavilux.generator.builtin_changes import bend_change, blend_change, check_alike, rewrite_change
from clavilux.generator.change import Change
from clavilux.generator.channel_sets import channel_weights, find_layers
from clavilux.generator.model import Model, load_model
from clavilux.generator.network import check_rewritable, group_layers, styled_convolutions
from clavilux.generator.program import extent
from clavilux.generator.sites import Place, Site, weigh_places
from clavilux.image_files import read_image
from clavilux.make.fetch import is_remote
from clavilux.patches.ops.bends import ALONG, SITE
from clavilux.profile.calibration import calibrated
from clavilux.profile.clusters import clusters_of
from clavilux.profile.contexts import find_context
from clavilux.profile.edit_files import read_edit
from clavilux.signals.expr import Node, Signal, naming
from clavilux.signals.table import OPS
from clavilux.store import Store

__all__ = ["blended_models", "changes_of"]

BLEND, EDIT = "rewrite.blend", "rewrite.edit"


def changes_of(
    nodes: Sequence[Node],
    model: Model,
    cells: tuple[int, int],
    store: Store | None = None,
    load: Callable[[str], Model] = load_model,
) -> list[Change]:
    """Return what bends or rewrites change, in order.

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
            elif node.op.rpartition(".")[0] not in {"", "rewrite"}:
                made.append(_plugin(number, node))
            elif node.kind == "bend":
                made += _bends(number, node, model, cells, store or Store())
            else:
                made += _rewrites(number, node, model, cells, store or Store())
    return made


def _bends(number: int, node: Node, model: Model, cells: tuple[int, int], store: Store) -> Iterator[Change]:
    params: dict[str, Any] = dict(node.params)
    own = {name: value for name, value in params.items() if name not in SITE | ALONG}
    sites = [
        _site(number, node, layer, model, cells, store) for layer in find_layers(model.sizes, params["at"])
    ]
    signals = _signals(node)
    if params["reach"] is not None:
        bends = [
            bend_change(node.op, replace(site, places=None, number=None), signals, **own) for site in sites
        ]
        reach = calibrated(model, store, node.op, bends, sites[0].key)[params["reach"]]
        sites = [replace(site, reach=reach) for site in sites]
    for site in sites:
        yield bend_change(node.op, site, signals, **own)


def _signals(node: Node) -> list[str]:
    """Name what of an operation varies from frame to frame."""
    inputs = zip(OPS[node.op].inputs, node.inputs, strict=True)
    return [name for name, each in inputs if isinstance(each, Signal)]


def _site(  # all of them fix where a bend acts
    number: int, node: Node, layer: str, model: Model, cells: tuple[int, int], store: Store
) -> Site:
    params: dict[str, Any] = dict(node.params)
    sizes = model.sizes.layers[layer]
    return Site(
        layer,
        channel_weights(
            params["channels"],
            sizes.channels,
            layer=layer,
            seed=params["seed"],
            clusters=_clusters(model, store),
        ),
        places=_places(node, extent(model.sizes, cells, sizes.resolution), sizes.margin),
        margin=sizes.margin,
        guard=params["guard"],
        key=(node.params, str(node.inputs[-1])),
        number=number,
        seed=params["seed"],
        along=params.get("along"),
    )


def _places(node: Node, size: tuple[int, int], margin: int = 0) -> F32 | None:
    """Return the weights of the places of an operation's mask; none where it acts everywhere."""
    where = node.inputs[-1]
    return None if where.op == "everywhere" else weigh_places(_mask(where), size, margin)


def _rewrites(
    number: int, node: Node, model: Model, cells: tuple[int, int], store: Store
) -> Iterator[Change]:
    params: dict[str, Any] = dict(node.params)
    check_rewritable(model.sizes)
    for layer in find_layers(model.sizes, params["at"], styled_convolutions(model.sizes.layers)):
        sizes = model.sizes.layers[layer]
        place = Place(
            layer,
            places=_places(node, extent(model.sizes, cells, sizes.conv_input or 0)),
            key=(node.params, str(node.inputs[-1])),
            number=number,
            seed=params.get("seed", 0),
        )
        if node.op == EDIT:
            yield _edit(place, model, params)
            continue
        own = {name: value for name, value in params.items() if name in {"spread", "gain"}}
        contexts: dict[str, F32] = {
            name: find_context(model, store, layer, params[name])
            for name in ("context", "to")
            if name in params
        }
        yield rewrite_change(node.op, model, place, _signals(node), contexts, **own)


def _edit(place: Place, model: Model, params: dict[str, Any]) -> Change:
    """Return a copy-paste edit, whose rule is solved for."""
    from clavilux.profile.edits import solve_edit  # it needs PyTorch

    plan = read_edit(Path(params["path"]))
    content, directions = (
        each.cpu().numpy() for each in solve_edit(model, place.layer, plan, rank=params["rank"])
    )
    return rewrite_change(EDIT, model, place, ["amount"], {"content": content, "directions": directions})


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
    other = load(_local(params["model"]))
    check_alike(model, other)
    if node.inputs[-1].op != "everywhere":
        raise PatchError(f"{node.place} acts everywhere", where="where", hint="leave out its mask")
    for layer in _mixed_layers(model, params["at"]):
        yield blend_change(model, other, Place(layer, key=node.params, number=number), cells)


def _mixed_layers(model: Model, at: str) -> list[str]:
    """Return the layers that a blend names: by group, by size with their colours, or by name."""
    layers = model.sizes.layers
    for group in GROUPS:
        if at == group:
            return group_layers(layers, group)
    return list(layers) if at == "all" else find_layers(model.sizes, at, list(layers))


def _clusters(model: Model, store: Store) -> Callable[[str], Sequence[I64]]:
    return lambda layer: [cluster.channels for cluster in clusters_of(model, store, layer)]


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
    signals = _signals(node)
    try:
        made: Any = op.function(*[None] * len(op.inputs), **dict(node.params))  # signals come per frame
    except (TypeError, ValueError, AttributeError) as error:
        raise PatchError(f"{node.place} cannot be made ({error})", where=op.name) from error
    missing = [name for name in ("layer", "inputs", "spec", "is_features") if not hasattr(made, name)]
    if missing or set(made.inputs) != set(signals):
        what = f"no {missing[0]}" if missing else f"other inputs than {', '.join(signals) or 'none'}"
        raise PatchError(f"{node.place} returns a module with {what}", where=op.name)
    made.number = number
    return Change.of_module(made)
