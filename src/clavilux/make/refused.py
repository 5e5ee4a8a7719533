"""What of a patch would be refused when it is drawn, found without a song: files, entries, layers ..."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from clavilux.catalogue import GROUPS, PITCH_CLASSES
from clavilux.errors import ClaviluxError, FileError
from clavilux.files import is_file
from clavilux.frames.bind import MASK_SIDE
from clavilux.generator.canvas import default_cells
from clavilux.generator.model import Model
from clavilux.image_files import read_image
from clavilux.make.changes import changes_of
from clavilux.make.workspace import Workspace
from clavilux.patches.ops.latents import layer_range
from clavilux.patches.ops.noise import noise_layers
from clavilux.patches.palette import Palette
from clavilux.profile.directions import find_direction
from clavilux.profile.model_palettes import ModelPalettes
from clavilux.project.output import Output
from clavilux.signals.expr import Node, nodes_of
from clavilux.signals.table import OPS

__all__ = ["refused_parts"]

AN_INSTANT = SimpleNamespace(duration=0.01)
"""All that operations which read files need of a song."""
OF_EVERY_PALETTE = {"rest", "accent", *PITCH_CLASSES}


def refused_parts(
    nodes: Mapping[Node, str], model: Model, output: Output, workspace: Workspace
) -> list[ClaviluxError]:
    """Find what is wrong with the operations of a patch; of those that use a wrong one nothing more is said.

    Args:
        nodes: where each is written.
        model: what draws.
        output: gives the sizes of layers.
        workspace: keeps what is found out about the model; has the user's palettes and models.
    """
    checks = _Checks(model, output, workspace)
    errors: list[ClaviluxError] = []
    wrong: set[Node] = set()
    for node in nodes_of(*nodes):
        if wrong.intersection(node.inputs):
            wrong.add(node)
            continue
        try:
            checks.check(node)
        except ClaviluxError as error:
            wrong.add(node)
            errors.append(error.placed(nodes.get(node, "look")))
    return errors


class _Checks:
    """Checks operations by name; each raises a ClaviluxError where one would be refused."""

    def __init__(self, model: Model, output: Output, workspace: Workspace) -> None:
        self.model, self.workspace = model, workspace
        self.source = ModelPalettes(model, workspace.store, workspace.palettes)
        self.cells = output.cells or default_cells(model.sizes, output.size)
        self.groups: dict[str, range] = {name: model.group(name) for name in GROUPS}
        layers = {name: layer for name, layer in model.sizes.layers.items() if layer.takes_noise}
        self.noisy = {
            name: frozenset(layer for layer, each in layers.items() if each.w_index in group)
            for name, group in self.groups.items()
        }
        self.palettes: dict[Node, Any] = {}
        self.by_op: Mapping[str, Callable[..., object]] = {
            "latent.on": lambda layers, **_: layer_range(layers, self.groups, model.num_ws),
            "latent.push": lambda direction, **_: find_direction(model, workspace.store, direction),
            "noise.on": self.noise_layers,
            "image": lambda path: read_image(Path(path), "L", (MASK_SIDE, MASK_SIDE)),
        }

    def check(self, node: Node) -> None:
        """Check one operation, whose inputs are right."""
        params = dict(node.params)
        for name, value in params.items():
            if OPS[node.op].params[name].is_file and not is_file(Path(str(value))):
                what = f"there is no file '{value}'"
                raise FileError(what, where=name, value=str(value), hint="check its name")
        if node.kind in {"bend", "rewrite"}:
            changes_of([node], self.model, self.cells, self.workspace.store, self.workspace.model)
        elif node.op in self.by_op:
            self.by_op[node.op](**params)
        elif node.op in {"curve", "events", "midi"}:
            OPS[node.op].compute(AN_INSTANT, [], node.params)
        elif node.op in {"saved", "from_seeds", "from_classes", "from_latents", "from_image"}:
            self.palette(node)
        elif node.op == "palette.entry" and params["name"] not in OF_EVERY_PALETTE:
            self.palette(node.inputs[0]).entry(str(params["name"]))

    def noise_layers(self, layers: str) -> None:
        known: frozenset[str] = frozenset().union(*self.noisy.values())
        if known:  # a model that takes no noise draws none, whatever is said of it
            noise_layers(layers, self.noisy, known)

    def palette(self, node: Node) -> Any:
        """Return a palette's latents, chosen once."""
        if node not in self.palettes:
            inputs = [self.palette(each) for each in node.inputs if isinstance(each, Palette)]
            self.palettes[node] = OPS[node.op].compute(self.source, inputs, node.params)
        return self.palettes[node]
