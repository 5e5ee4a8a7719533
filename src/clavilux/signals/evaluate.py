"""From expressions to numbers: curves on the control clock, and values per frame.

Every signal is computed once per song, on the 100 Hz clock; what it was made from is let go. Per frame a
curve is its mean over the frame and an envelope its maximum, so no hit falls between two frames; pointwise
ops are applied to those values, so what is built from an envelope meets its peak too.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clavilux.curves import Curve
from clavilux.features.song import Song
from clavilux.signals.expr import Hits, Node, Signal, Stem
from clavilux.signals.table import OPS

__all__ = ["Evaluation", "evaluate"]

Array = NDArray[np.float64]


def evaluate(signal: Signal, song: Song) -> Curve:
    """Compute a signal for a song.

    Returns:
        the curve, (T, C) at 100 Hz.

    Raises:
        PatchError: the song has no such stem.
    """
    return Evaluation(song).curve(signal)


class Evaluation:
    """Signals of one song, each computed when first asked for and kept."""

    def __init__(self, song: Song) -> None:
        self.song = song
        self._curves: dict[Node, Curve] = {}

    def curve(self, signal: Signal) -> Curve:
        """Compute the signal over the whole song."""
        known = self._curves.get(signal)
        if known is None:
            known = self._curves[signal] = self._compute(signal, {})
        return known

    def frames(self, signal: Signal, edges: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sample the signal between neighbouring frame edges (B + 1,) s; float64 (B, C)."""
        if signal.op == "constant":
            return np.full((len(edges) - 1, 1), signal.params[0][1], np.float64)
        op = OPS[signal.op]
        if op.pointwise:
            inputs = [self.frames(node, edges) for node in signal.inputs if isinstance(node, Signal)]
            return np.asarray(op.function(*inputs, **dict(signal.params)), np.float64)
        sample = self.curve(signal).max_between if _is_envelope(signal) else self.curve(signal).mean_between
        return sample(edges).astype(np.float64)

    def _compute(self, signal: Signal, met: dict[Node, Curve]) -> Curve:
        """Compute a signal; ``met`` remembers what it is made from, as nodes may be met more than once."""
        if signal.op == "constant":
            return Curve(np.full((1, 1), signal.params[0][1]))
        return Curve(self._call(signal, met).astype(np.float32))

    def _call(self, node: Node, met: dict[Node, Curve]) -> Any:
        """Do what a node's op does, on its inputs."""
        function = OPS[node.op].function
        inputs = [self._input(other, met) for other in node.inputs]
        song = [self.song] if "song" in function.__annotations__ else []
        return function(*song, *inputs, **dict(node.params))

    def _input(self, node: Node, met: dict[Node, Curve]) -> object:
        match node:
            case Stem():
                return node.op
            case Hits():
                return self._call(node, met) if node.inputs else getattr(self.song, node.op)
            case Signal():
                known = self._curves.get(node) or met.get(node)
                if known is None:
                    known = met[node] = self._compute(node, met)
                return known.values.astype(np.float64)
        raise TypeError(type(node).__name__)


def _is_envelope(signal: Signal) -> bool:
    """Tell whether a signal jumps and falls: an envelope or a release."""
    return OPS[signal.op].kind == "envelope" or signal.op == "release"
