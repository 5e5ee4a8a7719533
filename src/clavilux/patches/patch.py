"""A patch: everything that is shown, as one value."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from clavilux.errors import ClaviluxError, PatchError
from clavilux.patches.bend import Bend
from clavilux.patches.latent import Latent
from clavilux.patches.noise import Noise
from clavilux.patches.palette import Palette
from clavilux.patches.rewrite import Rewrite
from clavilux.signals.expr import Node, Signal, as_signal, nodes_of
from clavilux.signals.table import KINDS, OPS
from clavilux.signals.text import parse_lines, to_lines

__all__ = ["Patch", "with_files"]

MAX_NODES = 20_000
"""Operations of a patch, shared ones once: a mix of 500 tracks has about half as many."""


MAX_NOISE_TERMS = 10_000
"""Tracks of noise that are summed: twenty for each of 500 tracks of a mix."""
MAX_MASKS = 64
"""Different masks of noise: of each the weights of every pixel of every layer are kept."""
MAX_CHANGES = 1000
"""Bends and rewrites, which are built into the network."""


@dataclass(frozen=True)
class Patch:
    """What a song is drawn with.

    Attributes:
        latents: shape and colour.
        noise: texture.
        psi: truncation; 0 is the model's average image, 1 its full variety. A number or a signal.
        bends: transforms of features.
        rewrites: changes of weights.
        places: where an operation is written, by its digest, for messages: `look.noise, column 7`.

    Raises:
        PatchError: a part is of another kind.

    >>> from clavilux.patches.functions import drift, palette
    >>> patch = Patch(palette(seed=1).loop(bars=8), drift(seconds=4), psi=0.7)
    >>> print(patch)
    latents = palette(mood=None, seed=1).loop(bars=8, path='spline')
    noise = drift(seconds=4, name='')
    psi = 0.7
    >>> Patch.parse(str(patch)) == patch
    True
    """

    latents: Latent
    noise: Noise
    psi: Signal | float = 1.0
    bends: tuple[Bend, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "psi", as_signal(self.psi))
        for kind, name in (("latent", "latents"), ("noise", "noise")):
            _check(kind, name, getattr(self, name))
        for kind, name in (("bend", "bends"), ("rewrite", "rewrites")):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            for node in getattr(self, name):
                _check(kind, name, node)
        _check_cost(self)

    def __str__(self) -> str:
        return "\n".join(to_lines(self.roots))

    @classmethod
    def parse(cls, text: str) -> "Patch":
        """Read a patch as `str` writes it; nothing in it is executed.

        Raises:
            PatchError: it cannot be read; the message has line and column.
        """
        parts = parse_lines(text)
        missing = [name for name in ("latents", "noise", "psi") if name not in parts]
        if missing:
            raise PatchError(f"The patch has no line '{missing[0]} = ...'", where="patch", value=missing[0])
        bends, rewrites = (_numbered(parts, name) for name in ("bend", "rewrite"))
        return cls(parts["latents"], parts["noise"], parts["psi"], bends, rewrites)

    def with_psi(self, psi: Signal | float) -> "Patch":
        """Return the patch with another truncation."""
        return replace(self, psi=psi)

    def with_files(self, rename: Callable[[str], str]) -> "Patch":
        """Return the patch with other names of the files that it reads."""
        made: dict[Node, Any] = with_files(self.nodes, rename)
        places = {made[n].digest: self.places[n.digest] for n in made if n.digest in self.places}
        parts = {name: made[root] for name, root in self.roots.items()}
        bends, rewrites = (_numbered(parts, name) for name in ("bend", "rewrite"))
        return Patch(parts["latents"], parts["noise"], parts["psi"], bends, rewrites, places)

    @contextmanager
    def placing(self) -> Iterator[None]:
        """Say in errors that are raised within where what they are about is written, if that is known."""
        try:
            yield
        except ClaviluxError as error:
            place = self.places.get(error.part)
            raise (error if place is None else error.placed(place)) from error.__cause__

    @property
    def nodes(self) -> Iterator[Node]:
        """Every node once, inputs before what is made of them."""
        return nodes_of(*self.roots.values())

    @property
    def signals(self) -> list[Signal]:
        """The signals that latents, noise, psi, bends and rewrites take, once each, in a fixed order."""
        visual = [node for node in self.nodes if not isinstance(node, Signal)]
        taken = [each for node in visual for each in node.inputs if isinstance(each, Signal)]
        return list(dict.fromkeys([*taken, as_signal(self.psi)]))

    @property
    def palettes(self) -> list[Palette]:
        """The palettes it uses, once each, each before its variants."""
        return [node for node in self.nodes if isinstance(node, Palette)]

    @property
    def files(self) -> list[Path]:
        """The files that its ops read, once each."""
        named = [
            Path(str(value))
            for node in self.nodes
            for name, value in node.params
            if OPS[node.op].params[name].is_file and value is not None
        ]
        return list(dict.fromkeys(named))

    @property
    def versions(self) -> dict[str, int]:
        """Version of every op it uses, by the op's key."""
        return {key: OPS[key].version for key in sorted({node.op for node in self.nodes})}

    @property
    def roots(self) -> dict[str, Node]:
        """The expressions it consists of, by name: latents, noise, psi, bend0, bend1, ..., rewrite0, ..."""
        roots: dict[str, Node] = {"latents": self.latents, "noise": self.noise, "psi": as_signal(self.psi)}
        roots |= {f"bend{k}": bend for k, bend in enumerate(self.bends)}
        return roots | {f"rewrite{k}": rewrite for k, rewrite in enumerate(self.rewrites)}


def with_files(nodes: Iterable[Node], rename: Callable[[str], str]) -> dict[Node, Node]:
    """Return nodes, inputs first, with other names of the files that they read, by what they were."""
    made: dict[Node, Node] = {}
    for node in nodes:
        op = OPS[node.op]
        params = tuple(
            (name, rename(str(value)) if op.params[name].is_file and value is not None else value)
            for name, value in node.params
        )
        made[node] = Node.make(op, tuple(made[each] for each in node.inputs), params)
    return made


def _check(kind: Any, name: str, node: object) -> None:
    if not isinstance(node, Node) or node.kind != kind:
        shown = node.place if isinstance(node, Node) else repr(node)
        raise PatchError(f"The {name} of a patch cannot be {shown}", where=name, hint=f"give {KINDS[kind]}")


def _check_cost(patch: Patch) -> None:
    """Check that what is to be computed and kept for a patch is bounded.

    Raises:
        PatchError: it has too many operations, terms of noise, masks of noise, or changes of the network.
    """
    nodes = list(itertools.islice(patch.nodes, MAX_NODES + 1))
    terms: dict[Node, int] = {}  # of noise: a sum of a noise with itself has them twice
    for node in nodes:
        if node.kind == "noise":
            own = node.op == "noise.fast"
            terms[node] = own + sum(terms[each] for each in node.inputs if each.kind == "noise") or 1
    masks = {node.inputs[1] for node in nodes if node.op == "noise.mask"}
    for count, most, what in (
        (len(nodes), MAX_NODES, "operations"),
        (max(terms.values(), default=0), MAX_NOISE_TERMS, "terms of noise"),
        (len(masks), MAX_MASKS, "masks of noise"),
        (len(patch.bends) + len(patch.rewrites), MAX_CHANGES, "bends and rewrites"),
    ):
        if count > most:
            raise PatchError(
                f"A patch of more than {most} {what} cannot be drawn",
                where="patch",
                hint="write it with fewer scenes or parts",
            )


def _numbered(parts: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    found: list[Any] = []
    while f"{name}{len(found)}" in parts:
        found.append(parts[f"{name}{len(found)}"])
    return tuple(found)
