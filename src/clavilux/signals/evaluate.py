"""From expressions to numbers: curves of a song, and their values per frame.

Every signal is computed once per song, on the 100 Hz clock; intermediate curves are released. Per frame a
curve is its mean over the frame and an envelope its maximum, so no event falls between two frames; pointwise
ops are applied to those values, so what is built from an envelope reaches its peak too.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clavilux.array_files import ArrayValue
from clavilux.arrays import F64, AnyArray
from clavilux.curves import Curve, Grid
from clavilux.errors import PatchError
from clavilux.features.song import Song
from clavilux.signals.expr import Node, Signal, naming, nodes_of
from clavilux.signals.table import OPS
from clavilux.signals.text import parse, to_text

__all__ = ["Curves", "Evaluated", "curves_needed", "evaluate"]

MAX_CURVE_BYTES = 2**32
"""Of all curves kept at once: 500 chromas of a mix of half an hour."""


@dataclass(frozen=True, eq=False)
class Curves(ArrayValue):
    """Signals of one song as values: all that a patch needs of a song.

    Attributes:
        curves: by signal, (T, C) at 100 Hz.
        grid: the song's beats and bars.
    """

    noun = "curves"
    curves: Mapping[Signal, Curve]
    grid: Grid

    def __getitem__(self, signal: Signal) -> Curve:
        return self.curves[signal]

    def arrays(self) -> dict[str, AnyArray]:
        """Return everything as arrays: the grid, and the curves in the order of their signals' texts."""
        grid = self.grid
        by_text = sorted((to_text(signal), curve) for signal, curve in self.curves.items())
        about = {
            "signals": [text for text, _ in by_text],
            "beats_per_bar": grid.beats_per_bar,
            "confidence": grid.confidence,
        }
        named = {str(k): curve.values for k, (_, curve) in enumerate(by_text)}
        return {"about": np.array(json.dumps(about)), "beats": grid.beats, "bars": grid.bars, **named}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> "Curves":
        """Make curves of what `arrays` returned.

        Raises:
            ValueError, KeyError, TypeError, PatchError: they are others.
        """
        about = json.loads(str(arrays["about"]))
        grid = Grid(
            arrays["beats"],
            beats_per_bar=about["beats_per_bar"],
            confidence=about["confidence"],
            bars=arrays["bars"],
        )
        curves = {parse(text): Curve(arrays[str(k)]) for k, text in enumerate(about["signals"])}
        return cls(curves, grid)

    def at(self, signal: Signal, edges: F64, known: dict[Node, F64] | None = None) -> F64:
        """Sample a signal between neighbouring frame edges (B + 1,) s; float64 (B, C).

        Args:
            signal: one of `curves`, or pointwise ops on them.
            edges: start of each frame and end of the last.
            known: values for these edges so far, to be added to: shared parts are computed once.
        """
        known = {} if known is None else known
        if signal not in known:
            known[signal] = self._sampled(signal, edges, known)
        return known[signal]

    def _sampled(self, signal: Signal, edges: F64, known: dict[Node, F64]) -> F64:
        op, params = OPS[signal.op], dict(signal.params)
        if op.sampling == "pointwise":
            inputs = [self.at(each, edges, known) for each in signal.inputs if isinstance(each, Signal)]
            value = np.asarray(op.function(*inputs, **params), np.float64)
            return value if value.ndim else np.full((len(edges) - 1, 1), value)
        curve = self.curves[signal]
        sampled = curve.max_between(edges) if op.sampling == "max" else curve.mean_between(edges)
        return sampled.astype(np.float64)


def evaluate(signals: Signal | Iterable[Signal], song: Song, *, known: "Evaluated | None" = None) -> Curves:
    """Compute the curves that some signals need of a song.

    Args:
        signals: one, or all that a patch uses.
        song: the song.
        known: what earlier calls for the same song computed; only what is new is computed, and added to it.

    Raises:
        SongError: the song has no such stem.

    >>> from clavilux.audio.sound import Audio
    >>> from clavilux.signals.sources import song
    >>> level = song.mix.rms().smooth(seconds=1)
    >>> evaluate(level, Song(Audio.from_samples(np.zeros(8000), 8000)))[level].values.shape
    (100, 1)
    """
    needed = list(curves_needed([signals] if isinstance(signals, Signal) else signals))
    before = {} if known is None else known.values
    uses = Counter(each for node in nodes_of(*needed) for each in node.inputs)
    values: dict[Node, Any] = {}
    kept, held = set(needed), 0
    for node in nodes_of(*needed):
        values[node] = before[node] if node in before else _computed(node, values, song)
        held += _bytes(values[node])
        if held > MAX_CURVE_BYTES:
            what = f"The signals of this patch need more than {MAX_CURVE_BYTES / 1e6:.3g} MB in this song"
            raise PatchError(what, where="patch", hint="use fewer signals, or render a part of the song")
        for each in node.inputs:
            uses[each] -= 1
            if known is None and not uses[each] and each not in kept:
                held -= _bytes(values.pop(each))  # a long song has many intermediate curves
    if known is not None:
        known.values.clear()
        known.values.update(values)
    return Curves({signal: values[signal] for signal in needed}, song.grid)


@dataclass
class Evaluated:
    """Curves and events of one song that `evaluate` has computed, so that it need not do so again.

    Attributes:
        values: by node; what the latest call did not need is dropped.
    """

    values: dict[Node, Any] = field(default_factory=dict)


def curves_needed(roots: Iterable[Signal]) -> Iterator[Signal]:
    """Yield the signals that must be known as curves: below pointwise ops, once each, in a fixed order."""
    waiting, seen = list(roots)[::-1], set()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if OPS[node.op].sampling == "pointwise":
            waiting.extend(each for each in reversed(node.inputs) if isinstance(each, Signal))
        else:
            yield node


def _computed(node: Node, values: Mapping[Node, Any], song: Song) -> Any:
    """Compute a node from the values of its inputs: a curve, float32, for a signal."""
    op = OPS[node.op]
    try:
        with naming(node):
            found = op.compute(song, [_given(values[each]) for each in node.inputs], node.params)
        if not isinstance(node, Signal):
            return found
        curve = np.asarray(found, np.float32)
        return Curve(curve if curve.ndim else curve.reshape(1, 1))
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        if "." not in op.name:
            raise
        raise PatchError(
            f"The operation '{op.name}' failed ({type(error).__name__}: {error})",
            where=op.name,
            hint="tell the authors of the plugin",
        ) from error


def _bytes(value: Any) -> int:
    return value.values.nbytes if isinstance(value, Curve) else 0


def _given(value: Any) -> Any:
    """Return what an op is given for a node: a curve's values for a signal."""
    return value.values.astype(np.float64) if isinstance(value, Curve) else value
