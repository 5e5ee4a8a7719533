"""Rewrites: changes of a layer's weights, by an amount per frame (Bau et al. 2020).

A rewrite is an op like any other; its signals become inputs of the program for every frame.
"""

from clavilux.signals.expr import Node

__all__ = ["Rewrite"]


class Rewrite(Node):
    """One change of one layer's weights."""

    __slots__ = ()
    kind = "rewrite"
