"""The ops that begin an expression, as functions: `palette`, `drift`, `disc`, `gate` and the like.

There is one for every such op of the table; their types and documentation are in the generated stub.

>>> from clavilux.patches.functions import drift
>>> print(drift(seconds=4))
drift(seconds=4, name='')
"""

from typing import Any

from clavilux.patches import patch as _patch  # the classes of all nodes
from clavilux.signals.expr import Namespace, maker
from clavilux.signals.plugins import is_namespace
from clavilux.signals.table import OPS

assert _patch

__all__ = sorted({op.name.partition(".")[0] for op in OPS.values() if op.begins})  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in OPS and not name.startswith("_") and is_namespace(name):
        return Namespace(name)
    op = OPS.get(name)
    if op is None or not op.begins:
        raise AttributeError(f"no operation '{name}' begins an expression")
    return maker(op)
