"""How far a bend must go to be seen: subtle, medium and strong, the same on any model and layer.

Known without PyTorch where it is kept; see `calibration_search` for how it is found.
"""

from collections.abc import Hashable, Sequence

from clavilux.arrays import F64
from clavilux.catalogue import REACHES
from clavilux.generator.change import Change
from clavilux.generator.model import Model
from clavilux.store import Store

__all__ = ["calibrated"]

VERSION = 2


def calibrated(
    model: Model, store: Store, name: str, bends: Sequence[Change], site: Hashable
) -> dict[str, float]:
    """Return the strength of a bend that is subtle, medium and strong, in shares of its full strength.

    Args:
        model: the generator.
        store: keeps the result.
        name: of the bend.
        bends: the bend at all its layers, everywhere in them; what it moves along counts too.
        site: everything that fixes where it acts.
    """
    layers = ",".join(bend.layer for bend in bends)
    key = f"generator/calibration/{VERSION}/{model.digest}/{name}/{layers}/{site!r}"

    def found() -> dict[str, F64]:
        from clavilux.profile.calibration_search import search_strengths  # it needs PyTorch

        return {"strengths": search_strengths(model, bends)}

    kept = store.fetch(key, found)["strengths"]
    return {reach: float(strength) for reach, strength in zip(REACHES, kept, strict=True)}
