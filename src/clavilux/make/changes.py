"""From the bends and rewrites of a patch to the modules that do them."""

from collections.abc import Sequence
from typing import Any

from clavilux.errors import PatchError
from clavilux.generator.program import Change
from clavilux.signals.expr import Node
from clavilux.signals.table import OPS

__all__ = ["changes_of"]


def changes_of(nodes: Sequence[Node]) -> list[Change]:
    """Make the modules of bends or rewrites, in order.

    Raises:
        PatchError: an operation fails, or returns no module.
    """
    return [_change(node) for node in nodes]


def _change(node: Node) -> Change:
    op = OPS[node.op]
    try:
        made: Any = op.function(*[None] * len(op.inputs), **dict(node.params))  # signals come per frame
    except (TypeError, ValueError, AttributeError) as error:
        raise PatchError(f"{node.place} cannot be made ({error})", where=op.name) from error
    missing = [name for name in ("layer", "inputs", "spec", "is_features") if not hasattr(made, name)]
    if missing or set(made.inputs) != set(op.inputs):
        what = f"no {missing[0]}" if missing else f"other inputs than {', '.join(op.inputs) or 'none'}"
        raise PatchError(f"{node.place} returns a module with {what}", where=op.name)
    change: Change = made
    return change
