"""Bends: transforms of a layer's features on their way through the network (Broad et al. 2020).

A bend is an op like any other; its signals become inputs of the program for every frame.
"""

from clavilux.signals.expr import Node

__all__ = ["Bend"]


class Bend(Node):
    """One transform at one layer."""

    __slots__ = ()
    kind = "bend"
