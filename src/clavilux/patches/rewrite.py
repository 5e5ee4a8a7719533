"""Rewrites: changes of a layer's weights, by an amount per frame (Bau et al. 2020).

A rewrite is an op like any other; its signals become inputs of the program for every frame.
"""

from clavilux.patches import bend_ops as _masks  # `everywhere`
from clavilux.patches import rewrite_ops as _ops  # fills the op table
from clavilux.signals.expr import Node

__all__ = ["Rewrite"]

assert _ops
assert _masks


class Rewrite(Node):
    """One change of one layer's weights."""

    __slots__ = ()
    kind = "rewrite"
