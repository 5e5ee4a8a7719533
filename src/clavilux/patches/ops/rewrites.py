"""The rewrites of the patch language: what each is called, what moves it, and in which units.

A rewrite changes the weights of a convolution by an amount per frame (Bau et al. 2020, arXiv:2007.15646).
The modules that compute rewrites are in `generator.rewrites`, by the names given here. `at` is a layer, such
as 'b16.conv1', or feature sizes, such as '8-64 px'.

Contexts are clusters of the channels that the layer takes, such as 'cluster 2', as `clavilux models profile`
lists them.
"""

import inspect
from collections.abc import Mapping

from clavilux.arrays import F64
from clavilux.signals.table import Kind, Param, file, number, op, text, whole

__all__: list[str] = []

AMOUNT = number(1, 0, 1)
CONTEXT = text()


def _rewrite(
    name: str,
    sentence: str,
    moved: Mapping[str, Param] | None = None,
    params: Mapping[str, Param] | None = None,
) -> None:
    """Declare a rewrite: its name, what it does, its signals and its parameters."""
    signals = {**(moved or {}), "amount": AMOUNT}
    fixed = {**(params or {}), "at": text()}

    def declared(*_: F64, **__: object) -> None:
        return None

    kinds = inspect.Parameter
    declared.__name__, declared.__doc__ = name, sentence
    declared.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            *(kinds(each, kinds.POSITIONAL_OR_KEYWORD) for each in (*signals, "where")),
            *(kinds(each, kinds.KEYWORD_ONLY) for each in fixed),
        ]
    )
    takes: list[Kind] = ["signal" for _ in signals]
    given: Mapping[str, Param | str] = {**signals, "where": "everywhere"}
    op("rewrite", *takes, "mask", namespace="rewrite", params=fixed, optional=given)(declared)


_rewrite(
    "scale",
    "Turn every weight into itself times N, normal about -1: at 1 the network paints in negative, on the way "
    "the weights are random. `turn` moves N, in a circle of 1.",
    {"turn": number(0, -65536, 65536, "turns")},
    {"spread": number(0.31, 0, 4), "seed": whole(0, 0, 2**31 - 1)},
)
_rewrite("mute", "Let what a context is drawn with fade.", None, {"context": CONTEXT})
_rewrite(
    "boost",
    "Exaggerate what a context is drawn with, at amount 1 by the gain.",
    None,
    {"context": CONTEXT, "gain": number(2, 0, 16)},
)
_rewrite(
    "swap",
    "Where one context appears, draw what another would be.",
    None,
    {"context": CONTEXT, "to": text()},
)
_rewrite(
    "edit",
    "Paste what one image shows into the places of others: seeds and masks from a JSON file.",
    None,
    {"path": file(), "rank": whole(1, 1, 16)},
)
_rewrite(
    "blend",
    "Turn layers into those of another model of the same architecture and size, given by its name or file. "
    "Here `at` may also be a group of layers, 'coarse', 'middle' or 'fine', or 'all'.",
    None,
    {"model": text()},
)
